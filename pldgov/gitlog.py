"""A repository's log, read once: commits with what they did to rulebooks and evidence.

One ``git log`` gives the graph, cut down to the commits that touch these files (with the merges
that join them), so that thousands of others cost nothing. Blobs come through GitPython's
long-lived ``git cat-file``.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from git.exc import BadObject, GitCommandError

from pldgov.errors import NoBaseError
from pldgov.history.model import SHALLOW, Commit, FileChange, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    import git

_FIELDS = ("%H", "%P", "%aN", "%aE", "%aI", "%cI", "%s", "%(trailers:key=Co-authored-by,valueonly)")
_OPTIONS = (
    "-z",
    "-c",  # of a merge, only what is like in no parent
    "--raw",
    "--no-abbrev",
    "-M",
    "-l1000",
    "--full-history",  # nothing is left out because a merge dropped it
    "--simplify-merges",
    "--date-order",
    "--no-color",
    "--no-ext-diff",
    "--no-show-signature",
    "--encoding=UTF-8",
    f"--format={'%x00'.join(_FIELDS)}",
)
_FILES = ("100644", "100755", "100664")
_NONE = "0" * 40


class GitLog:
    """The history of one repository; paths count from the repository's top."""

    def __init__(self, repo: git.Repo, *, prefix: str = "") -> None:
        self._repo = repo
        self.prefix = prefix
        """The governance folder's path from the top: empty, or ending in ``/``."""

    def commits(self, ref: str, path: str) -> tuple[Commit, ...]:
        """Return the commits before and at ``ref`` that touched any rulebook, ``path`` or evidence.

        Children stand before their parents.
        """
        wanted = (":(top,glob)**/rulebook.yaml", f":(top,literal){path}")
        data: bytes = self._repo.git(c="log.showRoot=true").log(
            *_OPTIONS, ref, "--", *wanted, ":(top,glob)**/evidence/*.json", stdout_as_string=False
        )
        return tuple(_parse(data.decode("utf-8", "replace").split("\0")))

    def resolve(self, ref: str) -> str:
        """Return the id of the commit that ``ref`` names; raises ``NoBaseError``."""
        try:
            return str(self._repo.git.rev_parse("--verify", "--quiet", f"{ref}^{{commit}}"))
        except GitCommandError as error:
            if ref == "HEAD":
                raise NoBaseError("the repository has no commit yet") from error
            hint = SHALLOW if self.is_shallow else "name a branch, tag or commit"
            raise NoBaseError(f"git knows no revision {ref!r}", where="--at", hint=hint) from error

    def live_on(self, day: dt.date, branch: str) -> str:
        """Return the last commit on the branch's first line before the end of a day (UTC).

        Raises ``NoBaseError`` when there is none.
        """
        end = f"{day.isoformat()}T23:59:59+00:00"
        tip = self.resolve(branch)
        found = str(self._repo.git.rev_list("-1", "--first-parent", f"--before={end}", tip, "--"))
        if not found:
            raise NoBaseError(
                f"{branch} has no commit before the end of {day}",
                where="--at",
                hint=SHALLOW if self.is_shallow else "name a later day",
            )
        return found

    def facts(self, sha: str) -> tuple[dt.datetime, str]:
        """Return when a commit was made, and its subject."""
        commit = self._repo.commit(sha)
        return commit.committed_datetime, str(commit.summary)

    def entry(self, sha: str, path: str) -> str | None:
        """Return the blob that stands at ``path`` in a commit, None when no file does."""
        try:
            header: Any = self._repo.git.get_object_header(f"{sha}:{path}")
        except ValueError:
            return None
        found, kind = (one if isinstance(one, str) else str(one, "ascii") for one in header[:2])
        return found if kind == "blob" else None

    def moved_from(self, parent: str, child: str, path: str) -> str | None:
        """Return where the file at ``path`` in ``child`` stood in ``parent``, if it was renamed."""
        options = ("-r", "-z", "-M", "-l1000", "--raw", "--no-abbrev")
        tokens = iter(self._repo.git.diff_tree(*options, parent, child).split("\0"))
        renames = (one for one in _changes(tokens) if one.status == "R" and one.path == path)
        return next((one.old_path for one in renames), None)

    def read(self, blob: str) -> bytes:
        """Return a blob's bytes."""
        _, _, _, data = self._repo.git.get_object_data(blob)
        return bytes(data)

    def submodule_at(self, sha: str, path: str) -> str | None:
        """Return the folder above ``path`` that is a submodule, None when none is."""
        parts = path.split("/")
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            try:
                found = self._repo.commit(sha).tree / folder
            except (KeyError, BadObject):
                return None
            if str(found.type) == "submodule":
                return folder
        return None

    @property
    def is_shallow(self) -> bool:
        """Tell whether history was cut off when cloning."""
        return str(self._repo.git.rev_parse("--is-shallow-repository")) == "true"

    def cut(self) -> frozenset[str]:
        """Return the commits whose parents a shallow clone left out."""
        if not self.is_shallow:
            return frozenset()
        listed = Path(self._repo.common_dir, "shallow").read_text("ascii")
        return frozenset(listed.split())


def _parse(tokens: list[str]) -> Iterator[Commit]:
    """Yield the commits of a log: their fields, then what they did to files.

    Between them stand empty tokens, more before a merge's changes than before others.
    """
    rest = iter(tokens)
    fields: list[str] = []
    changes: list[FileChange] = []
    for token in rest:
        entry = token.lstrip("\n")
        if entry.startswith(":"):
            changes += _change(entry, rest)
        elif entry:
            if fields:
                yield _commit(fields, changes)
            fields, changes = [entry, *(next(rest) for _ in _FIELDS[1:])], []
    if fields:
        yield _commit(fields, changes)


def _commit(fields: list[str], changes: list[FileChange]) -> Commit:
    sha, parents, name, address, authored, committed, subject, trailers = fields
    return Commit(
        sha=sha,
        parents=tuple(parents.split()),
        author=Person(name, address),
        authored=dt.datetime.fromisoformat(authored),
        committed=dt.datetime.fromisoformat(committed),
        subject=subject,
        co_authors=tuple(line.strip() for line in trailers.splitlines() if line.strip()),
        changes=tuple(changes),
    )


def _changes(tokens: Iterator[str]) -> Iterator[FileChange]:
    for token in tokens:
        if token.startswith(":"):
            yield from _change(token, tokens)


def _change(entry: str, rest: Iterator[str]) -> Iterator[FileChange]:
    """Yield one entry of a raw diff, unless it is about a link or a submodule."""
    parents = len(entry) - len(entry.lstrip(":"))
    fields = entry[parents:].split(" ")
    modes, blobs, status = fields[: parents + 1], fields[parents + 1 : -1], fields[-1]
    path = next(rest)
    if parents > 1:
        blob = blobs[-1] if modes[-1] in _FILES else _NONE
        yield FileChange(status, path, path, _or_none(blob), None, combined=True)
        return
    new_path = next(rest) if status[0] in "RC" else path
    old, new = (b if mode in _FILES else _NONE for b, mode in zip(blobs, modes, strict=True))
    yield FileChange(status[0], new_path, path, _or_none(new), _or_none(old))


def _or_none(blob: str) -> str | None:
    return None if set(blob) == {"0"} else blob
