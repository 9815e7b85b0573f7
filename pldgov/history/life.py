"""From versions to events: the life of a rulebook or of one rule, newest first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pldgov.history.model import Approval, Event
from pldgov.history.versions import changed_rules, own_changes
from pldgov.rulebook.approval import standing
from pldgov.rulebook.diff.lineage import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pldgov.changes import Change
    from pldgov.history.model import Commit, Measured
    from pldgov.history.versions import Version, Versions
    from pldgov.rulebook.model import Rule


def events_of(
    versions: Versions,
    *,
    measured: Callable[[Commit, str], tuple[Measured, ...]],
    cut: frozenset[str] = frozenset(),
) -> tuple[Event, ...]:
    """Return what each commit meant for the rulebook, newest first; nothing for most.

    ``measured`` gives the evidence that a commit brought in for the rulebook at a path.
    """
    found = (
        _event(versions, commit, cut=cut, measured=measured)
        for commit in versions.commits
        if commit.sha in versions.by_commit
    )
    return tuple(event for event in found if event is not None)


def _event(
    versions: Versions,
    commit: Commit,
    *,
    measured: Callable[[Commit, str], tuple[Measured, ...]],
    cut: frozenset[str],
) -> Event | None:
    now = versions.by_commit[commit.sha]
    parents = versions.of_parents(commit)
    bare = Event(commit, now.place.path, measured=measured(commit, now.place.path))
    there = now.place.blob is not None
    were_there = [parent for parent in parents if parent.place.blob is not None]
    if there and not were_there:
        at_cut = commit.sha in cut
        event = replace(bare, created=not at_cut, problem=now.problem, cut=at_cut)
        if not at_cut:  # else nobody knows which commit brought the approvals
            event = replace(event, approvals=_approvals(now, parents, tuple(now.snapshot.rules)))
    elif there and all(parent.place != now.place for parent in parents):
        event = _changed(bare, now, parents)
        if len(parents) > 1 and event == bare:
            event = bare  # it joined what others did
    elif not there and parents and len(were_there) == len(parents):
        event = replace(bare, deleted=True)
    else:
        event = bare
    return None if event is bare and not bare.measured else event


def _changed(bare: Event, now: Version, parents: Sequence[Version]) -> Event:
    first = parents[0]
    moved = all(parent.place.path != now.place.path for parent in parents)
    event = replace(bare, moved_from=first.place.path if moved else None, problem=now.problem)
    if now.problem:
        return event
    ids = changed_rules(now, parents)
    return replace(
        event,
        changes=own_changes(parents, now),
        approvals=_approvals(now, parents, ids),
        voided=tuple(
            id_
            for id_ in ids
            if _standing(now, id_) == "void"
            and any(_standing(parent, id_) == "valid" for parent in parents)
        ),
    )


def _approvals(
    now: Version, parents: Sequence[Version], ids: Sequence[str]
) -> tuple[Approval, ...]:
    """Return the reviews that none of the parents has."""
    found = []
    for id_ in ids:
        rule = now.snapshot.rules.get(id_)
        if rule is None or rule.review is None:
            continue
        before = (parent.snapshot.rules.get(id_) for parent in parents)
        if all(old is None or old.review != rule.review for old in before):
            found.append(Approval(id_, rule.review, standing(rule, now.exemplars)))
    return tuple(found)


def _standing(version: Version, rule_id: str) -> str:
    rule = version.snapshot.rules.get(rule_id)
    return "none" if rule is None else standing(rule, version.exemplars)


def of_rule(events: Sequence[Event], versions: Versions, ids: Sequence[str]) -> tuple[Event, ...]:
    """Return the events that concern one rule, under each id that it has had."""
    return tuple(_of_rule(events, versions, frozenset(ids)))


def ids_of(versions: Versions, rule_id: str) -> tuple[str, ...]:
    """Return the ids that a rule has had, the last one first.

    A rule that was merged from several goes on with the first of them; one that was split off
    another begins there.
    """
    ids = [rule_id]
    for commit in versions.commits:
        for parent in versions.of_parents(commit):
            now = versions.by_commit.get(commit.sha)
            if now is not None and ids[-1] not in parent.snapshot.rules:
                old = _earlier_id(parent, now, ids[-1])
                if old is not None and old not in ids:
                    ids.append(old)
                    break
    return tuple(ids)


def _earlier_id(before: Version, after: Version, rule_id: str) -> str | None:
    if rule_id not in after.snapshot.rules or not before.snapshot.rules:
        return None
    lineage = trace(before.snapshot.rules, after.snapshot.rules)
    if rule_id in lineage.renamed:
        return lineage.renamed[rule_id]
    return lineage.merged[rule_id][0] if rule_id in lineage.merged else None


def _of_rule(events: Sequence[Event], versions: Versions, ids: frozenset[str]) -> Iterator[Event]:
    for event in events:
        here = versions.by_commit[event.commit.sha].snapshot.rules
        changes = tuple(change for change in event.changes if _concerns(change, ids))
        alive = not ids.isdisjoint(here)
        kept = replace(
            event,
            changes=changes,
            approvals=tuple(one for one in event.approvals if one.rule_id in ids),
            voided=tuple(id_ for id_ in event.voided if id_ in ids),
            created=event.created and alive,
            deleted=event.deleted and _was_there(event, versions, ids),
        )
        told = (kept.changes, kept.approvals, kept.voided, kept.created, kept.deleted)
        around = (event.measured, event.moved_from, event.problem, event.cut)
        if any(told) or (alive and any(around)):
            yield kept


def _concerns(change: Change, ids: frozenset[str]) -> bool:
    return change.subject == "rule" and not ids.isdisjoint((change.name, *change.others))


def _was_there(event: Event, versions: Versions, ids: frozenset[str]) -> bool:
    parents = versions.of_parents(event.commit)
    return any(not ids.isdisjoint(parent.snapshot.rules) for parent in parents)


def ends_of(
    events: Sequence[Event], versions: Versions, ids: Sequence[str]
) -> tuple[Rule | None, Rule | None]:
    """Return a rule as it was first and as it was last, over all the ids that it has had."""
    at = (versions.by_commit[event.commit.sha].snapshot.rules for event in events)
    seen = [rules[id_] for rules in at for id_ in ids if id_ in rules]
    return (seen[-1], seen[0]) if seen else (None, None)
