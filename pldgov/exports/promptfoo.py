"""promptfoo: a configuration with the prompt, and each labelled example as a test.

The chat messages stand as JSON, of which promptfoo renders every text with Nunjucks. The fields of
an input stand together in one variable, ``input``: promptfoo loads a variable that starts with
``file://`` from disk and renders one that holds braces, but leaves an object's values alone.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from pldgov.errors import DataError, TemplateError, UsageError
from pldgov.exports.braces import escape_braces
from pldgov.exports.user_template import Field
from pldgov.rulebook.yaml_writing import block

if TYPE_CHECKING:
    from pldgov.exports.model import Asked, Export

_WHERE: Final = "--format promptfoo"
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")
_LOADED: Final = ("file://", "package:", "http://", "https://")
_ENVIRONMENT: Final = re.compile(r"\{\{(?:[^}]|\}(?!\}))*\benv(?:\.|\[)")
_READ_LABEL: Final = (
    "(() => { try { const said = typeof output === 'string' ? JSON.parse(output) : output; "
    "return said && said.label !== undefined ? said.label : String(output).trim(); } "
    "catch { return String(output).trim(); } })()"
)
"""The label of a JSON answer, else the text as it is, as the student of kind openai reads it."""


def render_promptfoo(export: Export) -> str:
    """Return ``promptfooconfig.yaml``.

    Raises ``UsageError`` without labelled examples, ``DataError`` for one that promptfoo would
    alter, ``TemplateError`` for a label that it would load from disk.
    """
    if not export.asked or any(one.example is None for one in export.asked):
        raise UsageError(
            "the tests are labelled examples", where=_WHERE, hint="name them with --split or --data"
        )
    head = [*export.trace]
    if export.model is None:
        head.append("No model was named: the echo provider answers with the prompt itself.")
    comment = "".join(f"# {line}\n" for line in head)
    return "# yaml-language-server: $schema=https://promptfoo.dev/config-schema.json\n" + (
        comment + block(_config(export), column=0)
    )


def _config(export: Export) -> dict[str, Any]:
    return {
        "description": escape_braces(f"{export.title_line} (rulebook {export.rulebook})"),
        "tags": {"pldgov.rulebook": export.rulebook, "pldgov.prompt_sha256": export.prompt.digest},
        "prompts": [{"label": export.tag, "raw": _raw(export)}],
        "providers": [_provider(export)],
        "defaultTest": {"options": {"transform": _READ_LABEL}},
        "tests": [_test(one) for one in export.asked],
    }


def _raw(export: Export) -> str:
    """Return the messages as JSON, the input's template last."""
    shown = [
        {"role": one["role"], "content": escape_braces(one["content"])}
        for one in export.prompt.messages
    ]
    pieces = export.user_pieces(format="promptfoo")
    user = "".join(
        f"{{{{ {_reference(one.name)} }}}}" if isinstance(one, Field) else escape_braces(one.text)
        for one in pieces
    )
    return json.dumps([*shown, {"role": "user", "content": user}], indent=1, ensure_ascii=False)


def _reference(name: str) -> str:
    return f"input.{name}" if _PLAIN.fullmatch(name) else f'input["{name}"]'


def _provider(export: Export) -> str | dict[str, Any]:
    if export.model is None:
        return "echo"
    config = dict(export.settings)
    if export.response_format is not None:
        config["response_format"] = dict(export.response_format)
    if export.base_url is not None:
        config["apiBaseUrl"] = export.base_url
    return {"id": f"openai:chat:{export.model}", "config": config}


def _test(asked: Asked) -> dict[str, Any]:
    example = asked.example
    assert example is not None
    for text in example.inputs.values():
        if _ENVIRONMENT.search(text):
            raise DataError(
                f'example "{example.id}" holds "{{{{ env", which promptfoo replaces',
                where=_WHERE,
                hint="leave the example out",
            )
    return {
        "description": escape_braces(example.id),
        "metadata": {"example": example.id},
        "vars": {"input": dict(example.inputs)},
        "assert": [{"type": "equals", "value": _label(example.label)}],
    }


def _label(label: str) -> str:
    if label.startswith(_LOADED):
        raise TemplateError(
            f"the label {label!r} is an address to promptfoo, which would load it",
            where=_WHERE,
            hint="rename it",
        )
    return escape_braces(label)
