"""An explanation for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import explain_wording as say
from pldgov.report import wording
from pldgov.report.terminal import printable

if TYPE_CHECKING:
    from pldgov.attribution import ExampleExplanation, Explanation, RuleEffect

_DETAILED = 3
"""Of so few rules the labels and the flipped examples are shown too."""

_MOST_FLIPS = 20
_TEXT_WIDTH = 100


def render_explain_text(report: Explanation) -> str:
    """Return the effect of every measured rule, what was not measured, and the coverage."""
    chance = say.chance(report)
    lines = [
        f"{report.rulebook}, {report.split} split, {report.n} examples, "
        f"student {printable(wording.student(report.student))}",
        f"macro-F1 {wording.fraction(report.macro_f1)} ({wording.interval(report.interval)}) "
        f"with all rules, prompt {wording.digest(report.prompt)}; student calls: {report.asked}",
        "",
        *_effects(report),
        "",
        f"({say.MEANING})",
        *([chance] if chance else []),
        *say.unmeasured(report),
        *(_details(report) if len(report.effects) <= _DETAILED else _label_effects(report)),
        "",
        *(
            f"{what}: {printable(which)}"
            for what, which in say.coverage(report.coverage, inert=report.inert, split=report.split)
        ),
    ]
    return "\n".join(lines) + "\n"


def render_example_text(report: ExampleExplanation) -> str:
    """Return one example's answer under all rules and without each."""
    rows = [
        (
            one.rule,
            printable(say.answer(one.label, one.gold_probability)),
            "flips" if one.label != report.label else "",
        )
        for one in report.without
    ]
    flipping = [one.rule for one in report.flipping]
    lines = [
        f"{report.rulebook}, example {printable(report.example)} of {report.split}, "
        f"student {printable(wording.student(report.student))}",
        f"  {printable(_short(report.text))}",
        f"gold {printable(report.gold)}; under all rules "
        f"{printable(say.answer(report.label, report.gold_probability))}",
        *(["note: the prompt itself shows this example"] if report.shown else []),
        "",
        *wording.table(("without", "answer", ""), rows),
        "",
        f"rules whose removal flips it: {', '.join(flipping) or 'none'}; "
        f"student calls: {report.asked}",
        *say.unmeasured(report),
    ]
    return "\n".join(lines) + "\n"


def _effects(report: Explanation) -> list[str]:
    head = ("rule", "points", "interval", "fixed", "broken", "changed", "")
    ordered = sorted(report.effects, key=lambda one: -one.macro_f1.delta)
    rows = [
        (
            one.rule,
            wording.points(one.macro_f1.delta),
            say.span(one.macro_f1),
            *say.counts(one),
            one.direction,
        )
        for one in ordered
    ]
    return wording.table(head, rows)


def _label_effects(report: Explanation) -> list[str]:
    """Return the labels whose F1 a rule moves for sure, a line a rule."""
    lines = []
    for effect in report.effects:
        moved = [
            f"{printable(label)} {wording.points(one.delta)} ({say.span(one)})"
            for label, one in effect.labels.items()
            if one.interval.low > 0 or one.interval.high < 0
        ]
        if moved:
            lines.append(f"  {effect.rule}: {', '.join(moved)}")
    return ["", "labels whose interval excludes 0:", *lines] if lines else []


def _details(report: Explanation) -> list[str]:
    return [line for effect in report.effects for line in _detail(effect, report)]


def _detail(effect: RuleEffect, report: Explanation) -> list[str]:
    rows = [
        (
            printable(label),
            wording.fraction(one.base),
            wording.fraction(one.head),
            wording.points(one.delta),
            say.span(one),
        )
        for label, one in effect.labels.items()
    ]
    lines = ["", *wording.table((effect.rule, "without", "with", "points", "interval"), rows)]
    for flip in effect.flips[:_MOST_FLIPS]:
        lines += [
            f"  {flip.kind:7} {printable(flip.example_id)}  gold {printable(flip.gold)}: "
            f"{printable(wording.answer(flip.before))} without, "
            f"{printable(wording.answer(flip.after))} with",
            f"          {printable(_short(report.texts.get(flip.example_id, '')))}",
        ]
    more = len(effect.flips) - _MOST_FLIPS
    return [*lines, f"  ... and {more} more (--format json lists all)"] if more > 0 else lines


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _TEXT_WIDTH else f"{flat[: _TEXT_WIDTH - 1]}…"
