"""A diff as Markdown, for a job summary or a comment on a pull request.

``sections`` gives one rulebook's parts in the order in which they are read, each whole in itself,
so that a comment that would be too long can leave out the last ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.changes import by_rule
from pldgov.report import change_words, diff_words, wording
from pldgov.report.markdown import escape, rows_of
from pldgov.report.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pldgov.changes import Change, Piece
    from pldgov.diff_report import DiffReport, RulebookDiff
    from pldgov.results import GateReport

MOST_RULES = 100
MOST_FLIPS = 100
MOST_PROBLEMS = 20
_TEXT_WIDTH = 300
_LINE_WIDTH = 500
_NAME_WIDTH = 80
_SIDES = {"base": "before the change", "head": "after the change"}
_MOST_TEXT = 4_000
"""Characters of any one text: whoever names a label with a novel shall not break the page."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a rulebook's diff: its name for programs, its Markdown without a last newline."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Shape:
    """How much of a rulebook's diff is told.

    ``flips`` is the most flipped examples shown, 0 for their numbers alone; without ``texts``
    changed rules are named and not quoted; ``labels`` keeps so many labels, those that lost most.
    ``word`` stands before the rulebook's name where no verdict does. Without ``figures`` macro-F1
    is left to the verdict's reason, for where a table has it.
    """

    flips: int = MOST_FLIPS
    texts: bool = True
    labels: int | None = None
    word: str | None = None
    figures: bool = True


WHOLE = Shape()


def render_diff_markdown(report: DiffReport) -> str:
    """Return every rulebook that differs, its verdict first."""
    lines = [
        f"{_safe(report.base)} → {_safe(report.head)}",
        *(f"\n> {_safe(note)}" for note in report.notes),
    ]
    for diff in report.differing:
        lines += [section.text for section in sections(diff, volume=report.volume)]
    same = len(report.rulebooks) - len(report.differing)
    if same:
        lines.append(f"{same} rulebook{'s' if same > 1 else ''} unchanged")
    if not report.rulebooks:
        lines.append("Neither side holds a rulebook.")
    return "\n\n".join(lines) + "\n"


def sections(
    diff: RulebookDiff, *, volume: int | None = None, shape: Shape = WHOLE
) -> tuple[Section, ...]:
    """Return verdict, labels, rules, around, lint, flips, cost, key; none without content.

    ``volume`` is the number of examples a year that the prompt facts were made for.
    """
    facts = (*diff_words.tokens(diff), *diff_words.yearly(diff, volume))
    parts = {
        "verdict": _verdict(diff, shape),
        "labels": _labels(diff.gate, most=shape.labels),
        "rules": _rules(diff, texts=shape.texts),
        "around": _around(diff),
        "lint": _problems(diff),
        "flips": _flips(diff, most=shape.flips),
        "cost": [" · ".join(map(_safe, facts))] if facts else [],
        "key": _key(diff.gate),
    }
    found = ((name, "\n".join(lines)) for name, lines in parts.items())
    return tuple(Section(name, text) for name, text in found if text)


def _safe(text: str, most: int = _MOST_TEXT) -> str:
    return escape(printable(change_words.cut(text, most)))


def _verdict(diff: RulebookDiff, shape: Shape) -> Iterator[str]:
    said = diff.gate.verdict.outcome if diff.gate else shape.word
    yield f"### {f'{said}: ' if said else ''}{_safe(diff.name, _NAME_WIDTH)}"
    yield ""
    if diff.gate is not None:
        yield from _reasons(diff.gate)
        yield ""
    effect = f"**{_safe(diff_words.sentence(diff_words.effect(diff)))}**"
    summary = _safe(diff_words.sentence(diff_words.summary(diff)))
    yield f"{effect} {summary}".rstrip()
    yield from (f"\n> {_SIDES[t.side]}: {_safe(t.message)}" for t in diff.troubles)
    yield from (f"\n> {_safe(note)}" for note in diff.notes)
    if diff.unmeasured is not None:
        yield f"\nNot measured: {_safe(diff.unmeasured)}"
    if diff.gate is not None:
        yield from (f"\n> {_safe(note)}" for note in diff.gate.verdict.notes)
        yield from _macro_f1(diff.gate) if shape.figures else ()


def _reasons(gate: GateReport) -> Iterator[str]:
    """Yield how many answers changed, and the verdict's reason; several of them as a list."""
    broken, fixed = (
        sum(flip.kind == kind for flip in gate.verdict.flips) for kind in ("broken", "fixed")
    )
    if gate.scorecard is not None and gate.verdict.flips:
        have = "has" if broken == 1 else "have"
        yield (
            f"Of {gate.scorecard.n} test texts, {broken} that had the right label now {have} a "
            f"wrong one, and {fixed} went the other way."
        )
        yield ""
    reasons = gate.verdict.reason.split("; ")
    yield from (_safe(one) if len(reasons) == 1 else f"- {_safe(one)}" for one in reasons)


