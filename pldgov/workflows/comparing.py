"""Students side by side under one rulebook, paired by example."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pldgov.differences import compare
from pldgov.gate import flips
from pldgov.ports import ServedStudent
from pldgov.prompt import count_prompt_tokens
from pldgov.student_lock import entry_unlike
from pldgov.student_report import StudentResult, StudentsReport
from pldgov.students.pinned import count_if_here
from pldgov.workflows.measure import measure
from pldgov.workflows.sides import side_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.dataset import SplitName
    from pldgov.ports import Student
    from pldgov.results import Decision, Scorecard, StudentCard
    from pldgov.rulebook.loading import Revision
    from pldgov.student_lock import StudentLock
    from pldgov.student_report import LockState
    from pldgov.workflows.measure import Answering


@dataclass(frozen=True)
class StudentRun:
    """What one student said, kept until all have been asked."""

    result: StudentResult
    decisions: tuple[Decision, ...]


def run_student(
    revision: Revision, *, split: SplitName, answering: Answering, lock: StudentLock
) -> StudentRun:
    """Measure one student on ``split``, under the prompt that it would be deployed with."""
    revision.require("train", split)
    side = side_of(revision, answering.student)
    measured = measure(
        side.builder,
        side.rendered,
        revision.split(split),
        train=revision.split("train"),
        answering=answering,
        policy=revision.rulebook.gate,
        stage=f"asking {answering.card.name}",
    )
    result = StudentResult(
        card=answering.card,
        scorecard=measured.scorecard,
        prompt=side.rendered.prompt.digest,
        prompt_tokens=count_prompt_tokens(side.rendered.prompt, count_if_here(answering.student)),
        trimmed=side.rendered.trimmed,
        cost=_cost(answering.student, measured.scorecard),
        lock=_lock_state(lock, answering.card),
        asked=measured.asked,
    )
    return StudentRun(result, measured.decisions)


def compare_runs(
    revision: Revision, runs: Sequence[StudentRun], *, split: SplitName
) -> StudentsReport:
    """Hold every run against the first, on the same examples and the same bootstrap draws."""
    first, *others = runs
    results = [first.result, *(_against(first, other, revision) for other in others)]
    flipped = {flip.example_id for result in results for flip in result.flips}
    texts = {
        example.id: " / ".join(example.inputs[name] for name in revision.rulebook.task.inputs)
        for example in revision.split(split)
        if example.id in flipped
    }
    return StudentsReport(
        rulebook=revision.rulebook.name,
        split=split,
        n=len(first.decisions),
        students=tuple(results),
        texts=texts,
    )


def _against(first: StudentRun, other: StudentRun, revision: Revision) -> StudentResult:
    labels = revision.rulebook.labels
    found = compare(other.decisions, first.decisions, labels, policy=revision.rulebook.gate)
    return replace(
        other.result,
        macro_f1=found.macro_f1,
        labels=dict(zip(labels, found.labels, strict=True)),
        flips=flips(other.decisions, first.decisions),
    )


def _cost(student: Student, scorecard: Scorecard) -> float | None:
    """Return what 1,000 inputs cost, by the tokens that these answers took."""
    if not isinstance(student, ServedStudent):
        return None
    spent = student.price(scorecard.tokens_in, scorecard.tokens_out)
    return None if spent is None else 1000 * spent / scorecard.n


def _lock_state(lock: StudentLock, card: StudentCard) -> LockState:
    entry = lock.of(card)
    if entry is None:
        return "not locked"
    return "differs from the lock" if entry_unlike(entry.card, card) else "locked"
