r"""Dotprompt: front matter in YAML, then a Handlebars template with role markers.

A brace pair of the text is escaped as ``\{{``. White space between a marker and its text is taken
away by ``~``, so the file can be read; a text that begins or ends with white space of its own
stands directly at its markers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pldgov.errors import TemplateError
from pldgov.exports.user_template import Field
from pldgov.rulebook.yaml_writing import block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.exports.model import Export

_WHERE: Final = "--format dotprompt"
_PAIR: Final = re.compile(r"(\\*)\{\{")
_PLAIN: Final = re.compile(r"[a-z][a-z0-9_]*")
_HELPERS: Final = frozenset(
    ("each", "else", "false", "history", "if", "json", "log", "lookup", "media", "null", "role",
     "section", "this", "true", "undefined", "unless", "with")
)  # fmt: skip
"""Names that Handlebars or Dotprompt read otherwise than as a field."""


def render_dotprompt(export: Export) -> str:
    """Return the ``.prompt`` file; raises ``TemplateError`` for what it cannot hold."""
    front = "".join(f"# {line}\n" for line in export.trace)
    if not export.model:
        front += "# No model was named: set model to the one that is asked.\n"
    front += block(_front_matter(export), column=0)
    messages = [("system", export.prompt.system, "the system text")]
    for number, turn in enumerate(export.prompt.turns, start=1):
        messages.append(("user", turn.user, f"the input of turn {number}"))
        messages.append(("model", turn.assistant, f"the label of turn {number}"))
    return f"---\n{front}---\n{_body(messages, _user(export))}\n"


def _front_matter(export: Export) -> dict[str, Any]:
    """Return the header, with JSON Schema: Dotprompt's own short form has no escapes."""
    fields = {name: {"type": "string"} for name in export.fields}
    model = {"model": export.model} if export.model else {}
    return {
        "name": export.rulebook,
        **model,
        "description": f"{export.title_line} (rulebook {export.rulebook})",
        "config": dict(export.settings),
        "input": {
            "schema": {
                "type": "object",
                "properties": fields,
                "required": list(export.fields),
            }
        },
        "output": {"format": "json", "schema": dict(export.schema)},
        "metadata": {"rulebook": export.rulebook, "prompt_sha256": export.prompt.digest},
    }


def _body(messages: Sequence[tuple[str, str, str]], user: str) -> str:
    """Return the template of all messages: role, text, and what to call it in an error.

    ``user`` is the template of the last one. No marker takes white space from it: an input may
    begin with some.
    """
    done, tidy = "", False
    for role, text, what in messages:
        _refuse_marker(text, what)
        before, tidy = "~" if tidy else "", _is_tidy(text)
        if not tidy and text.endswith(("{", "\\")):
            raise TemplateError(
                f"{what} ends with {text[-1]!r}, which would join the next tag",
                where=_WHERE,
                hint="write it otherwise in the rulebook",
            )
        after, end = ("~", "\n") if tidy else ("", "")
        done += f'{{{{{before}role "{role}"{after}}}}}'
        done += f"{end or _apart(text)}{_escape(text)}{end}"
    return f'{done}{{{{{"~" if tidy else ""}role "user"}}}}{user}'


def _is_tidy(text: str) -> bool:
    """Tell whether white space around a text may be taken away."""
    return text == text.strip() and text == text.strip("\N{ZERO WIDTH NO-BREAK SPACE}")


def _apart(text: str) -> str:
    """Return what must stand between a tag and a text: three closing braces would be one tag's."""
    return "{{!}}" if text.startswith("}") else ""


def _user(export: Export) -> str:
    """Return the last message: literal text and fields, nothing between them."""
    done = ""
    for one in export.user_pieces(format="dotprompt"):
        if isinstance(one, Field):
            if done.endswith("{"):
                raise TemplateError(
                    f'the user template has "{{" directly before the field {one.name}',
                    where=_WHERE,
                    hint="put a blank between them",
                )
            done = f"{done}\\" if done.endswith("\\") else done
            done += f"{{{{{_reference(one.name)}}}}}"
        else:
            _refuse_marker(one.text, "the user template")
            done += _apart(one.text) + _escape(one.text)
    # White space at the end of the file is taken away: an empty comment keeps what is the text's.
    return f"{done}{{{{!}}}}" if done != done.rstrip() else done


def _reference(name: str) -> str:
    plain = _PLAIN.fullmatch(name) and name not in _HELPERS
    return name if plain else f"this.[{name}]"


def _escape(text: str) -> str:
    r"""Return a template that renders ``text``.

    ``\{{`` is a literal pair; after backslashes of the text's own it would be read as an escaped
    backslash and a tag, so the last of these is written as such, before an empty comment.
    """

    def escaped(match: re.Match[str]) -> str:
        slashes = match[1]
        return f"{slashes}\\{{{{!}}}}\\{{{{" if slashes else "\\{{"

    return _PAIR.sub(escaped, text)


def _refuse_marker(text: str, what: str) -> None:
    if "<<<dotprompt:" in text:
        raise TemplateError(
            f'{what} holds "<<<dotprompt:", with which Dotprompt marks roles',
            where=_WHERE,
            hint="write it otherwise in the rulebook",
        )
