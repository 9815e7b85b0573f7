"""How one change is put into words: plain sentences that every format escapes in its own way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pldgov.changes import Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.changes import Change, ChangeKind

MOST_IDS = 5
_MOST_PHRASES = 20
_SHORT = 80
_CONTEXT = 60
"""Characters of unchanged text that are shown on either side of a changed word."""
_MOST_TEXT = 1_500
"""Characters of one run of changed words that are shown."""

_ONLY: dict[ChangeKind, str] = {
    "provenance": "provenance only",
    "approval": "approval only",
    "metadata": "metadata only",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A change in words: a sentence, and its texts word by word where it has any."""

    sentence: str
    pieces: tuple[Piece, ...] = ()


def tell(change: Change) -> Told:
    """Return what a change says; all of it may be untrusted text."""
    return _TELL.get(change.kind, _tell_values)(change)


def headline(changes: Sequence[Change]) -> str:
    """Return the kinds of one rule's changes: ``reworded, relabelled``, or ``metadata only``."""
    kinds = tuple(dict.fromkeys(change.kind for change in changes))
    if len(kinds) == 1 and kinds[0] in _ONLY:
        return _ONLY[kinds[0]]
    return ", ".join(kinds)


def shorten(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return pieces without most of what is the same, and with endless texts cut."""
    return tuple(
        Piece(piece.op, _middle(piece.text, index, len(pieces)))
        if piece.op == "same"
        else Piece(piece.op, cut(piece.text, _MOST_TEXT))
        for index, piece in enumerate(pieces)
    )


# -- one sentence a kind ------------------------------------------------------------------------


def mark(pieces: Sequence[Piece], *, removed: str, added: str, escape: Callable[[str], str]) -> str:
    """Return pieces as one text: ``removed`` and ``added`` are forms with one ``{}`` for a text.

    The space before a changed word stays outside its form.
    """
    forms = {"same": "{}", "removed": removed, "added": added}
    return "".join(
        (" " if piece.text[:1].isspace() else "") + forms[piece.op].format(escape(piece.text))
        for piece in pieces
    ).strip()


def _tell_whole(change: Change) -> Told:
    value = change.after or change.before
    op = "added" if change.kind == "added" else "removed"
    labels = f", labels {', '.join(value['labels'])}" if value["labels"] else ""
    priority = f", priority {value['priority']}" if value["priority"] else ""
    said = f"{op}: {value['status']}{labels}{priority}"
    return Told(said, (Piece("added" if op == "added" else "removed", value["instruction"]),))


def _tell_lineage(change: Change) -> Told:
    verbs = {"renamed": "renamed from", "split": "split into", "merged": "merged from"}
    others = ", ".join(change.others) or f"{change.before} to {change.after}"
    verb = verbs[change.kind] if change.others else f"{change.name} renamed from"
    return Told(f"{verb} {others}", change.wording)


def _tell_wording(change: Change) -> Told:
    return Told("instruction", change.wording)


def _tell_move(change: Change) -> Told:
    return Told(f"moved from place {change.before} to {change.after}")


def _tell_labels(change: Change) -> Told:
    before, after = (", ".join(value) or "none" for value in (change.before, change.after))
    return Told(f"labels: {before} -> {after}")


def _tell_scope(change: Change) -> Told:
    """Say which phrases came and went, field by field: a list of a hundred is read by nobody."""
    before, after = change.before or {}, change.after or {}
    said = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name, ()), after.get(name, ())
        came = [one for one in new if one not in old]
        went = [one for one in old if one not in new]
        parts = [f"{verb} {_phrases(ones)}" for verb, ones in (("+", came), ("-", went)) if ones]
        said += [f"{name} {' '.join(parts) or 'in another order'}"] if old != new else []
    return Told(f"shown when: {'; '.join(said) or 'fields in another order'}")


def _phrases(phrases: Sequence[str]) -> str:
    shown = ", ".join(value_text(phrase) for phrase in phrases[:_MOST_PHRASES])
    more = len(phrases) - _MOST_PHRASES
    return f"{shown} and {more} more" if more > 0 else shown


def _tell_provenance(change: Change) -> Told:
    before, after = change.before or {}, change.after or {}
    said = [
        f"{key} {value_text(before.get(key))} -> {value_text(after.get(key))}"
        for key in ("origin", "teacher")
        if before.get(key) != after.get(key)
    ]
    old, new = (
        {(one["id"], one["role"]): one for one in side.get("examples", ())}
        for side in (before, after)
    )
    cited = {
        "cites also": [id_ for id_, role in new if (id_, role) not in old],
        "no longer cites": [id_ for id_, role in old if (id_, role) not in new],
        "pins anew": [
            id_ for id_, role in new if old.get((id_, role), new[id_, role]) != new[id_, role]
        ],
    }
    said += [f"{verb} {ids_text(ids)}" for verb, ids in cited.items() if ids]
    return Told(f"provenance: {'; '.join(said) or 'citations in another order'}")


def _tell_approval(change: Change) -> Told:
    before, after = (
        f"by {value['by']} on {value['on']}" if value else "none"
        for value in (change.before, change.after)
    )
    return Told(f"approval: {before} -> {after}")


def _tell_template(change: Change) -> Told:
    state = "new" if change.before is None else "deleted" if change.after is None else "changed"
    return Told(f"template {change.name} {state}", change.wording)


def _tell_layout(change: Change) -> Told:
    return Told(f"{change.field} of {change.name}, nothing else")


def _tell_examples(change: Change) -> Told:
    many = f"{len(change.others)} example{'s' if len(change.others) > 1 else ''}"
    verb = change.kind.removeprefix("examples-")
    if change.kind == "examples-relabelled":
        shown = [
            f"{id_}: {change.before[id_]} -> {change.after[id_]}"
            for id_ in change.others[:MOST_IDS]
        ]
        more = len(change.others) - len(shown)
        listed = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    else:
        listed = ids_text(change.others)
    return Told(f"{change.name} split: {many} {verb} ({listed})")


def _tell_values(change: Change) -> Told:
    subject = {"task": "task.", "prompt": "prompt.", "gate": "gate."}.get(change.subject, "")
    name = change.field if change.subject == "rule" else change.name
    field = f".{change.field}" if change.field and change.subject != "rule" else ""
    key = f"{subject}{name}{field}"
    if change.wording:
        return Told(key, change.wording)
    return Told(f"{key}: {value_text(change.before)} -> {value_text(change.after)}")


_TELL: dict[ChangeKind, Callable[[Change], Told]] = {
    "added": _tell_whole,
    "removed": _tell_whole,
    "renamed": _tell_lineage,
    "split": _tell_lineage,
    "merged": _tell_lineage,
    "reworded": _tell_wording,
    "relabelled": _tell_labels,
    "rescoped": _tell_scope,
    "moved": _tell_move,
    "provenance": _tell_provenance,
    "approval": _tell_approval,
    "template": _tell_template,
    "layout": _tell_layout,
    "examples-added": _tell_examples,
    "examples-removed": _tell_examples,
    "examples-relabelled": _tell_examples,
    "examples-changed": _tell_examples,
    "examples-regrouped": _tell_examples,
}


def value_text(value: Any) -> str:
    """Return a value of the YAML on one line, as JSON where it is no text, cut where it is long."""
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return cut(" ".join(text.split()), _SHORT) if text.strip() else "(blank)"


def ids_text(ids: Sequence[str]) -> str:
    """Return the first ids and how many more there are."""
    more = len(ids) - MOST_IDS
    return ", ".join(ids[:MOST_IDS]) + (f" and {more} more" if more > 0 else "")


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters, its end cut off where it is longer."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _middle(text: str, index: int, count: int) -> str:
    """Leave out what is far from any changed word."""
    start = text[:_CONTEXT] if index > 0 else ""
    end = text[-_CONTEXT:] if index < count - 1 else ""
    if len(text) <= len(start) + len(end) + _CONTEXT:
        return text
    return f"{start} […] {end}".strip() if start and end else f"{start}{' […] '}{end}"
