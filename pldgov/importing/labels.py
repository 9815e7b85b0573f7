"""Which label a text is about."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKUP = re.compile(r"[*_`\"'#:\s]+$|^[*_`\"'#\s]+")


def label_named(text: str, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the one label that a text names as a word of its own; nothing for none or several.

    Case does not count, and blanks, hyphens and underscores in a label are one. In "loan-fraud"
    neither loan nor fraud is named.
    """
    pattern, by_words = _names(tuple(labels))
    found = {by_words[_words(match[0])] for match in pattern.finditer(text)}
    return tuple(found) if len(found) == 1 else ()


def label_of_heading(text: str, labels: Sequence[str]) -> str | None:
    """Return the label that a heading consists of, whatever its markup."""
    bare = _words(_MARKUP.sub("", text))
    return next((label for label in labels if _words(label) == bare), None)


@lru_cache(maxsize=8)
def _names(labels: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, str]]:
    by_words = {_words(label): label for label in reversed(labels)}
    longest_first = sorted(by_words, key=len, reverse=True)
    any_label = "|".join(r"[\s_-]+".join(map(re.escape, words.split())) for words in longest_first)
    return re.compile(rf"(?<![\w-])(?:{any_label})(?![\w-])", re.IGNORECASE), by_words


def _words(text: str) -> str:
    return " ".join(re.split(r"[\s_-]+", text.casefold().strip())).strip()
