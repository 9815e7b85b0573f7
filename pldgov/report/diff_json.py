"""A diff as JSON, schema ``pldgov.diff/v1``: every change, every figure unrounded."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pldgov.report.gate_json import gate_value

if TYPE_CHECKING:
    from pldgov.diff_report import DiffReport, RulebookDiff

SCHEMA = "pldgov.diff/v1"


def render_diff_json(report: DiffReport) -> str:
    """Return the whole report."""
    return json.dumps(diff_value(report), indent=2, ensure_ascii=False) + "\n"


def diff_value(report: DiffReport) -> dict[str, Any]:
    """Return the report as plain values; unchanged rulebooks are listed too."""
    return {
        "schema": SCHEMA,
        "base": report.base,
        "head": report.head,
        "volume": report.volume,
        "notes": list(report.notes),
        "rulebooks": [rulebook_value(diff) for diff in report.rulebooks],
    }


def rulebook_value(diff: RulebookDiff) -> dict[str, Any]:
    """Return what changed in one rulebook as plain values.

    ``flips`` holds what the gate's own list holds, with the rules that each example concerns.
    """
    gate = None if diff.gate is None else gate_value(diff.gate)
    if gate is not None:
        del gate["verdict"]["flips"]
    return {
        "name": diff.name,
        "state": diff.state,
        "effect": diff.effect,
        "reaches_student": diff.reaches_student,
        "base_path": diff.base_path,
        "head_path": diff.head_path,
        "base": diff.base and asdict(diff.base),
        "head": diff.head and asdict(diff.head),
        "changes": [asdict(change) for change in diff.changes],
        "troubles": [asdict(trouble) for trouble in diff.troubles],
        "gate": gate,
        "unmeasured": diff.unmeasured,
        "flips": [
            {
                **asdict(one.flip),
                "kind": one.flip.kind,
                "text": one.text,
                "concerns": [asdict(concern) for concern in one.concerns],
            }
            for one in diff.flips
        ],
        "notes": list(diff.notes),
        "problems": [asdict(problem) for problem in diff.problems],
    }
