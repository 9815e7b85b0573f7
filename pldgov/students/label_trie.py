"""The labels' token sequences as one tree, so that what they share is read once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pldgov.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = -1
"""The parent of the first tokens of every label: the end of the prompt itself."""


@dataclass(frozen=True, slots=True)
class LabelTrie:
    """The labels' token sequences as a tree, so that shared beginnings are read once.

    Node ``i`` is a token that has to be read: ``tokens[i]`` after node ``parents[i]`` (``ROOT``
    is the end of the prompt), parents before children. ``paths[k]`` gives label ``k`` as (node,
    next token) pairs: its log-likelihood is the sum of ``log p(next token | node)``. ``closed``
    tells whether the end-of-turn token was counted in.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    paths: tuple[tuple[tuple[int, int], ...], ...]
    closed: bool

    @property
    def depth(self) -> int:
        """How many tokens the longest label makes the student read."""
        return max(len(path) for path in self.paths) - 1


def build_trie(sequences: Mapping[str, Sequence[int]], *, end: int | None) -> LabelTrie:
    """Return the tree over each label's tokens.

    Where one label's tokens begin another's, a likelihood would favour the shorter one without
    the model having been asked where it stops, so ``end`` is then appended to every label.
    Raises ``UsageError`` for labels that the tokenizer cannot tell apart, or reads as nothing.
    """
    plain = {label: tuple(tokens) for label, tokens in sequences.items()}
    closed = _ambiguous(list(plain.values()))
    if closed and end is not None:
        plain = {label: (*tokens, end) for label, tokens in plain.items()}
    ambiguous = closed and (end is None or _ambiguous(list(plain.values())))
    _check(sequences, ambiguous=ambiguous)
    nodes: dict[tuple[int, ...], int] = {(): ROOT}
    for tokens in plain.values():
        for length in range(1, len(tokens)):
            nodes.setdefault(tokens[:length], len(nodes) - 1)
    inner = [stem for stem in nodes if stem]
    return LabelTrie(
        tokens=tuple(stem[-1] for stem in inner),
        parents=tuple(nodes[stem[:-1]] for stem in inner),
        paths=tuple(
            tuple((nodes[tokens[:at]], token) for at, token in enumerate(tokens))
            for tokens in plain.values()
        ),
        closed=closed,
    )


def _ambiguous(sequences: Sequence[tuple[int, ...]]) -> bool:
    """Tell whether one sequence begins another (neighbours suffice once they are sorted)."""
    ordered = sorted(sequences)
    pairs = pairwise(ordered)
    return any(second[: len(first)] == first for first, second in pairs)


def _check(sequences: Mapping[str, Sequence[int]], *, ambiguous: bool) -> None:
    empty = [label for label, tokens in sequences.items() if not tokens]
    if empty or ambiguous:
        what = f"label {empty[0]!r} has no tokens" if empty else "two labels have the same tokens"
        raise UsageError(
            f"{what} under the student's tokenizer", hint="rename the label, or use another student"
        )
