"""Following one rulebook's file back through history, across moves, merges and deletions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pldgov.history.model import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.history.model import Commit, FileChange


class Objects(Protocol):
    """What following needs of git besides the log."""

    def entry(self, sha: str, path: str) -> str | None:
        """Return the blob that stands at ``path`` in a commit, None when no file does."""
        ...

    def moved_from(self, parent: str, child: str, path: str) -> str | None:
        """Return where the file at ``path`` in ``child`` stood in ``parent``, if renamed."""
        ...


def follow(
    commits: Sequence[Commit],
    path: str,
    *,
    objects: Objects,
    same: Callable[[str, str], bool] = lambda _one, _other: False,
) -> dict[str, Place]:
    """Return where the rulebook that stands at ``path`` in the first commit stood in each.

    ``commits`` come children first. A file that was deleted and created again at the same path is
    one rulebook, and so is one that was removed where another was added, if ``same`` says of their
    blobs that they are (git sees no rename where too much was rewritten).
    """
    if not commits:
        return {}
    tip = commits[0].sha
    places = {tip: Place(path, objects.entry(tip, path))}
    for commit in commits:
        place = places.get(commit.sha)
        if place is None:
            continue
        for parent in commit.parents:
            known = places.get(parent)
            if known is None or known.blob is None:
                before = _before(commit, place, parent, objects=objects, same=same)
                if known is None or before.blob is not None:
                    places[parent] = before
    return places


def _before(
    commit: Commit,
    place: Place,
    parent: str,
    *,
    objects: Objects,
    same: Callable[[str, str], bool],
) -> Place:
    """Return where the file stood in a parent."""
    simple = [change for change in commit.changes if not change.combined]
    if len(commit.parents) > 1 or not simple:
        return _before_merge(commit, place, parent, objects)
    change = next((one for one in simple if one.path == place.path), None)
    if change is None:
        return place
    if place.blob is None:  # deleted here, or never there
        return Place(place.path, change.old_blob if change.status == "D" else None)
    if change.status == "A":
        return _predecessor(simple, place, same) or Place(place.path, None)
    return Place(change.old_path, change.old_blob)


def _before_merge(commit: Commit, place: Place, parent: str, objects: Objects) -> Place:
    blob = objects.entry(parent, place.path)
    if blob is None and place.blob is not None:
        moved = objects.moved_from(parent, commit.sha, place.path)
        if moved is not None:
            return Place(moved, objects.entry(parent, moved))
    return Place(place.path, blob)


def _predecessor(
    changes: Sequence[FileChange], place: Place, same: Callable[[str, str], bool]
) -> Place | None:
    gone = ((one, one.old_blob) for one in changes if one.status == "D" and one.old_blob)
    found = (
        Place(one.old_path, blob) for one, blob in gone if place.blob and same(blob, place.blob)
    )
    return next(found, None)
