"""Which students a rulebook was blessed for: ``students.lock.json`` beside the rulebook.

A new model behind the same rulebook is a change of policy, and no line of the rulebook shows it.
The lock holds the cards of the students (kind, model, snapshot, decoding, how scores become
labels) and the model id that an endpoint answered with, so that a pull request shows the change
and everything else refuses to work with another student under the same name.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from pldgov.errors import DataError, UsageError
from pldgov.fingerprint import canonical_json
from pldgov.results import DecisionPolicy, StudentCard

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOCK_FILE = "students.lock.json"
LOCK_SCHEMA = "pldgov.students-lock/v1"


@dataclass(frozen=True)
class LockedStudent:
    """One student as it was locked.

    ``served_model`` is the model id that its endpoint's replies reported then, None for students
    that are not behind an endpoint, and where no reply has been seen.
    """

    card: StudentCard
    served_model: str | None = None


@dataclass(frozen=True)
class StudentLock:
    """The locked students by name; ``path`` is the file, relative to the root."""

    path: str
    students: Mapping[str, LockedStudent] = field(default_factory=dict)

    def of(self, card: StudentCard) -> LockedStudent | None:
        """Return the entry of this very student: under its name, or else of its fingerprint.

        Recorded answers are replayed under other names, and are still this student's.
        """
        return self.students.get(self.name_of(card))

    def name_of(self, card: StudentCard) -> str:
        """Return the name that a student is, or would be, locked under."""
        if card.name in self.students:
            return card.name
        same = (
            name for name, one in self.students.items() if one.card.fingerprint == card.fingerprint
        )
        return next(same, card.name)

    def with_student(self, entry: LockedStudent) -> StudentLock:
        """Return the lock with this entry in place of the one that it is locked under."""
        return StudentLock(self.path, {**self.students, self.name_of(entry.card): entry})

    def without(self, name: str) -> StudentLock:
        """Return the lock without a student; raises ``UsageError`` when it has no such one."""
        if name not in self.students:
            raise UsageError(
                f"student {name!r} is not locked",
                where=self.path,
                hint=f"locked are {', '.join(sorted(self.students)) or 'none'}",
            )
        left = {key: one for key, one in self.students.items() if key != name}
        return StudentLock(self.path, left)


@dataclass(frozen=True, slots=True)
class PartChange:
    """One part of a student that differs; a part that one side lacks is None there."""

    part: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.part}: {_shown(self.before)} -> {_shown(self.after)}"


@dataclass(frozen=True)
class StudentChange:
    """A student that another one replaces.

    ``before`` or ``after`` is None for one that is new or gone.
    """

    name: str
    before: StudentCard | None
    after: StudentCard | None
    parts: tuple[PartChange, ...]


def lock_path(folder: str) -> str:
    """Return where the lock of the rulebook in ``folder`` stands."""
    return f"{folder}/{LOCK_FILE}"


def card_changes(before: StudentCard | None, after: StudentCard | None) -> tuple[PartChange, ...]:
    """Name every part in which two students differ, their names left out."""
    then, now = _parts(before), _parts(after)
    return tuple(
        PartChange(part, then.get(part), now.get(part))
        for part in dict.fromkeys((*then, *now))
        if then.get(part) != now.get(part)
    )


def lock_changes(before: StudentLock, after: StudentLock) -> tuple[StudentChange, ...]:
    """Return the students that differ between two locks, by name: what a review has to show."""
    found = []
    for name in sorted({*before.students, *after.students}):
        then, now = before.students.get(name), after.students.get(name)
        parts = _entry_changes(then, now)
        if parts:
            found.append(StudentChange(name, _card(then), _card(now), parts))
    return tuple(found)


def require_locked(
    lock: StudentLock, card: StudentCard, *, rulebook: str, must_be_listed: bool
) -> LockedStudent | None:
    """Return the entry that a student agrees with, None where the lock says nothing of it.

    Raises ``UsageError`` when the student of that name is another one now, and with
    ``must_be_listed`` when there is a lock that lists no such student.
    """
    entry = lock.of(card)
    if entry is not None:
        changes = entry_unlike(entry.card, card)
        if changes:
            raise UsageError(
                f"student {card.name!r} is not the one that is locked: "
                + "; ".join(map(str, changes)),
                where=lock.path,
                hint=how_to_change(rulebook, card.name, old=_evidence_of(lock, entry.card.name)),
            )
    elif lock.students and must_be_listed:
        known = ", ".join(sorted(lock.students))
        raise UsageError(
            f"student {card.name!r} is not locked for this rulebook, only {known}",
            where=lock.path,
            hint=how_to_change(rulebook, card.name, old=min(lock.students)),
        )
    return entry


def how_to_change(rulebook: str, student: str, *, old: str) -> str:
    """Return the way to another student, as one line of advice."""
    return (
        "a new student is a change of policy: "
        f"pldgov compare {rulebook} --student OLD --student {student}; "
        f"pldgov gate {rulebook} --student {student} --against {old}; "
        f"then pldgov lock {rulebook} --student {student}"
    )


def lock_text(lock: StudentLock) -> str:
    """Return the file's text, students by name, so that a diff shows what changed."""
    students = {name: _entry_values(lock.students[name]) for name in sorted(lock.students)}
    value = {"schema": LOCK_SCHEMA, "students": students}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def parse_lock(text: str, *, path: str) -> StudentLock:
    """Return the lock in a file.

    Raises ``DataError`` when it is none, and when an entry's fingerprint is not that of its parts:
    a lock is written by pldgov, not by hand.
    """
    try:
        data = json.loads(text)
        if data["schema"] != LOCK_SCHEMA:
            raise DataError(f"unknown schema {data['schema']!r}", where=path)
        students = {name: _entry(name, row, path) for name, row in data["students"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"not a lock of students ({type(error).__name__}: {error})",
            where=path,
            hint="`pldgov lock` writes one",
        ) from error
    return StudentLock(path, students)


def _entry_values(entry: LockedStudent) -> dict[str, Any]:
    card = entry.card
    return {
        "kind": card.kind,
        "model": card.model,
        "snapshot": card.snapshot,
        "served_model": entry.served_model,
        "decoding": dict(card.decoding),
        "decision": asdict(card.policy),
        "fingerprint": card.fingerprint,
    }


def _entry(name: str, row: Mapping[str, Any], path: str) -> LockedStudent:
    card = StudentCard(
        name=name,
        kind=row["kind"],
        model=row["model"],
        snapshot=row["snapshot"],
        decoding=row["decoding"],
        policy=DecisionPolicy(**row["decision"]),
    )
    if card.fingerprint != row["fingerprint"]:
        raise DataError(
            f"the fingerprint of student {name!r} is not that of its parts",
            where=path,
            hint="write it with `pldgov lock`, not by hand",
        )
    return LockedStudent(card, row["served_model"])


def _entry_changes(
    before: LockedStudent | None, after: LockedStudent | None
) -> tuple[PartChange, ...]:
    parts = card_changes(_card(before), _card(after))
    then, now = (one.served_model if one else None for one in (before, after))
    return parts if then == now else (*parts, PartChange("served model", then, now))


def entry_unlike(locked: StudentCard, card: StudentCard) -> tuple[PartChange, ...]:
    """Name what differs; of a replay that knows no more than a fingerprint, only what it knows."""
    changes = card_changes(locked, card)
    if card.recorded_fingerprint is None or card.fingerprint != locked.fingerprint:
        return changes
    names = {one.name for one in fields(DecisionPolicy)}
    return tuple(change for change in changes if change.part in names)


def _parts(card: StudentCard | None) -> dict[str, str]:
    if card is None:
        return {}
    settings: Iterable[tuple[str, Any]] = (
        *((f"decoding.{key}", value) for key, value in sorted(card.decoding.items())),
        *asdict(card.policy).items(),
    )
    return {
        "kind": card.kind,
        "model": card.model,
        "snapshot": card.snapshot,
        **{
            key: value if isinstance(value, str) else canonical_json(value)
            for key, value in settings
        },
    }


def _card(entry: LockedStudent | None) -> StudentCard | None:
    return entry.card if entry else None


def _evidence_of(lock: StudentLock, name: str) -> str:
    """Return the old student's evidence: what is left of it once its table says something else."""
    return f"{lock.path.rpartition('/')[0]}/evidence/{name}.json"


def _shown(value: str | None) -> str:
    return "(none)" if value is None else value
