"""A gate's verdict as Markdown: the same text serves a job summary and a review comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import wording
from pldgov.report.change_words import cut
from pldgov.report.markdown import escape, rows_of

if TYPE_CHECKING:
    from pldgov.results import GateReport

MOST_FLIPS = 100
_TEXT_WIDTH = 300


def render_gate_markdown(report: GateReport, *, level: int = 3, flips: int = MOST_FLIPS) -> str:
    """Return verdict, figures, labels and flipped examples of one rulebook.

    ``level`` is that of the heading, ``flips`` the most flipped examples shown.
    """
    verdict = report.verdict
    lines = [
        f"{'#' * level} {verdict.outcome}: {escape(report.rulebook)}",
        "",
        escape(verdict.reason),
        "",
        *([f"macro-F1 {wording.difference(verdict.macro_f1)}", ""] if verdict.macro_f1 else []),
        *_labels(report),
        *_flips(report, most=flips),
        *(f"- {escape(note)}" for note in verdict.notes),
        "",
        f"<sub>student {escape(wording.student(report.student))} · "
        f"base {escape(report.base or '-')} · "
        f"prompts {wording.digest(report.base_prompt)} → {wording.digest(report.head_prompt)} · "
        f"student calls {report.asked}</sub>",
    ]
    return "\n".join(lines) + "\n"


def _labels(report: GateReport) -> list[str]:
    rows = [
        (
            escape(label.label),
            wording.fraction(label.difference.base),
            wording.fraction(label.difference.head),
            wording.points(label.difference.delta),
            str(label.outcome),
        )
        for label in report.verdict.labels
        if label.difference is not None
    ]
    return (
        [*rows_of(("label", "F1 before", "F1 after", "points", "verdict"), rows), ""]
        if rows
        else []
    )


def _flips(report: GateReport, *, most: int) -> list[str]:
    flips = report.verdict.flips
    if not flips or not most:
        return []
    rows = [
        (
            flip.kind,
            escape(flip.example_id),
            escape(cut(report.texts.get(flip.example_id, ""), _TEXT_WIDTH)),
            escape(flip.gold),
            escape(wording.answer(flip.before)),
            escape(wording.answer(flip.after)),
        )
        for flip in flips[:most]
    ]
    more = len(flips) - len(rows)
    return [
        f"<details><summary>{len(flips)} flipped examples</summary>",
        "",
        *rows_of(("", "id", "text", "right label", "before", "after"), rows),
        *([f"\nand {more} more"] if more > 0 else []),
        "",
        "</details>",
        "",
    ]
