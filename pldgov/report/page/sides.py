"""A diff for two columns: what each side of a change reads, with the words that differ marked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pldgov.changes import Piece, by_rule
from pldgov.report import wording

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pldgov.changes import Change
    from pldgov.diff_report import RulebookDiff

_MOST_IDS = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """One change: its kind, the key it is about, and the pieces of text of either side.

    A side without pieces has nothing there.
    """

    kind: str
    field: str
    before: tuple[Piece, ...]
    after: tuple[Piece, ...]
    reaches: bool
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """The changes of one rule; ``here`` tells whether head has it, so that it can be linked."""

    id: str
    title: str
    here: bool
    columns: tuple[Columns, ...]


def changed_rules(diff: RulebookDiff, *, known: Collection[str]) -> tuple[ChangedRule, ...]:
    """Return the changed rules in the order of the diff; ``known`` are the ids that head has."""
    return tuple(
        ChangedRule(
            id=id_,
            title=next((change.title for change in changes if change.title), ""),
            here=id_ in known,
            columns=tuple(_columns(change) for change in changes),
        )
        for id_, changes in by_rule(diff.changes).items()
    )


def other_changes(diff: RulebookDiff) -> tuple[tuple[str, Columns], ...]:
    """Return what changed around the rules, each with what it is about."""
    return tuple(
        (f"{change.subject} {change.name}", _columns(change))
        for change in diff.changes
        if change.subject != "rule"
    )


def _columns(change: Change) -> Columns:
    if change.wording:
        before = tuple(piece for piece in change.wording if piece.op != "added")
        after = tuple(piece for piece in change.wording if piece.op != "removed")
    else:
        before, after = _whole(change.before), _whole(change.after)
    return Columns(
        kind=change.kind.replace("-", " "),
        field=change.field or "",
        before=before,
        after=after,
        reaches=change.reaches,
        others=_some(change.others),
    )


def _whole(value: Any) -> tuple[Piece, ...]:
    return () if value is None else (Piece("same", _text(value)),)


def _text(value: Any) -> str:
    """Return a value as people read it: a line for each key, lists with commas."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(_lines(value))
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, list | tuple) and all(isinstance(one, dict) and one for one in value):
        return "\n" + "\n".join(f"- {_entry(one)}" for one in value)
    return json.dumps(value, ensure_ascii=False)


def _entry(value: dict[str, Any]) -> str:
    """Return one entry of a list in a line; digests as people compare them."""
    held = {key: one for key, one in value.items() if one not in (None, [], {}, ())}
    if isinstance(held.get("sha256"), str):
        held["sha256"] = wording.digest(held["sha256"])
    first, *rest = (
        f"{key} {one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)}"
        for key, one in held.items()
    )
    return ", ".join((first.removeprefix("id "), *rest))


def _lines(value: dict[str, Any]) -> Iterable[str]:
    items = [(key, one) for key, one in value.items() if one not in (None, [], {}, ())]
    for key, one in items[:_MOST_IDS]:
        text = _text(one)
        yield f"{key}:{text}" if text.startswith("\n") else f"{key}: {text}"
    if len(items) > _MOST_IDS:
        yield f"and {len(items) - _MOST_IDS} more"


def _some(ids: tuple[str, ...]) -> tuple[str, ...]:
    left = len(ids) - _MOST_IDS
    return (*ids[:_MOST_IDS], f"and {left} more") if left > 0 else ids
