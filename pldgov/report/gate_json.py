"""Gate verdicts as JSON, every figure unrounded."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pldgov.report.eval_json import student_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.results import GateReport


def render_gate_json(reports: Sequence[GateReport]) -> str:
    """Return the verdicts on all rulebooks of one run."""
    value = {"schema": "pldgov.gate/v1", "rulebooks": [gate_value(report) for report in reports]}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def gate_value(report: GateReport) -> dict[str, Any]:
    """Return the verdict on one rulebook as plain values, flips with their texts."""
    value = asdict(report)
    value["student"] = student_json(report.student)
    texts = value.pop("texts")
    for flip, row in zip(report.verdict.flips, value["verdict"]["flips"], strict=True):
        row["kind"] = flip.kind
        row["text"] = texts.get(flip.example_id)
    return value
