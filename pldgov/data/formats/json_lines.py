"""JSON Lines: one object a line."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from pldgov.data.formats.text import decode_lines
from pldgov.data.rows import Row, check_rows, members, plain

if TYPE_CHECKING:
    from pldgov.data.rows import Findings


def read_json_lines(data: bytes, findings: Findings) -> list[Row]:
    """Return the objects of ``data``; blank lines are skipped, bad ones are noted.

    The number NaN and the infinities, which JSON does not know but some tools write, are kept
    as such in a field and become None inside lists and objects.
    """
    check_rows(data.count(b"\n"), where=findings.path)
    reader = _LineReader(findings)
    lines = enumerate(decode_lines(data, findings), 1)
    rows = [reader.read(number, line) for number, line in lines if line and not line.isspace()]
    return [row for row in rows if row is not None]


class _LineReader:
    """Reads one line at a time, watching for repeated keys and for NaN."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._repeated: list[str] = []
        self._constants = 0
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=self._constant
        )

    def read(self, number: int, line: str) -> Row | None:
        self._repeated.clear()
        self._constants = 0
        try:
            value = self._decoder.decode(line)
        except (ValueError, RecursionError) as error:
            self._note_invalid(number, line, error)
            return None
        if not isinstance(value, dict):
            message = f"the line holds {_kind(value)}, not an object"
            self._findings.add(number, "data-not-object", message, "one object {...} a line")
            return None
        if self._constants:
            value = {key: _keep_number(one) for key, one in value.items()}
        row = Row(number, value, line)
        for key in self._repeated:
            self._note_repeated(row, key)
        return row

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            self._repeated += sorted({key for key in keys if keys.count(key) > 1})
        return made

    def _constant(self, name: str) -> float:
        self._constants += 1
        return float(name)

    def _note_invalid(self, number: int, line: str, error: Exception) -> None:
        message, column, hint = f"not readable: {error}", 1, None
        if _CONFLICT.match(line):
            message, hint = "a merge conflict is not resolved", "keep one side, without the markers"
        elif isinstance(error, json.JSONDecodeError):
            message, column = f"not valid JSON: {error.msg}", error.pos + 1
            hint = _hint(number, line)
        elif isinstance(error, RecursionError):
            message = "lists or objects are nested too deeply"
        self._findings.add(number, "data-json", message, hint, column=column)

    def _note_repeated(self, row: Row, key: str) -> None:
        again = [one.column for one in members(row.text or "") if one.key == key][1:]
        self._findings.add(
            row.line,
            "data-duplicate-key",
            f'the key "{key}" stands twice in one object',
            "keep one of them",
            column=again[0] if again else 1,
        )


_CONFLICT = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?: .*)?\r?$")


def _keep_number(value: Any) -> Any:
    return value if isinstance(value, float) and math.isnan(value) else plain(value)


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _hint(number: int, line: str) -> str | None:
    """Return advice for the two usual mistakes: one JSON document, and single quotes."""
    if number == 1 and line.lstrip()[:1] in ("[", "{") and line.rstrip()[-1:] not in ("]", "}"):
        return "a .jsonl file holds one whole object on each line"
    if line.lstrip().startswith("{'"):
        return 'JSON wants double quotes: {"id": ...}'
    return None
