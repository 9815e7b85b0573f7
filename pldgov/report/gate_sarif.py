"""Gate verdicts as SARIF: a result at each rule that changed where the gate did not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.fingerprint import digest_value
from pldgov.report.gate_marks import CHECKS, findings, level
from pldgov.report.sarif import result, sarif_log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.results import GateReport


def render_gate_sarif(reports: Sequence[GateReport]) -> str:
    """Return one SARIF log with one run; a rulebook that passed has no result."""
    results = [
        result(
            one.check,
            level(report),
            one.message,
            path=report.path,
            place=one.place,
            fingerprint=digest_value([report.path, one.check, one.rule]),
        )
        for report in reports
        for one in findings(report)
    ]
    said = {one["ruleId"] for one in results}
    return sarif_log(
        "pldgov-gate",
        rules={check: sentence for check, sentence in CHECKS.values() if check in said},
        paths=[report.path for report in reports],
        results=results,
    )
