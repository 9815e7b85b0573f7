"""An explanation as Markdown, for a job summary or a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import explain_wording as say
from pldgov.report import wording
from pldgov.report.markdown import escape, rows_of

if TYPE_CHECKING:
    from pldgov.attribution import ExampleExplanation, Explanation


def render_explain_markdown(report: Explanation) -> str:
    """Return the effect of every measured rule, what was not measured, and the coverage."""
    chance = say.chance(report)
    rows = [
        (
            escape(one.rule),
            wording.points(one.macro_f1.delta),
            say.span(one.macro_f1),
            *say.counts(one),
            one.direction,
        )
        for one in sorted(report.effects, key=lambda one: -one.macro_f1.delta)
    ]
    lines = [
        f"**{escape(report.rulebook)}**, {report.split} split, {report.n} examples, "
        f"student {escape(wording.student(report.student))}: macro-F1 "
        f"{wording.fraction(report.macro_f1)} ({wording.interval(report.interval)}) with all rules",
        "",
        *rows_of(("rule", "points", "interval", "fixed", "broken", "changed", ""), rows),
        "",
        *(f"> {escape(one)}" for one in (*say.unmeasured(report), *([chance] if chance else []))),
        "",
        *(
            f"- {what}: {escape(which)}"
            for what, which in say.coverage(report.coverage, inert=report.inert, split=report.split)
        ),
        "",
        f"<sub>{say.MEANING} · prompt {wording.digest(report.prompt)} · "
        f"student calls {report.asked}</sub>",
    ]
    return "\n".join(lines) + "\n"


def render_example_markdown(report: ExampleExplanation) -> str:
    """Return one example's answer under all rules and without each."""
    rows = [
        (
            escape(one.rule),
            escape(say.answer(one.label, one.gold_probability)),
            "flips" if one.label != report.label else "",
        )
        for one in report.without
    ]
    lines = [
        f"**{escape(report.rulebook)}**, example {escape(report.example)} of {report.split}, "
        f"student {escape(wording.student(report.student))}",
        "",
        f"> {escape(report.text)}",
        "",
        f"gold {escape(report.gold)}; under all rules "
        f"{escape(say.answer(report.label, report.gold_probability))}",
        "",
        *rows_of(("without", "answer", ""), rows),
        *(f"\n> {escape(one)}" for one in say.unmeasured(report)),
        *(["\n> the prompt itself shows this example"] if report.shown else []),
    ]
    return "\n".join(lines) + "\n"
