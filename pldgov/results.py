"""Answers, scores and verdicts: frozen values that travel between the parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from pldgov.fingerprint import digest_value

if TYPE_CHECKING:
    from collections.abc import Mapping

METRIC_VERSION = "macro-f1/1"
"""Changes whenever the same answers could give another score or verdict."""

ScoreKind = Literal["log-likelihood", "probability"]
CalibrationMethod = Literal["none", "label-prior", "fitted", "matrix"]
READS_GOLD: Final = ("fitted", "matrix")
"""The calibrations that are estimated on labelled examples, as many of each label."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a student said about one input, before calibration or thresholds.

    ``label`` is the student's own choice, or None for an invalid answer (``raw`` keeps the text).
    ``scores`` gives a number for every label: natural-log likelihood of the label's whole token
    sequence, or probability; None where the student exposes none. Tokens are counts, ``seconds``
    is the share of wall time spent on this answer. ``truncated`` is the number of tokens cut
    from the input, 0 when all of it was read.
    """

    label: str | None
    scores: Mapping[str, float] | None = None
    score_kind: ScoreKind | None = None
    raw: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    truncated: int = 0


@dataclass(frozen=True, slots=True)
class DecisionPolicy:
    """How scores become a label; applied to stored answers, so that changing it costs no call.

    ``calibration`` "label-prior" subtracts each label's mean log score over
    ``calibration_examples`` training inputs (Zhao et al. 2021; Zhou et al. 2023); "fitted" fits
    an offset a label and a slope to as many labelled training examples, "matrix" a weight for
    each pair of labels (``pldgov.calibration``). ``thresholds`` asks a least probability of a
    label, ``abstain_below`` of any label; an answer below is an abstention (label None), counted
    like an invalid answer and reported apart.
    """

    calibration: CalibrationMethod = "none"
    calibration_examples: int = 128
    thresholds: Mapping[str, float] = field(default_factory=dict)
    abstain_below: float = 0.0


@dataclass(frozen=True)
class StudentCard:
    """Who answers: everything that decides an answer besides prompt and input.

    ``snapshot`` pins the weights: a digest of the weights' file, a hub revision, or the model id
    that the server reports. ``decoding`` holds the settings that change answers ("mode", dtype,
    max_tokens, ...), never those that only change speed. ``recorded_fingerprint`` is set where
    answers are replayed of which no more is known than the fingerprint they were stored under.
    """

    name: str
    kind: str
    model: str
    snapshot: str
    decoding: Mapping[str, Any] = field(default_factory=dict)
    policy: DecisionPolicy = field(default_factory=DecisionPolicy)
    recorded_fingerprint: str | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over kind, model, snapshot and decoding; the given name is not part of it."""
        return self.recorded_fingerprint or digest_value(
            {
                "kind": self.kind,
                "model": self.model,
                "snapshot": self.snapshot,
                "decoding": dict(self.decoding),
            }
        )


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval at ``confidence`` around a point estimate."""

    low: float
    high: float
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class Decision:
    """The label that counts for one example, after calibration and thresholds.

    ``probabilities`` sum to 1 over the labels where the student gives scores, else None.
    ``abstained`` marks a label withheld by a threshold (then ``label`` is None too).
    """

    example_id: str
    gold: str
    label: str | None
    probabilities: Mapping[str, float] | None = None
    abstained: bool = False
    group: str | None = None


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Precision, recall, F1 (fractions) and support (count) of one label."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    f1_interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class ProbabilityScores:
    """How good the probabilities are: lower is better in all three.

    ``log_loss`` in nats, ``brier`` as the multi-class sum from 0 to 2, ``calibration_error``
    the expected calibration error of the chosen label over ``bins`` equal-width bins.
    ``reliability`` holds a row per bin: (mean confidence, share right, count).
    """

    log_loss: float
    brier: float
    calibration_error: float
    reliability: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True)
class Scorecard:
    """How one student did with one prompt on one split.

    ``confusion[i][j]`` counts examples of gold label i answered with column j; the columns are
    the labels in order, then one for no label (invalid or abstained).
    """

    n: int
    macro_f1: float
    accuracy: float
    labels: tuple[LabelScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    invalid: int
    abstained: int
    truncated: int
    interval: Interval | None = None
    probabilities: ProbabilityScores | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def invalid_rate(self) -> float:
        """Share of answers that name no label, abstentions left out; 0 when there are none."""
        return self.invalid / self.n if self.n else 0.0


class Outcome(StrEnum):
    """What a gate can say."""

    PASS = "PASS"  # noqa: S105  (not a password)
    REGRESSED = "REGRESSED"
    INCONCLUSIVE = "INCONCLUSIVE"
    NO_BASELINE = "NO_BASELINE"
    NOT_COMPARABLE = "NOT_COMPARABLE"
    NOT_MEASURED = "NOT_MEASURED"


@dataclass(frozen=True, slots=True)
class Difference:
    """Head minus base of one figure, paired by example.

    ``p_value`` is one-sided for a drop, ``adjusted_p`` after Holm over the labels (None for
    macro-F1). ``standard_error`` is the bootstrap's.
    """

    base: float
    head: float
    interval: Interval
    standard_error: float
    p_value: float
    adjusted_p: float | None = None

    @property
    def delta(self) -> float:
        """Head minus base, unrounded."""
        return self.head - self.base


@dataclass(frozen=True, slots=True)
class LabelVerdict:
    """What the gate says of one label, and why in one sentence."""

    label: str
    outcome: Outcome
    difference: Difference | None
    reason: str


@dataclass(frozen=True, slots=True)
class Flip:
    """An example whose answer differs between base and head."""

    example_id: str
    gold: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> Literal["fixed", "broken", "changed"]:
        """fixed: now right; broken: was right; changed: wrong before and after."""
        if self.after == self.gold:
            return "fixed"
        return "broken" if self.before == self.gold else "changed"


@dataclass(frozen=True)
class Verdict:
    """The gate's word on one rulebook: outcome, reason, and every figure behind it.

    ``detectable_drop`` is the smallest true drop of macro-F1 that this gate set would find with
    80 % power; ``examples_needed`` how many labelled examples would decide an inconclusive
    difference if it stayed as it is (None when no number would).
    """

    outcome: Outcome
    reason: str
    macro_f1: Difference | None = None
    labels: tuple[LabelVerdict, ...] = ()
    flips: tuple[Flip, ...] = ()
    detectable_drop: float | None = None
    examples_needed: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ComparabilityKey:
    """What must be equal before two measurements may be compared."""

    student: str
    decoding: str
    template_engine: str
    labels: tuple[str, ...]
    gate_set: str
    metric: str = METRIC_VERSION

    def differences(self, other: ComparabilityKey) -> tuple[str, ...]:
        """Name every part that differs, with both values, in a sentence each."""
        parts = ("student", "decoding", "template_engine", "labels", "gate_set", "metric")
        return tuple(
            f"{part.replace('_', ' ')}: {getattr(self, part)} here, {getattr(other, part)} there"
            for part in parts
            if getattr(self, part) != getattr(other, part)
        )


@dataclass(frozen=True, slots=True)
class RuleMark:
    """A changed rule that the student may notice, and where it stands in head.

    ``line`` and ``column`` count from 1; a rule that was removed is marked where the rules begin.
    ``kinds`` are the kinds of its changes, ``broken`` the ids of the examples whose answers broke
    and that concern this rule most.
    """

    rule: str
    line: int
    column: int
    kinds: tuple[str, ...]
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class GateReport:
    """The verdict on one rulebook with all that a report shows of it.

    ``base`` names what head was compared with; prompts are digests. ``texts`` holds the user
    message of each flipped example by id. ``asked`` counts the student calls of both sides.
    ``exit_code`` is 0, 1 or 3 after the rulebook's policy. ``marks`` are the changed rules of a
    comparison with another revision that did not pass. ``absent_by_design`` tells whether
    NOT_MEASURED is for want of what most machines lack, as rulebook or settings say.
    ``base_interval`` is that of the base's macro-F1 by itself, as ``scorecard.interval`` is head's.
    """

    rulebook: str
    path: str
    student: StudentCard
    verdict: Verdict
    exit_code: int
    base: str | None = None
    head_prompt: str | None = None
    base_prompt: str | None = None
    key: ComparabilityKey | None = None
    scorecard: Scorecard | None = None
    base_interval: Interval | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    asked: int = 0
    marks: tuple[RuleMark, ...] = ()
    absent_by_design: bool = False


@dataclass(frozen=True)
class Candidate:
    """One way to answer that an evaluation measured: a prompt, or a baseline that needs none.

    ``prompt`` is the prompt's digest and ``tokens`` its length under the student's tokenizer,
    None where there is no prompt or no tokenizer.
    """

    name: str
    scorecard: Scorecard
    prompt: str | None = None
    tokens: int | None = None
    asked: int = 0


@dataclass(frozen=True)
class EvalReport:
    """What one evaluation measured: the rulebook first, then what it is compared with."""

    rulebook: str
    split: str
    student: StudentCard
    candidates: tuple[Candidate, ...]
