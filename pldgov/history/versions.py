"""The versions of one rulebook by commit, and how each differs from those before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pldgov.changes import Change
from pldgov.history.snapshots import Snapshot
from pldgov.rulebook.approval import rule_digest
from pldgov.rulebook.diff.reach import Shown
from pldgov.rulebook.diff.rules import RuleSides, rule_changes
from pldgov.rulebook.diff.surroundings import gate_changes, prompt_changes, task_changes
from pldgov.rulebook.model import Exemplars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pldgov.history.model import Commit, Place
    from pldgov.history.snapshots import SnapshotReader
    from pldgov.rulebook.model import Rule, Rulebook

NOTHING = Snapshot(None)
_ANYTHING = Shown(None, None)
"""Of history it is not asked what each version's templates show: all that they could counts."""

_DESCRIBING = ("name", "title", "owner", "description", "examples", "metadata")


@dataclass(frozen=True)
class Version:
    """A rulebook at one commit; ``problem`` where it cannot be read and the one before counts."""

    place: Place
    snapshot: Snapshot
    problem: str | None = None

    @property
    def exemplars(self) -> Exemplars:
        """How many examples of a rule a template may show."""
        rulebook = self.snapshot.rulebook
        return rulebook.prompt.exemplars if rulebook else Exemplars()


@dataclass
class Versions:
    """Every version by commit id, each blob read once."""

    commits: Sequence[Commit]
    by_commit: Mapping[str, Version]
    _digests: dict[tuple[int, int, int], tuple[Rule, str]] = field(default_factory=dict)

    def of_parents(self, commit: Commit) -> tuple[Version, ...]:
        """Return the versions of a commit's parents."""
        return tuple(self.by_commit[one] for one in commit.parents if one in self.by_commit)

    def digest(self, version: Version, rule_id: str) -> str | None:
        """Return the digest of what reaches the student of a rule, None where nothing does."""
        rule = version.snapshot.rules.get(rule_id)
        if rule is None or rule.status != "active":
            return None
        key = (id(rule), version.exemplars.support, version.exemplars.counter)
        if key not in self._digests:
            self._digests[key] = (rule, rule_digest(rule, version.exemplars))
        return self._digests[key][1]

    def origin(self, tip: Commit, rule_id: str) -> Commit:
        """Return the last commit, at or before ``tip``, that changed what reaches the student."""
        by_sha = {commit.sha: commit for commit in self.commits}
        wanted = self.digest(self.by_commit[tip.sha], rule_id)
        commit = tip
        while True:
            same = (
                parent
                for parent in commit.parents
                if parent in self.by_commit
                and self.digest(self.by_commit[parent], rule_id) == wanted
            )
            found = next(same, None)
            if found is None:
                return commit
            commit = by_sha[found]


def read_versions(
    commits: Sequence[Commit],
    places: Mapping[str, Place],
    *,
    read: Callable[[str], bytes],
    reader: SnapshotReader,
) -> Versions:
    """Read the rulebook at every commit (children first) that ``places`` knows."""
    by_blob: dict[str, Snapshot] = {}
    versions: dict[str, Version] = {}
    for commit in reversed(commits):
        place = places.get(commit.sha)
        if place is None:
            continue
        if place.blob is None:
            versions[commit.sha] = Version(place, NOTHING)
            continue
        if place.blob not in by_blob:
            by_blob[place.blob] = reader.read(read(place.blob))
        snapshot = by_blob[place.blob]
        if snapshot.problem is None:
            versions[commit.sha] = Version(place, snapshot)
            continue
        before = next((versions[one] for one in commit.parents if one in versions), None)
        standing = before.snapshot if before else NOTHING
        versions[commit.sha] = Version(place, standing, snapshot.problem)
    return Versions(commits, versions)


def changed_rules(after: Version, parents: Sequence[Version]) -> tuple[str, ...]:
    """Return the ids of rules that are as in none of the parents, gone ones included."""
    now = after.snapshot.rules
    ids = dict.fromkeys((*now, *(id_ for parent in parents for id_ in parent.snapshot.rules)))
    return tuple(
        id_
        for id_ in ids
        if all(_differs(parent.snapshot.rules.get(id_), now.get(id_)) for parent in parents)
    )


def changes_between(before: Version, after: Version) -> tuple[Change, ...]:
    """Return what changed in a rulebook's file from one version to another."""
    old, new = before.snapshot.rulebook, after.snapshot.rulebook
    if old is None or new is None or before.snapshot is after.snapshot:
        return ()
    sides = RuleSides(*_comparable(before.snapshot, after.snapshot), _ANYTHING)
    return (*rule_changes(sides), *(() if old is new else _around(old, new)))


def own_changes(parents: Sequence[Version], after: Version) -> tuple[Change, ...]:
    """Return what a commit changed itself, told against its first parent.

    Of a merge that is what stands in none of its parents: a rule that differs from each of theirs,
    be it a new mixture of two sides, and what is around the rules where it is neither side's.
    """
    first, *others = (changes_between(parent, after) for parent in parents)
    if not others:
        return first
    ids = frozenset(changed_rules(after, parents))
    everywhere = set.intersection(*({_key(one) for one in changes} for changes in others))
    return tuple(
        one
        for one in first
        if (
            not ids.isdisjoint((one.name, *one.others))
            if one.subject == "rule"
            else _key(one) in everywhere
        )
    )


def _key(change: Change) -> tuple[str, str, str | None]:
    return change.subject, change.name, change.field


def _comparable(before: Snapshot, after: Snapshot) -> tuple[Rulebook, Rulebook]:
    """Return both rulebooks with their rules; without those that no change can concern.

    Where ids, priorities and states are the same in both, the order is, and only rules that
    differ matter: of a thousand rules one commit seldom changes more than one.
    """
    old, new = before.rules, after.rules
    if list(old) == list(new) and all(
        old[id_] is rule or (old[id_].priority, old[id_].status) == (rule.priority, rule.status)
        for id_, rule in new.items()
    ):
        differing = {id_ for id_, rule in new.items() if _differs(old[id_], rule)}
    else:
        differing = {*old, *new}
    one, other = (
        side.rulebook.model_copy(
            update={"rules": tuple(rule for id_, rule in side.rules.items() if id_ in differing)}
        )
        for side in (before, after)
        if side.rulebook
    )
    return one, other


def _around(old: Rulebook, new: Rulebook) -> Iterator[Change]:
    yield from task_changes(old, new)
    yield from prompt_changes(old, new, _ANYTHING)
    yield from gate_changes(old, new)
    for key in _DESCRIBING:
        was, now = getattr(old, key), getattr(new, key)
        if was != now:
            yield Change("metadata", "rulebook", key, False, before=_plain(was), after=_plain(now))


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _differs(one: Rule | None, other: Rule | None) -> bool:
    return one is not other and one != other
