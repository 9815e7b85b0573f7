"""Markdown that untrusted text cannot break out of."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from pldgov.report.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

_APART = "\N{ZERO WIDTH SPACE}"
"""Parts what a forge would make a mention, a reference or a link of; see ``escape``."""
_LIVE = re.compile(
    r"(?<=@)(?=\S)"  # a mention, an e-mail address
    r"|(?<=#)(?=\d)|(?<=GH-)(?=\d)"  # a reference to an issue
    r"|(?<=:)(?=//)|(?<=www)(?=\.)"  # an address
    r"|(?<=:)(?=(?:\d*[a-z_+-][\w+-]*|100|1234):)",  # an emoji's short name, not a line number
    re.IGNORECASE,
)
_SPECIAL = re.compile(rf"[\\`*_\[\]#|~@<>{_APART}]")
_LIST_OR_RULE = re.compile(
    r"^[-+](?=\s|$)|^-(?=[- ]*$)|^=(?=[= ]*$)|"
    + "|".join(rf"(?<=^\d{{{digits}}})[.)](?=\s|$)" for digits in range(1, 10))
)
"""What would start a list or underline a heading, at the beginning of a line."""


def escape(text: str) -> str:
    """Return text that Markdown and HTML show as it is, on one line, wherever it stands.

    Characters that cannot be seen are spelt out. Forges look for ``@name``, ``#12`` and addresses
    in what they have rendered, where no escape is left; therefore a zero-width space parts them,
    so that a quoted text mentions nobody and no discussion elsewhere hears of it. A dollar sign
    is wrapped, or two of them would be mathematics.
    """
    flat = _LIVE.sub(_APART, visible(" ".join(text.split())))
    escaped = _SPECIAL.sub(_entity, html.escape(flat, quote=False))
    return _LIST_OR_RULE.sub(_entity, escaped).replace("$", "<span>$</span>")


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def rows_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table's lines; the first column is text, the others are figures."""
    return [
        f"| {' | '.join(head)} |",
        f"|---|{'---:|' * (len(head) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
