"""The git repository around the rulebooks, read through GitPython; nothing is ever checked out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

import git
from git.exc import BadObject

from pldgov.errors import NoBaseError, UnjudgedError, UsageError
from pldgov.gitlog import GitLog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DEFAULT_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_SHALLOW = (
    "the clone is shallow: fetch the whole history (fetch-depth: 0, or git fetch --unshallow)"
)


class GitTree:
    """The files of one commit below ``prefix``, read from git objects.

    ``note`` says what a reader has to know of how the commit was chosen.
    """

    def __init__(
        self, commit: git.Commit, *, name: str, prefix: str = "", note: str | None = None
    ) -> None:
        self.commit = commit
        self.name = name
        self.note = note
        self._prefix = prefix

    def read(self, path: str) -> bytes:
        """Return a file's bytes; raises ``FileNotFoundError``."""
        blob = self._find(path)
        if blob is None:
            raise FileNotFoundError(path)
        return bytes(blob.data_stream.read())

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return self._find(path) is not None

    def files(self, under: str) -> tuple[str, ...]:
        """Return the paths of all files below ``under``, sorted."""
        folder = f"{self._prefix}{under}/" if under else self._prefix or "."
        listed = self.commit.repo.git.ls_tree(
            "-r", "-z", "--name-only", "--full-tree", self.commit.hexsha, "--", folder
        )
        names = (name for name in listed.split("\0") if name)
        return tuple(sorted(name.removeprefix(self._prefix) for name in names))

    @property
    def is_merge(self) -> bool:
        """Tell whether the commit has several parents."""
        return len(self.commit.parents) > 1

    def before(self) -> GitTree | None:
        """Return the files of the (first) parent; None for a root commit.

        Raises ``NoBaseError`` where a shallow clone has no parent because it was cut off.
        """
        if not self.commit.parents:
            return None
        parent = self.commit.parents[0]
        try:
            parent.tree  # noqa: B018  (GitPython reads the parent now)
        except ValueError as error:
            said = f"the parent {parent.hexsha[:9]} of {self.name} is not here"
            raise NoBaseError(said, where="base", hint=_SHALLOW) from error
        return GitTree(parent, name=parent.hexsha[:9], prefix=self._prefix)

    def _find(self, path: str) -> git.Blob | None:
        try:
            found = self.commit.tree / f"{self._prefix}{path}"
        except (KeyError, BadObject):
            return None
        return found if isinstance(found, git.Blob) else None


