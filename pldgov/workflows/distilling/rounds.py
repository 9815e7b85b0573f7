"""Phase 5: rounds of failures, operations and validation, until nothing helps any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pldgov.distill.candidates import best_of
from pldgov.distill.operations import apply_operation, apply_operations, name_rules
from pldgov.distill.resolve import observe, propose
from pldgov.distill.sampling import sample_examples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.distill.candidates import Judged, RuleSet
    from pldgov.distill.model import Conflict, Operation, Phase, Step
    from pldgov.distill.prompts import TeacherPrompts
    from pldgov.ports import ReplyArchive
    from pldgov.workflows.distilling.judging import CandidateJudge
    from pldgov.workflows.distilling.settings import DistillSettings

SEED_APART = 7_919
"""So that the sample of a round is not the one that the seed gives to extraction."""


class Consult(Protocol):
    """Runs a phase until its replies are there; what a run has for it."""

    def __call__(self, phase: Phase, run: Callable[[], Step[Operation]]) -> tuple[Operation, ...]:
        """Return what the phase gives."""
        ...


@dataclass(frozen=True)
class Tried:
    """An operation and what became of it; ``alone`` is its candidate's macro-F1 without others."""

    operation: Operation
    alone: float | None
    accepted: bool
    proposal: bool = False


@dataclass(frozen=True)
class Round:
    """What one round saw and did; macro-F1 is that of validation, before and after."""

    number: int
    sampled: int
    wrong: int
    before: float
    after: float
    tried: tuple[Tried, ...]

    @property
    def accepted(self) -> bool:
        """Whether the round changed the rules."""
        return any(one.accepted for one in self.tried)


@dataclass(frozen=True)
class Resolving:
    """What the rounds work with; ``conflicts`` finds those of a rule set."""

    settings: DistillSettings
    judge: CandidateJudge
    prompts: TeacherPrompts
    archive: ReplyArchive
    consult: Consult
    conflicts: Callable[[RuleSet], Sequence[Conflict]]
    examples: Mapping[str, Example]


def resolve(start: Judged, resolving: Resolving) -> tuple[Judged, tuple[Round, ...]]:
    """Return the best candidate after the rounds, and their history.

    A round changes something only if macro-F1 on validation is strictly higher, or as high with
    fewer tokens; otherwise everything is as before it. Rounds end when there are no more, when
    ``patience`` in a row changed nothing, or when the student makes no mistake.
    """
    current, history = start, []
    taken = {*start.rule_set.ids, *(rule.id for rule in resolving.judge.kept)}
    idle = 0
    for number in range(1, resolving.settings.rounds + 1):
        if idle >= resolving.settings.patience or not resolving.judge.affordable():
            break
        current, one = _round(number, current, resolving, taken)
        history.append(one)
        idle = 0 if one.accepted else idle + 1
        if not one.wrong:
            break
    return current, tuple(history)


def _round(
    number: int, current: Judged, resolving: Resolving, taken: set[str]
) -> tuple[Judged, Round]:
    settings, judge = resolving.settings, resolving.judge
    seed = settings.seed + SEED_APART * number
    shown = {id_ for id_, _ in judge.render(current.rule_set).examples}
    unseen = [example for example in judge.train if example.id not in shown]
    sample = sample_examples(unseen, settings.train_sample, seed=seed, balanced=True)
    decisions = judge.decide(current.rule_set, sample, stage=f"round {number}: train sample")
    wrong = sum(decision.label != decision.gold for decision in decisions)
    before = current.macro_f1 or 0.0
    if not wrong:
        return current, Round(number, len(sample), 0, before, before, ())
    observed = observe(
        sample, decisions, failures=settings.failures, successes=settings.successes, seed=seed
    )
    proposed = resolving.consult(
        "resolve",
        lambda: propose(
            current.rule_set.rules,
            observed,
            kept=[rule for rule in judge.kept if rule.status == "active"],
            conflicts=resolving.conflicts(current.rule_set),
            examples=resolving.examples,
            prompts=resolving.prompts,
            archive=resolving.archive,
            number=number,
            most=settings.operations,
        ),
    )
    operations = name_rules(proposed, taken=taken)
    taken |= {rule.id for operation in operations for rule in operation.rules}
    best, tried = try_operations(current, operations, judge=judge, number=number)
    after = best.macro_f1 or 0.0
    return best, Round(number, len(sample), wrong, before, after, tried)


def try_operations(
    current: Judged, operations: Sequence[Operation], *, judge: CandidateJudge, number: int
) -> tuple[Judged, tuple[Tried, ...]]:
    """Try each operation alone, all together, and together those that helped alone.

    An operation on a rule of people is a proposal: it is not tried.
    """
    of_people = {rule.id for rule in judge.kept}
    proposals = [one for one in operations if of_people & set(one.targets)]
    usable = [one for one in operations if one not in proposals]
    for one in usable:
        judge.placing.phases |= {rule.request: "resolve" for rule in one.rules}
    alone: list[tuple[Operation, Judged]] = []
    for index, operation in enumerate(usable, start=1):
        changed = apply_operation(current.rule_set, operation)
        if changed is not None and changed.rules:
            step = f"round {number}: {operation.kind} {index}"
            alone.append((operation, judge(changed, step=step)))
    ways: list[tuple[tuple[Operation, ...], Judged]] = [
        ((operation,), judged) for operation, judged in alone
    ]
    helped = tuple(operation for operation, judged in alone if judged.beats(current))
    for together, name in ((tuple(usable), "all"), (helped, "all that helped")):
        changed = apply_operations(current.rule_set, together)
        if len(together) > 1 and changed.rules:
            ways.append((together, judge(changed, step=f"round {number}: {name}")))
    best = best_of([judged for _, judged in ways])
    won = best is not None and best.beats(current)
    accepted = next((ops for ops, judged in ways if judged is best), ()) if won else ()
    scores = {id(operation): judged.macro_f1 for operation, judged in alone}
    tried = tuple(
        Tried(one, scores.get(id(one)), accepted=one in accepted, proposal=one in proposals)
        for one in operations
    )
    return (best if won and best is not None else current), tried
