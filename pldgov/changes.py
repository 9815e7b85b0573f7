"""What changed between two revisions of a rulebook: frozen values, a change each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

ChangeKind = Literal[
    "added",
    "removed",
    "renamed",
    "split",
    "merged",
    "status",
    "reworded",
    "relabelled",
    "rescoped",
    "reprioritised",
    "moved",
    "retitled",
    "provenance",
    "approval",
    "metadata",
    "task",
    "template",
    "prompt-policy",
    "gate-policy",
    "examples-added",
    "examples-removed",
    "examples-relabelled",
    "examples-changed",
    "examples-regrouped",
    "layout",
]
Subject = Literal["rule", "rulebook", "task", "template", "prompt", "gate", "examples"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words of two texts: in both, only in the one before, or only in the one after.

    The pieces that are not ``added`` make the text before, those not ``removed`` the text after,
    to the last blank.
    """

    op: Literal["same", "removed", "added"]
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs between base and head.

    ``name`` is what it is about: a rule's id in head (in base where head has none), a template,
    a split, a key of the rulebook. ``field`` is the key within it. ``before`` and ``after`` are
    values as JSON holds them, None for what is not there; ``wording`` is their difference word
    by word where both are text. ``others`` are the further ids that a rename, a split, a merge or
    a change of examples is about.

    ``reaches`` tells whether the change can alter what the student reads. It is never set where
    both sides render the same prompt; where they do not, it may be set for a change that alone
    would alter nothing.
    """

    kind: ChangeKind
    subject: Subject
    name: str
    reaches: bool
    field: str | None = None
    before: Any = None
    after: Any = None
    wording: tuple[Piece, ...] = ()
    others: tuple[str, ...] = ()
    title: str = ""


def by_rule(changes: Iterable[Change]) -> dict[str, tuple[Change, ...]]:
    """Return the changes that are about rules by rule id, in the order of their first change."""
    grouped: dict[str, tuple[Change, ...]] = {}
    for change in changes:
        if change.subject == "rule":
            grouped[change.name] = (*grouped.get(change.name, ()), change)
    return grouped
