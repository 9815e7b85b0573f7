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


EDITS: tuple[Edit, ...] = (
    Edit(
        branch="savings-to-transfer",
        subject="Send savings questions to the transfer desk",
        explanation=(
            "5. A harmful edit on a branch: one rule, and the examples that it shows, now send\n"
            "   savings questions to the transfer desk. The gate asks about both prompts."
        ),
        replacements=(
            (RULEBOOK, "    labels: [savings]\n", "    labels: [transfer]\n"),
            (
                RULEBOOK,
                "Money put aside and the interest on it: savings.",
                "Money put aside and the interest on it: transfer.",
            ),
            (TRAIN, 'on the 2nd", "label": "savings"', 'on the 2nd", "label": "transfer"'),
            (
                TRAIN,
                'that pays more?", "label": "savings"',
                'that pays more?", "label": "transfer"',
            ),
        ),
        exit_code=1,
        conclusion="The gate stopped it: REGRESSED, with the answers that broke.",
    ),
    Edit(
        branch="say-why",
        subject="Say why the rule exists",
        explanation=(
            "6. A harmless edit on another branch: a comment and a rationale. The prompt's digest\n"
            "   stays what it was, so there is nothing to ask the student."
        ),
        replacements=(
            (
                RULEBOOK,
                "    rationale: The card desk blocks, replaces and sets up cards.\n",
                "    # Agreed with the card desk in November.\n"
                "    rationale: The card desk blocks, replaces and sets up cards, day and night.\n",
            ),
        ),
        exit_code=0,
        conclusion="It passed without a student call.",
    ),
)


def apply_edit(folder: Path, edit: Edit) -> None:
    """Replace each old text, which must stand in its file exactly once, by the new one."""
    for name, old, new in edit.replacements:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise DataError(f"{old!r} stands there {text.count(old)} times, not once", where=name)
        write_atomically(path, text.replace(old, new).encode())
