"""Locking students: who may answer for a rulebook, read from a file and held against it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pldgov.errors import UsageError
from pldgov.ports import LocalWeights, ServedStudent
from pldgov.student_lock import (
    LockedStudent,
    StudentLock,
    how_to_change,
    lock_path,
    parse_lock,
    require_locked,
)
from pldgov.students.pinned import PinnedStudent, pin
from pldgov.workflows.sides import side_of

if TYPE_CHECKING:
    from pldgov.ports import Source, Student
    from pldgov.rulebook.loading import Revision


def read_lock(source: Source, folder: str) -> StudentLock:
    """Return the lock beside a rulebook; an empty one where there is none.

    Raises ``DataError`` for a file that is no lock.
    """
    path = lock_path(folder)
    if not source.exists(path):
        return StudentLock(path)
    return parse_lock(source.read(path).decode("utf-8", "replace"), path=path)


def pinned(source: Source, rulebook: str, student: Student, *, nameless: bool = False) -> Student:
    """Return a student as the lock beside the rulebook at the path ``rulebook`` knows it.

    That makes a difference where its weights are not here; see ``PinnedStudent``.
    """
    real = student.student if isinstance(student, PinnedStudent) else student
    if not isinstance(real, LocalWeights):
        return real
    entry = read_lock(source, posixpath.dirname(rulebook)).students.get(real.name)
    return pin(real, entry.card if entry else None, nameless=nameless)


def require_student(
    source: Source, rulebook: str, student: Student, *, must_be_listed: bool = False
) -> None:
    """Hold a student to the lock beside the rulebook at the path ``rulebook``.

    Raises ``UsageError`` when its settings or weights are others than those locked; weights that
    are not here are taken to be those, if the lock lists the student. What only a
    server can tell is demanded of every reply: one that reports another model id than the locked
    one then raises ``ProviderError``. Without a lock nothing is demanded.
    """
    folder = posixpath.dirname(rulebook)
    lock = read_lock(source, folder)
    name = posixpath.basename(folder)
    entry = None
    if lock.students:  # only now: a card may need files that nobody asked for
        known = pinned(source, rulebook, student, nameless=True)
        entry = require_locked(lock, known.card, rulebook=name, must_be_listed=must_be_listed)
    if isinstance(student, ServedStudent):
        served = entry.served_model if entry else None
        student.expect_served(served, pinned_by=lock.path, hint=_served_hint(name, student))


def _served_hint(rulebook: str, student: Student) -> str:
    settings = "give the new model a table of its own with served_model set"
    return f"{settings}; {how_to_change(rulebook, student.card.name, old='OLD')}"


def locked_now(
    student: Student, earlier: StudentLock, revision: Revision, *, ask: bool
) -> LockedStudent:
    """Return a student as it is to be locked.

    With ``ask`` a student behind an endpoint that has not replied yet is asked about one training
    example, to learn as which model it answers; without, what the lock knew of the same student
    stays. Raises ``UsageError`` for replayed answers of which only a fingerprint is known.
    """
    card = student.card
    if card.recorded_fingerprint is not None:
        raise UsageError(
            "only the fingerprint of these recorded answers is known, not whose they are",
            where=f"student {card.name!r}",
            hint="spell the student out in its table: student = { kind = ..., model = ... }",
        )
    if not isinstance(student, ServedStudent):
        return LockedStudent(card)
    if ask and student.served_id is None:
        _ask_once(student, revision)
    known = earlier.students.get(card.name)
    before = known.served_model if known and known.card.fingerprint == card.fingerprint else None
    return LockedStudent(card, student.served_id or before)


def _ask_once(student: Student, revision: Revision) -> None:
    side = side_of(revision, student)
    train = revision.split("train")
    if not train:
        raise UsageError("there is no training example to ask about", where=revision.path)
    for _ in student.answer(side.rendered.prompt, (side.builder.query(train[0], side.rendered),)):
        return
