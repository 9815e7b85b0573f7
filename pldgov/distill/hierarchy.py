"""HDBSCAN (Campello, Moulavi & Sander 2013) by scikit-learn, from a forest that is there already.

scikit-learn's own search compares all pairs at once, which for 100,000 vectors takes 80 GB.
Everything that HDBSCAN needs of the distances is the spanning forest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import HDBSCAN

from pldgov.distill.density import NOISE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pldgov.distill.density import DensityForest

_BEYOND = 4.0
"""Twice the largest cosine distance: what the forest leaves apart joins last."""


def hdbscan(forest: DensityForest, *, min_cluster_size: int) -> NDArray[np.intp]:
    """Return each point's cluster, or ``NOISE``, by excess of mass."""
    size = len(forest.core_distance)
    if size <= min_cluster_size:
        return np.full(size, NOISE)
    first, second, weight = _connected(forest, size)
    # 0 would be taken for "no edge"; equal texts do have that distance.
    weight = np.maximum(weight, np.finfo(np.float32).tiny)
    ends = np.concatenate([first, second]), np.concatenate([second, first])
    graph = coo_array((np.tile(weight, 2), ends), (size, size))
    # With min_samples=1 scikit-learn leaves the weights as they are: they hold it already.
    model = HDBSCAN(min_cluster_size, min_samples=1, metric="precomputed", copy=False)
    labels: NDArray[np.intp] = model.fit(graph.tocsr()).labels_.astype(np.intp)
    return labels


def _connected(
    forest: DensityForest, size: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Return the forest's edges, and edges ``_BEYOND`` that tie its trees to the first one."""
    ends = forest.first, forest.second
    edges = coo_array((np.ones(len(forest.first), np.int8), ends), (size, size))
    _, roots = np.unique(connected_components(edges, directed=False)[1], return_index=True)
    others = np.sort(roots)[1:].astype(np.int32)
    return (
        np.concatenate([forest.first, np.zeros_like(others)]),
        np.concatenate([forest.second, others]),
        np.concatenate([forest.weight, np.full(len(others), _BEYOND)]),
    )
