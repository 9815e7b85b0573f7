"""Two texts compared word by word.

Equal words at both ends are set aside first. What is left goes to difflib, whose time grows with
the product of both lengths; of texts too long for that, sentences that stand once in each are
taken as fixed points (as in a patience diff), and only what lies between two of them is compared.
Where even that is too long it counts as replaced.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING

from pldgov.changes import Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_PAIRS = 1_000_000
"""Largest product of word counts that is compared word by word."""

# Chinese and Japanese put no blanks between words: there, every character is one.
_DENSE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"\s*(?:[{_DENSE}]|[^\s{_DENSE}]+)|\s+")
_SENTENCE_END = (".", "!", "?", ":", ";", "\u3002")


def compare_words(before: str, after: str) -> tuple[Piece, ...]:
    """Return how ``before`` became ``after``; a blank belongs to the word that follows it."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    start = _equal(old, new)
    end = _equal(old[start:][::-1], new[start:][::-1])
    return _joined(
        (
            Piece("same", "".join(old[:start])),
            *_middle(old[start : len(old) - end], new[start : len(new) - end]),
            Piece("same", "".join(old[len(old) - end :])),
        )
    )


def _equal(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many words at the start are the same."""
    return next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
        min(len(old), len(new)),
    )


def _middle(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    if len(old) * len(new) <= MOST_PAIRS:
        yield from _by_words(old, new)
        return
    old_sentences, new_sentences = _sentences(old), _sentences(new)
    i = j = 0
    for at, there in (
        *_fixed_points(old_sentences, new_sentences),
        (len(old_sentences), len(new_sentences)),
    ):
        yield from _between(old_sentences[i:at], new_sentences[j:there])
        yield Piece("same", "".join(old_sentences[at : at + 1]))
        i, j = at + 1, there + 1


def _by_words(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    for op, i, i_end, j, j_end in SequenceMatcher(None, old, new).get_opcodes():
        if op == "equal":
            yield Piece("same", "".join(old[i:i_end]))
        else:
            yield Piece("removed", "".join(old[i:i_end]))
            yield Piece("added", "".join(new[j:j_end]))


def _between(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    before, after = "".join(old), "".join(new)
    words, new_words = _WORD.findall(before), _WORD.findall(after)
    if len(words) * len(new_words) <= MOST_PAIRS:
        yield from _by_words(words, new_words)
    else:
        yield Piece("removed", before)
        yield Piece("added", after)


def _sentences(words: Sequence[str]) -> list[str]:
    """Return the words joined to sentences, each up to a word that ends in a full stop."""
    sentences: list[str] = []
    start = 0
    for index, word in enumerate(words, start=1):
        if word.endswith(_SENTENCE_END) or index == len(words):
            sentences.append("".join(words[start:index]))
            start = index
    return sentences


def _fixed_points(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the longest run, rising on both sides, of sentences that stand once in each."""
    once = {text for text, count in Counter(old).items() if count == 1}
    once &= {text for text, count in Counter(new).items() if count == 1}
    place = {text: index for index, text in enumerate(new) if text in once}
    pairs = [(index, place[text]) for index, text in enumerate(old) if text in once]
    kept = longest_rise([there for _, there in pairs])
    return [pairs[index] for index in kept]


def longest_rise(values: Sequence[int]) -> list[int]:
    """Return the indices of a longest strictly rising subsequence."""
    tails: list[int] = []
    ends: list[int] = []
    earlier: list[int | None] = []
    for index, value in enumerate(values):
        length = bisect_left(tails, value)
        earlier.append(ends[length - 1] if length else None)
        tails[length : length + 1] = [value]
        ends[length : length + 1] = [index]
    rise: list[int] = []
    at = ends[-1] if ends else None
    while at is not None:
        rise.append(at)
        at = earlier[at]
    return rise[::-1]


def _joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Join neighbours of one kind; between two equal words, what went stands before what came."""
    joined: list[Piece] = []
    filled = (piece for piece in pieces if piece.text)
    for is_same, run in groupby(filled, key=lambda piece: piece.op == "same"):
        parts = tuple(run)
        if is_same:
            joined.append(Piece("same", "".join(part.text for part in parts)))
            continue
        removed = "".join(part.text for part in parts if part.op == "removed")
        added = "".join(part.text for part in parts if part.op == "added")
        joined += [Piece("removed", removed)] if removed else []
        joined += [Piece("added", added)] if added else []
    return tuple(joined)
