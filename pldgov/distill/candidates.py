"""Candidates: a set of rules with the layout it is shown in, and what a student made of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.distill.model import DraftRule

Order = Literal["as-is", "by-label", "most-cited-first"]
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True, slots=True)
class Layout:
    """How rules become a prompt: the template, and how many exemplars it may show of a rule."""

    template: str
    support: int = 1
    counter: int = 0

    def __str__(self) -> str:
        return f"{self.template} ({self.support} support, {self.counter} counter)"


@dataclass(frozen=True)
class RuleSet:
    """Drafted rules in the order in which the student reads them, and their layout.

    ``ancestors`` are rules that no longer stand in the set and that others were split or merged
    from: what those are related to.
    """

    rules: tuple[DraftRule, ...]
    layout: Layout
    ancestors: tuple[DraftRule, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the rules in order."""
        return tuple(rule.id for rule in self.rules)

    def without(self, rule_id: str) -> RuleSet:
        """Return the set without one rule."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.id != rule_id))

    def showing(self, rule_id: str, later: int) -> RuleSet | None:
        """Return the set with other supporting examples of one rule shown, None if it has no more.

        The layout shows the first so many that a rule cites; ``later`` times so many move behind
        the rest, which changes what is shown and nothing that is cited.
        """
        shown = self.layout.support
        rules = []
        for rule in self.rules:
            support = [cite for cite in rule.cites if cite.role == "support"]
            if rule.id != rule_id:
                rules.append(rule)
                continue
            if not shown or later * shown >= len(support):
                return None
            moved = support[later * shown :] + support[: later * shown]
            others = [cite for cite in rule.cites if cite.role != "support"]
            rules.append(replace(rule, cites=(*moved, *others)))
        return replace(self, rules=tuple(rules))

    def ordered(self, order: Order, labels: Sequence[str]) -> RuleSet:
        """Return the same rules in another order; ``labels`` are the task's."""
        return replace(self, rules=tuple(sorted(self.rules, key=_key(order, labels))))


@dataclass(frozen=True)
class Judged:
    """A candidate with what the student made of it on the validation split.

    ``macro_f1`` is None where it was not measured; ``refused`` then says why. ``size`` are the
    prompt's tokens, or its bytes where the student's tokens cannot be counted. ``step`` says
    where in the run the candidate came up.
    """

    rule_set: RuleSet
    step: str
    prompt: str
    size: int
    macro_f1: float | None = None
    refused: str | None = None
    number: int = field(default=0, compare=False)

    def beats(self, other: Judged) -> bool:
        """Tell whether this one is strictly better: a higher macro-F1, or as high in less room."""
        if self.macro_f1 is None:
            return False
        if other.macro_f1 is None:
            return True
        return (self.macro_f1, -self.size) > (other.macro_f1, -other.size)


class Judge(Protocol):
    """Measures candidates on the validation split; a candidate it knows already costs nothing."""

    def __call__(self, rule_set: RuleSet, *, step: str) -> Judged:
        """Return what the student makes of a candidate."""
        ...


def best_of(judged: Sequence[Judged]) -> Judged | None:
    """Return the best candidate, of equals the earliest; None when none was measured."""
    best: Judged | None = None
    for one in judged:
        if one.macro_f1 is not None and (best is None or one.beats(best)):
            best = one
    return best


def _key(order: Order, labels: Sequence[str]) -> Callable[[DraftRule], int]:
    """Return a sort key; sorting is stable, so rules that tie stay as they are."""
    place = {label: index for index, label in enumerate(labels)}
    if order == "by-label":
        return lambda rule: place.get(rule.labels[0], len(place)) if rule.labels else len(place)
    if order == "most-cited-first":
        return lambda rule: -len(rule.cites)
    return lambda _: 0
