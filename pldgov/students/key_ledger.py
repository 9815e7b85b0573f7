"""Several inputs in one sequence: which token belongs where, and what it may see."""

from __future__ import annotations

import torch


class KeyLedger:
    """What the cached keys of a packed sequence are: branch and position of each.

    Branches form a tree. The shared prefix is a branch without parent, each input a branch of
    it, each stretch of a label a branch of its input. A token sees the earlier tokens of its own
    branch and of the branches that this one grew from, and nothing else, so that every branch
    reads as if it had been sent alone. Positions count from 0 along such a path.
    """

    def __init__(self) -> None:
        self._lineages: list[tuple[int, ...]] = []
        self._lengths: list[int] = []
        self._branches: list[int] = []
        self._positions: list[int] = []

    def __len__(self) -> int:
        return len(self._branches)

    def open(self, parent: int | None = None) -> int:
        """Return a new branch that goes on where ``parent`` ends now; feed that parent no more."""
        branch = len(self._lineages)
        above = () if parent is None else self._lineages[parent]
        self._lineages.append((*above, branch))
        self._lengths.append(0 if parent is None else self._lengths[parent])
        return branch

    def extend(self, branch: int, count: int = 1) -> range:
        """Note ``count`` new keys of ``branch``, fed in this order; return their positions."""
        start = self._lengths[branch]
        positions = range(start, start + count)
        self._lengths[branch] += count
        self._branches.extend([branch] * count)
        self._positions.extend(positions)
        return positions

    def cut(self, keys: int, branches: int) -> None:
        """Forget all but the first ``keys`` keys and the first ``branches`` branches."""
        for branch in self._branches[keys:]:
            self._lengths[branch] -= 1
        del self._branches[keys:], self._positions[keys:]
        del self._lineages[branches:], self._lengths[branches:]

    def visible(self, queries: range, *, since: int = 0, window: int | None = None) -> torch.Tensor:
        """Return which keys each key of ``queries`` sees, among those fed by then.

        The result is boolean, (queries, queries.stop - since): keys count from ``since``.
        ``window`` is the width of a sliding window in positions, the token itself included.
        """
        branches = torch.tensor(self._branches[: queries.stop])
        positions = torch.tensor(self._positions[: queries.stop])
        ancestry = torch.zeros(len(self._lineages), len(self._lineages), dtype=torch.bool)
        for branch, lineage in enumerate(self._lineages):
            ancestry[branch, list(lineage)] = True
        seen = ancestry[branches[queries.start :]][:, branches[since:]]
        distance = positions[queries.start :, None] - positions[None, since:]
        seen &= distance >= 0
        return seen if window is None else seen & (distance < window)
