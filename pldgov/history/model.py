"""What history is told in: commits, what they did to files, and what that means for rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from pldgov.changes import Change
    from pldgov.rulebook.approval import Standing
    from pldgov.rulebook.model import Review, Rule

SHALLOW = (
    "the clone is shallow, so what is older is not known: fetch the whole history "
    "(fetch-depth: 0, or git fetch --unshallow)"
)
ABBREVIATED = 9
"""Hexadecimal digits by which people are shown a commit."""


@dataclass(frozen=True, slots=True)
class Person:
    """Name and address as git records them."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>"


@dataclass(frozen=True, slots=True)
class FileChange:
    """What a commit did to one file.

    ``status`` is git's letter (A, M, D, R, T). Blobs are ids, None where there is no file.
    ``old_path`` differs from ``path`` for a rename only. ``combined`` marks what a merge made of
    a file that is like in none of its parents; then nothing is known of the old side.
    """

    status: str
    path: str
    old_path: str
    blob: str | None
    old_blob: str | None
    combined: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that touched a rulebook's files, or joined lines that did.

    ``parents`` are the nearest such commits before it, first line first. ``co_authors`` come from
    the message's trailers, as ``Name <address>``.
    """

    sha: str
    parents: tuple[str, ...]
    author: Person
    authored: dt.datetime
    committed: dt.datetime
    subject: str
    co_authors: tuple[str, ...] = ()
    changes: tuple[FileChange, ...] = ()

    @property
    def short(self) -> str:
        """The beginning of the commit's id."""
        return self.sha[:ABBREVIATED]

    @property
    def people(self) -> tuple[str, ...]:
        """Author and co-authors."""
        return (str(self.author), *self.co_authors)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rulebook's file stood at a commit: path from the top, and blob (None: nowhere)."""

    path: str
    blob: str | None


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that a commit brought in, and what it was worth there."""

    rule_id: str
    review: Review
    standing: Standing


@dataclass(frozen=True, slots=True)
class Measured:
    """Evidence that a commit added or changed: macro-F1 (a fraction) of one student."""

    student: str
    path: str
    macro_f1: float
    n: int
    prompt: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What one commit meant for a rulebook: what is there as in none of the commit's parents.

    ``changes`` are of rules and of what is around them in the file; they are told against the
    first parent. ``voided`` are rules whose approval held before and does not any more.
    ``problem`` says why the file cannot be read at this commit: then its rules count as those of
    the first parent. ``moved_from`` is the path before a move; ``created`` and ``deleted`` are
    about the file. ``cut`` marks a commit at which a shallow clone ends.
    """

    commit: Commit
    path: str
    changes: tuple[Change, ...] = ()
    approvals: tuple[Approval, ...] = ()
    voided: tuple[str, ...] = ()
    measured: tuple[Measured, ...] = ()
    moved_from: str | None = None
    problem: str | None = None
    created: bool = False
    deleted: bool = False
    cut: bool = False

    @property
    def reaches(self) -> bool:
        """Whether anything that a student could read was changed."""
        return any(change.reaches for change in self.changes)


@dataclass(frozen=True, slots=True)
class Life:
    """The events of a rulebook, or of one rule in it, newest first.

    ``rule_ids`` are the ids that the rule has had, the last one first; empty for a whole rulebook.
    ``first`` and ``last`` are the rule's oldest and newest state that is known; ``gone`` tells
    that it is not in the rulebook any more.
    """

    path: str
    events: tuple[Event, ...]
    rule_ids: tuple[str, ...] = ()
    first: Rule | None = None
    last: Rule | None = None
    gone: bool = False
    standing: Standing = "none"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlamedRule:
    """An active rule with the commit that last changed what reaches the student of it.

    ``cut`` marks a commit at which a shallow clone ends: the change may be older.
    """

    rule: Rule
    commit: Commit
    standing: Standing
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Blame:
    """Which prompt was live at one commit, and who stands behind each of its rules.

    ``prompt`` is the prompt's digest, None where it cannot be rendered (``problem`` says why).
    ``at`` is how the moment was asked for.
    """

    rulebook: str
    path: str
    at: str
    sha: str
    committed: dt.datetime
    subject: str
    rules: tuple[BlamedRule, ...]
    prompt: str | None = None
    problem: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The beginning of the commit's id."""
        return self.sha[:ABBREVIATED]
