"""Untrusted text for a browser: what cannot be seen, or would turn text around, is spelt out."""

from __future__ import annotations

import unicodedata
from typing import Final

_SPELT: Final = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_KEPT: Final = {"\n", "\t", "\N{ZERO WIDTH JOINER}", "\N{ZERO WIDTH NON-JOINER}", "\N{SOFT HYPHEN}"}
"""White space, and what scripts and emoji need to be spelt right."""


def visible(text: str) -> str:
    """Return text in which every character that nobody can see stands as its code, ⟨U+202E⟩.

    The result has no bidirectional control and no lone surrogate, so it is valid UTF-8 and is
    read in the order in which it is written. HTML is not escaped here.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_spelt, text.replace("\r\n", "\n")))


def _spelt(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _SPELT:
        return character
    return f"⟨U+{ord(character):04X}⟩"
