"""Markdown that untrusted text cannot break out of."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~@<>-])")


def escape(text: str) -> str:
    """Return text that Markdown and HTML show as it is, on one line.

    ``@`` is escaped too, so that a quoted message mentions nobody.
    """
    flat = " ".join(text.split())
    return _SPECIAL.sub(lambda match: f"&#{ord(match[1])};", html.escape(flat, quote=False))


def rows_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table's lines; the first column is text, the others are figures."""
    return [
        f"| {' | '.join(head)} |",
        f"|---|{'---:|' * (len(head) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
