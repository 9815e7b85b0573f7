"""Gate verdicts as GitHub workflow annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report.gate_marks import level, mark_sentence
from pldgov.report.github import annotation
from pldgov.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pldgov.results import GateReport

MOST_MARKS = 5
"""GitHub shows ten annotations of a kind a step; the rest would only push out other rulebooks."""


def render_gate_github(reports: Sequence[GateReport]) -> str:
    """Return an annotation for each rulebook, each label that regressed and each rule to blame.

    A rule is annotated at its line, where the verdict is no PASS.
    """
    return "".join(f"{line}\n" for report in reports for line in _annotations(report))


def _annotations(report: GateReport) -> Iterator[str]:
    verdict, path = report.verdict, report.path
    loud = "notice" if verdict.outcome is Outcome.PASS else level(report)
    title = f"{verdict.outcome} {report.rulebook}"
    yield annotation(loud, verdict.reason, path=path, title=title)
    for label in verdict.labels:
        if label.outcome is Outcome.REGRESSED:
            yield annotation("error", label.reason, path=path, title=f"label {label.label}")
    for mark in report.marks[:MOST_MARKS]:
        said = mark_sentence(mark)
        yield annotation(loud, said, path=path, line=mark.line, column=mark.column, title=title)
