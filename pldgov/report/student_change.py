"""A change of student as a section of Markdown, so that a review shows it like a change of rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report.change_words import cut
from pldgov.report.gate_markdown import MOST_FLIPS, render_gate_markdown
from pldgov.report.markdown import escape, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.results import GateReport
    from pldgov.student_lock import StudentChange

_CELL_WIDTH = 200


def render_student_changes(
    changes: Sequence[StudentChange],
    *,
    reports: Sequence[GateReport] = (),
    level: int = 3,
    flips: int = MOST_FLIPS,
) -> str:
    """Return what changed between two locks (``student_lock.lock_changes``), nothing for nothing.

    ``reports`` are verdicts of ``pldgov gate --student NEW --against OLD``; without any the
    section says that the change was not judged, and how it would be. ``level`` is that of the
    headings, ``flips`` the most flipped examples that a verdict shows.
    """
    if not changes:
        return ""
    lines = [f"{'#' * level} Another student answers", ""]
    for change in changes:
        lines += [*_change(change), ""]
    if not reports and any(change.before and change.after for change in changes):
        lines += [
            "> **Not judged.** `pldgov gate --student NEW --against OLD` measures what this does.",
            "",
        ]
    judged = (render_gate_markdown(one, level=level, flips=flips) for one in reports)
    return "\n".join(lines) + "\n" + "\n".join(judged)


def _change(change: StudentChange) -> list[str]:
    what = "changed" if change.before and change.after else "new" if change.after else "removed"
    rows = [(escape(part.part), _cell(part.before), _cell(part.after)) for part in change.parts]
    return [f"**{escape(change.name)}** ({what})", "", *rows_of(("", "before", "after"), rows)]


def _cell(text: str | None) -> str:
    return escape(cut(text or "-", _CELL_WIDTH))
