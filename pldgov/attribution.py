"""What each rule does to the student's answers: frozen values that reports are written from.

A rule's effect is the difference between all rules and all but that one, on the same examples.
Positive is good: having the rule raises F1. Effects do not add up, since rules lean on each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from pldgov.results import Difference, Flip, Interval, StudentCard

Direction = Literal["helps", "hurts", "unclear", "inert"]


@dataclass(frozen=True)
class RuleEffect:
    """What having one rule changes: ``base`` of each difference is without it, ``head`` with it.

    ``prompt`` is the digest of the prompt without the rule. A flip is *fixed* where the rule
    makes the answer right, *broken* where it makes it wrong.
    """

    rule: str
    prompt: str
    macro_f1: Difference
    labels: Mapping[str, Difference]
    flips: tuple[Flip, ...] = ()

    @property
    def direction(self) -> Direction:
        """inert: no answer changes; helps or hurts: the interval of macro-F1 excludes 0."""
        if not self.flips:
            return "inert"
        if self.macro_f1.interval.low > 0:
            return "helps"
        return "hurts" if self.macro_f1.interval.high < 0 else "unclear"


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """A rule left out of the measurement, and how many student calls it would have taken."""

    rule: str
    calls: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """A rule that nobody has looked at for too long: ``due`` is the day it should have been."""

    rule: str
    last: dt.date
    due: dt.date


@dataclass(frozen=True)
class RuleCoverage:
    """What the rulebook's active rules leave open.

    ``trimmed`` rules do not fit the token budget and reach no student. ``undated`` rules carry no
    date at all; with ``review_after_days`` None neither they nor ``overdue`` are looked for.
    """

    labels_without_rule: tuple[str, ...] = ()
    one_example: tuple[str, ...] = ()
    no_example: tuple[str, ...] = ()
    trimmed: tuple[str, ...] = ()
    overdue: tuple[Overdue, ...] = ()
    undated: tuple[str, ...] = ()
    review_after_days: int | None = None


@dataclass(frozen=True)
class Explanation:
    """Each rule left out once. ``stopped_by`` says why some rules were not measured."""

    rulebook: str
    split: str
    student: StudentCard
    prompt: str
    n: int
    macro_f1: float
    interval: Interval | None
    effects: tuple[RuleEffect, ...]
    not_measured: tuple[NotMeasured, ...]
    stopped_by: Literal["budget", "offline"] | None
    coverage: RuleCoverage
    texts: Mapping[str, str]
    asked: int = 0

    @property
    def inert(self) -> tuple[str, ...]:
        """The measured rules without which no answer on this split changes."""
        return tuple(effect.rule for effect in self.effects if effect.direction == "inert")


@dataclass(frozen=True, slots=True)
class RuleOnExample:
    """One example's answer without one rule; ``gold_probability`` where the student gives it."""

    rule: str
    label: str | None
    gold_probability: float | None


@dataclass(frozen=True)
class ExampleExplanation:
    """One example under all rules, and without each one.

    ``label`` and ``gold_probability`` are those under all rules; ``shown`` tells that the prompt
    itself shows the example, so that its answer says little.
    """

    rulebook: str
    split: str
    student: StudentCard
    prompt: str
    example: str
    text: str
    gold: str
    label: str | None
    gold_probability: float | None
    without: tuple[RuleOnExample, ...]
    not_measured: tuple[NotMeasured, ...]
    stopped_by: Literal["budget", "offline"] | None
    shown: bool = False
    asked: int = 0

    @property
    def flipping(self) -> tuple[RuleOnExample, ...]:
        """The rules without which the answer is another one."""
        return tuple(one for one in self.without if one.label != self.label)
