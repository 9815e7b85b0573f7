"""The scorecard of interpretability as frozen values. Shares are fractions from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.distill.model import Conflict
    from pldgov.results import Decision


@dataclass(frozen=True, slots=True)
class Spread:
    """A count per rule: sum, mean, median and largest over the rules."""

    total: int
    mean: float
    median: float
    largest: int


@dataclass(frozen=True)
class LeaveOneOut:
    """A student's decisions with all rules, and without each one; all on the same examples."""

    decisions: tuple[Decision, ...]
    without: Mapping[str, tuple[Decision, ...]]


@dataclass(frozen=True)
class Effect:
    """What leaving rules out changes.

    ``coverage`` is the share of examples whose answer changes when some rule is left out,
    ``by_rule`` the share that changes without each one; ``inert`` are the rules without which no
    answer changes.
    """

    coverage: float
    by_rule: Mapping[str, float]
    inert: tuple[str, ...]


@dataclass(frozen=True)
class Stability:
    """How alike rule sets are that were distilled from other seeds or other teacher draws.

    ``dice`` is the mean Dice-Sorensen index over all pairs of sets, ``lowest`` the smallest;
    ``recurrence`` the share of the other sets in which each rule of this one is found again.
    ``sets`` counts this one too.
    """

    sets: int
    threshold: float
    dice: float
    lowest: float
    recurrence: Mapping[str, float]


@dataclass(frozen=True)
class ClauseRecovery:
    """Which clauses of the policy behind the labels the rules give back.

    ``clauses`` are those that at least two training examples turn on. ``recovered`` names for
    each recovered clause the rules that do it, ``touched`` the clauses of any supporting example;
    ``by_chance`` is how many clauses rules would recover that cited examples of their labels
    at random.
    """

    clauses: tuple[str, ...]
    recovered: Mapping[str, tuple[str, ...]]
    touched: tuple[str, ...]
    by_chance: float

    @property
    def share(self) -> float:
        """Share of the clauses that are recovered; 0 where there are none."""
        return len(self.recovered) / len(self.clauses) if self.clauses else 0.0


@dataclass(frozen=True)
class Interpretability:
    """The scorecard of a rulebook's active rules; None is what was not, or cannot be, measured.

    ``reading_ease`` is Flesch's, higher is easier, about 60 is plain English; ``hardest`` the
    rule with the lowest. ``supported`` is the share of rules with two supporting examples or
    more, ``cited`` the share of training examples that some rule rests on. ``redundant`` and
    ``contradicted`` are shares of rules that have a near-duplicate, or a contradiction, among the
    others. ``embedder`` says which vectors ``conflicts`` and ``stability`` rest on, None for
    words.
    """

    rulebook: str
    rules: int
    words: Spread
    tokens: Spread | None
    reading_ease: float | None
    hardest: tuple[str, float] | None
    supported: float | None
    cited: float | None
    redundant: float | None
    contradicted: float | None
    conflicts: tuple[Conflict, ...] = ()
    embedder: str | None = None
    effect: Effect | None = None
    stability: Stability | None = None
    clauses: ClauseRecovery | None = None
    notes: tuple[str, ...] = field(default=())
