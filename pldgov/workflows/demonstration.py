"""The edits that the quickstart shows: one that harms, one that cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.errors import DataError
from pldgov.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

RULEBOOK = "rulebooks/desk-routing/rulebook.yaml"
_SAVINGS = "Withdrawal and opening terms of savings accounts"


@dataclass(frozen=True)
class Edit:
    """One change on a branch of its own: (file, old text, new text) each."""

    branch: str
    subject: str
    explanation: str
    replacements: tuple[tuple[str, str, str], ...]
    exit_code: int
    conclusion: str


EDITS: tuple[Edit, ...] = (
    Edit(
        branch="savings-to-transfer",
        subject="Send questions about savings terms to the transfer desk",
        explanation=(
            "6. A harmful edit on a branch: one rule now sends questions about terms of savings\n"
            "   accounts to the transfer desk. The gate asks about both prompts."
        ),
        replacements=(
            (
                RULEBOOK,
                f"    title: {_SAVINGS}\n    status: active\n    labels: [savings]\n",
                f"    title: {_SAVINGS}\n    status: active\n    labels: [transfer]\n",
            ),
            (
                RULEBOOK,
                "minimum deposit of a savings account: savings.",
                "minimum deposit of a savings account: transfer.",
            ),
        ),
        exit_code=1,
        conclusion="The gate stopped it: REGRESSED, with the answers that broke.",
    ),
    Edit(
        branch="say-why",
        subject="Say why the rule exists",
        explanation=(
            "7. A harmless edit on another branch: a comment and a rationale. The prompt's digest\n"
            "   stays what it was, so there is nothing to ask the student."
        ),
        replacements=(
            (
                RULEBOOK,
                "    rationale: >-\n      In each the thing to be used,",
                "    # Agreed with the card desk in November.\n"
                "    rationale: >-\n      At any hour, in each the thing to be used,",
            ),
        ),
        exit_code=0,
        conclusion="It passed without a student call.",
    ),
)


def without_rules(folder: Path) -> None:
    """Empty the example's list of rules, so that it can be distilled in front of the reader."""
    path = folder / RULEBOOK
    head, _, _ = path.read_text(encoding="utf-8").partition("\nrules:\n")
    write_atomically(path, f"{head}\nrules: []\n".encode())


def apply_edit(folder: Path, edit: Edit) -> None:
    """Replace each old text, which must stand in its file exactly once, by the new one."""
    for name, old, new in edit.replacements:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise DataError(f"{old!r} stands there {text.count(old)} times, not once", where=name)
        write_atomically(path, text.replace(old, new).encode())
