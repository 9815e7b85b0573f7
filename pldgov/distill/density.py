"""Density-based clustering from near pairs: DBSCAN at one eps, and the tree of every eps.

DBSCAN (Ester, Kriegel, Sander & Xu 1996): a point with at least ``min_samples`` points, itself
included, within eps is a core point; core points within eps of each other share a cluster. A
point that is no core point joins its nearest core point within eps, if there is one. (The
original leaves a point between two clusters to whichever is visited first; the nearest does not
depend on the order.) The minimum spanning forest of mutual reachability distances holds the
core points' clusters at every eps at once (Campello, Moulavi & Sander 2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from pldgov.distill.neighbours import Pairs, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Labels = NDArray[np.intp]

NOISE = -1
MOST_PAIRS = 10_000_000
"""So many pairs are kept at a time: with copies, about 1 GiB."""


@dataclass(frozen=True, slots=True)
class DensityForest:
    """What DBSCAN joins at every eps up to ``radius``.

    ``core_distance[i]`` is the smallest eps at which point i is a core point, infinite where
    ``radius`` does not make it one. Edges are sorted by weight; edge k joins two clusters at
    eps = ``weight[k]``.
    """

    core_distance: NDArray[np.float64]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    weight: NDArray[np.float64]
    radius: float


def dbscan(blocks: Iterable[Pairs], size: int, *, min_samples: int) -> Labels:
    """Return each point's cluster, or ``NOISE``; ``blocks`` hold all pairs within eps.

    Memory stays bounded however many pairs there are: what connects two points that are known
    to be core points is replaced by a spanning forest when too much has gathered.
    """
    neighbours = np.ones(size, np.int64)
    kept: list[Pairs] = []
    held = 0
    for block in blocks:
        _count(neighbours, block)
        kept.append(block)
        held += len(block)
        if held > MOST_PAIRS:
            kept = [_thinned(joined(kept), neighbours >= min_samples)]
            held = len(kept[0])
    return _labels(joined(kept), neighbours >= min_samples)


def density_forest(pairs: Pairs, size: int, *, min_samples: int, radius: float) -> DensityForest:
    """Return the forest over all ``pairs`` within ``radius``."""
    core = core_distances(pairs, size, min_samples=min_samples)
    reach = np.maximum(core[pairs.first], core[pairs.second])
    weight = np.maximum(pairs.distance.astype(np.float64), reach)
    usable = np.isfinite(weight)
    first, second, weight = pairs.first[usable], pairs.second[usable], weight[usable]
    # A sparse matrix takes 0 for "no edge", so weights are shifted by more than any rounding.
    tree = minimum_spanning_tree(coo_array((weight + 1, (first, second)), (size, size)).tocsr())
    edges = tree.tocoo()
    order = np.lexsort((edges.col, edges.row, edges.data))
    return DensityForest(
        core_distance=core,
        first=edges.row[order].astype(np.int32),
        second=edges.col[order].astype(np.int32),
        weight=edges.data[order] - 1,
        radius=radius,
    )


def core_distances(pairs: Pairs, size: int, *, min_samples: int) -> NDArray[np.float64]:
    """Return each point's distance to its nearest but ``min_samples - 2``: the point is the first.

    Infinite for points with fewer neighbours among ``pairs``.
    """
    if min_samples <= 1:
        return np.zeros(size)
    # Sorted as one integer each, position above distance: bits of floats from 0 sort like them.
    bits = pairs.distance.view(np.int32).astype(np.int64)
    keys = np.concatenate([pairs.first.astype(np.int64) << 32, pairs.second.astype(np.int64) << 32])
    keys |= np.tile(bits, 2)
    keys.sort()
    starts = np.searchsorted(keys, np.arange(size + 1) << 32)
    wanted = starts[:-1] + min_samples - 2
    there = wanted < starts[1:]
    core = np.full(size, np.inf)
    core[there] = (keys[wanted[there]] & 0xFFFFFFFF).astype(np.int32).view(np.float32)
    return core


def _count(neighbours: NDArray[np.int64], block: Pairs) -> None:
    for ends in (block.first, block.second):
        neighbours += np.bincount(ends, minlength=len(neighbours))


def _components(first: NDArray[np.int32], second: NDArray[np.int32], size: int) -> Labels:
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(size, size))
    return connected_components(graph, directed=False)[1].astype(np.intp)


def _thinned(pairs: Pairs, core: NDArray[np.bool_]) -> Pairs:
    """Return fewer pairs with the same outcome: a tree for each group of known core points."""
    within = core[pairs.first] & core[pairs.second]
    group = _components(pairs.first[within], pairs.second[within], len(core))
    _, roots = np.unique(group, return_index=True)
    members = np.arange(len(core))
    linked = members[roots[group] != members].astype(np.int32)
    tree = Pairs(roots[group][linked].astype(np.int32), linked, np.zeros(len(linked), np.float32))
    rest = Pairs(pairs.first[~within], pairs.second[~within], pairs.distance[~within])
    return joined([tree, rest])


def _labels(pairs: Pairs, core: NDArray[np.bool_]) -> Labels:
    first, second = core[pairs.first], core[pairs.second]
    within = first & second
    group = _components(pairs.first[within], pairs.second[within], len(core))
    labels = np.where(core, group, NOISE)
    inner, outer = _border(pairs, first, second)
    labels[outer] = group[inner]
    return labels


def _border(
    pairs: Pairs, first: NDArray[np.bool_], second: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return core points and the points on their border: each of these once, with its nearest.

    ``first`` and ``second`` tell which ends of the pairs are core points.
    """
    one, other = first & ~second, second & ~first
    inner = np.concatenate([pairs.first[one], pairs.second[other]])
    outer = np.concatenate([pairs.second[one], pairs.first[other]])
    distance = np.concatenate([pairs.distance[one], pairs.distance[other]])
    order = np.lexsort((inner, distance, outer))
    _, nearest = np.unique(outer[order], return_index=True)
    return inner[order][nearest], outer[order][nearest]
