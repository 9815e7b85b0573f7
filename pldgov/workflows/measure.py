"""From a prompt to a scorecard: recorded answers first, the student only for what is missing."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from pldgov.calibration import Calibration, calibrate, decide
from pldgov.errors import UnjudgedError
from pldgov.fingerprint import digest_text
from pldgov.metrics import score
from pldgov.results import READS_GOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pldgov.dataset import Example
    from pldgov.ports import AnswerStore, Progress, Student
    from pldgov.prompt import PromptBuilder, RenderedPrompt
    from pldgov.questions import Query
    from pldgov.results import Answer, Decision, Scorecard, StudentCard
    from pldgov.rulebook.model import GatePolicy

    Answers = dict[str, Answer]
    """Answers by input digest."""

_FLUSH_SECONDS = 2.0


@contextmanager
def _no_lock(_: str) -> Iterator[None]:
    yield


def _silent(stage: str, done: int, total: int) -> None:
    del stage, done, total


@dataclass(frozen=True)
class Answering:
    """Where answers come from, in this order: recorded ones, the store, the student.

    ``recorded`` holds committed answers by (prompt digest, student fingerprint). ``offline``
    forbids asking the student. ``lock`` gives mutual exclusion by name across processes, so that
    two gates that start at once ask only once.
    """

    student: Student
    store: AnswerStore
    recorded: Mapping[tuple[str, str], Mapping[str, Answer]] = field(default_factory=dict)
    offline: bool = False
    progress: Progress = _silent
    lock: Callable[[str], AbstractContextManager[object]] = _no_lock

    @property
    def card(self) -> StudentCard:
        """Who answers."""
        return self.student.card


@dataclass(frozen=True)
class Measurement:
    """What a student said under one prompt, and the figures that follow from it.

    ``answers`` are by input digest and include the training inputs of the calibration;
    ``asked`` counts the student calls that this measurement cost.
    """

    rendered: RenderedPrompt
    examples: tuple[Example, ...]
    decisions: tuple[Decision, ...]
    answers: Mapping[str, Answer]
    calibration: Calibration | None
    asked: int
    policy: GatePolicy

    @cached_property
    def scorecard(self) -> Scorecard:
        """The figures; drawing their intervals takes a moment, so only who asks pays for it."""
        given = [self.answers[example.input_sha256] for example in self.examples]
        labels = tuple(self.rendered.prompt.labels)
        return score(self.decisions, labels, policy=self.policy, answers=given)


def measure(
    builder: PromptBuilder,
    rendered: RenderedPrompt,
    examples: Sequence[Example],
    *,
    train: Sequence[Example],
    answering: Answering,
    policy: GatePolicy,
    stage: str = "asking the student",
) -> Measurement:
    """Decide ``examples`` under ``rendered``; ``train`` is only read for the calibration.

    Raises ``UnjudgedError`` when answers are missing and the student may not be asked.
    """
    labels = tuple(rendered.prompt.labels)
    sample = calibration_sample(train, rendered, card=answering.card)
    answers, asked = collect_answers(
        rendered,
        (*examples, *sample),
        query=partial(builder.query, rendered=rendered),
        answering=answering,
        stage=stage,
    )
    given = [answers[example.input_sha256] for example in sample]
    golds = [example.label for example in sample]
    calibration = calibrate(given, golds, labels, method=answering.card.policy.calibration)
    decisions = tuple(
        decide(
            example,
            answers[example.input_sha256],
            labels,
            policy=answering.card.policy,
            calibration=calibration,
        )
        for example in examples
    )
    return Measurement(rendered, tuple(examples), decisions, answers, calibration, asked, policy)


def calibration_sample(
    train: Sequence[Example], rendered: RenderedPrompt, *, card: StudentCard
) -> tuple[Example, ...]:
    """Return the training examples that the calibration is estimated on, none if not asked for.

    Examples that the prompt itself shows are left out: their answers would say what was shown.
    The choice is by digest of the id, so that it stays the same when the file is reordered; a
    calibration that reads gold labels takes the labels in turn, so that rare ones are there too.
    """
    if card.policy.calibration == "none":
        return ()
    shown = {turn.example_id for turn in rendered.prompt.turns}
    shown |= {id_ for id_, _ in rendered.examples}
    unseen = [example for example in train if example.id not in shown]
    ordered = sorted(unseen, key=lambda example: digest_text(example.id))
    if card.policy.calibration in READS_GOLD:
        ordered = _in_turn(ordered, tuple(rendered.prompt.labels))
    return tuple(ordered[: card.policy.calibration_examples])


def count_missing(
    rendered: RenderedPrompt,
    examples: Sequence[Example],
    *,
    train: Sequence[Example],
    answering: Answering,
) -> int:
    """Return how many student calls measuring ``examples`` under ``rendered`` would take now."""
    sample = calibration_sample(train, rendered, card=answering.card)
    wanted = {example.input_sha256: example for example in (*examples, *sample)}
    known = _known(rendered.prompt.digest, answering.card.fingerprint, wanted, answering)
    return len(wanted) - len(known)


def _in_turn(examples: Sequence[Example], labels: Sequence[str]) -> list[Example]:
    """Return the examples, one of each label after the other for as long as there are any."""
    by_label = [[each for each in examples if each.label == label] for label in labels]
    rounds = zip_longest(*by_label)
    return [example for one in rounds for example in one if example is not None]


def collect_answers(
    rendered: RenderedPrompt,
    examples: Sequence[Example],
    *,
    query: Callable[[Example], Query],
    answering: Answering,
    stage: str,
) -> tuple[Answers, int]:
    """Return an answer for every example by input digest, and how many the student gave now.

    Answers are stored as they come: what was answered before Ctrl-C or an error is not asked
    again. ``query`` is only called for what is asked.
    """
    prompt, student = rendered.prompt.digest, answering.card.fingerprint
    wanted = {example.input_sha256: example for example in examples}
    known = _known(prompt, student, wanted, answering)
    if len(known) == len(wanted):
        return known, 0
    if answering.offline:
        raise UnjudgedError(
            f"{len(wanted) - len(known)} of {len(wanted)} answers of student "
            f"{answering.card.name!r} are not recorded, and it may not be asked (offline)",
            where=f"prompt {prompt[:12]}",
            hint="allow asking, or import recorded answers: pldgov cache import FILE",
        )
    with answering.lock(f"{prompt[:16]}-{student[:16]}"):
        known = _known(prompt, student, wanted, answering)  # another process may have asked
        missing = [query(example) for sha, example in wanted.items() if sha not in known]
        known |= _ask(rendered, missing, answering=answering, stage=stage)
    return known, len(missing)


def _known(
    prompt: str, student: str, wanted: Mapping[str, Example], answering: Answering
) -> Answers:
    recorded = answering.recorded.get((prompt, student), {})
    known = {sha: recorded[sha] for sha in wanted if sha in recorded}
    rest = [sha for sha in wanted if sha not in known]
    return {**known, **answering.store.get(prompt, student, rest)} if rest else known


def _ask(
    rendered: RenderedPrompt, queries: Sequence[Query], *, answering: Answering, stage: str
) -> Answers:
    """Ask the student and keep what it says as it comes."""
    prompt, student = rendered.prompt.digest, answering.card.fingerprint
    answers: Answers = {}
    unsaved: Answers = {}
    saved_at = time.monotonic()
    answering.progress(stage, 0, len(queries))
    try:
        for index, answer in answering.student.answer(rendered.prompt, queries):
            answers[queries[index].sha256] = unsaved[queries[index].sha256] = answer
            answering.progress(stage, len(answers), len(queries))
            if time.monotonic() - saved_at > _FLUSH_SECONDS:
                answering.store.put(prompt, student, unsaved)
                unsaved, saved_at = {}, time.monotonic()
    finally:
        if unsaved:
            answering.store.put(prompt, student, unsaved)
    return answers
