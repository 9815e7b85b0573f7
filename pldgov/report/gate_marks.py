"""What a verdict that is no PASS says at the lines of the rules that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pldgov.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.problems import Severity
    from pldgov.results import GateReport, RuleMark

MOST_IDS = 5
CHECKS: Final = {
    Outcome.REGRESSED: ("gate-regressed", "the student answers worse than before the change"),
    Outcome.INCONCLUSIVE: ("gate-inconclusive", "the gate's examples cannot tell"),
    Outcome.NO_BASELINE: ("gate-no-baseline", "there is nothing to compare with"),
    Outcome.NOT_COMPARABLE: ("gate-not-comparable", "both sides were not measured alike"),
    Outcome.NOT_MEASURED: ("gate-not-measured", "the examples are not here"),
}
"""For each outcome that is no PASS: the id under which tools list it, and a sentence."""


@dataclass(frozen=True, slots=True)
class GateFinding:
    """One finding: its check's id, a line and column from 1, the rule's id ("" for none)."""

    check: str
    place: tuple[int, int]
    message: str
    rule: str


def findings(report: GateReport) -> Iterator[GateFinding]:
    """Yield what is found at each changed rule that the student may notice; nothing for a PASS.

    Where no rule is to blame there is one finding, on the first line of the rulebook.
    """
    outcome = report.verdict.outcome
    if outcome is Outcome.PASS:
        return
    check, _ = CHECKS[outcome]
    told = f"{outcome} {report.rulebook}: {report.verdict.reason}"
    for mark in report.marks:
        place = (mark.line, mark.column)
        yield GateFinding(check, place, f"{told}\n{mark_sentence(mark)}", mark.rule)
    if not report.marks:
        yield GateFinding(check, (1, 1), told, "")


def level(report: GateReport) -> Severity:
    """Return how loud a verdict that is no PASS is: what fell is an error, no verdict a warning."""
    return "error" if report.verdict.outcome is Outcome.REGRESSED else "warning"


def mark_sentence(mark: RuleMark) -> str:
    """Return what changed in a rule and whose answers broke, for instance ``reworded; ...``."""
    kinds = ", ".join(mark.kinds)
    if not mark.broken:
        return f"rule {mark.rule}: {kinds}; no answer that broke concerns it most"
    more = ", ..." if len(mark.broken) > MOST_IDS else ""
    count = len(mark.broken)
    return (
        f"rule {mark.rule}: {kinds}; {count} answer{'s' * (count > 1)} that broke "
        f"concern{'s' * (count == 1)} it most: {', '.join(mark.broken[:MOST_IDS])}{more}"
    )
