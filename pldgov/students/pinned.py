"""A student under one rulebook: known by the rulebook's lock where its weights are not here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pldgov.errors import StudentAbsentError
from pldgov.ports import LocalWeights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pldgov.ports import Student
    from pldgov.questions import Prompt, Query
    from pldgov.results import Answer, StudentCard


@dataclass(frozen=True)
class PinnedStudent:
    """A local student whose weights, where they are absent, are taken to be those of ``locked``.

    So its recorded answers are found, and its settings are held against the lock, on a machine
    that cannot ask it. ``nameless`` gives a card without ``locked``, too, for reports that have to
    call the student something.
    """

    student: Student
    locked: StudentCard | None
    nameless: bool = False

    @cached_property
    def card(self) -> StudentCard:
        """Who answers; raises ``StudentAbsentError`` where neither weights nor lock tell."""
        try:
            return self._known
        except StudentAbsentError:
            if not self.nameless:
                raise
            return self._presumed(None)

    def require_known(self) -> None:
        """Raise ``StudentAbsentError`` where neither weights nor lock tell who answers."""
        self._known  # noqa: B018  (looked at once)

    @cached_property
    def _known(self) -> StudentCard:
        try:
            return self.student.card
        except StudentAbsentError:
            if self.locked is None:
                raise
            return self._presumed(self.locked)

    def _presumed(self, locked: StudentCard | None) -> StudentCard:
        assert isinstance(self.student, LocalWeights)
        return self.student.presumed_card(locked)

    def answer(self, prompt: Prompt, queries: Sequence[Query]) -> Iterator[tuple[int, Answer]]:
        """Yield the student's answers; raises ``StudentAbsentError`` where it is not here."""
        return self.student.answer(prompt, queries)

    def count_tokens(self, text: str) -> int | None:
        """Return the tokens of ``text``; raises ``StudentAbsentError`` where it is not here."""
        return self.student.count_tokens(text)

    def close(self) -> None:
        """Free what the student holds."""
        self.student.close()


def count_if_here(student: Student) -> Callable[[str], int | None]:
    """Return what counts tokens for a figure: None, too, where the student is not here."""

    def count(text: str) -> int | None:
        try:
            return student.count_tokens(text)
        except StudentAbsentError:
            return None

    return count


def pin(student: Student, locked: StudentCard | None, *, nameless: bool = False) -> Student:
    """Return a student as one rulebook knows it; one without weights here stays as it is."""
    if isinstance(student, PinnedStudent):
        student = student.student
    if not isinstance(student, LocalWeights):
        return student
    return PinnedStudent(student, locked, nameless)
