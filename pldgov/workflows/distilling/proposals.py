"""What a teacher would change about rules that people wrote: for people to read, never applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report.markdown import escape

if TYPE_CHECKING:
    from pldgov.distill.model import Operation
    from pldgov.workflows.distilling.outcome import Outcome


def proposals_text(outcome: Outcome) -> str:
    """Return the proposals as Markdown, nothing when there are none."""
    found = [
        (one.number, tried.operation)
        for one in outcome.rounds
        for tried in one.tried
        if tried.proposal
    ]
    if not found:
        return ""
    lines = ["# Proposals about rules that people wrote", ""]
    for number, operation in found:
        lines += _proposal(number, operation)
    return "\n".join(lines)


def _proposal(number: int, operation: Operation) -> list[str]:
    targets = ", ".join(map(escape, operation.targets))
    lines = [f"## {operation.kind} {targets} (round {number})", "", escape(operation.reason), ""]
    for rule in operation.rules:
        labels = ", ".join(map(escape, rule.labels))
        lines += [f"- **{escape(rule.title)}** ({labels}): {escape(rule.instruction)}"]
    cited = ", ".join(map(escape, operation.examples))
    return [*lines, *([""] if operation.rules else []), f"Examples: {cited}", ""]
