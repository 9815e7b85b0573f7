"""Lint findings as SARIF 2.1.0, for code-scanning services.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pldgov import __version__
from pldgov.fingerprint import digest_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pldgov.problems import Problem

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "ROOT"


def render_lint_sarif(
    problems: Sequence[Problem], *, paths: Sequence[str], descriptions: Mapping[str, str]
) -> str:
    """Return one SARIF log with one run.

    ``paths`` are the rulebooks that were read, ``descriptions`` a sentence for each known code.
    Paths are relative to the root of the repository.
    """
    codes = sorted({problem.code for problem in problems})
    run = {
        "tool": {
            "driver": {
                "name": "pldgov",
                "semanticVersion": __version__,
                "rules": [_rule(code, descriptions.get(code)) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "artifacts": [{"location": _location(path)} for path in paths],
        "results": [_result(problem, codes.index(problem.code)) for problem in problems],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str, description: str | None) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": code}
    if description:
        rule["shortDescription"] = {"text": f"{description[0].upper()}{description[1:]}."}
    return rule


def _location(path: str) -> dict[str, str]:
    return {"uri": quote(path), "uriBaseId": _ROOT}


def _result(problem: Problem, rule_index: int) -> dict[str, Any]:
    advice = f" ({problem.hint})" if problem.hint else ""
    return {
        "ruleId": problem.code,
        "ruleIndex": rule_index,
        "level": problem.severity,
        "message": {"text": problem.message + advice},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _location(problem.path),
                    "region": {"startLine": problem.line, "startColumn": problem.column},
                }
            }
        ],
        # Without the line, so that a finding keeps its identity when text above it grows.
        "partialFingerprints": {
            "pldgovFinding/v1": digest_value([problem.path, problem.code, problem.message])
        },
    }
