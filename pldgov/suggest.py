"""The did-you-mean of every message."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return ``did you mean "..."?`` for the nearest known word, None when none is near."""
    from difflib import get_close_matches  # noqa: PLC0415  (only wrong words pay for it)

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else None
