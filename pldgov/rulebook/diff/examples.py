"""The changes of the labelled examples, split by split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.changes import Change
from pldgov.dataset import SPLIT_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pldgov.changes import ChangeKind
    from pldgov.dataset import Example, SplitName
    from pldgov.rulebook.diff.reach import Shown

    Found = dict[ChangeKind, dict[str, tuple[Example | None, Example | None]]]


def example_changes(
    base: Mapping[SplitName, Sequence[Example]],
    head: Mapping[SplitName, Sequence[Example]],
    shown: Shown,
) -> Iterator[Change]:
    """Yield the changes of each split that both sides hold, a change for each kind.

    ``others`` are the examples' ids, ``before`` and ``after`` map an id to its label (for
    ``examples-regrouped`` to its group). Only training examples that a prompt shows can reach
    the student.
    """
    for split in SPLIT_NAMES:
        if split not in base or split not in head:
            continue
        for kind, found in _compare(base[split], head[split]).items():
            name = "group" if kind == "examples-regrouped" else "label"
            before, after = (
                {id_: getattr(pair[side], name) for id_, pair in found.items() if pair[side]}
                for side in (0, 1)
            )
            yield Change(
                kind=kind,
                subject="examples",
                name=split,
                reaches=split == "train"
                and kind != "examples-regrouped"
                and shown.shows_example(*found),
                before=before or None,
                after=after or None,
                others=tuple(found),
            )


def _compare(base: Sequence[Example], head: Sequence[Example]) -> Found:
    """Return both versions of every example that differs, by kind of change and id."""
    before = {example.id: example for example in base}
    after = {example.id: example for example in head}
    found: Found = {}
    for id_ in dict.fromkeys((*after, *before)):
        old, new = before.get(id_), after.get(id_)
        for kind in _kinds(old, new):
            found.setdefault(kind, {})[id_] = (old, new)
    return found


def _kinds(old: Example | None, new: Example | None) -> Iterator[ChangeKind]:
    if old is None:
        yield "examples-added"
    elif new is None:
        yield "examples-removed"
    else:
        if dict(old.inputs) != dict(new.inputs):
            yield "examples-changed"
        if old.label != new.label:
            yield "examples-relabelled"
        if old.group != new.group:
            yield "examples-regrouped"
