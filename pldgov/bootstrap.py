"""The paired, stratified bootstrap of macro-F1, by whole groups (Efron & Tibshirani 1993).

F1 depends on counts alone: per label the true positives, the predictions and the support, each
a sum over examples. A resample is therefore a sum of unit vectors, a unit being a group (or one
example without a group), and units with equal vectors are one type that is drawn with a weight.
Units are resampled within the stratum of their gold label, base and head on the same draws.
Nothing depends on the order of the examples.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pldgov.results import Decision

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CHUNK = 2_000_000
"""Most draws x units held at a time: bounds the memory to some 50 MB whatever the set's size."""

MULTINOMIAL_COST = 12
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
        for start, counts in _drawn_counts(generator, weights, draws):
            sums[start : start + len(counts)] += counts @ types
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
) -> Iterator[tuple[int, Floats]]:
    """Yield (first draw, how often each type was drawn), in chunks of bounded size.

    Both ways have the same distribution; the cheaper one is taken.
    """
    units, types = int(weights.sum()), len(weights)
    few = types * MULTINOMIAL_COST < units
    chunk = max(1, CHUNK // max(types, 1 if few else units))
    kind_of_unit = np.repeat(np.arange(types), weights)
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        if few:
            counts = generator.multinomial(units, weights / units, size=size)
        else:
            drawn = kind_of_unit[generator.integers(units, size=(size, units))]
            drawn += np.arange(size)[:, None] * types
            counts = np.bincount(drawn.ravel(), minlength=size * types).reshape(size, types)
        yield start, counts.astype(np.float64)


def _strata(runs: Sequence[Sequence[Decision]], labels: Sequence[str]) -> Iterator[Ints]:
    """Yield each stratum's units as rows of counts: support, then hits and predicted per run."""
    vectors = _example_vectors(runs, labels)
    order = {label: index for index, label in enumerate(labels)}
    strata: defaultdict[int, list[Ints]] = defaultdict(list)
    for members in _units(runs[0]):
        golds = [order.get(runs[0][member].gold, len(labels)) for member in members]
        strata[_majority(golds)].append(vectors[members].sum(axis=0))
    for stratum in sorted(strata):
        yield np.array(strata[stratum])


def _majority(golds: Sequence[int]) -> int:
    counts = Counter(golds)
    return min(counts, key=lambda gold: (-counts[gold], gold))


def _units(decisions: Sequence[Decision]) -> Iterator[list[int]]:
    """Yield the positions of the examples of each unit."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for position, decision in enumerate(decisions):
        if decision.group is None:
            yield [position]
        else:
            groups[decision.group].append(position)
    yield from groups.values()


def _example_vectors(runs: Sequence[Sequence[Decision]], labels: Sequence[str]) -> Ints:
    """Return one row per example: its support, then hits and predicted of each run."""
    order = {label: index for index, label in enumerate(labels)}
    gold = _one_hot([decision.gold for decision in runs[0]], order)
    said = [_one_hot([decision.label for decision in run], order) for run in runs]
    return np.hstack([gold, *(part for run in said for part in (gold * run, run))])


def _one_hot(values: Sequence[str | None], order: Mapping[str, int]) -> Ints:
    """Return shape (examples, labels); a value outside the labels is a row of zeros."""
    outside = len(order)
    columns = [outside if value is None else order.get(value, outside) for value in values]
    return np.eye(len(order) + 1, dtype=np.int64)[columns, :-1]
