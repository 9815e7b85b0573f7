"""Ranking passages for a query: Okapi BM25 (Robertson & Zaragoza 2009)."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_K1, _B = 1.5, 0.75  # the usual values


class Ranking:
    """The passages of one document, ready to be ranked."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._counts = [Counter(_WORD.findall(passage.casefold())) for passage in passages]
        self._lengths = [count.total() for count in self._counts]
        self._mean = sum(self._lengths) / max(len(self._lengths), 1) or 1.0
        self._holders = Counter(word for count in self._counts for word in count)

    def best(self, query: str, *, most: int) -> tuple[int, ...]:
        """Return the positions of the ``most`` best passages in the order of the document.

        Of equally good passages the earlier ones are taken.
        """
        words = sorted(set(_WORD.findall(query.casefold())))
        scores = [self._score(position, words) for position in range(len(self._counts))]
        ranked = sorted(range(len(scores)), key=lambda position: (-scores[position], position))
        return tuple(sorted(ranked[:most]))

    def _score(self, position: int, words: Sequence[str]) -> float:
        count, length = self._counts[position], self._lengths[position]
        damping = _K1 * (1 - _B + _B * length / self._mean)
        # Rounded, so that the order of a sum's terms cannot decide between equal passages.
        found = [word for word in words if word in count]
        terms = (self._rarity(word) * count[word] / (count[word] + damping) for word in found)
        return round(math.fsum(terms), 9)

    def _rarity(self, word: str) -> float:
        holders = self._holders[word]
        return math.log(1 + (len(self._counts) - holders + 0.5) / (holders + 0.5))
