"""Approving rules: who read them, when, and what the gate said at that moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pldgov.errors import RulebookError, UsageError
from pldgov.rulebook.approval import rule_digest, standing, unpinned
from pldgov.rulebook.checks import CHECKS
from pldgov.rulebook.editing import set_value
from pldgov.suggest import did_you_mean
from pldgov.workflows.linting import lint_revision

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import ReviewVerdict, Rule

_ABOUT_APPROVAL = {code for code in CHECKS if code.startswith("approval-")}


def rules_to_approve(
    revision: Revision, rule_ids: Sequence[str], *, every: bool = False
) -> tuple[Rule, ...]:
    """Return the rules of that name, or every active one whose approval does not hold.

    Raises ``RulebookError`` for a rulebook with lint errors, ``UsageError`` for a rule that is
    unknown, not active, or shows examples that nothing pins.
    """
    _require_no_errors(revision)
    rulebook = revision.rulebook
    exemplars = rulebook.prompt.exemplars
    if every:
        chosen = [rule for rule in rulebook.rules if rule.status == "active"]
        chosen = [rule for rule in chosen if standing(rule, exemplars) != "valid"]
    else:
        known = {rule.id: rule for rule in rulebook.rules}
        unknown = [rule_id for rule_id in rule_ids if rule_id not in known]
        if unknown:
            raise UsageError(
                f'there is no rule "{unknown[0]}"',
                where=revision.path,
                hint=did_you_mean(unknown[0], known) or f"known are {', '.join(known)}",
            )
        chosen = [known[rule_id] for rule_id in dict.fromkeys(rule_ids)]
    for rule in chosen:
        _require_approvable(rule, revision)
    return tuple(chosen)


def approve(
    revision: Revision,
    rules: Sequence[Rule],
    *,
    by: str,
    on: dt.date,
    verdict: ReviewVerdict,
) -> str:
    """Return the rulebook's text with a ``review`` in each of the rules; no other line changes."""
    rulebook = revision.rulebook
    rows = {rule.id: row for row, rule in enumerate(rulebook.rules)}
    text = revision.document.text
    for rule in rules:
        review: dict[str, Any] = {
            "by": by,
            "on": on,
            "digest": rule_digest(rule, rulebook.prompt.exemplars),
            "verdict": verdict,
        }
        try:
            text = set_value(text, ("rules", rows[rule.id], "review"), review)
        except UsageError as error:
            raise UsageError(error.message, where=revision.path, hint=error.hint) from error
    return text


def _require_no_errors(revision: Revision) -> None:
    problems = lint_revision(revision, selected=frozenset(CHECKS) - _ABOUT_APPROVAL)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise RulebookError(errors)


def _require_approvable(rule: Rule, revision: Revision) -> None:
    if rule.status != "active":
        raise UsageError(
            f'rule "{rule.id}" is {rule.status}, so nothing of it reaches the student',
            where=revision.path,
            hint='set "status: active" in the same change, then approve it',
        )
    loose = unpinned(rule, revision.rulebook.prompt.exemplars)
    if loose:
        raise UsageError(
            f'rule "{rule.id}" may show the example "{loose[0]}", whose content nothing pins',
            where=revision.path,
            hint="run `pldgov fmt --pin` first",
        )
