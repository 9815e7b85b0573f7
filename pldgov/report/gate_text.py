"""A gate's verdict for the terminal: the word first, then why, then the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import wording

if TYPE_CHECKING:
    from pldgov.results import GateReport, LabelVerdict

_MOST_FLIPS = 20
_TEXT_WIDTH = 100


def render_gate_text(report: GateReport) -> str:
    """Return the verdict on one rulebook with its flipped examples."""
    verdict = report.verdict
    lines = [
        f"{verdict.outcome}  {report.rulebook}",
        f"  {verdict.reason}",
        f"  student  {wording.student(report.student)}",
        f"  base     {report.base or '-'}, prompt {wording.digest(report.base_prompt)}",
        f"  head     working tree, prompt {wording.digest(report.head_prompt)}",
        f"  student calls: {report.asked}",
        *(f"  note: {note}" for note in verdict.notes),
        *_figures(report),
        *_flips(report),
    ]
    return "\n".join(lines) + "\n"


def _figures(report: GateReport) -> list[str]:
    verdict = report.verdict
    lines = []
    if verdict.macro_f1 is not None:
        lines.append(f"  macro-F1 {wording.difference(verdict.macro_f1)}")
    elif report.scorecard is not None:
        card = report.scorecard
        lines.append(
            f"  macro-F1 {wording.fraction(card.macro_f1)} "
            f"({wording.interval(card.interval)}), {card.n} examples"
        )
    if verdict.detectable_drop is not None:
        lines.append(
            f"  smallest drop that this gate set would find (80 % power): "
            f"{100 * verdict.detectable_drop:.1f} points"
        )
    if verdict.labels:
        rows = [_label_row(label) for label in verdict.labels]
        head = ("label", "base", "head", "points", "interval", "Holm p", "verdict")
        lines += ["", *(f"  {line}" for line in wording.table(head, rows))]
    return lines


def _label_row(label: LabelVerdict) -> tuple[str, ...]:
    found = label.difference
    if found is None:
        return (label.label, "-", "-", "-", "-", "-", str(label.outcome))
    adjusted = "-" if found.adjusted_p is None else f"{found.adjusted_p:.3f}"
    return (
        label.label,
        wording.fraction(found.base),
        wording.fraction(found.head),
        wording.points(found.delta),
        f"{wording.points(found.interval.low)} to {wording.points(found.interval.high)}",
        adjusted,
        str(label.outcome),
    )


def _flips(report: GateReport) -> list[str]:
    flips = sorted(
        report.verdict.flips, key=lambda flip: ("broken", "fixed", "changed").index(flip.kind)
    )
    if not flips:
        return []
    counts = {
        kind: sum(flip.kind == kind for flip in flips) for kind in ("broken", "fixed", "changed")
    }
    lines = [
        "",
        f"  flipped examples: {counts['broken']} broken, {counts['fixed']} fixed, "
        f"{counts['changed']} changed but wrong before and after",
    ]
    for flip in flips[:_MOST_FLIPS]:
        text = " ".join(report.texts.get(flip.example_id, "").split())
        short = text if len(text) <= _TEXT_WIDTH else f"{text[: _TEXT_WIDTH - 1]}…"
        lines += [
            f"    {flip.kind:7} {flip.example_id}  gold {flip.gold}: "
            f"{wording.answer(flip.before)} -> {wording.answer(flip.after)}",
            f"            {short}",
        ]
    if len(flips) > _MOST_FLIPS:
        lines.append(f"    ... and {len(flips) - _MOST_FLIPS} more (--format json lists all)")
    return lines
