"""k-means over unit vectors, the number of clusters given or chosen by the silhouette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

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
    that of a sample, both drawn by the seed: ``notes`` says so.
    """
    learnt = vectors[_drawn(len(vectors), LEARNT_FROM, seed)]
    judged = learnt[_drawn(len(learnt), _JUDGED, seed)]
    numbers = [clusters] if clusters is not None else list(_numbers(len(vectors)))
    models = [KMeans(number, n_init=_STARTS, random_state=seed).fit(learnt) for number in numbers]
    scores = [_silhouette(judged, model.predict(judged)) for model in models]
    best = max(range(len(numbers)), key=lambda index: (scores[index] or -1.0, -numbers[index]))
    labels: NDArray[np.intp] = models[best].predict(vectors).astype(np.intp)
    return Partition(labels, numbers[best], scores[best], _notes(len(vectors)))


def _numbers(count: int) -> Iterator[int]:
    number = 2
    while number <= min(MOST_CLUSTERS, count // _LEAST_PER_CLUSTER):
        yield number
        number += max(1, number // 2)
    if count < 2 * _LEAST_PER_CLUSTER:
        yield 1


def _drawn(count: int, most: int, seed: int) -> NDArray[np.intp]:
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def _silhouette(vectors: Floats, labels: NDArray[np.intp]) -> float | None:
    if not 1 < len(np.unique(labels)) < len(vectors):
        return None
    return float(silhouette_score(vectors, labels, metric="cosine"))


def _notes(count: int) -> tuple[str, ...]:
    said = (
        (LEARNT_FROM, "the centres were learnt from"),
        (_JUDGED, "the silhouette is that of"),
    )
    return tuple(f"{what} {most} micro-instructions" for most, what in said if count > most)
