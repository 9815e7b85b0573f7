"""Pairs of vectors that lie near each other: exact, and in blocks so that memory stays bounded.

Of 100,000 vectors there are five billion pairs. Most need no look: vectors are grouped into
cells around centres c, each is split into its cell's centre and a rest r, and the product of
two is x.y = c.y + x.d - c.d + r.s, where |r.s| is at most |r| |s| (Cauchy-Schwarz). The first
three terms take one product with all centres; a pair whose bound is too small is skipped. The
cells decide how much is skipped, never what is found.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Integers = NDArray[np.intp]

FEW = 3000
"""Up to so many vectors, all pairs are looked at."""

_ROUNDS = 3
_ROWS = 128
_SLACK = 1e-5
"""More than float32 rounds away in a bound, so that no pair is lost to it."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Positions ``first < second`` of near vectors, and their cosine distance."""

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    distance: Floats

    def __len__(self) -> int:
        return len(self.first)

    def within(self, radius: float) -> Pairs:
        """Return those of a distance up to ``radius``."""
        near = self.distance <= radius
        return Pairs(self.first[near], self.second[near], self.distance[near])


def near_pairs(vectors: Floats, radius: float, *, seed: int = 0) -> Iterator[Pairs]:
    """Yield, in blocks, all pairs of unit vectors whose cosine distance is at most ``radius``.

    ``vectors`` has the shape (n, dimensions). Every pair comes once.
    """
    if len(vectors) <= FEW:
        order = np.arange(len(vectors))
        for start in range(0, len(vectors), _ROWS):
            rows = np.arange(start, min(start + _ROWS, len(vectors)))
            yield _compare(vectors, order, rows, np.arange(start, len(vectors)), radius)
        return
    cells = _cells(vectors, seed)
    ordered = vectors[cells.order]
    for rows, columns in _promising(cells, 1 - radius - _SLACK):
        yield _compare(ordered, cells.order, rows, columns, radius)


def joined(blocks: Iterable[Pairs]) -> Pairs:
    """Return all blocks as one."""
    parts = list(blocks) or [Pairs(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, "f4"))]
    return Pairs(
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.second for part in parts]),
        np.concatenate([part.distance for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Vectors in the order of their cells, in each by ``rest``; cut into blocks of rows.

    ``product[i, c]`` is the product of vector i with centre c, ``rest[i]`` the length of what
    its own centre leaves of it. Block b holds the rows from ``starts[b]`` to ``starts[b + 1]``,
    all of one cell.
    """

    order: Integers
    own: Integers
    starts: Integers
    product: Floats
    rest: Floats
    centres: Floats


def _cells(vectors: Floats, seed: int) -> _Cells:
    """Return cells by a few rounds of k-means, which need not converge: see the module."""
    count = round(2 * len(vectors) ** 0.5)
    centres = vectors[np.random.default_rng(seed).choice(len(vectors), count, replace=False)]
    for _ in range(_ROUNDS):
        centres = _means(vectors, _nearest(vectors @ centres.T, centres))
    product = vectors @ centres.T
    own = _nearest(product, centres)
    rest = np.linalg.norm(vectors - centres[own], axis=1)
    order = np.lexsort((rest, own))
    return _Cells(order, own[order], _starts(own[order]), product[order], rest[order], centres)


def _nearest(product: Floats, centres: Floats) -> Integers:
    lengths = np.einsum("ij,ij->i", centres, centres)
    nearest: Integers = np.argmax(product - lengths / 2, axis=1)
    return nearest


def _means(vectors: Floats, own: Integers) -> Floats:
    order = np.argsort(own, kind="stable")
    _, starts, counts = np.unique(own[order], return_index=True, return_counts=True)
    sums: Floats = np.add.reduceat(vectors[order], starts)
    sums /= counts[:, None]
    return sums


def _starts(own: Integers) -> Integers:
    """Return where blocks start: at every new cell, and after every ``_ROWS`` rows of one."""
    edges = [*np.flatnonzero(np.diff(own, prepend=-1)), len(own)]
    starts = [np.arange(start, stop, _ROWS) for start, stop in itertools.pairwise(edges)]
    return np.append(np.concatenate(starts), len(own))


def _promising(cells: _Cells, least: float) -> Iterator[tuple[Integers, Integers]]:
    """Yield blocks of rows, each with every later row that may be similar to one of it."""
    between = cells.centres @ cells.centres.T
    for start, stop in itertools.pairwise(cells.starts):
        cell = cells.own[start]
        highest = cells.product[start:stop].max(axis=0)
        bound = (
            cells.product[start:, cell]
            + (highest - between[cell])[cells.own[start:]]
            + cells.rest[start:stop].max() * cells.rest[start:]
        )
        bound[: stop - start] = np.inf  # a block is always compared with itself
        yield np.arange(start, stop), start + np.flatnonzero(bound >= least)


def _compare(
    vectors: Floats, order: Integers, rows: Integers, columns: Integers, radius: float
) -> Pairs:
    """Return the near pairs of a block; ``rows`` are the first of ``columns``, all ascending."""
    # Copying the columns costs more than comparing a few in vain.
    if 2 * len(columns) > len(vectors) - columns[0]:
        columns = np.arange(columns[0], len(vectors))
    similar = vectors[rows[0] : rows[-1] + 1] @ _taken(vectors, columns).T
    near_rows, near_columns = np.nonzero(similar >= 1 - radius)
    distance = np.maximum(1 - similar[near_rows, near_columns], 0)  # rounding, else
    later = columns[near_columns] > rows[near_rows]
    one = order[rows[near_rows[later]]].astype(np.int32)
    other = order[columns[near_columns[later]]].astype(np.int32)
    return Pairs(np.minimum(one, other), np.maximum(one, other), distance[later])


def _taken(vectors: Floats, columns: Integers) -> Floats:
    if columns[-1] - columns[0] + 1 == len(columns):
        return vectors[columns[0] : columns[-1] + 1]
    return vectors[columns]
