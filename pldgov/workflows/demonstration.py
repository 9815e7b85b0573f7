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


_LABEL = '", "label": '


def _relabelled(title: str, old: str, new: str) -> tuple[tuple[str, str, str], ...]:
    start = f"    title: {title}\n    status: active\n    labels: "
    return ((RULEBOOK, f"{start}[{old}]\n", f"{start}[{new}]\n"),)


EDITS: tuple[Edit, ...] = (
    Edit(
        branch="loan-and-login",
        subject="Tidy up the rules about loans and logins",
        explanation=(
            "6. A harmful edit on a branch: two rules, and the examples that they show, got each\n"
            "   other's label, a slip of copy and paste. The gate asks about both prompts."
        ),
        replacements=(
            *_relabelled("Handling of repayments on a debt", "loan", "login"),
            *_relabelled("Password, secret answer or reset link", "login", "loan"),
            (RULEBOOK, "mean label\n      loan.", "mean label\n      login."),
            (RULEBOOK, "reset link means label login.", "reset link means label loan."),
            (TRAIN, f'the 26th.{_LABEL}"loan"', f'the 26th.{_LABEL}"login"'),
            (TRAIN, f'Is there a penalty?{_LABEL}"loan"', f'Is there a penalty?{_LABEL}"login"'),
            (TRAIN, f'choosing one!{_LABEL}"login"', f'choosing one!{_LABEL}"loan"'),
            (TRAIN, f'two minute only{_LABEL}"login"', f'two minute only{_LABEL}"loan"'),
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
                "    rationale: >-\n      In all of these the failure",
                "    # Agreed with the card desk in November.\n"
                "    rationale: >-\n      Everywhere and at any hour. In all of these the failure",
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
