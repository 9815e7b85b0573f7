"""Lint findings as GitLab's Code Quality report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.fingerprint import digest_value
from pldgov.report.gitlab import finding, quality_report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.problems import Problem


def render_lint_gitlab(problems: Sequence[Problem], *, paths: Sequence[str]) -> str:
    """Return one finding a problem; ``paths``, the rulebooks that were read, do not appear."""
    del paths
    return quality_report(
        finding(
            problem.code,
            problem.severity,
            problem.message + (f" ({problem.hint})" if problem.hint else ""),
            path=problem.path,
            line=problem.line,
            fingerprint=digest_value([problem.path, problem.line, problem.code, problem.message]),
        )
        for problem in problems
    )
