"""Texts that are equal or nearly so: what must not stand on both sides of a split.

Pure functions over examples. Near-equality is the Jaccard similarity of the sets of word pairs
of two texts, found exactly (no sampling) through prefix filtering: two sets can only be that
similar if they share one of their rarest members (Bayardo, Ma & Srikant 2007, "Scaling up all
pairs similarity search").
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pldgov.dataset import Example

DEFAULT_THRESHOLD = 0.9

_WORD_BITS = 32
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two examples of different splits whose inputs are equal or nearly so.

    ``similarity`` is that of their least similar input field: 1.0 when all are equal up to case,
    white space and (for near-equal texts) punctuation.
    """

    first_split: str
    first: Example
    second_split: str
    second: Example
    similarity: float


def normalise(text: str) -> str:
    """Return ``text`` without case and with every run of white space as one space."""
    return " ".join(text.casefold().split())


def near_duplicates(
    splits: Mapping[str, Sequence[Example]], *, threshold: float = DEFAULT_THRESHOLD
) -> tuple[NearDuplicate, ...]:
    """Return the pairs of near-equal examples that stand in different splits.

    Two examples are near-equal when each of their input fields is: equal after ``normalise``,
    or with a Jaccard similarity of at least ``threshold`` (above 0, at most 1) between the sets
    of word pairs. Every example is reported at most once for each earlier split, with its
    nearest partner there, in the order of ``splits`` and of the examples.
    """
    entries = _entries(splits, threshold)
    index = _Index(threshold)
    found: list[NearDuplicate] = []
    for name in splits:
        own = [entry for entry in entries if entry.split == name]
        for entry in own:
            found += _nearest_in_each_split(entry, index)
        for entry in own:
            index.add(entry)
    return tuple(found)


def near_equal_pairs(
    examples: Sequence[Example], *, threshold: float = DEFAULT_THRESHOLD
) -> Iterator[tuple[int, int]]:
    """Yield the positions of near-equal examples: enough pairs to connect each cluster of them.

    Of several examples that are equal after ``normalise``, only the first is compared with the
    others; the rest are paired with that one.
    """
    index = _Index(threshold)
    for entry in _entries({"": examples}, threshold):
        twin = index.equal("", entry)
        if twin is not None:
            yield twin.position, entry.position
            continue
        for _, match in index.similar(entry):
            yield match.position, entry.position
        index.add(entry)


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    split: str
    position: int
    example: Example
    key: tuple[str, ...]
    """The normalised input fields, in the order of their names."""
    fields: tuple[frozenset[int], ...]
    """The shingles of each field, as numbers: the rarer, the smaller."""
    ranked: tuple[int, ...]
    """All of them, rarest first."""


