"""The one family of errors that pldgov raises on purpose.

Every error says where it happened, what is wrong and what to do. The command line turns an
error into its exit code and one message; anything else that escapes is a bug (exit code 70).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.problems import Problem


class PldgovError(Exception):
    """An error that a user can act on.

    ``where`` is a place (``path:line:column``, an example id, a setting's name), ``hint`` what
    to do about it; both are part of ``str(error)``.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.message = message
        self.where = where
        self.hint = hint
        super().__init__(message, where, hint)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{advice}"


class UsageError(PldgovError):
    """A command, option or setting that does not fit (exit code 2)."""


class ExamplesAbsentError(UsageError):
    """Examples that are not committed are not here (exit code 2); the hint says how to get them.

    A gate catches it: without its examples a rulebook is neither good nor bad.
    """


class RulebookError(PldgovError):
    """A rulebook that cannot be used; carries every problem found in it (exit code 2)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class TemplateError(PldgovError):
    """A template that does not render, or renders something it must not (exit code 2)."""


class DataError(PldgovError):
    """An examples file or a recorded answer that cannot be read as such (exit code 2)."""


class StorageError(PldgovError):
    """A file, a cache or the store that could not be read or written (exit code 2)."""


class UnjudgedError(PldgovError):
    """No verdict can be given: no base, no student, nothing to compare with (exit code 3)."""

    exit_code = 3


class NoBaseError(UnjudgedError):
    """History gives nothing to compare with: no repository, no commit, no such revision."""


class ProviderError(PldgovError):
    """A student or teacher that cannot be reached, loaded or trusted (exit code 4)."""

    exit_code = 4


class StudentAbsentError(ProviderError):
    """A student whose weights, or the packages that read them, are not on this machine.

    ``by_design`` is true where its table says that this is to be expected (``obtain``); the hint
    then says how to get them. A gate catches it: the rulebook is then neither good nor bad.
    """

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        by_design: bool = False,
    ) -> None:
        self.by_design = by_design
        super().__init__(message, where=where, hint=hint)


class BudgetError(PldgovError):
    """A budget in requests, tokens or money that is spent, or cannot be enforced (exit code 4)."""

    exit_code = 4
