"""Recorded answers as JSON Lines: what the store exports, git keeps and the replay student reads.

One answer a line: ``{"prompt": ..., "student": ..., "input": ..., "repeat": 0, "answer": {...}}``,
with the prompt's digest, the student's fingerprint and the input's digest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pldgov.errors import DataError
from pldgov.results_json import answer_from_json, answer_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pldgov.results import Answer

_KEYS = {"prompt", "student", "input", "repeat", "answer"}


class AnswerKey(NamedTuple):
    """What an answer is kept by: three digests, and which of several askings it was."""

    prompt: str
    student: str
    input: str
    repeat: int = 0

    def __str__(self) -> str:
        digests = ", ".join(
            f"{name} {value[:12]}" for name, value in zip(self._fields[:3], self[:3], strict=True)
        )
        return f"{digests}, repeat {self.repeat}"


def line_of(key: AnswerKey, answer: Answer) -> str:
    """Return one line of the file, its newline included."""
    return dump_line({**key._asdict(), "answer": answer_to_json(answer)}) + "\n"


def read_lines(lines: Iterable[str], *, name: str) -> tuple[tuple[AnswerKey, Answer], ...]:
    """Return the keys and answers of a file called ``name``; empty lines are passed over.

    Raises ``DataError`` at the first line that does not fit, with ``name:line``.
    """
    return tuple(
        _read_line(line, f"{name}:{number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    )


def dump_line(value: Mapping[str, Any]) -> str:
    """Return JSON that people can read, escaped only where UTF-8 cannot hold it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate that a student wrote
        return json.dumps(value, allow_nan=False)
    return text


def _read_line(line: str, where: str) -> tuple[AnswerKey, Answer]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise DataError(f"the line is not JSON: {error}", where=where) from error
    if not isinstance(value, dict):
        raise DataError("the line is not a JSON object", where=where)
    key = _read_key(value, where)
    try:
        return key, answer_from_json(value["answer"])
    except DataError as error:
        raise DataError(error.message, where=where, hint=error.hint) from error


def _read_key(value: Mapping[str, Any], where: str) -> AnswerKey:
    if not _KEYS - {"repeat"} <= value.keys() <= _KEYS:
        names = "prompt, student, input, repeat, answer"
        raise DataError(f"a line has the keys {names}; this one: {', '.join(value)}", where=where)
    repeat = value.get("repeat", 0)
    for name in ("prompt", "student", "input"):
        if not isinstance(value[name], str) or not value[name]:
            raise DataError(f'"{name}" must be text', where=where)
    if not isinstance(repeat, int) or isinstance(repeat, bool) or repeat < 0:
        raise DataError('"repeat" must be a count', where=where)
    return AnswerKey(value["prompt"], value["student"], value["input"], repeat)
