"""A diff for the terminal: rule by rule, then what is around them and what the student says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.changes import by_rule
from pldgov.report import change_words, diff_words, wording
from pldgov.report.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pldgov.changes import Change, Piece
    from pldgov.diff_report import DiffReport, FlippedExample, RulebookDiff
    from pldgov.results import GateReport

MOST_RULES = 200
MOST_FLIPS = 20
MOST_PROBLEMS = 20
_LINE_WIDTH = 500
_TEXT_WIDTH = 100
_MARKS = {"added": "+", "removed": "-"}


def render_diff_text(report: DiffReport) -> str:
    """Return every rulebook that differs; words as ``[-removed-]{+added+}``."""
    lines = [
        f"base  {printable(report.base)}",
        f"head  {printable(report.head)}",
        *(f"note: {printable(note)}" for note in report.notes),
    ]
    for diff in report.differing:
        lines += ["", *_rulebook(diff, report)]
    same = len(report.rulebooks) - len(report.differing)
    if same:
        lines += ["", f"{same} rulebook{'s' if same > 1 else ''} unchanged"]
    if not report.rulebooks:
        lines += ["", "neither side holds a rulebook"]
    return "\n".join(lines) + "\n"


def _rulebook(diff: RulebookDiff, report: DiffReport) -> Iterator[str]:
    yield f"{printable(diff.name)}  {printable(diff.head_path or diff.base_path or '')}"
    yield f"  {diff_words.effect(diff)}"
    summary = diff_words.summary(diff)
    if summary:
        yield f"  {summary}"
    for trouble in diff.troubles:
        yield f"  problem in {trouble.side}: {printable(trouble.message)}"
    for note in diff.notes:
        yield f"  note: {printable(note)}"
    yield from _rules(diff)
    yield from _around(diff)
    yield from _problems(diff)
    facts = (*diff_words.tokens(diff), *diff_words.yearly(diff, report.volume))
    if facts:
        yield ""
        yield from (f"  {fact}" for fact in facts)
    yield from _measured(diff)


def _rules(diff: RulebookDiff) -> Iterator[str]:
    grouped = by_rule(diff.changes)
    if not grouped:
        return
    yield ""
    for id_, changes in list(grouped.items())[:MOST_RULES]:
        mark = _MARKS.get(changes[0].kind, "~")
        title = f' "{printable(changes[0].title)}"' if changes[0].title else ""
        yield f"  {mark} {printable(id_)}{title}: {change_words.headline(changes)}"
        for change in changes:
            yield from _change(diff, change)
    if len(grouped) > MOST_RULES:
        yield f"  ... and {len(grouped) - MOST_RULES} more rules (--format json lists all)"


def _around(diff: RulebookDiff) -> Iterator[str]:
    others = [change for change in diff.changes if change.subject != "rule"]
    if others:
        yield ""
        yield "  around the rules"
        for change in others:
            yield from _change(diff, change)


def _problems(diff: RulebookDiff) -> Iterator[str]:
    if diff.problems:
        yield ""
        yield f"  lint: {diff_words.problems_title(diff.problems)}"
        for one in diff_words.errors_first(diff.problems)[:MOST_PROBLEMS]:
            yield f"      {printable(change_words.cut(diff_words.problem(one), _LINE_WIDTH))}"
        if len(diff.problems) > MOST_PROBLEMS:
            more = len(diff.problems) - MOST_PROBLEMS
            yield f"      ... and {more} more; `pldgov lint` lists them"


def _change(diff: RulebookDiff, change: Change) -> Iterator[str]:
    told = change_words.tell(change)
    reach = diff_words.reach(diff, change)
    yield f"      {printable(told.sentence)}{f'  ({reach})' if reach else ''}"
    if told.pieces:
        yield f"        {_words(told.pieces)}"


def _words(pieces: Sequence[Piece]) -> str:
    short = change_words.shorten(pieces)
    return change_words.mark(short, removed="[-{}-]", added="{{+{}+}}", escape=printable)


def _measured(diff: RulebookDiff) -> Iterator[str]:
    if diff.unmeasured is not None:
        yield ""
        yield f"  not measured: {printable(diff.unmeasured)}"
    if diff.gate is not None:
        yield ""
        yield from _verdict(diff.gate)
        yield from _flips(diff.flips)


def _verdict(gate: GateReport) -> Iterator[str]:
    verdict = gate.verdict
    yield f"  {verdict.outcome}: {printable(verdict.reason)}"
    yield f"  student: {printable(wording.student(gate.student))}"
    if verdict.macro_f1 is not None:
        yield f"  macro-F1 {wording.difference(verdict.macro_f1)}"
    elif gate.scorecard is not None:
        card = gate.scorecard
        yield f"  macro-F1 {wording.fraction(card.macro_f1)} ({wording.interval(card.interval)})"
    rows = [
        (
            printable(label.label),
            wording.fraction(label.difference.base),
            wording.fraction(label.difference.head),
            wording.points(label.difference.delta),
            f"{wording.points(label.difference.interval.low)} to "
            f"{wording.points(label.difference.interval.high)}",
            str(label.outcome),
        )
        for label in verdict.labels
        if label.difference is not None
    ]
    if rows:
        head = ("label", "base", "head", "points", "interval", "verdict")
        yield from ("", *(f"  {line}" for line in wording.table(head, rows)))


def _flips(flips: Sequence[FlippedExample]) -> Iterator[str]:
    if not flips:
        return
    yield ""
    yield f"  flipped examples: {diff_words.flip_counts(flips)}"
    for one in diff_words.worst_first(flips)[:MOST_FLIPS]:
        flip = one.flip
        text = printable(one.text)
        answers = (wording.answer(label) for label in (flip.before, flip.after))
        yield (
            f"    {flip.kind:7} {printable(flip.example_id)}  gold {printable(flip.gold)}: "
            f"{' -> '.join(map(printable, answers))}"
        )
        yield f"            {text if len(text) <= _TEXT_WIDTH else f'{text[: _TEXT_WIDTH - 1]}…'}"
        if one.concerns:
            yield f"            concerns {printable(diff_words.concerns(one.concerns))}"
    if len(flips) > MOST_FLIPS:
        yield f"    ... and {len(flips) - MOST_FLIPS} more (--format json lists all)"
