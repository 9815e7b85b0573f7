"""From a student's answer to the label that counts: label priors, thresholds, abstention.

A language model favours some labels whatever the input says: the last one shown, the most common
word. Contextual calibration (Zhao et al. 2021, "Calibrate Before Use", ICML, arXiv:2102.09690)
measures that bias on a content-free input and removes it; batch calibration (Zhou et al. 2023,
"Batch Calibration", ICLR 2024, arXiv:2309.17249) measures it on a batch of real, unlabelled
inputs. Here the batch is training inputs and the mean is taken over log scores, so that the bias
is removed by a subtraction. No gold label is used, and no input of the gate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.errors import DataError
from pldgov.results import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.results import Answer, DecisionPolicy, ScoreKind

LEAST_PROBABILITY = 1e-12
"""What a probability of zero counts as: servers round, and the logarithm needs a number."""


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
    prior: Prior | None,
) -> Decision:
    """Return the label that counts for ``example``: pure, so stored answers can be decided anew.

    With scores: the most probable label after the prior is removed, ties going to the label that
    the rulebook lists first; it is withheld (``abstained``) when its probability is below
    ``policy.abstain_below`` or its own threshold. Without scores: the student's own label, to
    which no threshold can apply. A label outside ``labels``, no label, and scores that cannot be
    used are invalid: ``label`` None, not abstained.

    Raises ``DataError`` when the policy asks for label-prior calibration of an answer with
    scores and there is no ``prior``.
    """
    scores = log_probabilities(answer, labels)
    if scores is None:
        broken = answer.scores is not None
        label = None if broken or answer.label not in labels else answer.label
        return Decision(example.id, example.label, label, group=example.group)
    if policy.calibration == "label-prior":
        scores = _without(_required(prior, example), scores, labels)
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


def _without(prior: Prior, scores: Sequence[float], labels: Sequence[str]) -> tuple[float, ...]:
    bias = (prior.mean_log_scores[label] for label in labels)
    return _log_softmax([score - lean for score, lean in zip(scores, bias, strict=True)])


def _required(prior: Prior | None, example: Example) -> Prior:
    if prior is None:
        raise DataError(
            "label-prior calibration needs the student's scores on training inputs, none are known",
            where=f"example {example.id!r}",
            hint='add examples to the train split, or set calibration = "none"',
        )
    return prior


def _log_softmax(scores: Sequence[float]) -> tuple[float, ...]:
    highest = max(scores)
    total = math.log(math.fsum(math.exp(score - highest) for score in scores))
    return tuple(score - highest - total for score in scores)
