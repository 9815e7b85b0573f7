"""History: the life of rulebooks and rules, and who stands behind a prompt."""

from __future__ import annotations

import datetime as dt
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.errors import NoBaseError, PldgovError, UsageError
from pldgov.history.following import follow
from pldgov.history.life import ends_of, events_of, ids_of, of_rule
from pldgov.history.measuring import evidence_changes, measured_in
from pldgov.history.model import SHALLOW, Blame, BlamedRule, Life
from pldgov.history.snapshots import SnapshotReader
from pldgov.history.versions import read_versions
from pldgov.rulebook.approval import standing
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pldgov.gitlog import GitLog
    from pldgov.history.model import Commit, Measured, Place
    from pldgov.history.versions import Version, Versions

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Trace:
    """A rulebook followed back from one commit; ``path`` counts from the repository's top."""

    path: str
    commits: tuple[Commit, ...]
    places: Mapping[str, Place]
    versions: Versions

    @property
    def tip(self) -> Version:
        """The version that the trace began with."""
        return self.versions.by_commit[self.commits[0].sha]


def follow_rulebook(log: GitLog, path: str, *, ref: str = "HEAD") -> Trace:
    """Follow the rulebook at ``path`` (from the repository's top) back from ``ref``.

    Raises ``UsageError`` when no commit holds it.
    """
    tip = log.resolve(ref)
    reader = SnapshotReader()
    commits = log.commits(tip, path)
    places = follow(commits, path, objects=log, same=_same_name(log, reader))
    if all(place.blob is None for place in places.values()):
        raise _unknown(log, tip, path)
    versions = read_versions(commits, places, read=log.read, reader=reader)
    return Trace(path, commits, places, versions)


def trace_life(log: GitLog, path: str, *, rule_id: str | None = None) -> Life:
    """Return the life of a rulebook before HEAD, or of one rule in it.

    ``path`` counts from the governance folder. Raises ``UsageError`` for a rule that never was.
    """
    traced = follow_rulebook(log, f"{log.prefix}{path}")
    versions = traced.versions
    events = events_of(versions, measured=_measuring(log), cut=log.cut())
    notes = (SHALLOW,) if any(event.cut for event in events) else ()
    if rule_id is None:
        return Life(path=path, events=events, notes=notes)
    _require_rule(versions, rule_id, path)
    ids = ids_of(versions, rule_id)
    own = of_rule(events, versions, ids)
    first, last = ends_of(own, versions, ids)
    version = versions.by_commit[own[0].commit.sha]
    return Life(
        path=path,
        events=own,
        rule_ids=ids,
        first=first,
        last=last,
        gone=last is not None and last.id not in traced.tip.snapshot.rules,
        standing=standing(last, version.exemplars) if last else "none",
        notes=notes,
    )


def find_in_history(log: GitLog, name: str, *, rulebooks: str) -> str | None:
    """Return the path of a rulebook that is no longer where ``name`` says, None if it never was.

    ``name`` is a file, a folder or a rulebook's name; the path counts from the governance folder.
    Of a rulebook that was moved the path after the move is returned.
    """
    bare = posixpath.normpath(name.replace("\\", "/"))
    guesses = (bare, f"{bare}/rulebook.yaml", f"{rulebooks}/{bare}/rulebook.yaml")
    for guess in guesses:
        path = f"{log.prefix}{guess}"
        commits = log.commits("HEAD", path)
        if any(path in (one.path, one.old_path) for commit in commits for one in commit.changes):
            return _last_path(commits, path).removeprefix(log.prefix)
    return None


def blame_rulebook(
    log: GitLog,
    path: str,
    *,
    at: str | None,
    branch: str,
    render: Callable[[str, str], str],
) -> Blame:
    """Say which prompt was live at a moment, and who stands behind each active rule.

    ``at`` is a day (the last commit of the branch's first line before its end, in UTC), a git
    revision, or None for the branch's tip. ``render`` returns the digest of the prompt at a
    commit and path (from the governance folder), or raises ``PldgovError``. Raises
    ``NoBaseError`` when there was no such rulebook then.
    """
    sha = _moment(log, at, branch)
    full = _path_at(log, f"{log.prefix}{path}", sha=sha, branch=branch)
    then = full.removeprefix(log.prefix)
    try:
        traced = follow_rulebook(log, full, ref=sha)
    except UsageError as error:
        raise _was_not_there(log, path, at or branch) from error
    version = traced.tip
    if version.snapshot.rulebook is None:
        raise _was_not_there(log, path, at or branch, problem=version.problem)
    cut = log.cut()
    rulebook = version.snapshot.rulebook.model_copy(
        update={"rules": tuple(version.snapshot.rules.values())}
    )
    committed, subject = log.facts(sha)
    rules = []
    for rule in rulebook.active_rules:
        origin = traced.versions.origin(traced.commits[0], rule.id)
        rules.append(
            BlamedRule(rule, origin, standing(rule, version.exemplars), cut=origin.sha in cut)
        )
    prompt, problem = _digest(render, sha, then, version.problem)
    return Blame(
        rulebook=rulebook.name,
        path=then,
        at=at or branch,
        sha=sha,
        committed=committed,
        subject=subject,
        rules=tuple(rules),
        prompt=prompt,
        problem=problem,
        notes=(SHALLOW,) if any(rule.cut for rule in rules) else (),
    )


