"""Splitting examples so that nothing leaks and every split looks like the whole.

Examples that belong together (the same group, or nearly the same text) form a unit, and units
are dealt out whole. scikit-learn's StratifiedGroupKFold makes folds of one size only, and knows
nothing of the fractions that splits have; the greedy idea is the same.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pldgov.data.similarity import near_equal_pairs
from pldgov.dataset import SPLIT_NAMES
from pldgov.errors import DataError, UsageError
from pldgov.fingerprint import digest_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pldgov.dataset import Example, SplitName

DEFAULT_FRACTIONS: Mapping[SplitName, float] = {"train": 0.6, "validation": 0.2, "gate": 0.2}


_SERVED_FIRST: tuple[SplitName, ...] = ("train", "gate", "validation")


def split_examples(
    examples: Sequence[Example], *, fractions: Mapping[SplitName, float], seed: int
) -> Mapping[SplitName, tuple[Example, ...]]:
    """Deal ``examples`` out to splits of about the sizes that ``fractions`` (sum 1) ask for.

    Promises: no group and no pair of near-equal texts crosses a split; every example stands in
    exactly one split, in the order of ``examples``; the same ids, texts, labels, groups,
    fractions and seed give the same splits on every machine, whatever the order of the file.
    Labels keep their shares as well as whole units allow, and a label that stands in enough
    units reaches every split (``missing_labels`` tells which did not).

    Raises ``UsageError`` for fractions that make no split, ``DataError`` for examples of one
    label only or of fewer units than splits.
    """
    names = _checked(fractions)
    labels = {example.label for example in examples}
    if len(labels) == 1:
        raise DataError(f'all examples have the label "{next(iter(labels))}"')
    units = _units(examples, seed)
    if len(units) < len(names):
        raise DataError(
            f"{len(units)} groups cannot fill {len(names)} splits",
            hint="a group, or examples of nearly the same text, stay together",
        )
    bins = _deal(units, {name: fractions[name] for name in names})
    return {
        name: tuple(examples[position] for position in sorted(one.members))
        for name, one in zip(names, bins, strict=True)
    }


def missing_labels(splits: Mapping[SplitName, Sequence[Example]]) -> tuple[str, ...]:
    """Return a sentence for every label that some split lacks."""
    counts = {name: Counter(one.label for one in part) for name, part in splits.items()}
    labels = sorted({label for count in counts.values() for label in count})
    return tuple(
        f'the label "{label}" does not stand in the {name} split'
        for label in labels
        for name, count in counts.items()
        if not count[label]
    )


def _checked(fractions: Mapping[SplitName, float]) -> tuple[SplitName, ...]:
    unknown = [name for name in fractions if name not in SPLIT_NAMES]
    if unknown:
        raise UsageError(f"unknown split {unknown[0]!r}", hint=f"one of {', '.join(SPLIT_NAMES)}")
    wrong = [name for name, share in fractions.items() if not 0 < share < 1]
    if wrong:
        raise UsageError(
            f"the fraction of {wrong[0]} is {fractions[wrong[0]]}, not between 0 and 1"
        )
    total = math.fsum(fractions.values())
    if abs(total - 1) > 1e-6:  # noqa: PLR2004  (leaves room for fractions such as 1/3)
        raise UsageError(f"the fractions add up to {total:g}, not to 1")
    return tuple(name for name in SPLIT_NAMES if name in fractions)


@dataclass(slots=True, eq=False)
class _Part:
    """The positions of some examples, and how often each label stands among them."""

    members: list[int] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)

    def take(self, other: _Part) -> None:
        self.members += other.members
        self.labels += other.labels


@dataclass(slots=True, eq=False)
class _Bin(_Part):
    """A split being filled, with the number of examples of each label that it should get."""

    name: SplitName = "train"
    target: dict[str, float] = field(default_factory=dict)

    def cost(self, unit: _Part) -> float:
        """Return by how much ``unit`` would raise the chi-square distance to the target.

        A label counts relative to its own number, so that rare labels weigh as much as common
        ones; rounded, so that equal costs are equal on every machine.
        """
        return round(math.fsum(self._rise(label, n) for label, n in unit.labels.items()), 9)

    def _rise(self, label: str, count: int) -> float:
        return count * (2 * self.labels[label] + count) / self.target[label] - 2 * count


def _deal(units: Sequence[_Part], fractions: Mapping[SplitName, float]) -> list[_Bin]:
    """Fill the splits: first one unit of each label for each split, then whatever fits best."""
    whole: Counter[str] = Counter()
    for unit in units:
        whole += unit.labels
    bins = [
        _Bin(name=name, target={label: share * count for label, count in whole.items()})
        for name, share in fractions.items()
    ]
    left = dict(enumerate(units))
    holders = Counter(label for unit in units for label in unit.labels)
    for label in sorted(holders, key=lambda one: (holders[one], one)):
        _cover(label, bins, left)
    for number in sorted(left, key=lambda one: (-len(units[one].members), one)):
        unit = units[number]
        min(_open(bins, len(left)), key=lambda one: one.cost(unit)).take(left.pop(number))
    return bins


def _open(bins: Sequence[_Bin], left: int) -> Sequence[_Bin]:
    """Return the splits that may take a unit: only the empty ones when no more units are left."""
    empty = [one for one in bins if not one.members]
    return bins if left > len(empty) else empty


def _cover(label: str, bins: Sequence[_Bin], left: dict[int, _Part]) -> None:
    """Give every split that lacks ``label`` the unit that suits it best, the smallest first.

    Where there are too few units, train is served before gate, and gate before validation.
    """
    enough = sum(label in unit.labels for unit in left.values())
    lacking = [one for one in bins if label not in one.labels]
    served = sorted(lacking, key=lambda one: _SERVED_FIRST.index(one.name))[:enough]
    for one in sorted(served, key=lambda one: one.target[label]):
        if one not in _open(bins, len(left)):
            continue
        holding = [number for number, unit in left.items() if label in unit.labels]
        best = min(holding, key=lambda number: (one.cost(left[number]), number))
        one.take(left.pop(best))


def _units(examples: Sequence[Example], seed: int) -> list[_Part]:
    """Return the examples that must stay together, in an order that only the seed decides."""
    parts: dict[int, _Part] = defaultdict(_Part)
    for position, root in enumerate(_clusters(examples)):
        parts[root].take(_Part([position], Counter([examples[position].label])))

    def lot(part: _Part) -> str:
        first = min(examples[position].id for position in part.members)
        return digest_text(f"{seed} {first}")

    return sorted(parts.values(), key=lot)


def _clusters(examples: Sequence[Example]) -> list[int]:
    """Return for each example the number of its cluster (union-find with path halving)."""
    parent = list(range(len(examples)))

    def find(one: int) -> int:
        while parent[one] != one:
            parent[one] = one = parent[parent[one]]
        return one

    for first, second in _ties(examples):
        parent[find(second)] = find(first)
    return [find(position) for position in range(len(examples))]


def _ties(examples: Sequence[Example]) -> Iterable[tuple[int, int]]:
    first: dict[str, int] = {}
    for position, example in enumerate(examples):
        if example.group is not None:
            yield first.setdefault(example.group, position), position
    yield from near_equal_pairs(examples)
