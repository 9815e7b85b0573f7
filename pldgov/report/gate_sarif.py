"""Gate verdicts as SARIF: a result at each rule that changed where the gate did not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pldgov.fingerprint import digest_value
from pldgov.report.gate_marks import level, mark_sentence
from pldgov.report.sarif import result, sarif_log
from pldgov.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pldgov.results import GateReport

_RULES: Final = {
    Outcome.REGRESSED: ("gate-regressed", "the student answers worse than before the change"),
    Outcome.INCONCLUSIVE: ("gate-inconclusive", "the gate's examples cannot tell"),
    Outcome.NO_BASELINE: ("gate-no-baseline", "there is nothing to compare with"),
    Outcome.NOT_COMPARABLE: ("gate-not-comparable", "both sides were not measured alike"),
    Outcome.NOT_MEASURED: ("gate-not-measured", "the examples are not here"),
}


def render_gate_sarif(reports: Sequence[GateReport]) -> str:
    """Return one SARIF log with one run; a rulebook that passed has no result.

    The result stands at the line of each changed rule that the student may notice, and on the
    first line of the rulebook where no rule is to blame.
    """
    results = [one for report in reports for one in _results(report)]
    said = {one["ruleId"] for one in results}
    return sarif_log(
        "pldgov-gate",
        rules={id_: sentence for id_, sentence in _RULES.values() if id_ in said},
        paths=[report.path for report in reports],
        results=results,
    )


def _results(report: GateReport) -> Iterator[dict[str, Any]]:
    outcome = report.verdict.outcome
    if outcome is Outcome.PASS:
        return
    id_, _ = _RULES[outcome]
    told = f"{outcome} {report.rulebook}: {report.verdict.reason}"
    places = [
        ((mark.line, mark.column), f"{told}\n{mark_sentence(mark)}", mark.rule)
        for mark in report.marks
    ]
    for place, message, rule in places or [((1, 1), told, "")]:
        yield result(
            id_,
            level(report),
            message,
            path=report.path,
            place=place,
            fingerprint=digest_value([report.path, id_, rule]),
        )
