"""Lint findings as SARIF, for code-scanning services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.fingerprint import digest_value
from pldgov.report.sarif import result, sarif_log

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pldgov.problems import Problem


def render_lint_sarif(
    problems: Sequence[Problem], *, paths: Sequence[str], descriptions: Mapping[str, str]
) -> str:
    """Return one SARIF log with one run.

    ``paths`` are the rulebooks that were read, ``descriptions`` a sentence for each known code.
    Paths are relative to the root of the repository.
    """
    codes = sorted({problem.code for problem in problems})
    return sarif_log(
        "pldgov-lint",
        rules={code: descriptions.get(code) for code in codes},
        paths=paths,
        results=[
            result(
                problem.code,
                problem.severity,
                problem.message + (f" ({problem.hint})" if problem.hint else ""),
                path=problem.path,
                place=(problem.line, problem.column),
                # Without the line: a finding keeps its identity when text above it grows.
                fingerprint=digest_value([problem.path, problem.code, problem.message]),
            )
            for problem in problems
        ],
    )
