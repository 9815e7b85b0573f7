"""Several students under one rulebook, as JSON with every figure unrounded."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pldgov.report.eval_json import student_json

if TYPE_CHECKING:
    from pldgov.student_report import StudentResult, StudentsReport


def render_compare_json(report: StudentsReport) -> str:
    """Return each student's scorecard and its differences to the first."""
    value = {
        "schema": "pldgov.compare/v1",
        "rulebook": report.rulebook,
        "split": report.split,
        "n": report.n,
        "students": [_student(one) for one in report.students],
        "texts": dict(report.texts),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _student(result: StudentResult) -> dict[str, Any]:
    value = asdict(result)
    del value["card"]
    value["cost_per_1000"] = value.pop("cost")
    for flip, row in zip(result.flips, value["flips"], strict=True):
        row["kind"] = flip.kind
    return {"student": student_json(result.card), **value}
