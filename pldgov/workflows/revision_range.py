"""Which two trees a comparison reads: ``BASE``, ``BASE..HEAD``, ``BASE...HEAD`` or ``REV^!``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pldgov.errors import UsageError
from pldgov.ports import Source


class CommitTree(Source, Protocol):
    """The files of one commit."""

    @property
    def note(self) -> str | None:
        """What a reader has to know of how the commit was chosen, None for nothing."""
        ...

    @property
    def is_merge(self) -> bool:
        """Tell whether the commit has several parents."""
        ...

    def before(self) -> CommitTree | None:
        """Return the files of the first parent, None for a root commit."""
        ...


class History(Protocol):
    """What is asked of a repository."""

    def tree(self, ref: str) -> CommitTree:
        """Return the files at a revision; raises ``NoBaseError``."""
        ...

    def merge_base(self, ref: str | None = None, *, tip: str | None = None) -> CommitTree:
        """Return the files where ``tip`` left ``ref``; raises ``NoBaseError``."""
        ...


class NoFiles:
    """The tree before a root commit."""

    name = "nothing (root commit)"

    def read(self, path: str) -> bytes:
        """Raise ``FileNotFoundError``."""
        raise FileNotFoundError(path)

    def exists(self, path: str) -> bool:  # noqa: ARG002  (the port's signature)
        """Return False."""
        return False

    def files(self, under: str) -> tuple[str, ...]:  # noqa: ARG002  (the same)
        """Return no paths."""
        return ()


@dataclass(frozen=True)
class Trees:
    """Both sides, and what a reader has to know of how they were chosen."""

    base: Source
    head: Source
    notes: tuple[str, ...] = ()


def is_range(text: str) -> bool:
    """Tell whether an argument can only be a range of revisions."""
    return ".." in text or text.endswith("^!")


def open_trees(
    text: str | None, history: History, *, worktree: Source, base: str | None = None
) -> Trees:
    """Return what ``text`` names, as git reads it; an empty side of a range is HEAD.

    Without ``..`` head is the working tree, and without ``text`` base is the setting ``base``,
    else where HEAD left the default branch. Raises ``NoBaseError`` for a revision that does not
    resolve, ``UsageError`` for a range that is none.
    """
    if text is None:
        return _since(history.tree(base) if base else history.merge_base(), worktree)
    if text.endswith("^!"):
        return _one_commit(history.tree(text.removesuffix("^!") or "HEAD"))
    left, dots, right = text.partition("..")
    if not dots:
        return Trees(history.tree(text), worktree)
    three = right.startswith(".")
    right = right.removeprefix(".") if three else right
    if ".." in right or right.startswith("."):
        raise UsageError("is no range of revisions", where=text, hint="BASE..HEAD or BASE...HEAD")
    head = history.tree(right or "HEAD")
    if three:
        return _since(history.merge_base(left or "HEAD", tip=right or "HEAD"), head)
    return Trees(history.tree(left or "HEAD"), head)


def _since(base: CommitTree, head: Source) -> Trees:
    return Trees(base, head, (base.note,) if base.note else ())


def _one_commit(tree: CommitTree) -> Trees:
    note = f"{tree.name} is a merge commit: it is compared with its first parent"
    return Trees(tree.before() or NoFiles(), tree, (note,) if tree.is_merge else ())