def _macro_f1(gate: GateReport) -> Iterator[str]:
    if gate.verdict.macro_f1 is not None:
        yield f"\nmacro-F1 {_safe(wording.difference(gate.verdict.macro_f1))}"
    elif gate.scorecard is not None:
        card = gate.scorecard
        yield f"\nmacro-F1 {wording.fraction(card.macro_f1)} ({wording.interval(card.interval)})"


def _labels(gate: GateReport | None, *, most: int | None) -> list[str]:
    found = [
        (label, label.difference)
        for label in (gate.verdict.labels if gate else ())
        if label.difference is not None
    ]
    more = 0 if most is None else len(found) - most
    if more > 0:
        found = sorted(found, key=lambda one: one[1].delta)[:most]
    rows = [
        (
            _safe(label.label, _NAME_WIDTH),
            wording.fraction(moved.base),
            wording.fraction(moved.head),
            wording.points(moved.delta),
            f"{wording.points(moved.interval.low)} to {wording.points(moved.interval.high)}",
            str(label.outcome),
        )
        for label, moved in found
    ]
    head = ("label", "F1 before", "F1 after", "points", "interval", "verdict")
    if not rows:
        return []
    return [*rows_of(head, rows), *([f"\nand {more} more labels"] if more > 0 else [])]


def _rules(diff: RulebookDiff, *, texts: bool) -> list[str]:
    grouped = by_rule(diff.changes)
    if not grouped:
        return []
    lines = [f"#### Changed rules ({len(grouped)})", ""]
    for id_, changes in list(grouped.items())[:MOST_RULES]:
        title = f" {_safe(changes[0].title, _TEXT_WIDTH)}" if changes[0].title else ""
        name = _safe(id_, _NAME_WIDTH)
        lines.append(f"- **{name}**{title}: {_safe(change_words.headline(changes))}")
        lines += [line for change in changes if texts for line in _change(diff, change)]
    if len(grouped) > MOST_RULES:
        lines.append(f"- and {len(grouped) - MOST_RULES} more")
    return lines


def _around(diff: RulebookDiff) -> list[str]:
    others = [change for change in diff.changes if change.subject != "rule"]
    if not others:
        return []
    lines = [line for change in others for line in _change(diff, change, indent="")]
    return ["#### What else changed", "", *lines]


def _problems(diff: RulebookDiff) -> list[str]:
    if not diff.problems:
        return []
    shown = diff_words.errors_first(diff.problems)[:MOST_PROBLEMS]
    more = len(diff.problems) - len(shown)
    return [
        f"#### Lint: {diff_words.problems_title(diff.problems)}",
        "",
        *(f"- {_safe(diff_words.problem(one), _LINE_WIDTH)}" for one in shown),
        *([f"- and {more} more; `pldgov lint` lists them"] if more > 0 else []),
    ]


def _change(diff: RulebookDiff, change: Change, *, indent: str = "  ") -> Iterator[str]:
    told = change_words.tell(change)
    reach = diff_words.reach(diff, change)
    words = f": {_words(told.pieces)}" if told.pieces else ""
    yield f"{indent}- {_safe(told.sentence)}{words}{f' *({reach})*' if reach else ''}"


def _words(pieces: Sequence[Piece]) -> str:
    short = change_words.shorten(pieces)
    return change_words.mark(short, removed="<del>{}</del>", added="<ins>{}</ins>", escape=_safe)


def _flips(diff: RulebookDiff, *, most: int) -> list[str]:
    if not diff.flips:
        return []
    counts = f"Flipped examples: {diff_words.flip_counts(diff.flips)}"
    if not most:
        return [counts]
    shown = diff_words.worst_first(diff.flips)[:most]
    rows = [
        (
            one.flip.kind,
            _safe(one.flip.example_id, _NAME_WIDTH),
            _safe(one.text, _TEXT_WIDTH),
            _safe(one.flip.gold, _NAME_WIDTH),
            _safe(wording.answer(one.flip.before), _NAME_WIDTH),
            _safe(wording.answer(one.flip.after), _NAME_WIDTH),
            _safe(diff_words.concerns(one.concerns)),
        )
        for one in shown
    ]
    more = len(diff.flips) - len(rows)
    return [
        f"<details><summary>{counts}</summary>",
        "",
        "|  | id | text | right label | before | after | rules to look at |",
        "|---|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        *([f"\nand {more} more"] if more > 0 else []),
        "",
        "</details>",
    ]


def _key(gate: GateReport | None) -> list[str]:
    if gate is None or gate.key is None:
        return []
    key = gate.key
    parts = (
        f"student {wording.student(gate.student)}",
        key.decoding,
        f"templates by {key.template_engine}",
        f"{len(key.labels)} labels",
        f"gate set {wording.digest(key.gate_set)}",
        f"metric {key.metric}",
    )
    return [f"<sub>Compared like with like: {' · '.join(map(_safe, parts))}</sub>"]
