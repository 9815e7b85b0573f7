"""An evaluation as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pldgov.results import EvalReport, StudentCard


def render_eval_json(report: EvalReport) -> str:
    """Return every figure of an evaluation, unrounded."""
    value = {
        "schema": "pldgov.eval/v1",
        "rulebook": report.rulebook,
        "split": report.split,
        "student": student_json(report.student),
        "candidates": [asdict(candidate) for candidate in report.candidates],
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def student_json(card: StudentCard) -> dict[str, Any]:
    """Return who answered, with the fingerprint that pins it."""
    return {**asdict(card), "fingerprint": card.fingerprint}
