"""Gate verdicts as GitLab's Code Quality report: a finding at each rule that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.fingerprint import digest_value
from pldgov.report.gate_marks import findings, level
from pldgov.report.gitlab import finding, quality_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.results import GateReport


def render_gate_gitlab(reports: Sequence[GateReport]) -> str:
    """Return the findings of all verdicts that are no PASS."""
    return quality_report(
        finding(
            one.check,
            level(report),
            one.message,
            path=report.path,
            line=one.place[0],
            fingerprint=digest_value([report.path, one.check, one.rule]),
        )
        for report in reports
        for one in findings(report)
    )
