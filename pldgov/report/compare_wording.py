"""The rows and sentences of a comparison of students, the same in text and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import wording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.results import Difference
    from pldgov.student_report import StudentResult, StudentsReport

HEAD = (
    "student", "macro-F1", "interval", "points", "interval", "invalid", "prompt tokens",
    "s per input", "cost per 1,000",
)  # fmt: skip


def facts(report: StudentsReport) -> Iterator[str]:
    """Yield who each student is, whether it is locked, and what else a reader has to know."""
    for one in report.students:
        yield f"{wording.student(one.card)}: {one.lock}; student calls now: {one.asked}"
        if one.trimmed:
            yield f"  over the token budget, not shown: {', '.join(one.trimmed)}"
    if len({one.prompt for one in report.students}) > 1:
        yield "the prompts differ: the token budget trims them to other rules"


def student_row(result: StudentResult) -> tuple[str, ...]:
    """Return one student's figures, under ``HEAD``."""
    card, against = result.scorecard, result.macro_f1
    return (
        result.card.name,
        wording.fraction(card.macro_f1),
        wording.interval(card.interval),
        "" if against is None else wording.points(against.delta),
        "" if against is None else span(against),
        f"{card.invalid_rate:.1%}",
        "-" if result.prompt_tokens is None else str(result.prompt_tokens),
        f"{card.seconds / card.n:.3f}" if card.seconds else "-",
        "-" if result.cost is None else f"{result.cost:.4g}",
    )


def label_rows(report: StudentsReport) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and rows of the labels: F1 of each student, with the points that it moved."""
    head = ("label", *(one.card.name for one in report.students))
    names = [score.label for score in report.students[0].scorecard.labels]
    rows = [
        (name, *(_label_cell(one, index, name) for one in report.students))
        for index, name in enumerate(names)
    ]
    return head, rows


def _label_cell(result: StudentResult, index: int, label: str) -> str:
    f1 = wording.fraction(result.scorecard.labels[index].f1)
    if label not in result.labels:
        return f1
    found = result.labels[label]
    return f"{f1} {wording.points(found.delta)} ({span(found)})"


def flips_of(result: StudentResult) -> str:
    """Return how many answers differ from the first student's, by kind."""
    kinds = [flip.kind for flip in result.flips]
    differ = "1 answer differs" if len(kinds) == 1 else f"{len(kinds)} answers differ"
    return (
        f"{differ}: {kinds.count('broken')} broken, {kinds.count('fixed')} "
        f"fixed, {kinds.count('changed')} changed but wrong with both"
    )


def span(value: Difference) -> str:
    """Return ``-1.0 to +7.5`` in points."""
    return f"{wording.points(value.interval.low)} to {wording.points(value.interval.high)}"
