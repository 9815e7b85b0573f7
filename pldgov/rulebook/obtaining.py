"""The words for examples that are not committed: what is not here, and how to get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from pldgov.dataset import SplitName
    from pldgov.rulebook.model import Splits


def absence(examples: Splits, absent: Collection[SplitName]) -> str:
    """Say which example files are not here, in the order of ``absent``."""
    files = ", ".join(_printable(getattr(examples, name)) for name in absent)
    return f"its examples are not committed, and not here: {files}"


def advice(examples: Splits) -> str:
    """Say how to get the examples, as ``examples.obtain`` has it."""
    return f"to get them: {_printable(examples.obtain or '')}"


def _printable(text: str) -> str:
    """Return the text on one line, without characters that a terminal would obey."""
    flat = " ".join(text.split())
    return "".join(char if char.isprintable() else f"U+{ord(char):04X}" for char in flat)
