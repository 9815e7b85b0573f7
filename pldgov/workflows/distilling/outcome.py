"""What a run came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.distill.candidates import Judged
    from pldgov.distill.model import Finding, Phase, Usage
    from pldgov.distill.planning import Plan
    from pldgov.distill.pruning import Pruned
    from pldgov.workflows.distilling.judging import CandidateJudge
    from pldgov.workflows.distilling.rounds import Round
    from pldgov.workflows.distilling.settings import DistillSettings


@dataclass(frozen=True)
class Awaited:
    """What a run waits for: answers of a phase; ``findings`` say where they are awaited.

    Only a dry run waits for the ``student``, which it does not ask.
    """

    phase: Phase
    missing: int
    findings: tuple[Finding, ...] = ()
    plan: Plan | None = None
    student: bool = False

    @property
    def places(self) -> tuple[str, ...]:
        """Where answers are awaited, in a sentence each."""
        return tuple(one.message for one in self.findings if one.kind == "awaiting")


class PauseError(Exception):
    """The run cannot go on now: replies are awaited, or a plan was all that was asked for."""

    def __init__(self, awaited: Awaited) -> None:
        super().__init__(awaited.phase)
        self.awaited = awaited


@dataclass(frozen=True)
class Outcome:
    """How far a run came; ``best`` is the rule set to write, None while replies are awaited.

    ``first`` is the best candidate after synthesis. ``usage`` are the replies that the run rests
    on, by phase, whenever they were paid for.
    """

    run_id: str
    settings: DistillSettings
    judge: CandidateJudge | None
    first: Judged | None
    best: Judged | None
    rounds: tuple[Round, ...]
    pruned: Pruned | None
    usage: Mapping[Phase, Usage]
    figures: Mapping[str, int]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    awaited: Awaited | None = None
