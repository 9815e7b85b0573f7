"""What people read of a distillation: every figure, as values that JSON can hold."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pldgov.errors import DataError

SCHEMA = "pldgov.distillation/v1"


@dataclass(frozen=True)
class LabelLine:
    """F1 of one label with its interval."""

    label: str
    f1: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """One way to answer, measured on the gate split: macro-F1 with its interval, and what it takes.

    ``tokens`` of the prompt, None where there is none or nobody can count; ``seconds`` an example,
    as measured when it was answered, None where nothing was asked.
    """

    name: str
    macro_f1: float
    low: float
    high: float
    labels: tuple[LabelLine, ...]
    rules: int = 0
    tokens: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class PhaseLine:
    """What the teacher's replies of one phase took."""

    phase: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost: float


@dataclass(frozen=True)
class OperationLine:
    """One proposed operation: ``outcome`` is accepted, refused or a proposal to people."""

    kind: str
    targets: tuple[str, ...]
    rules: tuple[str, ...]
    examples: tuple[str, ...]
    reason: str
    outcome: str
    alone: float | None


@dataclass(frozen=True)
class RoundLine:
    """One round: macro-F1 on validation before and after, and its operations."""

    number: int
    sampled: int
    wrong: int
    before: float
    after: float
    operations: tuple[OperationLine, ...]


@dataclass(frozen=True)
class CandidateLine:
    """One candidate that was measured (or refused), in the order in which it came up."""

    number: int
    step: str
    prompt: str
    rules: tuple[str, ...]
    template: str
    support: int
    counter: int
    size: int
    macro_f1: float | None
    refused: str | None = None


@dataclass(frozen=True)
class Effect:
    """By how much macro-F1 on validation falls when one rule is left out of its set."""

    rule: str
    effect: float


@dataclass(frozen=True)
class Summary:
    """A finished distillation.

    ``gate`` has one line each for majority, zero-shot, few-shot, after synthesis and final; it is
    empty where the student could not be asked. ``validation`` are macro-F1 and interval of the
    chosen candidate on the split that it was chosen on: the best of many, so too high.
    ``findings`` are (kind, about, message). ``wall_seconds`` and every ``seconds`` are the only
    figures that differ between runs that come to the same.
    """

    rulebook: str
    run_id: str
    student: str
    seed: int
    examples: dict[str, int]
    gate: tuple[Line, ...]
    validation: tuple[float, float, float]
    chosen: CandidateLine
    teacher: tuple[PhaseLine, ...]
    figures: dict[str, int]
    rounds: tuple[RoundLine, ...]
    effects: tuple[Effect, ...]
    removed: tuple[str, ...]
    candidates: tuple[CandidateLine, ...]
    student_calls: int
    findings: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    wall_seconds: float | None = None

    @property
    def operations(self) -> tuple[OperationLine, ...]:
        """Every operation of every round."""
        return tuple(each for one in self.rounds for each in one.operations)

    def for_evidence(self) -> Summary:
        """Return the summary as it is committed.

        Left out is what differs between runs that come to the same, and which rules each
        candidate had: the run's folder holds that.
        """
        gate = tuple(replace(line, seconds=None) for line in self.gate)
        candidates = tuple(replace(one, rules=()) for one in self.candidates)
        return replace(self, gate=gate, candidates=candidates, wall_seconds=None)


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """Return the summary as a JSON object."""
    return {"schema": SCHEMA, **asdict(summary)}


def summary_from_json(value: dict[str, Any], *, where: str) -> Summary:
    """Return the summary that a JSON object holds; raises ``DataError`` for anything else."""
    if value.get("schema") != SCHEMA:
        raise DataError(f"is no report of a distillation ({SCHEMA})", where=where)
    fields = {key: content for key, content in value.items() if key != "schema"}
    try:
        return TypeAdapter(Summary).validate_python(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise DataError(f"{place}: {first['msg'].lower()}", where=where) from error
