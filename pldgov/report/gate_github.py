"""Gate verdicts as GitHub workflow annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report.github import annotation
from pldgov.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.results import GateReport


def render_gate_github(reports: Sequence[GateReport]) -> str:
    """Return an annotation for each rulebook, and one for each label that regressed."""
    lines = []
    for report in reports:
        level = {Outcome.PASS: "notice", Outcome.REGRESSED: "error"}.get(
            report.verdict.outcome, "warning"
        )
        title = f"{report.verdict.outcome} {report.rulebook}"
        lines.append(annotation(level, report.verdict.reason, path=report.path, title=title))
        lines += [
            annotation("error", label.reason, path=report.path, title=f"label {label.label}")
            for label in report.verdict.labels
            if label.outcome is Outcome.REGRESSED
        ]
    return "".join(f"{line}\n" for line in lines)
