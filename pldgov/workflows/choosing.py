"""Who answers for a rulebook: what was asked for, else what the settings say of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pldgov.errors import UsageError
from pldgov.rulebook.loading import FILE_NAME
from pldgov.students import BUILT_IN
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from pldgov.config import Config
    from pldgov.workflows.finding import Finder


@dataclass(frozen=True)
class Choosing:
    """The one place that decides on a student's name.

    A name that was ``given`` goes before ``PLDGOV_STUDENT``, that before ``student_of`` in the
    settings, and that before ``student``.
    """

    config: Config
    finder: Finder

    @property
    def students(self) -> dict[str, Mapping[str, Any]]:
        """Every student's table by name."""
        return {**BUILT_IN, **self.config.students}

    def name(self, path: str | None = None, given: str | None = None) -> str:
        """Return who answers for the rulebook at ``path``, or by default.

        Raises ``UsageError`` where ``student_of`` names a student or a rulebook that is not there.
        """
        if given:
            return given
        self._is_sound  # noqa: B018  (looked at once)
        return self.config.student_for(path) if path else self.config.student

    def groups(self, paths: Sequence[str], given: str | None = None) -> dict[str, tuple[str, ...]]:
        """Return the rulebooks of each student by its name, all in the order of ``paths``."""
        groups: dict[str, tuple[str, ...]] = {}
        for path in paths:
            name = self.name(path, given)
            groups[name] = (*groups.get(name, ()), path)
        return groups

    @cached_property
    def _is_sound(self) -> bool:
        where = f"{self.config.root / 'pyproject.toml'}: [tool.pldgov.student_of]"
        for rulebook, student in self.config.student_of.items():
            if student not in self.students:
                raise _unknown("student", student, self.students, where=where)
            if not self.finder.tree.exists(f"{rulebook}/{FILE_NAME}"):
                known = self.finder.by_name()
                if rulebook not in known:
                    raise _unknown("rulebook", rulebook, known, where=where)
        return True


def _unknown(what: str, name: str, known: Iterable[str], *, where: str) -> UsageError:
    listed = ", ".join(sorted(known)) or "none"
    hint = did_you_mean(name, known) or f"known are {listed}"
    return UsageError(f"there is no {what} {name!r}", where=where, hint=hint)
