"""A distillation as Markdown, for a pull request or a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report.distill_text import course, gate_rows, label_rows, teacher_rows
from pldgov.report.markdown import escape, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.distill.summary import RoundLine, Summary


def render_distill_markdown(summary: Summary) -> str:
    """Return the tables first, then what was chosen, every operation, and the findings."""
    lines = [f"## Distillation of {escape(summary.rulebook)}", ""]
    if summary.gate:
        head = ("gate split", "macro-F1", "95 % interval", "rules", "prompt tokens", "latency")
        lines += [*rows_of(head, gate_rows(summary.gate)), ""]
        names = ("F1 by label", *(line.name for line in summary.gate))
        lines += [*rows_of(names, _escaped(label_rows(summary.gate))), ""]
    lines += [f"- {escape(line)}" for line in course(summary)]
    spent = ("teacher", "calls", "tokens in", "tokens out", "cost")
    lines += ["", *rows_of(spent, teacher_rows(summary)), ""]
    if summary.rounds:
        lines += ["### Rounds", "", *(line for one in summary.rounds for line in _round(one)), ""]
    if summary.findings:
        lines += ["### Findings", ""]
        lines += [f"- {escape(': '.join(filter(None, each)))}" for each in summary.findings]
        lines.append("")
    return "\n".join(lines)


def _round(one: RoundLine) -> list[str]:
    lines = [
        f"- round {one.number}: {one.wrong} of {one.sampled} training examples wrong; validation "
        f"{one.before:.3f} to {one.after:.3f}"
    ]
    for each in one.operations:
        what = f"{each.kind} {', '.join(each.targets or each.rules)}"
        alone = "" if each.alone is None else f" (alone {each.alone:.3f})"
        lines.append(f"  - {each.outcome}: {escape(what)}{alone}: {escape(each.reason)}")
    return lines


def _escaped(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [(escape(first), *rest) for first, *rest in rows]