class _Index:
    """The entries seen so far, by their normalised texts and by their rarest shingles."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._equal: dict[str, dict[tuple[str, ...], _Entry]] = defaultdict(dict)
        self._by_shingle: dict[int, list[_Entry]] = defaultdict(list)

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(self._equal)

    def equal(self, split: str, entry: _Entry) -> _Entry | None:
        return self._equal[split].get(entry.key)

    def similar(self, entry: _Entry) -> Iterator[tuple[float, _Entry]]:
        """Yield the similarity and the entry for every near-equal entry, earliest first."""
        candidates = {
            id(other): other
            for shingle in self._prefix(entry)
            for other in self._by_shingle.get(shingle, ())
            if self._sizes_fit(entry, other)
        }
        for other in sorted(candidates.values(), key=lambda one: (one.split, one.position)):
            similarity = _similarity(entry, other)
            if similarity >= self._threshold:
                yield similarity, other

    def add(self, entry: _Entry) -> None:
        known = self._equal[entry.split]
        if entry.key in known:  # its twin stands for it
            return
        known[entry.key] = entry
        for shingle in self._prefix(entry):
            self._by_shingle[shingle].append(entry)

    def _prefix(self, entry: _Entry) -> tuple[int, ...]:
        # The small slack keeps 0.9 * 10 = 9.000000000000002 from cutting the prefix short.
        size = len(entry.ranked)
        return entry.ranked[: size - math.ceil(self._threshold * size - 1e-9) + 1]

    def _sizes_fit(self, one: _Entry, other: _Entry) -> bool:
        small, large = sorted((len(one.ranked), len(other.ranked)))
        return small >= self._threshold * large - 1e-9


def _nearest_in_each_split(entry: _Entry, index: _Index) -> Iterator[NearDuplicate]:
    nearest: dict[str, tuple[float, _Entry]] = {}
    for split in index.splits:
        twin = index.equal(split, entry)
        if twin is not None:
            nearest[split] = (1.0, twin)
    if len(nearest) < len(index.splits):
        for similarity, other in index.similar(entry):
            if similarity > nearest.get(other.split, (0.0, None))[0]:
                nearest[other.split] = (similarity, other)
    for split in index.splits:
        if split in nearest:
            similarity, other = nearest[split]
            yield NearDuplicate(split, other.example, entry.split, entry.example, similarity)


def _similarity(one: _Entry, other: _Entry) -> float:
    """Return the Jaccard similarity of the least similar field; 0 for other numbers of fields."""
    if len(one.fields) != len(other.fields):
        return 0.0
    pairs = zip(one.fields, other.fields, strict=True)
    return min(len(mine & yours) / len(mine | yours) for mine, yours in pairs)


def _entries(splits: Mapping[str, Sequence[Example]], threshold: float) -> list[_Entry]:
    if not 0 < threshold <= 1:
        raise UsageError(f"a similarity threshold is above 0 and at most 1, not {threshold}")
    located = [
        (split, position, example, _key(example))
        for split, examples in splits.items()
        for position, example in enumerate(examples)
    ]
    shingles = _ranked_shingles(dict.fromkeys(key for *_, key in located))
    entries = []
    for split, position, example, key in located:
        fields = tuple(shingles[part] for part in enumerate(key))
        ranked = tuple(sorted(frozenset().union(*fields)))
        entries.append(_Entry(split, position, example, key, fields, ranked))
    return entries


def _key(example: Example) -> tuple[str, ...]:
    return tuple(normalise(example.inputs[field]) for field in sorted(example.inputs))


def _ranked_shingles(keys: Iterable[tuple[str, ...]]) -> dict[tuple[int, str], frozenset[int]]:
    """Return the shingles of each field's text as numbers, the rarest being the smallest.

    Shingles of different fields are different ones. Which of two equally rare shingles comes
    first is left open: every order finds the same pairs.
    """
    texts: Counter[tuple[int, str]] = Counter()
    for key in keys:
        texts.update(enumerate(key))
    raw = _numbered_shingles(texts)
    seen: Counter[int] = Counter()
    for part, count in texts.items():
        for shingle in raw[part]:
            seen[shingle] += count
    rank = {shingle: number for number, shingle in enumerate(sorted(seen, key=seen.__getitem__))}
    return {part: frozenset(map(rank.__getitem__, shingles)) for part, shingles in raw.items()}


def _numbered_shingles(texts: Iterable[tuple[int, str]]) -> dict[tuple[int, str], set[int]]:
    """Return the shingles of each field's text: a number for each pair of neighbouring words.

    Where there is no pair, the one word, or else the text, is the shingle. Numbers and not
    tuples of words, because they hash faster and cost the garbage collector nothing.
    """
    numbers = itertools.count(1)
    vocabularies: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(numbers.__next__))
    shingles = {}
    for field, text in texts:
        words = _WORD.findall(text) or [text]
        known = list(map(vocabularies[field].__getitem__, words))
        pairs = itertools.pairwise(known)
        shingles[field, text] = {first << _WORD_BITS | second for first, second in pairs}
        if len(known) == 1:
            shingles[field, text] = set(known)
    return shingles
