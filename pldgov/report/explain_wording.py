"""The sentences of an explanation, the same on a terminal and in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pldgov.attribution import (
        ExampleExplanation,
        Explanation,
        NotMeasured,
        RuleCoverage,
        RuleEffect,
    )
    from pldgov.results import Difference

MEANING = (
    "points: macro-F1 with the rule minus macro-F1 without it; fixed and broken: answers that the "
    "rule makes right and wrong"
)


def span(value: Difference) -> str:
    """Return ``-1.0 to +7.5`` in points."""
    return f"{wording.points(value.interval.low)} to {wording.points(value.interval.high)}"


def counts(effect: RuleEffect) -> tuple[str, str, str]:
    """Return how many answers the rule fixes, breaks, and changes from wrong to wrong."""
    kinds = [flip.kind for flip in effect.flips]
    return str(kinds.count("fixed")), str(kinds.count("broken")), str(kinds.count("changed"))


def chance(explanation: Explanation) -> str | None:
    """Say how many intervals exclude 0, and how many would by chance alone."""
    effects = [one for one in explanation.effects if one.direction != "inert"]
    if len(effects) < 2:  # noqa: PLR2004  (of a single interval there is nothing to count)
        return None
    sure = sum(one.direction in ("helps", "hurts") for one in effects)
    level = 1 - effects[0].macro_f1.interval.confidence
    return (
        f"{sure} of {len(effects)} intervals exclude 0; "
        f"about {level * len(effects):.2g} would if no rule did anything"
    )


def unmeasured(report: Explanation | ExampleExplanation) -> tuple[str, ...]:
    """Say which rules were not measured, why, and what they would take."""
    left = report.not_measured
    if not left:
        return ()
    calls = sum(one.calls for one in left)
    why = {
        "budget": "the budget of student calls is spent (--max-calls)",
        "offline": "their answers are not recorded, and no student may be asked (offline)",
    }[report.stopped_by or "budget"]
    return (
        f"NOT MEASURED: {len(left)} rule{'s' if len(left) > 1 else ''} ({_ids(left)}): {why}; "
        f"{calls} more student calls would do",
    )


def coverage(
    found: RuleCoverage, *, inert: Sequence[str] = (), split: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield (what, which) for everything that the rules leave open."""
    rows = (
        (f"no answer changes without (on {split})", inert),
        ("labels without a rule", found.labels_without_rule),
        ("rules resting on one example", found.one_example),
        ("rules resting on no example", found.no_example),
        ("over the token budget, not shown", found.trimmed),
    )
    for what, names in rows:
        yield what, ", ".join(names) or "none"
    yield "past their review date", _reviews(found)


def _reviews(found: RuleCoverage) -> str:
    if found.review_after_days is None:
        return "not looked for (set review_after_days in [tool.pldgov])"
    late = [f"{one.rule} (due {one.due}, last looked at {one.last})" for one in found.overdue]
    undated = [f"{rule} (has no date)" for rule in found.undated]
    return ", ".join((*late, *undated)) or "none"


def _ids(left: Sequence[NotMeasured]) -> str:
    return ", ".join(one.rule for one in left)


def answer(label: str | None, probability: float | None) -> str:
    """Return an answer with the gold label's probability where it is known."""
    said = wording.answer(label)
    return said if probability is None else f"{said} (gold at {probability:.2f})"
