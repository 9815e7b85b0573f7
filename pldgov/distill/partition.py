"""k-means over unit vectors, the number of clusters given or chosen by the silhouette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from pldgov.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LEARNT_FROM = 10_000
"""Centres are learnt from so many vectors at most; the others join their nearest centre."""

MOST_CLUSTERS = 64
"""The largest number that is tried where none is given."""

_JUDGED = 2_000
_LEAST_PER_CLUSTER = 8
_STARTS = 4


@dataclass(frozen=True, slots=True)
class Partition:
    """Labels 0 to ``clusters - 1``, and the mean silhouette (-1 to 1; None for one cluster)."""

    labels: NDArray[np.intp]
    clusters: int
    silhouette: float | None
    notes: tuple[str, ...] = ()


def kmeans(vectors: Floats, *, clusters: int | None, seed: int) -> Partition:
    """Return a partition of unit vectors into ``clusters``; None tries several numbers.

    The numbers grow by half from 2 to 64, with eight vectors a cluster at least; the one with
    the largest mean silhouette (Rousseeuw 1987; cosine distance) is taken, the smaller on a tie.
    Above 10,000 vectors the centres are learnt from a sample, and above 2,000 the silhouette is
    that of a sample, both drawn by the seed: ``notes`` says so. Raises ``UsageError`` for more
    clusters than there are different vectors.
    """
    learnt = vectors[_drawn(len(vectors), LEARNT_FROM, seed)]
    distinct = len(np.unique(learnt, axis=0))
    if clusters is not None and clusters > distinct:
        raise UsageError(
            f"k-means cannot make {clusters} clusters of {distinct} different micro-instructions"
        )
    numbers = [clusters] if clusters is not None else list(_numbers(len(vectors), distinct))
    models = [KMeans(number, n_init=_STARTS, random_state=seed).fit(learnt) for number in numbers]
    scores = [silhouette(learnt, model.labels_, seed=seed) for model in models]
    best = max(range(len(numbers)), key=lambda index: (scores[index] or -1.0, -numbers[index]))
    labels: NDArray[np.intp] = models[best].predict(vectors).astype(np.intp)
    return Partition(labels, numbers[best], scores[best], _notes(len(vectors)))


def silhouette(vectors: Floats, labels: NDArray[np.intp], *, seed: int = 0) -> float | None:
    """Return the mean silhouette, of a sample where there are many; None for one cluster."""
    drawn = _drawn(len(vectors), _JUDGED, seed)
    vectors, labels = vectors[drawn], labels[drawn]
    if not 1 < len(np.unique(labels)) < len(vectors):
        return None
    return float(silhouette_score(vectors, labels, metric="cosine"))


def _numbers(count: int, distinct: int) -> Iterator[int]:
    number, most = 2, min(MOST_CLUSTERS, count // _LEAST_PER_CLUSTER, distinct)
    if number > most:
        yield 1
    while number <= most:
        yield number
        number += max(1, number // 2)


def _drawn(count: int, most: int, seed: int) -> NDArray[np.intp]:
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def _notes(count: int) -> tuple[str, ...]:
    said = (
        (LEARNT_FROM, "the centres were learnt from"),
        (_JUDGED, "the silhouette is that of"),
    )
    return tuple(f"{what} {most} micro-instructions" for most, what in said if count > most)
