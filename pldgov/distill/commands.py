"""Texts of a teacher that try to command their reader, or to break out of the prompt.

Rules are shown to students and to people: one that holds control tokens, template syntax or
orders such as "ignore previous instructions" is rejected, not repaired.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pldgov.rulebook.checks.wording import CONTROL_TOKEN, hidden_characters

if TYPE_CHECKING:
    from collections.abc import Iterable

_TEMPLATE: Final = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_COMMAND: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|overrule|do not follow|don't follow)\b"
    r"(?:\s+\w+){0,3}?\s+(?:previous|prior|above|earlier|preceding|all|any|other|your|system|these)"
    r"(?:\s+\w+){0,2}?\s+(?:instruction|prompt|rule|guideline|direction|polic|command)\w*"
    r"|\byou are (?:now|no longer)\b|\bfrom now on,? you\b"
    r"|\b(?:system prompt|developer message|hidden prompt)\b"
    r"|\b(?:reveal|print|repeat|show|output)\b(?:\s+\w+){0,3}?\s+(?:prompt|instructions)\b"
    r"|\bnew instructions?\s*:",
    re.IGNORECASE,
)


def hostile(texts: Iterable[str]) -> str | None:
    """Return why one of the texts must not reach a reader, as a sentence without subject."""
    for text in texts:
        if CONTROL_TOKEN.search(text):
            return "holds a control token of a chat template"
        if _TEMPLATE.search(text):
            return "holds template syntax"
        if _COMMAND.search(text):
            return "commands its reader"
        if any(character not in "\n\t\r" for character in hidden_characters(text)):
            return "holds characters that nobody sees"
    return None
