"""An evaluation as Markdown, for a job summary or a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import wording
from pldgov.report.markdown import rows_of

if TYPE_CHECKING:
    from pldgov.results import EvalReport


def render_eval_markdown(report: EvalReport) -> str:
    """Return two tables: the candidates, and the rulebook's labels."""
    main = report.candidates[0].scorecard
    candidates = [
        (
            candidate.name,
            wording.fraction(candidate.scorecard.macro_f1),
            wording.interval(candidate.scorecard.interval),
            f"{candidate.scorecard.invalid_rate:.1%}",
            "-" if candidate.tokens is None else str(candidate.tokens),
            wording.digest(candidate.prompt),
        )
        for candidate in report.candidates
    ]
    labels = [
        (
            label.label,
            wording.fraction(label.precision),
            wording.fraction(label.recall),
            wording.fraction(label.f1),
            str(label.support),
        )
        for label in main.labels
    ]
    lines = [
        f"**{report.rulebook}**, {report.split} split, {main.n} examples, "
        f"student {wording.student(report.student)}",
        "",
        *rows_of(("", "macro-F1", "interval", "invalid", "prompt tokens", "prompt"), candidates),
        "",
        *rows_of(("label", "precision", "recall", "F1", "support"), labels),
        *(f"\n> {note}" for note in main.notes),
    ]
    return "\n".join(lines) + "\n"
