"""The figures of one run: F1 as scikit-learn has it, confusion, and how good probabilities are.

scikit-learn defines precision, recall and F1 (``labels`` are the task's, ``zero_division=0``): a
label that is neither seen nor predicted scores 0 and counts in the mean, an answer without a
label is wrong, and a gold label outside the task is nobody's support. The notes say so in words
wherever it happens.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from pldgov.bootstrap import percentiles, resample
from pldgov.errors import DataError
from pldgov.results import Decision, Interval, LabelScore, ProbabilityScores, Scorecard

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from pldgov.bootstrap import Resamples
    from pldgov.dataset import Example
    from pldgov.results import Answer
    from pldgov.rulebook.model import GatePolicy

    Columns = NDArray[np.int64]

RELIABILITY_BINS = 10
"""Equal-width bins of the reliability rows and the expected calibration error."""


def score(
    decisions: Sequence[Decision],
    labels: Sequence[str],
    *,
    policy: GatePolicy,
    answers: Iterable[Answer] = (),
) -> Scorecard:
    """Score one run; intervals are percentile bootstraps with the policy's draws and seed.

    ``answers`` add tokens, seconds and the number of truncated inputs. Probabilities are scored
    when every decision has them. Raises ``DataError`` when there is nothing to score.
    """
    if not decisions:
        raise DataError("there is no example to score", hint="the split is empty")
    gold, said = _encode(decisions, labels)
    sampled = resample((decisions,), labels, draws=policy.draws, seed=policy.seed)[0]
    label_scores = _label_scores(decisions, labels, sampled, policy.confidence)
    spent = tuple(answers)
    return Scorecard(
        n=len(decisions),
        macro_f1=float(np.mean([label.f1 for label in label_scores])),
        accuracy=float(np.mean(gold == said)),
        labels=label_scores,
        confusion=_confusion(gold, said, len(labels)),
        invalid=count_invalid(decisions),
        abstained=sum(decision.abstained for decision in decisions),
        truncated=sum(answer.truncated > 0 for answer in spent),
        interval=Interval(*percentiles(sampled.macro, policy.confidence), policy.confidence),
        probabilities=probability_scores(decisions, labels),
        tokens_in=sum(answer.tokens_in for answer in spent),
        tokens_out=sum(answer.tokens_out for answer in spent),
        seconds=sum(answer.seconds for answer in spent),
        notes=_notes(decisions, label_scores),
    )


def f1_scores(decisions: Sequence[Decision], labels: Sequence[str]) -> tuple[float, ...]:
    """Return scikit-learn's F1 of each label, in the order of ``labels``."""
    return tuple(float(value) for value in _precision_recall_f1(decisions, labels)[2])


def macro_f1(decisions: Sequence[Decision], labels: Sequence[str]) -> float:
    """Return the unweighted mean of the labels' F1, from 0 to 1."""
    return float(np.mean(f1_scores(decisions, labels)))


def count_invalid(decisions: Sequence[Decision]) -> int:
    """Count the answers that name no label, abstentions left out."""
    return sum(decision.label is None and not decision.abstained for decision in decisions)


def majority_decisions(
    train_labels: Iterable[str], examples: Sequence[Example]
) -> tuple[Decision, ...]:
    """Answer every example with the most frequent training label: the baseline that reads nothing.

    Ties go to the label first in alphabetical order. Raises ``DataError`` without training labels.
    """
    counts = Counter(train_labels)
    if not counts:
        raise DataError("the majority baseline needs at least one training example")
    label = min(counts, key=lambda name: (-counts[name], name))
    return tuple(
        Decision(example.id, example.label, label, group=example.group) for example in examples
    )


def probability_scores(
    decisions: Sequence[Decision], labels: Sequence[str]
) -> ProbabilityScores | None:
    """Score the probabilities; None unless every decision has them and its gold label is known.

    Log loss in nats and the multi-class Brier score (Brier 1950, from 0 to 2) judge all of them;
    the expected calibration error (Guo et al. 2017) judges the most probable label's, which is
    the label chosen unless the student abstained. Bins are equal-width, closed on the right.
    """
    rows = [decision.probabilities for decision in decisions]
    gold = _encode(decisions, labels)[0]
    if any(row is None for row in rows) or (gold == len(labels) + 1).any():
        return None
    matrix = np.array([[row[label] for label in labels] for row in rows if row is not None])
    reliability = _reliability(matrix, gold)
    gap = sum(abs(sure - right) * count for sure, right, count in reliability)
    return ProbabilityScores(
        log_loss=_log_loss(gold, matrix),
        brier=float(np.mean(np.sum((matrix - np.eye(len(labels))[gold]) ** 2, axis=1))),
        calibration_error=gap / len(decisions),
        reliability=reliability,
    )


