"""Who stands behind each rule of a prompt, for a page or a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report.blame_text import approval_line
from pldgov.report.markdown import escape

if TYPE_CHECKING:
    from pldgov.history.model import Blame, BlamedRule


def render_blame_markdown(blame: Blame) -> str:
    """Return which prompt was live, and a table of its active rules in the prompt's order."""
    lines = [
        f"### {escape(blame.rulebook)} at {escape(blame.at)}",
        "",
        f"- file: {escape(blame.path)}",
        f"- commit: `{blame.sha}`, {blame.committed:%Y-%m-%d %H:%M %z}: {escape(blame.subject)}",
        f"- prompt: {f'`{blame.prompt}`' if blame.prompt else 'none'}",
        *([f"- {escape(blame.problem)}"] if blame.problem else []),
        *(f"- {escape(note)}" for note in blame.notes),
        "",
        "| rule | labels | wording | last changed | approval |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(_cells(rule))} |" for rule in blame.rules),
    ]
    return "\n".join(lines) + "\n"


def _cells(blamed: BlamedRule) -> tuple[str, ...]:
    rule, commit = blamed.rule, blamed.commit
    earlier = " or earlier" if blamed.cut else ""
    return (
        escape(rule.id),
        escape(", ".join(rule.labels)),
        escape(rule.instruction),
        f"{commit.authored:%Y-%m-%d}{earlier}, `{commit.short}`, "
        f"{escape(', '.join(commit.people))}",
        escape(approval_line(blamed)),
    )
