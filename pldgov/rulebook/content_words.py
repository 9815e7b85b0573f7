"""What a rule is about, as a set of words: cheap enough for lint, without any model.

Function words and the names of labels say nothing about when a rule applies; negations and words
of quantity and comparison do, and stay.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")
_FUNCTION_WORDS = frozenset(
    """
    a about also am an and any are as at be been being both but by can could did do does doing
    each either even for from had has have having he her here hers him his how i if in into is it
    its itself just kind may me might must my of on one or other our ours out own shall she should
    so some such than that the their theirs them then there these they this those to too us very
    was we were what when where whether which while who whom whose will with would you your yours
    choose give goes go label labels labelled answer decide treat
    """.split()  # noqa: SIM905  (a list of 110 literals is no easier to read)
)
_NEGATIONS = frozenset(
    """
    no not never nor none neither nobody nothing nowhere without unless except cannot
    """.split()  # noqa: SIM905  (as above)
)
_MANY_WORDS = 1_000
_CONTRACTED = ("n't", "n\u2019t")


@dataclass(frozen=True, slots=True)
class ContentWords:
    """``words`` that carry a text's meaning, with the ``negations`` among them."""

    words: frozenset[str]
    negations: frozenset[str]

    def similarity(self, other: ContentWords) -> float:
        """Return the Jaccard similarity of the two sets of words, 0 for two empty ones."""
        union = len(self.words | other.words)
        return len(self.words & other.words) / union if union else 0.0


def content_words(text: str, *, labels: Iterable[str] = ()) -> ContentWords:
    """Return the content words of ``text`` without the names of ``labels``."""
    words = _WORD.findall(without_labels(text, labels).casefold())
    kept = {"not" if word.endswith(_CONTRACTED) else word for word in words} - _FUNCTION_WORDS
    return ContentWords(frozenset(kept), frozenset(kept & _NEGATIONS))


def without_labels(text: str, labels: Iterable[str]) -> str:
    """Return ``text`` with every name of a label taken out: what is left is when, not what."""
    names = sorted(filter(None, labels), key=len, reverse=True)
    if not names:
        return text
    pattern = "|".join(re.escape(name) for name in names)
    return " ".join(re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", " ", text, flags=re.IGNORECASE).split())


def disjoint(labels: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether two rules argue for different labels; one without labels argues for none."""
    return bool(labels) and bool(others) and not set(labels) & set(others)


def nearly_within(contents: Sequence[ContentWords], *, missing: float) -> Iterator[tuple[int, int]]:
    """Yield positions (i, j): all words of i, but for a share ``missing`` at most, stand in j.

    Exact, and fast for thousands of texts: a set of texts is one integer with a bit for each.
    """
    having: dict[str, int] = defaultdict(int)
    for index, content in enumerate(contents):
        for word in content.words:
            having[word] |= 1 << index
    everyone = (1 << len(contents)) - 1
    for index, content in enumerate(contents):
        if not content.words:
            continue
        lacking = int(missing * len(content.words) + 1e-9)
        if len(content.words) > _MANY_WORDS:
            # A novel for a rule: counting for each other text is linear in its words.
            yield from (
                (index, other)
                for other, wide in enumerate(contents)
                if other != index
                and len(wide.words) >= len(content.words) - lacking
                and len(content.words - wide.words) <= lacking
            )
            continue
        # found[k]: the texts that lack no more than k of the words looked at so far
        found = [everyone] * (1 + lacking)
        for word in content.words:
            there = having[word]
            for k in range(len(found) - 1, 0, -1):
                found[k] = found[k] & there | found[k - 1]
            found[0] &= there
        yield from ((index, other) for other in _bits(found[-1]) if other != index)


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