def _log_loss(gold: Columns, matrix: NDArray[np.float64]) -> float:
    """Return the mean negative log of the gold label's probability, clipped as by scikit-learn."""
    given = matrix[np.arange(len(gold)), gold] / matrix.sum(axis=1)
    return float(-np.mean(np.log(np.clip(given, np.finfo(np.float64).eps, 1))))


def _reliability(
    matrix: NDArray[np.float64], gold: Columns
) -> tuple[tuple[float, float, int], ...]:
    """Return (mean confidence, share right, count) of each bin; an empty bin is (0, 0, 0)."""
    sure, right = matrix.max(axis=1), matrix.argmax(axis=1) == gold
    edges = np.linspace(0, 1, RELIABILITY_BINS + 1)
    bins = np.clip(np.searchsorted(edges, sure) - 1, 0, RELIABILITY_BINS - 1)
    counts = np.bincount(bins, minlength=RELIABILITY_BINS)
    least_one = np.maximum(counts, 1)
    confidence = np.bincount(bins, sure, RELIABILITY_BINS) / least_one
    accuracy = np.bincount(bins, right, RELIABILITY_BINS) / least_one
    return tuple(
        (float(mean), float(share), int(count))
        for mean, share, count in zip(confidence, accuracy, counts, strict=True)
    )


def _label_scores(
    decisions: Sequence[Decision], labels: Sequence[str], sampled: Resamples, confidence: float
) -> tuple[LabelScore, ...]:
    columns = zip(*_precision_recall_f1(decisions, labels), strict=True)
    return tuple(
        LabelScore(
            label=label,
            precision=float(precision),
            recall=float(recall),
            f1=float(f1),
            support=int(support),
            f1_interval=Interval(*percentiles(sampled.f1[:, index], confidence), confidence),
        )
        for index, (label, (precision, recall, f1, support)) in enumerate(
            zip(labels, columns, strict=True)
        )
    )


def _precision_recall_f1(
    decisions: Sequence[Decision], labels: Sequence[str]
) -> tuple[NDArray[np.float64], ...]:
    """Return precision, recall, F1 and support by label, as scikit-learn defines them.

    Computed here, because importing scikit-learn takes longer than a whole gate on stored answers;
    tests hold every figure to scikit-learn's on arbitrary input.
    """
    gold, said = _encode(decisions, labels)
    size = len(labels)
    support = np.bincount(gold, minlength=size + 2)[:size].astype(np.float64)
    predicted = np.bincount(said, minlength=size + 2)[:size].astype(np.float64)
    right = np.bincount(gold[gold == said], minlength=size + 2)[:size].astype(np.float64)
    return (
        _ratio(right, predicted),
        _ratio(right, support),
        _ratio(2 * right, predicted + support),
        support,
    )


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return part / whole, 0 where the whole is 0 (``zero_division=0``)."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _encode(decisions: Sequence[Decision], labels: Sequence[str]) -> tuple[Columns, Columns]:
    """Return gold and answered columns: no label is len(labels), an unknown gold one more."""
    order: dict[str | None, int] = {label: index for index, label in enumerate(labels)}
    none, unknown = len(labels), len(labels) + 1
    gold = np.array([order.get(decision.gold, unknown) for decision in decisions])
    said = np.array([order.get(decision.label, none) for decision in decisions])
    return gold, said


def _confusion(gold: Columns, said: Columns, labels: int) -> tuple[tuple[int, ...], ...]:
    known = gold < labels
    cells = np.bincount(gold[known] * (labels + 1) + said[known], minlength=labels * (labels + 1))
    return tuple(tuple(map(int, row)) for row in cells.reshape(labels, labels + 1))


def _notes(decisions: Sequence[Decision], scores: Sequence[LabelScore]) -> tuple[str, ...]:
    """Say in words where a figure is defined rather than measured."""
    predicted = Counter(decision.label for decision in decisions)
    strange = Counter(decision.gold for decision in decisions)
    for label in scores:
        strange.pop(label.label, None)
    notes = [_label_note(label, predicted[label.label]) for label in scores]
    notes += [
        f"{count} examples have the gold label {gold!r}, which the task does not know: "
        "no answer to them can be right"
        for gold, count in sorted(strange.items())
    ]
    return tuple(note for note in notes if note)


def _label_note(label: LabelScore, predicted: int) -> str | None:
    if not label.support and not predicted:
        return f"label {label.label!r} has no example and is never predicted: its F1 is 0"
    if not label.support:
        return f"label {label.label!r} has no example, {predicted} answers name it: its F1 is 0"
    if not predicted:
        return f"label {label.label!r} is never predicted: its F1 is 0"
    return None
