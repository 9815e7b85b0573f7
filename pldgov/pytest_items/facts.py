"""What an item says of a gate's verdict, and what travels to the summary."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pldgov.report import wording
from pldgov.report.gate_json import render_gate_json
from pldgov.results import Outcome

if TYPE_CHECKING:
    from pldgov.results import Difference, GateReport

State = Literal["pass", "fail", "undecided"]

MOST_FLIPS = 5
_BY_EXIT_CODE: dict[int, State] = {0: "pass", 1: "fail", 3: "undecided"}
_ADVICE = {
    Outcome.INCONCLUSIVE: "label more gate examples, or let gate.on_inconclusive in the rulebook "
    "say what becomes of it",
    Outcome.NO_BASELINE: "have a first version on the default branch, name a base with "
    "--pldgov-base, or let gate.on_no_baseline in the rulebook say what becomes of it",
    Outcome.NOT_COMPARABLE: "make the change of labels, gate examples or student a change of its "
    "own, and bless the new measurement (pldgov bless)",
    Outcome.NOT_MEASURED: "get what is not here, and run again",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one item says: its state, the gate's word and reason, and the figures behind it."""

    state: State
    outcome: Outcome
    reason: str
    difference: Difference | None


def finding_of(report: GateReport, *, label: str | None = None) -> Finding:
    """Return what the gate says of a rulebook, or of one of its labels.

    A rulebook's state is what its exit code stands for, so pytest and `pldgov gate` agree. A
    label is undecided in its own right where the rulebook as a whole is not; where it is
    undecided in the same way, the policy that maps the rulebook's outcome maps the label's too.
    """
    verdict = report.verdict
    whole = Finding(
        _BY_EXIT_CODE[report.exit_code], verdict.outcome, verdict.reason, verdict.macro_f1
    )
    said = next((one for one in verdict.labels if one.label == label), None)
    if said is None:
        return whole  # nothing is said of labels where nothing was measured
    state: State = "undecided"
    if said.outcome is Outcome.PASS:
        state = "pass"
    elif said.outcome is Outcome.REGRESSED:
        state = "fail"
    elif said.outcome is verdict.outcome:
        state = whole.state
    return Finding(state, said.outcome, said.reason, said.difference)


def gate_properties(report: GateReport, finding: Finding) -> list[tuple[str, Any]]:
    """Return the figures for JUnit: plain values only, what is not known left out."""
    difference = finding.difference
    known: dict[str, Any] = {
        "verdict": str(finding.outcome),
        "student": report.student.name,
        "student_fingerprint": report.student.fingerprint,
        "compared_with": report.base,
        "base_prompt": report.base_prompt,
        "head_prompt": report.head_prompt,
    }
    if difference is not None:
        known |= {
            "base": difference.base,
            "head": difference.head,
            "delta": difference.delta,
            "low": difference.interval.low,
            "high": difference.interval.high,
        }
    elif report.scorecard is not None and finding.outcome is report.verdict.outcome:
        known["head"] = report.scorecard.macro_f1
    return [(name, value) for name, value in known.items() if value is not None]


def gate_facts(report: GateReport) -> dict[str, Any]:
    """Return what the summary shows of a verdict, and its JSON form."""
    return {
        "outcome": str(report.verdict.outcome),
        "figures": _figures(report),
        "student": wording.student(report.student),
        "base": report.base,
        "asked": report.asked,
        "undecided": _undecided(report),
        "notes": report.verdict.notes,
        "gate": json.loads(render_gate_json((report,)))["rulebooks"][0],
    }


def broken_facts(reason: str, *, undecided: bool) -> dict[str, Any]:
    """Return what the summary shows of a rulebook that the gate could not judge."""
    return {
        "outcome": "UNDECIDED" if undecided else "ERROR",
        "figures": "" if undecided else reason,
        "undecided": reason if undecided else None,
        "unjudged": reason,
    }


def flip_lines(report: GateReport, *, label: str | None = None) -> tuple[str, ...]:
    """Return the first flipped examples, broken ones first, an indented line each."""
    flips = [
        flip
        for flip in report.verdict.flips
        if label is None or label in (flip.gold, flip.before, flip.after)
    ]
    flips.sort(key=lambda flip: ("broken", "fixed", "changed").index(flip.kind))
    lines = [
        f"  {flip.kind} {flip.example_id}: gold {flip.gold}, "
        f"{wording.answer(flip.before)} -> {wording.answer(flip.after)}"
        for flip in flips[:MOST_FLIPS]
    ]
    more = len(flips) - len(lines)
    return (*lines, f"  ... and {more} more") if more > 0 else tuple(lines)


def _figures(report: GateReport) -> str:
    if report.verdict.macro_f1 is not None:
        return f"macro-F1 {wording.difference(report.verdict.macro_f1)}"
    if report.scorecard is not None:
        card = report.scorecard
        interval = f" ({wording.interval(card.interval)})" if card.interval else ""
        return f"macro-F1 {wording.fraction(card.macro_f1)}{interval}"
    return report.verdict.reason


def _undecided(report: GateReport) -> str | None:
    """Say why there is no verdict and what to do; None when there is one."""
    verdict = report.verdict
    if verdict.outcome not in _ADVICE:
        return None
    handled = {0: " (its policy lets it pass)", 1: " (its policy fails it)"}
    reason = f"{verdict.reason}{handled.get(report.exit_code, '')}"
    return f"{reason}: {_ADVICE[verdict.outcome]}"
