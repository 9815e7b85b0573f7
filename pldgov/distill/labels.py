"""Labels in a teacher's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def exact_label(said: str, labels: Iterable[str]) -> str | None:
    """Return the label that ``said`` is, up to case and the signs between words, else None."""
    known = tuple(labels)
    if said in known:
        return said
    near = [label for label in known if _plain(label) == _plain(said)]
    return near[0] if len(near) == 1 else None


def names_label(text: str, label: str) -> bool:
    """Tell whether a text names a label as words of its own."""
    return re.search(rf"(?<!\w){re.escape(_plain(label))}(?!\w)", _plain(text)) is not None


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", text.casefold()).strip()
