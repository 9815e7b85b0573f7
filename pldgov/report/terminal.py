"""Untrusted text on a terminal: nothing that moves the cursor, hides or turns letters around."""

from __future__ import annotations

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def printable(text: str) -> str:
    """Return text on one line in which every character that cannot be seen stands as its code."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return "".join(
        f"<U+{ord(character):04X}>" if unicodedata.category(character) in _HIDDEN else character
        for character in " ".join(text.split())
    )
