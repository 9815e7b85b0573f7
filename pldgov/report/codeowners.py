"""A CODEOWNERS fragment: each rulebook's folder and the accounts of who answers for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPECIAL = re.compile(r"([\\ #\[\]*?!])")


def render_codeowners(folders: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return a line a folder (from the repository's top), sorted, so that a diff shows changes."""
    patterns = [(_pattern(folder), " ".join(accounts)) for folder, accounts in sorted(folders)]
    width = max((len(pattern) for pattern, _ in patterns), default=0)
    return "".join(f"{pattern:{width}}  {accounts}\n" for pattern, accounts in patterns)


def missing_lines(fragment: str, text: str) -> tuple[str, ...]:
    """Return the lines of a fragment that a CODEOWNERS file does not hold, blanks aside."""
    there = {" ".join(line.split()) for line in text.splitlines()}
    return tuple(line for line in fragment.splitlines() if " ".join(line.split()) not in there)


def _pattern(folder: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", folder)
    return f"/{escaped}/" if folder else "/"
