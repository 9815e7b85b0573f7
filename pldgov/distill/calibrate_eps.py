"""DBSCAN's eps, read off the data.

As eps grows, more micro-instructions find a cluster, until clusters start to run together into
a giant one. The eps that is taken leaves the largest share of all micro-instructions in a
cluster *other than the largest*: it is 0 when nothing is clustered and 0 when everything is one
cluster, so both ways of going wrong count the same. The share is known at every eps, from the
forest of mutual reachability distances; no grid is searched.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pldgov.distill.density import MOST_PAIRS, density_forest
from pldgov.distill.neighbours import FEW, joined, near_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pldgov.distill.density import DensityForest
    from pldgov.distill.neighbours import Pairs

FARTHEST = 2.0
"""The largest cosine distance there is."""

_NEARLY_BEST = 0.95
_MARGIN, _LEAST_MARGIN = 0.1, 1e-3
_ROUNDING = 1e-12
_SAMPLE = 500


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """All pairs within ``radius`` and their forest.

    ``radius`` is 2, the largest distance there is, for up to 3,000 vectors. For more it is what
    is worth looking at and what memory holds.
    """

    pairs: Pairs
    forest: DensityForest

    @property
    def radius(self) -> float:
        """The largest distance that is known."""
        return self.forest.radius


def neighbourhood(
    vectors: NDArray[np.float32], *, min_samples: int, seed: int = 0
) -> Neighbourhood:
    """Return what is near what among unit vectors, shape (n, dimensions)."""
    radius = FARTHEST if len(vectors) <= FEW else _worthwhile_radius(vectors, min_samples, seed)
    pairs = joined(near_pairs(vectors, radius, seed=seed))
    forest = density_forest(pairs, len(vectors), min_samples=min_samples, radius=radius)
    return Neighbourhood(pairs, forest)


def calibrate_eps(forest: DensityForest, *, goal: float = 1.0) -> tuple[float, float] | None:
    """Return eps and the share of points that it leaves in a cluster other than the largest.

    ``goal`` is the part of the best share that is asked for: below 1 it gives a smaller eps, and
    so tighter clusters, at that price. Of eps that are nearly as good the one is taken with the
    widest gap above it, and a little of that gap is added, so that rounding on another machine
    moves no pair across it. None when no eps gives two clusters.
    """
    eps, share = _shares(forest)
    if not len(share) or share.max() <= 0:
        return None
    allowed = share <= goal * share.max() + _ROUNDING
    allowed &= np.arange(len(share)) <= int(share.argmax())
    best = share[allowed].max(initial=0.0)
    wanted = allowed & (share >= _NEARLY_BEST * best - _ROUNDING)
    gap = np.diff(np.append(eps, min(forest.radius, FARTHEST)))
    if best <= 0 or gap[wanted].max() <= 0:
        return None
    index = int(np.flatnonzero(wanted)[gap[wanted].argmax()])
    added = min(gap[index] / 2, max(_MARGIN * eps[index], _LEAST_MARGIN))
    return float(eps[index] + added), float(share[index])


def _shares(forest: DensityForest) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances at which something changes, and the share from each of them on."""
    sizes = _Sizes(len(forest.core_distance))
    eps, share = [], []
    for distance, events in itertools.groupby(_events(forest), key=lambda event: event[0]):
        for _, first, second in events:
            sizes.join(first, second)
        eps.append(distance)
        share.append((sizes.clustered - sizes.largest) / len(forest.core_distance))
    return np.array(eps), np.array(share)


def _events(forest: DensityForest) -> Iterator[tuple[float, int, int]]:
    """Yield (eps, i, j) in order: i becomes a core point where i equals j, else they join."""
    there = np.flatnonzero(np.isfinite(forest.core_distance))
    distance = np.concatenate([forest.core_distance[there], forest.weight])
    first = np.concatenate([there, forest.first])
    second = np.concatenate([there, forest.second])
    kind = np.concatenate([np.zeros(len(there)), np.ones(len(forest.weight))])
    order = np.lexsort((kind, distance))
    yield from zip(
        distance[order].tolist(), first[order].tolist(), second[order].tolist(), strict=True
    )


class _Sizes:
    """Disjoint sets of core points, and how large the largest is."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self._size = [0] * count
        self.clustered = self.largest = 0

    def join(self, first: int, second: int) -> None:
        if first == second:
            self._size[first] = 1
            self.clustered += 1
            self.largest = max(self.largest, 1)
            return
        one, other = self._root(first), self._root(second)
        if one != other:
            self._parent[other] = one
            self._size[one] += self._size[other]
            self.largest = max(self.largest, self._size[one])

    def _root(self, point: int) -> int:
        while self._parent[point] != point:
            self._parent[point] = self._parent[self._parent[point]]
            point = self._parent[point]
        return point


def _worthwhile_radius(vectors: NDArray[np.float32], min_samples: int, seed: int) -> float:
    """Return the radius beyond which eps need not, or cannot, be looked for; from a sample.

    At the 95 % quantile of the distances at which points become core points, few are outliers; a
    tenth is added to that. It is smaller where memory would not hold the pairs.
    """
    chosen = np.random.default_rng(seed).choice(len(vectors), _SAMPLE, replace=False)
    distance = 1 - vectors[np.sort(chosen)] @ vectors.T
    core = np.partition(distance, min_samples - 1, axis=1)[:, min_samples - 1]
    share = min(1.0, 2 * MOST_PAIRS / len(vectors) ** 2)
    place = min(_SAMPLE + int(share * distance.size), distance.size - 1)  # and each to itself
    affordable = np.partition(distance.ravel(), place)[place]
    return float(min(1.1 * np.quantile(core, 0.95), affordable, FARTHEST))
