"""Who stands behind each rule of a prompt, for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.history.model import Blame, BlamedRule


def render_blame_text(blame: Blame) -> str:
    """Return which prompt was live, then a paragraph a rule, in the prompt's order."""
    approved = sum(rule.standing == "valid" for rule in blame.rules)
    lines = [
        f"{printable(blame.rulebook)} at {printable(blame.at)}  ({printable(blame.path)})",
        f"  commit {blame.short}, {blame.committed:%Y-%m-%d %H:%M %z}: {printable(blame.subject)}",
        f"  prompt {blame.prompt or '-'}",
        f"  {len(blame.rules)} active rules, {approved} with an approval that holds",
        *([f"  {printable(blame.problem)}"] if blame.problem else []),
    ]
    for rule in blame.rules:
        lines += ["", *_rule(rule)]
    lines += ["", *(f"note: {note}" for note in blame.notes)] if blame.notes else []
    return "\n".join(lines) + "\n"


def _rule(blamed: BlamedRule) -> Iterator[str]:
    rule, commit = blamed.rule, blamed.commit
    labels = ", ".join(map(printable, rule.labels)) or "-"
    yield f"{printable(rule.id)}  [{labels}]"
    yield f"    {printable(rule.instruction)}"
    earlier = " or earlier" if blamed.cut else ""
    yield (
        f"    changed {commit.authored:%Y-%m-%d}{earlier}, {commit.short}, "
        f"{', '.join(map(printable, commit.people))}: {printable(commit.subject)}"
    )
    yield f"    {approval_line(blamed)}"


def approval_line(blamed: BlamedRule) -> str:
    """Return who approved a rule, and whether that holds."""
    review = blamed.rule.review
    if review is None:
        return "approved by nobody"
    verdict = f", gate {review.verdict}" if review.verdict else ""
    void = "" if blamed.standing == "valid" else " (void: it was for another wording)"
    return f"approved {review.on} by {printable(review.by)}{verdict}{void}"
