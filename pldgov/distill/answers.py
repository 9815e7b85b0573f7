"""From the text of a reply to a checked answer, or to words that say what is wrong with it.

The words are our own, never a library's: they are part of the request that sends an answer back,
so they decide its digest, and recorded replies must be found again under other library versions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable

Answer = TypeVar("Answer", bound="TeacherAnswer")

NOT_JSON: Final = "is not JSON, or is cut off"

_SAID: Final = {
    "missing": "is missing",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "too_long": "has too many items",
    "literal_error": "is none of the values that are allowed",
    "model_type": "must be an object",
    "dict_type": "must be an object",
}
_OTHERWISE: Final = "does not fit the form"
_MOST_TOLD: Final = 20


class TeacherAnswer(BaseModel):
    """An answer, or a part of one; keys that nobody asked for are passed over."""

    model_config = ConfigDict(frozen=True, strict=True, str_strip_whitespace=True)


def read_answer(model: type[Answer], content: str) -> Answer | tuple[str, ...]:
    """Return the answer in ``content``, or what is wrong with it, in sentences without subject.

    Text around the JSON object, such as a code fence, is passed over.
    """
    value = _json_in(content)
    if value is None:
        return (NOT_JSON,)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        return _explain(error)


def object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of an object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_schema(item: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a list."""
    return {"type": "array", "items": item}


def choice_schema(values: Iterable[str]) -> dict[str, Any]:
    """Return the JSON Schema of a text that is one of ``values``."""
    return {"type": "string", "enum": list(values)}


TEXT_SCHEMA: Final = {"type": "string"}


def one_line(text: str) -> str:
    """Return the text with every run of white space as one blank."""
    return " ".join(text.split())


def printable(text: str) -> str:
    """Return the text on one line, with a sign for each character that terminals obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in one_line(text))


def _json_in(content: str) -> object | None:
    for text in (content, content[content.find("{") : content.rfind("}") + 1]):
        try:
            value: object = json.loads(text)
        except (ValueError, RecursionError):
            continue
        return value
    return None


def _explain(error: ValidationError) -> tuple[str, ...]:
    found = {
        f"{_path(item['loc'])}: {_SAID.get(item['type'], _OTHERWISE)}" for item in error.errors()
    }
    return tuple(sorted(found)[:_MOST_TOLD])


def _path(loc: tuple[str | int, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc)
    return "".join(steps).removeprefix(".") or "the answer"
