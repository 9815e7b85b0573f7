"""An explanation as JSON, every figure unrounded."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pldgov.effects_file import effect_values
from pldgov.report.eval_json import student_json

if TYPE_CHECKING:
    from pldgov.attribution import ExampleExplanation, Explanation


def render_explain_json(report: Explanation) -> str:
    """Return the effects of the rules, with texts of the flipped examples."""
    coverage = asdict(report.coverage)
    coverage["overdue"] = [
        {"rule": one.rule, "last": one.last.isoformat(), "due": one.due.isoformat()}
        for one in report.coverage.overdue
    ]
    return _dumped(
        {
            "schema": "pldgov.explain/v1",
            "rulebook": report.rulebook,
            "split": report.split,
            "student": student_json(report.student),
            "prompt_sha256": report.prompt,
            "n": report.n,
            "macro_f1": report.macro_f1,
            "interval": asdict(report.interval) if report.interval else None,
            "rules": [effect_values(effect) for effect in report.effects],
            "not_measured": [asdict(one) for one in report.not_measured],
            "stopped_by": report.stopped_by,
            "coverage": {"inert": report.inert, **coverage},
            "texts": dict(report.texts),
            "asked": report.asked,
        }
    )


def render_example_json(report: ExampleExplanation) -> str:
    """Return one example's answers under all rules and without each."""
    value = asdict(report)
    value["student"] = student_json(report.student)
    value["flipping"] = [one.rule for one in report.flipping]
    return _dumped({"schema": "pldgov.explain-example/v1", **value})


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
