"""Several students under one rulebook, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import wording
from pldgov.report.compare_wording import HEAD, facts, flips_of, label_rows, student_row
from pldgov.report.markdown import escape, rows_of

if TYPE_CHECKING:
    from pldgov.student_report import StudentResult, StudentsReport

_MOST_FLIPS = 100


def render_compare_markdown(report: StudentsReport) -> str:
    """Return the students' figures, their labels, and what flips against the first."""
    head, labels = label_rows(report)
    lines = [
        f"### Students under {escape(report.rulebook)}",
        "",
        f"{report.split} split, {report.n} examples; points against the first student",
        "",
        *rows_of(HEAD, [tuple(map(escape, student_row(one))) for one in report.students]),
        "",
        *rows_of(tuple(map(escape, head)), [tuple(map(escape, row)) for row in labels]),
        "",
        *(line for one in report.students[1:] for line in _flips(one, report)),
        *(f"- {escape(line)}" for line in facts(report)),
    ]
    return "\n".join(lines) + "\n"


def _flips(result: StudentResult, report: StudentsReport) -> list[str]:
    rows = [
        (
            flip.kind,
            escape(flip.example_id),
            escape(report.texts.get(flip.example_id, "")),
            escape(flip.gold),
            escape(wording.answer(flip.before)),
            escape(wording.answer(flip.after)),
        )
        for flip in result.flips[:_MOST_FLIPS]
    ]
    more = len(result.flips) - len(rows)
    first = report.students[0].card.name
    return [
        f"<details><summary>{escape(result.card.name)}: {flips_of(result)}</summary>",
        "",
        *rows_of(("", "id", "text", "right label", escape(first), escape(result.card.name)), rows),
        *([f"\nand {more} more"] if more > 0 else []),
        "",
        "</details>",
        "",
    ]
