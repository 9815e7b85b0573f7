"""Exceptions that a rule asks for: ``lint_exclude``, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pldgov.rulebook.checks.subject import Check, Finding, Subject

BAD_EXCLUSION = "bad-exclusion"
UNUSED_EXCLUSION = "unused-exclusion"

DESCRIPTIONS = {
    BAD_EXCLUSION: "an exclusion of a check that does not exist or cannot be excluded",
    UNUSED_EXCLUSION: "an exclusion that suppresses nothing",
}


def keep(
    subject: Subject, found: Sequence[tuple[Check, Finding]]
) -> tuple[list[tuple[Check, Finding]], set[tuple[int, str]]]:
    """Return the findings that no rule excludes, and the exclusions that were used."""
    kept: list[tuple[Check, Finding]] = []
    used: set[tuple[int, str]] = set()
    for one, finding in found:
        if finding.rule is not None and one.excludable:
            rule = subject.rulebook.rules[finding.rule]
            if one.code in rule.lint_exclude:
                used.add((finding.rule, one.code))
                continue
        kept.append((one, finding))
    return kept, used


def complain(
    subject: Subject,
    checks: Mapping[str, Check],
    *,
    ran: Collection[str],
    used: Collection[tuple[int, str]],
) -> Iterator[tuple[str, Finding]]:
    """Yield code and finding for every exclusion that is wrong or needless.

    ``ran`` are the codes of the checks that looked at the subject: of the others nothing can
    be said.
    """
    for index, rule in enumerate(subject.rulebook.rules):
        for code in rule.lint_exclude:
            problem = _wrong(code, checks)
            if problem:
                yield BAD_EXCLUSION, _finding(subject, index, code, *problem)
            elif code in ran and (index, code) not in used:
                said = f'rule "{rule.id}" excludes "{code}", which finds nothing there'
                yield UNUSED_EXCLUSION, _finding(subject, index, code, said, "delete it")


def _wrong(code: str, checks: Mapping[str, Check]) -> tuple[str, str | None] | None:
    if code not in checks:
        known = [known for known, one in checks.items() if one.excludable]
        return f'there is no check "{code}"', did_you_mean(code, known)
    if not checks[code].excludable:
        return f'the check "{code}" cannot be excluded', "only warnings about rules can"
    return None


def _finding(subject: Subject, index: int, code: str, message: str, hint: str | None) -> Finding:
    return subject.in_rule(index, "lint_exclude", code, message=message, hint=hint, at_key=True)