class Repository:
    """The git repository that holds the governance folder ``root``.

    Raises ``NoBaseError`` when there is none: without history there is no base.
    """

    def __init__(self, root: Path) -> None:
        try:
            self._repo = git.Repo(root, search_parent_directories=True)
        except git.InvalidGitRepositoryError as error:
            raise NoBaseError(
                "not a git repository",
                where=str(root),
                hint="git init and commit, or give --base an evidence file",
            ) from error
        if self._repo.working_tree_dir is None:
            raise UsageError("a bare repository has no working tree", where=str(root))
        top = os.path.realpath(self._repo.working_tree_dir)
        relative = os.path.relpath(os.path.realpath(root), top).replace(os.sep, "/")
        self._prefix = "" if relative == "." else f"{relative}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._repo.close()

    def tree(self, ref: str) -> GitTree:
        """Return the files at a revision; raises ``NoBaseError`` when it does not resolve."""
        commit = self._commit(ref)
        if commit is None:
            shallow = _SHALLOW if self.is_shallow else None
            raise NoBaseError(
                f"git knows no revision {ref!r}",
                where="base",
                hint=shallow or "name a branch, tag or commit; git fetch may be missing",
            )
        short = commit.hexsha[:9]
        name = short if commit.hexsha.startswith(ref) else f"{ref}@{short}"
        return GitTree(commit, name=name, prefix=self._prefix)

    def merge_base(self, ref: str | None = None, *, tip: str | None = None) -> GitTree:
        """Return the files where ``tip`` (HEAD) left ``ref`` (default: the default branch).

        Raises ``NoBaseError`` when there is no commit yet, no such branch, or no common
        ancestor (which a shallow clone hides).
        """
        head = self._commit("HEAD") if tip is None else self.tree(tip).commit
        if head is None:
            raise NoBaseError("the repository has no commit yet", hint="commit a first baseline")
        branch = ref or self.default_branch()
        other = self.tree(branch)
        bases = self._repo.merge_base(head, other.commit, all=True)
        if not bases:
            raise NoBaseError(
                f"{tip or 'HEAD'} and {branch} have no common ancestor",
                where="base",
                hint=_SHALLOW if self.is_shallow else "name another base with --base",
            )
        commits = [base for base in bases if isinstance(base, git.Commit)]
        # After criss-cross merges there are several; each run has to take the same one.
        commit = max(commits, key=lambda one: (one.committed_date, one.hexsha))
        name = f"{branch}@{commit.hexsha[:9]}"
        crossed = f"{len(commits)} common ancestors (criss-cross merges): {name} is the newest"
        note = crossed if len(commits) > 1 else None
        return GitTree(commit, name=name, prefix=self._prefix, note=note)

    def default_branch(self) -> str:
        """Return the branch that changes are merged into.

        That is the pull request's target where CI names one, else the remote's default branch,
        else main or master. Raises ``NoBaseError`` when there is none of them, and
        ``UnjudgedError`` when the checkout of the pull request lacks its target: another branch
        may be the change itself, and compared with itself nothing is ever wrong.
        """
        target = os.environ.get("GITHUB_BASE_REF") or os.environ.get(
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"
        )
        targets = (f"origin/{target}", target) if target else ()
        for name in targets:
            if self._commit(name) is not None:
                return name
        if targets and self._is_checkout_of_ci():
            raise UnjudgedError(
                f"the target branch {target!r} is not here",
                where="base",
                hint=_SHALLOW if self.is_shallow else "fetch it: fetch-depth: 0, or git fetch",
            )
        for name in _DEFAULT_BRANCHES:
            if self._commit(name) is not None:
                return name
        raise NoBaseError(
            "cannot tell the default branch",
            where="base",
            hint=_SHALLOW if self.is_shallow else "name the base with --base",
        )

    @property
    def folder(self) -> str:
        """Where the governance folder lies below the top of the repository; "" for the top."""
        return self._prefix.rstrip("/")

    @property
    def is_shallow(self) -> bool:
        """Tell whether history was cut off when cloning."""
        return str(self._repo.git.rev_parse("--is-shallow-repository")) == "true"

    @property
    def head(self) -> str | None:
        """The commit id of HEAD, None before the first commit."""
        commit = self._commit("HEAD")
        return commit.hexsha if commit else None

    @property
    def author(self) -> str:
        """Who commits here: ``name <email>`` as git would record it."""
        with self._repo.config_reader() as settings:
            who = git.Actor.author(settings)
        return f"{who.name} <{who.email}>"

    @property
    def user(self) -> str | None:
        """Who is set as the author of commits here: ``name <address>``, or what there is of it.

        None where neither is set; git's own guess from the machine's name is no answer.
        """
        name = os.environ.get("GIT_AUTHOR_NAME") or self._setting("user.name")
        address = os.environ.get("GIT_AUTHOR_EMAIL") or self._setting("user.email")
        if name and address:
            return f"{name} <{address}>"
        return name or address or None

    @property
    def log(self) -> GitLog:
        """The history, read through one ``git log``."""
        return GitLog(self._repo, prefix=self._prefix)

    def _is_checkout_of_ci(self) -> bool:
        """Tell whether this is what CI checked out, and not a repository made during the run."""
        place = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR")
        top = str(self._repo.working_tree_dir)
        return bool(place) and os.path.realpath(top) == os.path.realpath(str(place))

    def _setting(self, key: str) -> str:
        """Return git's setting of that name, "" where there is none."""
        try:
            return str(self._repo.git.config("--get", key)).strip()
        except git.GitCommandError:
            return ""

    def is_dirty(self, paths: Sequence[str]) -> bool:
        """Tell whether any of the paths differs from HEAD, untracked files included."""
        full = [f"{self._prefix}{path}" for path in paths]
        return bool(self._repo.git.status("--porcelain", "--", *full))

    def _commit(self, ref: str) -> git.Commit | None:
        try:
            commit = self._repo.commit(ref)
            commit.tree  # noqa: B018  (a shallow clone names commits that it does not hold)
        except (git.BadName, ValueError, BadObject, git.GitCommandError):
            return None
        return commit
