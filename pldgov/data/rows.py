"""Rows as a file holds them, before they are examples, and what is wrong with them."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from pldgov.errors import DataError
from pldgov.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pldgov.problems import Severity

MAX_BYTES = 2 * 1024**3
"""The largest file of examples that is read."""

MAX_ROWS = 5_000_000
"""The most examples that one file may hold."""

MAX_PROBLEMS = 1_000
"""The most problems of one file that are listed; the rest is counted."""

_NEXT_KEY = re.compile(r'\s*,?\s*(?=")')
_COLON = re.compile(r"\s*:\s*")
_DECODER = json.JSONDecoder()


class Row(NamedTuple):
    """One row: its line (or number) from 1, its fields and, for JSON, its line's text."""

    line: int
    values: Mapping[str, Any]
    text: str | None = None


class Member(NamedTuple):
    """A member of a JSON object: its key, the column of its value and the value as written."""

    key: str
    column: int
    written: str


class Findings:
    """Collects the problems of one file, each at its place."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._problems: list[Problem] = []
        self._left_out = 0

    def add(
        self,
        line: int,
        code: str,
        message: str,
        hint: str | None = None,
        *,
        column: int = 1,
        severity: Severity = "error",
    ) -> None:
        """Note a problem; beyond ``MAX_PROBLEMS`` it is only counted."""
        if len(self._problems) >= MAX_PROBLEMS:
            self._left_out += 1
            return
        self._problems.append(
            Problem(self.path, line, column, code, message, hint, severity=severity)
        )

    def add_field(
        self,
        row: Row,
        field: str,
        code: str,
        message: str,
        hint: str | None = None,
        severity: Severity = "error",
    ) -> None:
        """Note a problem with one field of a row, at the column of its value where known."""
        found = member(row, field)
        column = found.column if found else 1
        self.add(row.line, code, message, hint, column=column, severity=severity)

    def problems(self) -> tuple[Problem, ...]:
        """Return all problems in the order of the file."""
        ordered = sorted(self._problems, key=lambda problem: (problem.line, problem.column))
        if self._left_out:
            message = f"{self._left_out:,} more problems are not listed"
            ordered.append(Problem(self.path, ordered[-1].line, 1, "data-too-many", message))
        return tuple(ordered)

    def __bool__(self) -> bool:
        return bool(self._problems)


def member(row: Row, field: str) -> Member | None:
    """Return the last member of that name, the one that counts; None for rows without text."""
    if row.text is None:
        return None
    found = [one for one in members(row.text) if one.key == field]
    return found[-1] if found else None


def members(text: str) -> Iterator[Member]:
    """Yield the top-level members of ``text``, one valid JSON object, with their columns."""
    end = text.index("{") + 1
    while key_at := _NEXT_KEY.match(text, end):
        key, end = _DECODER.raw_decode(text, key_at.end())
        colon = _COLON.match(text, end)
        assert colon is not None
        _, end = _DECODER.raw_decode(text, colon.end())
        yield Member(key, colon.end() + 1, text[colon.end() : end])


def plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it: dates and the like as text, NaN as None."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def check_size(size: int, *, where: str) -> None:
    """Raise ``DataError`` for a file of more than ``MAX_BYTES`` bytes."""
    if size > MAX_BYTES:
        raise DataError(
            f"the file has {size:,} bytes; at most {MAX_BYTES:,} are read",
            where=where,
            hint="split it, or keep the rows that the task needs",
        )


def check_rows(count: int, *, where: str) -> None:
    """Raise ``DataError`` for more than ``MAX_ROWS`` rows."""
    if count > MAX_ROWS:
        raise DataError(
            f"there are {count:,} rows; at most {MAX_ROWS:,} are read",
            where=where,
            hint="a gate needs hundreds or thousands of examples: draw a sample",
        )
