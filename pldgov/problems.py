"""What is wrong with a file, and where: the value that loading and linting report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding at one place.

    ``line`` and ``column`` count from 1. ``code`` is the check's stable name (kebab-case), by
    which it is selected, excluded and documented.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    hint: str | None = None
    severity: Severity = "error"
    rule_id: str | None = None

    @property
    def place(self) -> str:
        """``path:line:column``, as editors and terminals link it."""
        return f"{self.path}:{self.line}:{self.column}"

    def __str__(self) -> str:
        advice = f" ({self.hint})" if self.hint else ""
        return f"{self.place}: {self.message}{advice} [{self.code}]"
