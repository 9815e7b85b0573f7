"""From a student's answer to the label that counts: calibration, thresholds, abstention.

A language model favours some labels whatever the input says: the last one shown, the most common
word. Contextual calibration (Zhao et al. 2021, "Calibrate Before Use", ICML, arXiv:2102.09690)
measures that bias on a content-free input and removes it; batch calibration (Zhou et al. 2023,
"Batch Calibration", ICLR 2024, arXiv:2309.17249) measures it on a batch of real, unlabelled
inputs. Here the batch is training inputs and the mean is taken over log scores, so that the bias
is removed by a subtraction. No gold label is used, and no input of the gate.

That subtraction takes every label for equally common in the batch. Where they are not, it pushes
answers to the rare ones; a ``Fitted`` calibration is estimated on labelled training examples, as
many of each label, and assumes nothing of the kind: bias-corrected temperature scaling (Alexandari
et al. 2020, ICML, arXiv:1901.06852), one offset a label and one slope for all.

Where a student mistakes one label for another whatever the prompt (a refund for a fraud), neither
helps: a ``Matrix`` calibration lets the score of each label speak for each other one (matrix
scaling, Guo et al. 2017, ICML, arXiv:1706.04599; with a penalty, as Kull et al. 2019, NeurIPS,
arXiv:1910.12656, found that it needs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.calibration_fit import least_loss, least_loss_of_matrix
from pldgov.errors import DataError
from pldgov.results import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pldgov.dataset import Example
    from pldgov.results import Answer, CalibrationMethod, DecisionPolicy, ScoreKind

LEAST_PROBABILITY = 1e-12
"""What a probability of zero counts as: servers round, and the logarithm needs a number."""

DIGITS = 6
"""Significant digits that a fit keeps."""

ROUNDING = 1e-12
"""A probability that a server gives as exactly the threshold must not fall below it."""


@dataclass(frozen=True, slots=True)
class Prior:
    """How much a student leans to each label under one prompt, before it has read the input.

    ``mean_log_scores`` holds, by label, the mean over ``n`` training inputs of the natural log of
    the label's probability, normalised over the labels (so each value is at most 0).
    """

    mean_log_scores: Mapping[str, float]
    n: int
    score_kind: ScoreKind

    def correct(self, scores: Sequence[float], labels: Sequence[str]) -> tuple[float, ...]:
        """Return log probabilities without the lean; both are in the order of ``labels``."""
        bias = (self.mean_log_scores[label] for label in labels)
        return _log_softmax([score - lean for score, lean in zip(scores, bias, strict=True)])


@dataclass(frozen=True, slots=True)
class Fitted:
    """What makes a student's scores fit gold labels: slope * (score - mean) + offset, by label.

    Estimated on ``n`` labelled training examples by log loss in which every label weighs the
    same. ``mean_log_scores`` is as in ``Prior``; ``slope`` is the inverse of a temperature.
    """

    mean_log_scores: Mapping[str, float]
    offsets: Mapping[str, float]
    slope: float
    n: int
    score_kind: ScoreKind

    def correct(self, scores: Sequence[float], labels: Sequence[str]) -> tuple[float, ...]:
        """Return calibrated log probabilities; both are in the order of ``labels``."""
        return _log_softmax(
            [
                self.slope * (score - self.mean_log_scores[label]) + self.offsets[label]
                for score, label in zip(scores, labels, strict=True)
            ]
        )


@dataclass(frozen=True, slots=True)
class Matrix:
    """What makes a student's scores fit gold labels: a weight for each pair of labels, an offset.

    The corrected score of a label is its offset and the sum over all labels of ``weights[label]``
    times (score - mean). Estimated and named as ``Fitted``.
    """

    mean_log_scores: Mapping[str, float]
    offsets: Mapping[str, float]
    weights: Mapping[str, Mapping[str, float]]
    n: int
    score_kind: ScoreKind

    def correct(self, scores: Sequence[float], labels: Sequence[str]) -> tuple[float, ...]:
        """Return calibrated log probabilities; both are in the order of ``labels``."""
        centred = {
            label: score - self.mean_log_scores[label]
            for score, label in zip(scores, labels, strict=True)
        }
        return _log_softmax(
            [
                math.fsum(self.weights[label][other] * centred[other] for other in labels)
                + self.offsets[label]
                for label in labels
            ]
        )


Calibration = Prior | Fitted | Matrix


def calibrate(
    answers: Iterable[Answer],
    golds: Iterable[str],
    labels: Sequence[str],
    *,
    method: CalibrationMethod,
) -> Calibration | None:
    """Return what ``method`` estimates from ``answers`` to training examples.

    ``golds`` are their labels in the same order; a label prior does not read them. None where
    no answer carries usable scores, and for the method "none".
    """
    match method:
        case "none":
            return None
        case "label-prior":
            return label_prior(answers, labels)
        case "fitted":
            return fit(answers, golds, labels)
        case "matrix":
            return fit_matrix(answers, golds, labels)


def label_prior(answers: Iterable[Answer], labels: Sequence[str]) -> Prior | None:
    """Return the student's prior over ``labels``, None when no answer carries usable scores.

    ``answers`` are those to training inputs, under the very prompt that is to be calibrated.
    A constant added to all log-likelihoods of one input has no effect.
    """
    usable = [(log_probabilities(answer, labels), answer.score_kind) for answer in answers]
    rows = [row for row, _ in usable if row is not None]
    kinds = [kind for row, kind in usable if row is not None and kind is not None]
    if not rows:
        return None
    means = {
        label: math.fsum(row[index] for row in rows) / len(rows)
        for index, label in enumerate(labels)
    }
    return Prior(mean_log_scores=means, n=len(rows), score_kind=kinds[0])


def fit(answers: Iterable[Answer], golds: Iterable[str], labels: Sequence[str]) -> Fitted | None:
    """Return the offsets and the slope that fit ``golds``, None without usable scores.

    ``answers`` to training examples and their gold labels stand in the same order; a gold label
    outside ``labels`` and an answer without usable scores are passed over. Offsets and the log of
    the slope are drawn to 0, which keeps a label that is always (or never) right finite. A label
    without any example keeps offset 0.
    """
    sample = _sample(answers, golds, labels)
    if sample is None:
        return None
    means = sample.scores.mean(axis=0)
    *offsets, log_slope = least_loss(sample.scores - means, sample.gold)
    return Fitted(
        mean_log_scores=_by_label(labels, means),
        offsets=_by_label(labels, offsets),
        slope=_rounded(math.exp(log_slope)),
        n=len(sample.gold),
        score_kind=sample.score_kind,
    )


def fit_matrix(
    answers: Iterable[Answer], golds: Iterable[str], labels: Sequence[str]
) -> Matrix | None:
    """Return the weights and offsets that fit ``golds``, None without usable scores.

    As ``fit``, with weights drawn to the identity: without evidence, a label keeps its own score
    and no other's.
    """
    sample = _sample(answers, golds, labels)
    if sample is None:
        return None
    means = sample.scores.mean(axis=0)
    offsets, weights = least_loss_of_matrix(sample.scores - means, sample.gold)
    return Matrix(
        mean_log_scores=_by_label(labels, means),
        offsets=_by_label(labels, offsets),
        weights={label: _by_label(labels, row) for label, row in zip(labels, weights, strict=True)},
        n=len(sample.gold),
        score_kind=sample.score_kind,
    )


@dataclass(frozen=True, slots=True)
class _Sample:
    """Log probabilities of shape (examples, labels), and the column of each gold label."""

    scores: NDArray[np.float64]
    gold: NDArray[np.int64]
    score_kind: ScoreKind


def _sample(
    answers: Iterable[Answer], golds: Iterable[str], labels: Sequence[str]
) -> _Sample | None:
    """Return what can be fitted to, None where there is nothing."""
    pairs = [
        (row, labels.index(gold), answer.score_kind)
        for answer, gold in zip(answers, golds, strict=True)
        if (row := log_probabilities(answer, labels)) is not None and gold in labels
    ]
    kinds = [kind for *_, kind in pairs if kind is not None]
    if not kinds:
        return None
    import numpy as np  # noqa: PLC0415  (slow to import, and only a fit needs it)

    scores = np.array([row for row, *_ in pairs])
    return _Sample(scores, np.array([index for _, index, _ in pairs]), kinds[0])


def _by_label(labels: Sequence[str], values: Iterable[float]) -> dict[str, float]:
    """Return rounded values by label: the last digits differ between builds of one library."""
    return {label: _rounded(value) for label, value in zip(labels, values, strict=True)}


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def log_probabilities(answer: Answer, labels: Sequence[str]) -> tuple[float, ...] | None:
    """Return the log of each label's normalised probability, in the order of ``labels``.

    None when the answer has no scores, misses a label, or holds a number that no score can be
    (NaN, an infinity, a negative probability).
    """
    if answer.scores is None or answer.score_kind is None:
        return None
    try:
        scores = [float(answer.scores[label]) for label in labels]
    except KeyError:
        return None
    if not all(map(math.isfinite, scores)):
        return None
    if answer.score_kind == "probability":
        if min(scores) < 0:
            return None
        scores = [math.log(max(score, LEAST_PROBABILITY)) for score in scores]
    return _log_softmax(scores)


def decide(
    example: Example,
    answer: Answer,
    labels: Sequence[str],
    *,
    policy: DecisionPolicy,
    calibration: Calibration | None,
) -> Decision:
    """Return the label that counts for ``example``: pure, so stored answers can be decided anew.

    With scores: the most probable label after ``calibration`` has corrected them, ties going to the
    label that the rulebook lists first; it is withheld (``abstained``) when its probability is
    below ``policy.abstain_below`` or its own threshold. Without scores: the student's own label, to
    which no threshold can apply. A label outside ``labels``, no label, and scores that cannot be
    used are invalid: ``label`` None, not abstained.

    Raises ``DataError`` when the policy asks for calibration of an answer with scores and there
    is no ``calibration``.
    """
    scores = log_probabilities(answer, labels)
    if scores is None:
        broken = answer.scores is not None
        label = None if broken or answer.label not in labels else answer.label
        return Decision(example.id, example.label, label, group=example.group)
    if policy.calibration != "none":
        scores = _required(calibration, example, policy).correct(scores, labels)
    return _most_probable(example, scores, labels, policy)


def _most_probable(
    example: Example, scores: Sequence[float], labels: Sequence[str], policy: DecisionPolicy
) -> Decision:
    best = max(range(len(labels)), key=scores.__getitem__)
    probabilities = {label: math.exp(score) for label, score in zip(labels, scores, strict=True)}
    label = labels[best]
    least = max(policy.abstain_below, policy.thresholds.get(label, 0.0))
    abstained = probabilities[label] < least - ROUNDING
    return Decision(
        example_id=example.id,
        gold=example.label,
        label=None if abstained else label,
        probabilities=probabilities,
        abstained=abstained,
        group=example.group,
    )


def _required(
    calibration: Calibration | None, example: Example, policy: DecisionPolicy
) -> Calibration:
    if calibration is None:
        raise DataError(
            f"{policy.calibration} calibration needs the student's scores on training inputs, "
            "none are known",
            where=f"example {example.id!r}",
            hint='add examples to the train split, or set calibration = "none"',
        )
    return calibration


def _log_softmax(scores: Sequence[float]) -> tuple[float, ...]:
    highest = max(scores)
    total = math.log(math.fsum(math.exp(score - highest) for score in scores))
    return tuple(score - highest - total for score in scores)
