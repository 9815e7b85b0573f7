"""What two runs over the same examples differ by, how surely, and what would be seen at all.

Statistics only; what follows from them is the gate's business. F1 values are fractions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from pldgov.bootstrap import percentiles, resample
from pldgov.metrics import f1_scores
from pldgov.results import Difference, Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pldgov.results import Decision
    from pldgov.rulebook.model import GatePolicy

    Pair = tuple[float, float]  # head, base

ROUNDING = 1e-12
"""F1 figures closer than this are equal: 0.8 may be computed as 0.7999999999999999."""

POWER = 0.8
"""The chance with which a drop counts as detectable."""

TOUCHED = 0.15
"""Share of answers that the reference edit gives anew; stands in when no answer differs."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Head minus base, paired by example: of macro-F1 and of each label's F1 in label order."""

    macro_f1: Difference
    labels: tuple[Difference, ...]


def compare(
    head: Sequence[Decision],
    base: Sequence[Decision],
    labels: Sequence[str],
    *,
    policy: GatePolicy,
) -> Comparison:
    """Compare two runs that hold the same examples in the same order.

    Intervals are percentile bootstraps on common draws. P-values are one-sided for a drop: the
    share of draws without one, with one draw more on both sides of the fraction, so that none is
    0 (Davison & Hinkley 1997, section 4.2); those of the labels are adjusted after Holm.
    """
    heads, bases = f1_scores(head, labels), f1_scores(base, labels)
    points = tuple(zip(heads, bases, strict=True))
    macro = float(np.mean(heads)), float(np.mean(bases))
    if [one.label for one in head] == [one.label for one in base]:
        return _no_difference(macro, points, policy.confidence)
    after, before = resample((head, base), labels, draws=policy.draws, seed=policy.seed)
    drawn = (after.f1 - before.f1).T
    adjusted = holm([_p_value(draws) for draws in drawn])
    return Comparison(
        macro_f1=_difference(macro, after.macro - before.macro, policy.confidence),
        labels=tuple(
            _difference(point, draws, policy.confidence, adjusted_p=corrected)
            for point, draws, corrected in zip(points, drawn, adjusted, strict=True)
        ),
    )


def _difference(
    points: Pair,
    drawn: NDArray[np.float64],
    confidence: float,
    *,
    adjusted_p: float | None = None,
) -> Difference:
    head, base = points
    return Difference(
        base=base,
        head=head,
        interval=Interval(*percentiles(drawn, confidence), confidence),
        standard_error=_standard_error(drawn),
        p_value=_p_value(drawn),
        adjusted_p=adjusted_p,
    )


def _standard_error(drawn: NDArray[np.float64]) -> float:
    """Return the draws' standard deviation, exactly 0 when only rounding tells them apart."""
    return 0.0 if np.ptp(drawn) < ROUNDING else float(np.std(drawn, ddof=1))


def _no_difference(macro: Pair, points: Sequence[Pair], confidence: float) -> Comparison:
    """Return the exact result for equal answers: nothing to resample, nothing to doubt."""
    zero = Interval(0.0, 0.0, confidence)
    return Comparison(
        macro_f1=Difference(*macro, zero, standard_error=0.0, p_value=1.0),
        labels=tuple(
            Difference(*point, zero, standard_error=0.0, p_value=1.0, adjusted_p=1.0)
            for point in points
        ),
    )


def _p_value(drawn: NDArray[np.float64]) -> float:
    return float((np.count_nonzero(drawn >= 0) + 1) / (len(drawn) + 1))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values adjusted for their number by Holm's step-down method (Holm 1979).

    The chance of a false alarm in the whole family stays below the level, whatever the
    dependence between the labels.
    """
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return tuple(adjusted)


def detectable_drop(standard_error: float, *, margin: float, confidence: float) -> float | None:
    """Return the smallest true drop of macro-F1 that is REGRESSED with 80 % probability.

    A drop is found when the measured one exceeds both the margin and z(confidence) standard
    errors; the true one must lie z(80 %) = 0.84 standard errors above that limit. With a small
    margin this is the familiar (1.96 + 0.84) standard errors. None without a standard error.
    """
    if standard_error <= 0:
        return None
    normal = NormalDist()
    limit = max(margin, normal.inv_cdf((1 + confidence) / 2) * standard_error)
    return limit + normal.inv_cdf(POWER) * standard_error


def examples_needed(difference: Difference, n: int, *, margin: float) -> int | None:
    """Return how many labelled examples would decide ``difference`` if it stayed as it is.

    The interval's arms shrink with the square root of the number of examples. A drop within the
    margin needs its lower arm inside the margin, a larger one its upper arm below zero. None when
    no number would: the difference lies on the margin itself.
    """
    distance = difference.delta + margin
    if distance > 0:
        arm = difference.delta - difference.interval.low
    else:
        arm, distance = difference.interval.high - difference.delta, -difference.delta
    if math.isclose(difference.delta, -margin, abs_tol=ROUNDING) or distance <= 0:
        return None
    return max(n + 1, math.ceil(n * (arm / distance) ** 2))


def reference_error(decisions: Sequence[Decision], labels: Sequence[str]) -> float:
    """Return the standard error that an edit of no effect would have on these examples.

    The edit of reference gives 15 % of the answers anew, each drawn from this run's own answers
    to examples of the same gold label. An answer that moves from one column to another moves
    macro-F1 by the difference of their influences (its derivative by that cell's count), so the
    variance is the sum over examples of 15 % of the mean squared difference. 0 when all answers
    to each label are the same.
    """
    cells = _cells(decisions, labels)
    influence = _influence(cells)
    variance = 0.0
    for counts, effect in zip(cells, influence, strict=True):
        answers = max(counts.sum(), 1.0)
        mean, square = counts @ effect / answers, counts @ effect**2 / answers
        variance += TOUCHED * 2 * max(0.0, square - mean**2) * counts.sum()
    return math.sqrt(variance)


def _cells(decisions: Sequence[Decision], labels: Sequence[str]) -> NDArray[np.float64]:
    """Count answers by gold label (rows) and answer (columns), the last of each for others."""
    order: dict[str | None, int] = {label: index for index, label in enumerate(labels)}
    cells = np.zeros((len(labels) + 1, len(labels) + 1))
    for one in decisions:
        cells[order.get(one.gold, len(labels)), order.get(one.label, len(labels))] += 1
    return cells


def _influence(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much macro-F1 rises per answer added to each cell, support held fixed."""
    labels = len(cells) - 1
    total = np.maximum(cells.sum(axis=0)[:labels] + cells.sum(axis=1)[:labels], 1.0)
    f1 = 2 * np.diag(cells)[:labels] / total
    influence = np.zeros_like(cells)
    influence[:, :labels] = -f1 / total
    influence[range(labels), range(labels)] += 2 / total
    return influence / labels
