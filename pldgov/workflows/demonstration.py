"""The edits that the quickstart shows: one that harms, one that cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.errors import DataError
from pldgov.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

RULEBOOK = "rulebooks/desk-routing/rulebook.yaml"
TRAIN = "rulebooks/desk-routing/examples/train.jsonl"


@dataclass(frozen=True)
class Edit:
    """One change on a branch of its own: (file, old text, new text) each."""

    branch: str
    subject: str
    explanation: str
    replacements: tuple[tuple[str, str, str], ...]
    exit_code: int
    conclusion: str


EDITS: tuple[Edit, ...] = ()


def apply_edit(folder: Path, edit: Edit) -> None:
    """Replace each old text, which must stand in its file exactly once, by the new one."""
    for name, old, new in edit.replacements:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise DataError(f"{old!r} stands there {text.count(old)} times, not once", where=name)
        write_atomically(path, text.replace(old, new).encode())
