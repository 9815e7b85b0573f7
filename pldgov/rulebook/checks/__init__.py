"""What lint looks for once a rulebook can be read: a table of checks over plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.approval_policy import ApprovalPolicy
from pldgov.errors import UsageError
from pldgov.problems import Problem
from pldgov.rulebook.checks import (
    approvals,
    exclusions,
    labels,
    places,
    provenance,
    rules,
    splits,
    wording,
)
from pldgov.rulebook.checks.subject import Check, Finding, Subject
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pldgov.approval_policy import Author
    from pldgov.dataset import Example, SplitName
    from pldgov.problems import Severity
    from pldgov.rulebook.document import Document


def _nothing(_subject: Subject) -> Iterable[Finding]:
    """Stand for a check that looks at the outcome of the others (``exclusions.complain``)."""
    return ()


_EXCLUSION_CHECKS = tuple(
    Check(code, "warning", "rulebook", description, _nothing)
    for code, description in exclusions.DESCRIPTIONS.items()
)

CHECKS: Mapping[str, Check] = {
    one.code: one
    for module in (rules, labels, provenance, wording, places, approvals, splits)
    for one in module.CHECKS
} | {one.code: one for one in _EXCLUSION_CHECKS}
"""Every check by its code."""


def select_checks(*, select: Iterable[str] = (), ignore: Iterable[str] = ()) -> frozenset[str]:
    """Return the codes of the checks to run: those selected (all, if none is) but the ignored.

    Raises ``UsageError`` for a code that does not exist.
    """
    chosen, left_out = frozenset(select), frozenset(ignore)
    for code in sorted(chosen | left_out):
        if code not in CHECKS:
            raise UsageError(
                f'there is no check "{code}"',
                hint=did_you_mean(code, CHECKS) or "pldgov lint --list shows all",
            )
    return (chosen or frozenset(CHECKS)) - left_out


def check_rulebook(
    document: Document,
    *,
    splits: Mapping[SplitName, Sequence[Example]],
    templates: Collection[str],
    absent: Collection[SplitName] = (),
    selected: Collection[str] | None = None,
    approval: ApprovalPolicy | None = None,
    authors: Mapping[str, Author] | None = None,
) -> tuple[Problem, ...]:
    """Return what is wrong with what a document says, sorted by place.

    ``splits`` holds the splits that were read without error: nothing is said about the examples
    of the others. ``absent`` names those of them that are not committed and not here. ``templates``
    are the names of the files under templates/. ``selected`` are codes from ``select_checks``, all
    if None. The document's own problems are not repeated; when too much of it is invalid
    (``document.rulebook`` is None), nothing is checked. ``approval`` is the policy (None: no rule
    needs one), ``authors`` who wrote each rule, where that was looked up.
    """
    if document.rulebook is None:
        return ()
    subject = Subject(
        document,
        document.rulebook,
        splits,
        templates,
        absent,
        approval or ApprovalPolicy(),
        authors or {},
    )
    ran = _runnable(subject, CHECKS if selected is None else selected)
    found = [(CHECKS[code], finding) for code in ran for finding in CHECKS[code].run(subject)]
    kept, used = exclusions.keep(subject, found)
    problems = [_problem(subject, one.code, one.severity, finding) for one, finding in kept]
    for code, finding in exclusions.complain(subject, CHECKS, ran=ran, used=used):
        if code in ran:
            problems.append(_problem(subject, code, "warning", finding))
    return tuple(sorted(problems, key=place_key))


def place_key(problem: Problem) -> tuple[str, int, int, str, str]:
    """Sort problems by place, then code."""
    return problem.path, problem.line, problem.column, problem.code, problem.message


def _runnable(subject: Subject, selected: Collection[str]) -> tuple[str, ...]:
    """Return the codes of the checks that what is missing cannot mislead."""
    return tuple(
        code
        for code, one in CHECKS.items()
        if code in selected
        and (subject.document.complete or not one.needs_all)
        and not any(split in subject.absent for split in one.needs)
    )


def _problem(subject: Subject, code: str, severity: Severity, finding: Finding) -> Problem:
    rule = None if finding.rule is None else subject.rulebook.rules[finding.rule].id
    return Problem(
        finding.path,
        finding.line,
        finding.column,
        code,
        finding.message,
        finding.hint,
        severity,
        rule,
    )
