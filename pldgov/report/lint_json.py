"""Lint findings for programs: ``pldgov.lint/v1``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.problems import Problem

SCHEMA = "pldgov.lint/v1"


def render_lint_json(problems: Sequence[Problem], *, paths: Sequence[str]) -> str:
    """Return one JSON object: the rulebooks read, counts by severity, and every problem."""
    errors = sum(problem.severity == "error" for problem in problems)
    value = {
        "schema": SCHEMA,
        "rulebooks": list(paths),
        "errors": errors,
        "warnings": len(problems) - errors,
        "problems": [asdict(problem) for problem in problems],
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
