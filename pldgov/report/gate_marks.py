"""What a verdict that is no PASS says at the lines of the rules that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.results import Outcome

if TYPE_CHECKING:
    from pldgov.problems import Severity
    from pldgov.results import GateReport, RuleMark

MOST_IDS = 5


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
