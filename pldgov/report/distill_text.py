"""A distillation for the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pldgov.report import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pldgov.distill.summary import Line, Summary

_MOST_FINDINGS = 20


def render_distill_text(summary: Summary) -> str:
    """Return the comparison on the gate split, then how the rules came about, then findings."""
    lines = [f"{summary.rulebook}, run {summary.run_id}, student {summary.student}", ""]
    if summary.gate:
        lines += [*gate_table(summary), "", *_per_label(summary.gate), ""]
    lines += [*course(summary), "", *_teacher(summary), ""]
    lines += [*_rounds(summary), *_findings(summary)]
    return "\n".join(lines).rstrip("\n") + "\n"


def gate_table(summary: Summary) -> list[str]:
    """Return the five ways to answer, as an aligned table."""
    head = ("gate split", "macro-F1", "95 % interval", "rules", "prompt tokens", "latency")
    return wording.table(head, gate_rows(summary.gate))


def gate_rows(gate: Sequence[Line]) -> list[tuple[str, ...]]:
    """Return the rows of the comparison; latency is relative to zero-shot."""
    zero = next((line.seconds for line in gate if line.name == "zero-shot"), None)
    return [
        (
            line.name,
            wording.fraction(line.macro_f1),
            f"{line.low:.3f} to {line.high:.3f}",
            str(line.rules) if line.rules else "-",
            "-" if line.tokens is None else str(line.tokens),
            f"{line.seconds / zero:.2f}x" if line.seconds and zero else "-",
        )
        for line in gate
    ]


def label_rows(gate: Sequence[Line]) -> list[tuple[str, ...]]:
    """Return a row per label: its F1 in each of the lines."""
    names = [one.label for one in gate[0].labels]
    return [
        (name, *(wording.fraction(line.labels[row].f1) for line in gate))
        for row, name in enumerate(names)
    ]


def course(summary: Summary) -> list[str]:
    """Return in sentences what was chosen, and what it came from."""
    f1, low, high = summary.validation
    chosen = summary.chosen
    measured = [one for one in summary.candidates if one.macro_f1 is not None]
    counts = Counter(one.outcome for one in summary.operations)
    lines = [
        f"chosen: candidate {chosen.number} of {len(measured)} measured ({chosen.step}), "
        f"{len(chosen.rules)} rules, {chosen.template}, {chosen.size} tokens",
        f"validation: macro-F1 {f1:.3f} ({low:.3f} to {high:.3f}), the best of {len(measured)} "
        "on the very examples that chose it: too high by construction",
        "figures: " + ", ".join(f"{name} {count}" for name, count in summary.figures.items()),
        f"operations: {counts['accepted']} accepted, {counts['refused']} refused, "
        f"{counts['proposal']} proposed to people; {len(summary.removed)} rules pruned",
        f"seed {summary.seed}; student calls {summary.student_calls}"
        + (f"; {summary.wall_seconds:.1f} s" if summary.wall_seconds is not None else ""),
    ]
    return [*lines, *(f"note: {note}" for note in summary.notes)]


def _per_label(gate: Sequence[Line]) -> list[str]:
    return wording.table(("F1 by label", *(line.name for line in gate)), label_rows(gate))


def _teacher(summary: Summary) -> list[str]:
    head = ("teacher", "calls", "tokens in", "tokens out", "cost")
    return wording.table(head, teacher_rows(summary))


def teacher_rows(summary: Summary) -> list[tuple[str, ...]]:
    """Return a row per phase: what the replies that the run rests on took."""
    return [
        (
            one.phase,
            str(one.calls),
            str(one.tokens_in),
            str(one.tokens_out),
            f"{one.cost:.4f}",
        )
        for one in summary.teacher
    ]


def _rounds(summary: Summary) -> Iterator[str]:
    for one in summary.rounds:
        yield (
            f"round {one.number}: {one.wrong} of {one.sampled} training examples wrong; "
            f"validation {one.before:.3f} -> {one.after:.3f}"
        )
        for each in one.operations:
            what = f"{each.kind} {', '.join(each.targets or each.rules)}"
            alone = "" if each.alone is None else f" (alone {each.alone:.3f})"
            yield f"  {each.outcome}: {what}{alone}: {each.reason}"


def _findings(summary: Summary) -> Iterator[str]:
    for kind, about, message in summary.findings[:_MOST_FINDINGS]:
        yield f"{kind}: {about}: {message}" if about else f"{kind}: {message}"
    more = len(summary.findings) - _MOST_FINDINGS
    if more > 0:
        yield f"and {more} more findings: --format json shows all"
