"""Which rulebook of base is which of head: by path, by name, or by what both have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pldgov.rulebook.model import Rulebook

LEAST_IN_COMMON = 0.5
"""Share of all rule ids that two rulebooks must share to be one that was moved and renamed."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The paths of one rulebook on both sides, None where a side has none."""

    base: str | None
    head: str | None


def pair_rulebooks(
    base: Iterable[str],
    head: Iterable[str],
    *,
    read_base: Callable[[str], Rulebook | None],
    read_head: Callable[[str], Rulebook | None],
) -> tuple[Pair, ...]:
    """Return every rulebook of both sides once, sorted by path.

    The readers are only called for paths that one side lacks; they return None for a file that
    cannot be read.
    """
    old, new = dict.fromkeys(base), dict.fromkeys(head)
    pairs = [Pair(path, path) for path in new if path in old]
    gone = {path: read_base(path) for path in old if path not in new}
    come = {path: read_head(path) for path in new if path not in old}
    for before, after in _moved(gone, come):
        if before in gone and after in come:
            pairs.append(Pair(before, after))
            del gone[before], come[after]
    pairs += [Pair(path, None) for path in gone]
    pairs += [Pair(None, path) for path in come]
    return tuple(sorted(pairs, key=lambda pair: pair.head or pair.base or ""))


def _moved(
    gone: dict[str, Rulebook | None], come: dict[str, Rulebook | None]
) -> Iterator[tuple[str, str]]:
    """Yield what could be the same rulebook, the likeliest first."""
    likely = [
        (_likeness(old, new), before, after)
        for before, old in gone.items()
        for after, new in come.items()
        if old is not None and new is not None
    ]
    for likeness, before, after in sorted(likely, key=lambda one: (-one[0], one[1:])):
        if likeness >= LEAST_IN_COMMON:
            yield before, after


def _likeness(old: Rulebook, new: Rulebook) -> float:
    """Return 2 for the same name, else the share of rule ids in common (0 to 1)."""
    if old.name == new.name:
        return 2.0
    before, after = ({rule.id for rule in one.rules} for one in (old, new))
    every = before | after
    return len(before & after) / len(every) if every else 0.0
