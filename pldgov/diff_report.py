"""What ``pldgov diff`` found: frozen values from which every format is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.changes import Change
    from pldgov.problems import Problem
    from pldgov.results import Flip, GateReport

State = Literal["changed", "unchanged", "added", "deleted", "unreadable"]
Effect = Literal["altered", "unchanged", "unknown"]
SideName = Literal["base", "head"]


@dataclass(frozen=True, slots=True)
class PromptFacts:
    """One side's rendered prompt: its digest, how many rules it shows, what it takes.

    ``tokens`` counts system text and turns, ``example_tokens`` the mean user message of the gate
    split, ``answer_tokens`` the mean label; all three are estimates from the number of bytes
    where ``counted`` is false, and the latter two None without a gate split. ``yearly_tokens``
    and ``yearly_cost`` hold for the volume that was asked for; a cost only where the student's
    prices are set, in their currency.
    """

    digest: str
    rules: int
    trimmed: tuple[str, ...] = ()
    tokens: int | None = None
    counted: bool = False
    example_tokens: float | None = None
    answer_tokens: float | None = None
    yearly_tokens: int | None = None
    yearly_cost: float | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that stands in the way of reading or rendering one side, in a sentence."""

    side: SideName
    message: str


@dataclass(frozen=True, slots=True)
class Concern:
    """A changed rule that a flipped example most concerns.

    ``how``: the rule cites the example; or it argues for the answer given now, or no longer for
    the one given before (``label``); or its words are near the example's. ``score`` is the cosine
    similarity of the words, from 0 to 1 (1 for a rule that cites the example).
    """

    rule: str
    how: Literal["cited", "label", "nearest"]
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class FlippedExample:
    """An example that is answered differently: what it says, and which changes it concerns."""

    flip: Flip
    text: str
    concerns: tuple[Concern, ...] = ()


@dataclass(frozen=True)
class RulebookDiff:
    """What changed in one rulebook, what that does to the prompt, and what the student makes of it.

    ``base_path`` and ``head_path`` are None on the side that does not hold it. ``base`` and
    ``head`` are None where a side does not render; ``troubles`` then says why. ``gate`` is the
    verdict on both sides' answers; without it ``unmeasured`` says why there is none.
    ``problems`` are what lint finds in head and not in the base.
    """

    name: str
    state: State
    base_path: str | None = None
    head_path: str | None = None
    changes: tuple[Change, ...] = ()
    base: PromptFacts | None = None
    head: PromptFacts | None = None
    troubles: tuple[Trouble, ...] = ()
    gate: GateReport | None = None
    flips: tuple[FlippedExample, ...] = ()
    unmeasured: str | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def effect(self) -> Effect:
        """What the changes do to the rendered prompt, by its digest."""
        if self.state == "unchanged":
            return "unchanged"
        if self.state in {"added", "deleted"}:
            return "altered"
        if self.base is None or self.head is None:
            return "unknown"
        return "unchanged" if self.base.digest == self.head.digest else "altered"

    @property
    def reaches_student(self) -> bool:
        """Whether something changed that reaches the student, or may for all that is known."""
        return self.effect != "unchanged"


@dataclass(frozen=True)
class DiffReport:
    """Every rulebook that was compared. ``volume`` counts examples a year, None if not asked."""

    base: str
    head: str
    rulebooks: tuple[RulebookDiff, ...]
    volume: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def differing(self) -> Sequence[RulebookDiff]:
        """The rulebooks of which there is something to say."""
        return [one for one in self.rulebooks if one.state != "unchanged"]
