"""Several students under one rulebook: frozen values that ``pldgov compare`` is written from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.results import Difference, Flip, Scorecard, StudentCard

LockState = Literal["locked", "differs from the lock", "not locked"]


@dataclass(frozen=True)
class StudentResult:
    """One student's measurement, and its differences to the first student's.

    ``prompt_tokens`` is the prompt's length under the student's own tokenizer, None where that is
    the server's. ``cost`` is the price of answering 1,000 inputs, None without prices. ``macro_f1``
    and ``labels`` are differences with the first student as ``base``; None, and empty, for itself.
    """

    card: StudentCard
    scorecard: Scorecard
    prompt: str
    prompt_tokens: int | None
    trimmed: tuple[str, ...]
    cost: float | None
    lock: LockState
    asked: int
    macro_f1: Difference | None = None
    labels: Mapping[str, Difference] = field(default_factory=dict)
    flips: tuple[Flip, ...] = ()


@dataclass(frozen=True)
class StudentsReport:
    """The students in the order in which they were named; ``texts`` are of flipped examples."""

    rulebook: str
    split: str
    n: int
    students: tuple[StudentResult, ...]
    texts: Mapping[str, str]