def _digest(
    render: Callable[[str, str], str], sha: str, path: str, problem: str | None
) -> tuple[str | None, str | None]:
    if problem is not None:
        return None, f"the rulebook cannot be read there ({problem}); its rules are those before"
    try:
        return render(sha, path), None
    except PldgovError as error:
        return None, f"the prompt cannot be rendered: {error}"


def _moment(log: GitLog, at: str | None, branch: str) -> str:
    if at is None or not _DAY.fullmatch(at):
        return log.resolve(at or branch)
    try:
        day = dt.date.fromisoformat(at)
    except ValueError as error:
        raise UsageError(f"there is no day {at}", where="--at") from error
    return log.live_on(day, branch)


def _path_at(log: GitLog, path: str, *, sha: str, branch: str) -> str:
    """Return where the rulebook that stands at ``path`` today stood at a commit."""
    if log.entry(sha, path) is not None:
        return path
    commits = log.commits(log.resolve(branch), path)
    reader = SnapshotReader()
    places = follow(commits, path, objects=log, same=_same_name(log, reader))
    before = log.commits(sha, path)
    place = places.get(before[0].sha) if before else None
    return place.path if place is not None else path


def _same_name(log: GitLog, reader: SnapshotReader) -> Callable[[str, str], bool]:
    """Return what tells whether two blobs are rulebooks of one name."""

    def same(one: str, other: str) -> bool:
        rulebooks = (reader.read(log.read(blob)).rulebook for blob in (one, other))
        names = [rulebook.name if rulebook else None for rulebook in rulebooks]
        return names[0] is not None and names[0] == names[1]

    return same


def _measuring(log: GitLog) -> Callable[[Commit, str], tuple[Measured, ...]]:
    known: dict[str, Measured | None] = {}

    def measured(commit: Commit, rulebook: str) -> tuple[Measured, ...]:
        found = []
        for change in evidence_changes(commit, rulebook):
            assert change.blob is not None
            if change.blob not in known:
                known[change.blob] = measured_in(log.read(change.blob), path=change.path)
            if (one := known[change.blob]) is not None:
                found.append(one)
        return tuple(found)

    return measured


def _last_path(commits: Sequence[Commit], path: str) -> str:
    """Return where a file went in the end; ``commits`` come newest first."""
    for commit in reversed(commits):
        for change in commit.changes:
            if change.status == "R" and change.old_path == path:
                path = change.path
    return path


def _require_rule(versions: Versions, rule_id: str, path: str) -> None:
    known = dict.fromkeys(
        id_ for version in versions.by_commit.values() for id_ in version.snapshot.rules
    )
    if rule_id not in known:
        raise UsageError(
            f'no version of the rulebook has a rule "{rule_id}"',
            where=path,
            hint=did_you_mean(rule_id, list(known)),
        )


def _unknown(log: GitLog, tip: str, path: str) -> UsageError:
    submodule = log.submodule_at(tip, path)
    shown = path.removeprefix(log.prefix)
    if submodule is not None:
        return UsageError(
            f"lies in the submodule {submodule}, which has a history of its own",
            where=shown,
            hint=f"run the command inside {submodule}",
        )
    hint = SHALLOW if log.is_shallow else "commit it first"
    return UsageError("no commit holds this rulebook", where=shown, hint=hint)


def _was_not_there(log: GitLog, path: str, at: str, *, problem: str | None = None) -> NoBaseError:
    if problem:
        return NoBaseError(f"the rulebook cannot be read at {at}: {problem}", where=path)
    return NoBaseError(
        f"there was no such rulebook at {at}",
        where=path,
        hint=SHALLOW if log.is_shallow else f"pldgov log {path} shows when it began",
    )
