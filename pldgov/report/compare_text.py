"""Several students under one rulebook, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import wording
from pldgov.report.compare_wording import HEAD, facts, flips_of, label_rows, student_row
from pldgov.report.terminal import printable

if TYPE_CHECKING:
    from pldgov.student_report import StudentResult, StudentsReport

_MOST_FLIPS = 10
_TEXT_WIDTH = 100


def render_compare_text(report: StudentsReport) -> str:
    """Return the students' figures, their labels, and what flips against the first."""
    rows = [tuple(map(printable, student_row(one))) for one in report.students]
    head, labels = label_rows(report)
    lines = [
        f"{report.rulebook}, {report.split} split, {report.n} examples",
        *(f"  {printable(line)}" for line in facts(report)),
        "",
        *wording.table(HEAD, rows),
        "",
        "F1 by label, and points against the first student",
        *wording.table(head, [tuple(map(printable, row)) for row in labels]),
        *(line for one in report.students[1:] for line in _flips(one, report)),
    ]
    return "\n".join(lines) + "\n"


def _flips(result: StudentResult, report: StudentsReport) -> list[str]:
    lines = ["", f"{printable(result.card.name)} against {_first(report)}: {flips_of(result)}"]
    order = ("broken", "fixed", "changed")
    ordered = sorted(result.flips, key=lambda flip: order.index(flip.kind))
    for flip in ordered[:_MOST_FLIPS]:
        text = printable(report.texts.get(flip.example_id, ""))
        short = text if len(text) <= _TEXT_WIDTH else f"{text[: _TEXT_WIDTH - 1]}…"
        lines += [
            f"  {flip.kind:7} {printable(flip.example_id)}  gold {printable(flip.gold)}: "
            f"{printable(wording.answer(flip.before))} -> {printable(wording.answer(flip.after))}",
            f"          {short}",
        ]
    more = len(ordered) - _MOST_FLIPS
    return [*lines, f"  ... and {more} more (--format json lists all)"] if more > 0 else lines


def _first(report: StudentsReport) -> str:
    return printable(report.students[0].card.name)
