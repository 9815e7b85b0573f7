"""Ollama's Modelfile: a model with the prompt built in.

Its reader knows two quotations and no escapes: a text in three double quotes ends with the first
line that ends with three of them. It keeps line breaks and tabs, and drops every other character
that Go does not print. What it would drop or cut is refused here. A Modelfile has no place for the
answer's schema and none for a template of the input; both stand in comments for the caller.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from pldgov.errors import TemplateError, UsageError
from pldgov.exports.user_template import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.exports.model import Export

_ENDS_EARLY: Final = re.compile(r'"""[ \t]*[\r\n]')
_KEPT: Final = "\n\r\t"
_MODEL: Final = re.compile(r"[^\s\"]+")
_PARAMETERS: Final = {
    "temperature": "temperature",
    "seed": "seed",
    "max_tokens": "num_predict",
    "max_completion_tokens": "num_predict",
    "top_p": "top_p",
}


def render_ollama(export: Export) -> str:
    """Return the Modelfile; raises ``UsageError`` without a model, ``TemplateError`` for texts.

    ``MESSAGE`` holds each turn, ``PARAMETER`` the settings that Ollama has too.
    """
    return "\n".join((*_head(export), *_body(export))) + "\n"


def _head(export: Export) -> Iterator[str]:
    if export.model is None or not _MODEL.fullmatch(export.model):
        raise UsageError(
            "a Modelfile starts from a model",
            where="--format ollama",
            hint="name one that Ollama has: --model llama3.2:3b",
        )
    yield from (f"# {line}" for line in export.trace)
    yield f"# {export.title_line}"
    yield from _comments(export)
    yield f"FROM {export.model}"


def _comments(export: Export) -> Iterator[str]:
    """Yield what the caller must do, since a Modelfile cannot: the answer's form, the input's."""
    yield "# Ask for labels only by sending this as `format`, which a Modelfile cannot hold:"
    yield f"# {json.dumps(export.schema)}"
    if export.pieces != (Field(export.fields[0]),):
        yield "# Write each input as this template (Jinja) says; a Modelfile cannot:"
        lines = export.prompt.user_template.rstrip("\n").splitlines()
        yield from (f"#   {line}" for line in lines)
    left = sorted(set(export.settings) - set(_PARAMETERS))
    if left:
        yield f"# Settings of the student that a Modelfile does not hold: {', '.join(left)}"


def _body(export: Export) -> Iterator[str]:
    for name, value in export.settings.items():
        if name in _PARAMETERS:
            yield f"PARAMETER {_PARAMETERS[name]} {value}"
    yield f"SYSTEM {_quoted(export.prompt.system, 'the system text')}"
    for number, turn in enumerate(export.prompt.turns, start=1):
        yield f"MESSAGE user {_quoted(turn.user, f'the input of turn {number}')}"
        yield f"MESSAGE assistant {_quoted(turn.assistant, f'the label of turn {number}')}"


def _quoted(text: str, what: str) -> str:
    lost = next((one for one in text if not (one.isprintable() or one in _KEPT)), None)
    if lost is not None:
        name = unicodedata.name(lost, "a control or private character")
        raise TemplateError(
            f"{what} holds U+{ord(lost):04X} ({name}), which Ollama drops",
            where="--format ollama",
            hint="write it otherwise in the rulebook",
        )
    if _ENDS_EARLY.search(text):
        raise TemplateError(
            f'{what} has a line that ends with """, where a Modelfile ends the text',
            where="--format ollama",
            hint="write it otherwise in the rulebook",
        )
    return f'"""{text}"""'
