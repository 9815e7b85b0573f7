"""The paired, stratified bootstrap of macro-F1, by whole groups (Efron & Tibshirani 1993).

F1 depends on counts alone: per label the true positives, the predictions and the support, each
a sum over examples. A resample is therefore a sum of unit vectors, a unit being a group (or one
example without a group), and units with equal vectors are one type that is drawn with a weight.
Units are resampled within the stratum of their gold label, base and head on the same draws.
Nothing depends on the order of the examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pldgov.results import Decision

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CHUNK = 2_000_000
"""Most draws x units held at a time: bounds the memory to some 50 MB whatever the set's size."""

MULTINOMIAL_COST = 20
"""One multinomial cell costs about as much as this many sampled indices (measured)."""


@dataclass(frozen=True)
class Resamples:
    """F1 figures of every draw: ``macro`` has shape (draws,), ``f1`` has (draws, labels)."""

    macro: Floats
    f1: Floats


def resample(
    runs: Sequence[Sequence[Decision]], labels: Sequence[str], *, draws: int, seed: int
) -> tuple[Resamples, ...]:
    """Resample one or more runs over the same examples, all on the same draws.

    Each run holds a decision for the same examples in the same order; gold labels and groups are
    read from the first. A stratum is a gold label; a group with several takes the most frequent,
    ties going to the label listed first, gold labels outside ``labels`` last. Every stratum keeps
    its number of units. The generator is NumPy's PCG64 seeded by ``SeedSequence(seed)``, so equal
    input gives equal output under one NumPy version.
    """
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    sums = np.zeros((draws, (1 + 2 * len(runs)) * len(labels)))
    for units in _strata(runs, labels):
        types, weights = np.unique(units, axis=0, return_counts=True)
        types32 = types.astype(np.float32)
        for start, counts in _drawn_counts(generator, weights, draws):
            # Exact in single precision, where whole numbers go up to 2**24, and twice as fast.
            sums[start : start + len(counts)] += counts.astype(np.float32) @ types32
    return _figures(sums, len(runs))


def percentiles(values: Floats, confidence: float) -> tuple[float, float]:
    """Return the two-sided percentile interval of the draws in ``values``, shape (draws,)."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return float(low), float(high)


def _figures(sums: Floats, runs: int) -> tuple[Resamples, ...]:
    """Turn sums of unit vectors, shape (draws, (1 + 2 * runs) * labels), into F1 figures."""
    support, *pairs = np.split(sums, 1 + 2 * runs, axis=1)
    return tuple(
        _f1(hits, predicted + support)
        for hits, predicted in zip(pairs[::2], pairs[1::2], strict=True)
    )


def _f1(hits: Floats, total: Floats) -> Resamples:
    # As scikit-learn with zero_division=0: a label neither seen nor predicted scores 0.
    f1 = np.divide(2 * hits, total, out=np.zeros_like(total), where=total > 0)
    return Resamples(macro=f1.mean(axis=1), f1=f1)


def _drawn_counts(
    generator: np.random.Generator, weights: Ints, draws: int
) -> Iterator[tuple[int, Ints]]:
    """Yield (first draw, how often each type was drawn), in chunks of bounded size.

    Both ways have the same distribution; the cheaper one is taken.
    """
    units, types = int(weights.sum()), len(weights)
    few = types * MULTINOMIAL_COST < units
    chunk = max(1, CHUNK // (types if few else units))
    type_of_unit = np.repeat(np.arange(types), weights)
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        if few:
            yield start, generator.multinomial(units, weights / units, size=size)
            continue
        drawn = generator.integers(units, size=(size, units))
        if types < units:
            drawn = type_of_unit[drawn]
        drawn += np.arange(size)[:, None] * types
        counts = np.bincount(drawn.ravel(), minlength=size * types)
        yield start, counts.reshape(size, types)


def _strata(runs: Sequence[Sequence[Decision]], labels: Sequence[str]) -> Iterator[Ints]:
    """Yield each stratum's units as rows of counts: support, then hits and predicted per run."""
    vectors, golds = _example_vectors(runs, labels)
    unit_of_example = _units(runs[0])
    units = int(unit_of_example.max()) + 1
    sums = np.zeros((units, vectors.shape[1]), dtype=np.int64)
    np.add.at(sums, unit_of_example, vectors)
    seen = np.zeros((units, len(labels) + 1), dtype=np.int64)
    np.add.at(seen, (unit_of_example, golds), 1)
    stratum_of_unit = seen.argmax(axis=1)  # of equal counts the first: the label listed first
    for stratum in np.unique(stratum_of_unit):
        yield sums[stratum_of_unit == stratum]


def _units(decisions: Sequence[Decision]) -> Ints:
    """Return the number of each example's unit: its group, or itself."""
    numbers: dict[object, int] = {}
    keys = (
        position if decision.group is None else decision.group
        for position, decision in enumerate(decisions)
    )
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys])


def _example_vectors(
    runs: Sequence[Sequence[Decision]], labels: Sequence[str]
) -> tuple[Ints, Ints]:
    """Return each example's support, then hits and predicted of each run; and its gold column."""
    order: dict[str | None, int] = {label: index for index, label in enumerate(labels)}
    outside = len(labels)
    one_hot = np.eye(outside + 1, dtype=np.int64)[:, :-1]  # a value outside is a row of zeros
    golds = np.array([order.get(decision.gold, outside) for decision in runs[0]])
    said = [one_hot[[order.get(decision.label, outside) for decision in run]] for run in runs]
    gold = one_hot[golds]
    return np.hstack([gold, *(part for run in said for part in (gold * run, run))]), golds
