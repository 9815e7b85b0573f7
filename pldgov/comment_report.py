"""What a pull-request comment tells: frozen values, a rulebook each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pldgov.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.diff_report import RulebookDiff
    from pldgov.results import GateReport
    from pldgov.student_lock import StudentChange

BROKEN_CODE = 2
Standing = Literal["broken", "failed", "open", "passed"]
"""How the gate ends: with an error, stopping the change, without a verdict, letting it pass."""


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """Why the gate has no word on a rulebook, with the exit code that it ends with."""

    message: str
    exit_code: int


@dataclass(frozen=True)
class RulebookNews:
    """One rulebook: what changed in it, and what the gate says of it.

    ``gate`` is None for a rulebook that was deleted. ``students`` are the changes of who answers,
    ``upgrades`` the verdicts on them.
    """

    diff: RulebookDiff
    gate: GateReport | NoVerdict | None = None
    students: tuple[StudentChange, ...] = ()
    upgrades: tuple[GateReport, ...] = ()

    @property
    def exit_code(self) -> int:
        """What ``pldgov gate`` ends with over this rulebook; a deleted one does not stop it."""
        return 0 if self.gate is None else self.gate.exit_code

    @property
    def word(self) -> str:
        """The verdict, or what stands in its place."""
        if self.gate is None:
            return "DELETED"
        if isinstance(self.gate, NoVerdict):
            return "ERROR" if self.standing == "broken" else str(Outcome.NOT_MEASURED)
        return str(self.gate.verdict.outcome)

    @property
    def standing(self) -> Standing:
        """Which of the four ends this is."""
        return _STANDINGS.get(self.exit_code, "open")

    @property
    def is_news(self) -> bool:
        """Whether there is more to say than that it is as it was, and passes."""
        same = self.diff.state == "unchanged" and not self.students
        return not (same and self.word == Outcome.PASS)


@dataclass(frozen=True)
class CommentReport:
    """Every rulebook of both sides. ``volume`` counts examples a year, None if not asked."""

    base: str
    head: str
    rulebooks: tuple[RulebookNews, ...]
    volume: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def news(self) -> Sequence[RulebookNews]:
        """The rulebooks of which there is something to say, the gravest first."""
        told = [one for one in self.rulebooks if one.is_news]
        return sorted(told, key=lambda one: _GRAVITY.index(one.standing))

    @property
    def standing(self) -> Standing:
        """The gravest end of any rulebook."""
        ends = {one.standing for one in self.rulebooks}
        return next((end for end in _GRAVITY if end in ends), "passed")


_GRAVITY: tuple[Standing, ...] = ("broken", "failed", "open", "passed")
_STANDINGS: dict[int, Standing] = {0: "passed", 1: "failed", BROKEN_CODE: "broken"}
