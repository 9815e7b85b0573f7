"""Prompty: front matter in YAML, then messages below role markers, rendered by Jinja.

Its reader splits the rendered text into lines, takes a line such as ``user:`` for the start of a
message, and ends the front matter at the first ``---`` or ``+++`` wherever that stands. Nothing of
this can be escaped, so what would be misread is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pldgov.errors import TemplateError
from pldgov.exports.braces import escape_braces, require_identifiers
from pldgov.exports.user_template import Field
from pldgov.rulebook.yaml_writing import block

if TYPE_CHECKING:
    from pldgov.exports.model import Export

_WHERE: Final = "--format prompty"
_MARKER: Final = re.compile(
    r"^\s*#?\s*(?:assistant|developer|function|system|tool|user)(?:\[.*\])?\s*:\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_OPTIONS: Final = {
    "temperature": "temperature",
    "seed": "seed",
    "top_p": "topP",
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
}


def render_prompty(export: Export) -> str:
    """Return the ``.prompty`` file; raises ``TemplateError`` for what its reader would misread."""
    require_identifiers(export.fields, format="prompty")
    front = "".join(f"# {line}\n" for line in (*export.trace, *_left_out(export)))
    front += block(_front_matter(export), column=0)
    if "---" in front or "+++" in front:
        raise TemplateError(
            'a label, the title or the model holds "---" or "+++", where Prompty ends its header',
            where=_WHERE,
            hint="write it otherwise in the rulebook",
        )
    messages = [("system", _text(export.prompt.system, "the system text"))]
    for number, turn in enumerate(export.prompt.turns, start=1):
        messages.append(("user", _text(turn.user, f"the input of turn {number}")))
        messages.append(("assistant", _text(turn.assistant, f"the label of turn {number}")))
    messages.append(("user", _user(export)))
    body = "\n\n".join(f"{role}:\n{text}" for role, text in messages)
    return f"---\n{front}---\n{body}\n"


def _left_out(export: Export) -> list[str]:
    lines = [] if export.model else ["No model was named: set model.id to the one that is asked."]
    left = sorted(set(export.settings) - set(_OPTIONS))
    if left:
        lines.append(f"Settings of the student that are not written here: {', '.join(left)}")
    return lines


def _front_matter(export: Export) -> dict[str, Any]:
    model: dict[str, Any] = {"id": export.model} if export.model else {}
    options = {_OPTIONS[k]: v for k, v in export.settings.items() if k in _OPTIONS}
    return {
        "name": export.rulebook,
        "description": f"{export.title_line} (rulebook {export.rulebook})",
        "metadata": {"rulebook": export.rulebook, "prompt_sha256": export.prompt.digest},
        "model": {**model, "provider": "openai", "apiType": "chat", "options": options},
        "inputs": [{"name": name, "kind": "string", "required": True} for name in export.fields],
        "outputs": [
            {
                "name": "label",
                "kind": "string",
                "required": True,
                "enumValues": list(export.prompt.labels),
            }
        ],
        "template": {
            "format": {"kind": "jinja2", "strict": True},
            "parser": {"kind": "prompty"},
        },
    }


def _user(export: Export) -> str:
    pieces = export.user_pieces(format="prompty")
    return "".join(
        f"{{{{ {one.name} }}}}" if isinstance(one, Field) else _text(one.text, "the user template")
        for one in pieces
    )


def _text(text: str, what: str) -> str:
    marker = _MARKER.search(text)
    if marker:
        raise TemplateError(
            f"{what} has the line {marker[0].strip()!r}, which Prompty takes for a role",
            where=_WHERE,
            hint="write it otherwise in the rulebook",
        )
    odd = next((one for one in text if one != "\n" and len(f"x{one}x".splitlines()) > 1), None)
    if odd is not None:
        raise TemplateError(
            f"{what} holds U+{ord(odd):04X}, which Prompty turns into a line break",
            where=_WHERE,
            hint="write it otherwise in the rulebook",
        )
    return escape_braces(text)
