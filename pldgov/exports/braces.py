"""Literal text in Jinja and Nunjucks: no brace of it opens a tag."""

from __future__ import annotations

import re
from typing import Final

from pldgov.errors import TemplateError

_TAG: Final = re.compile(r"\{(?=[{%#]|\Z)|(?<=#)\}")
"""A brace that opens a tag, or would with what follows; Nunjucks also trips over a lone ``#}``."""
_IDENTIFIER: Final = re.compile(r"[a-z_][a-z0-9_]*")


def escape_braces(text: str) -> str:
    """Return a template that renders ``text``, and may be followed by a tag at once."""
    return _TAG.sub(lambda match: f'{{{{ "{match[0]}" }}}}', text)


def require_identifiers(fields: tuple[str, ...], *, format: str) -> None:  # noqa: A002  (the option's name)
    """Raise ``TemplateError`` for a field whose name is no variable's."""
    odd = [name for name in fields if not _IDENTIFIER.fullmatch(name)]
    if odd:
        raise TemplateError(
            f"the input field {odd[0]!r} cannot be a variable's name in this format",
            where=f"--format {format}",
            hint="name it with letters, digits and underscores in task.inputs and the examples",
        )
