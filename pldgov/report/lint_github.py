"""Lint findings as GitHub's workflow commands, which it shows beside the lines of a change.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report.github import annotation
from pldgov.report.lint_text import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.problems import Problem


def render_lint_github(problems: Sequence[Problem], *, paths: Sequence[str]) -> str:
    """Return one ``::error`` or ``::warning`` command a problem, and a summary for the log."""
    lines = [_command(problem) for problem in problems]
    return "".join(f"{line}\n" for line in (*lines, summary(problems, paths=paths)))


def _command(problem: Problem) -> str:
    advice = f" ({problem.hint})" if problem.hint else ""
    return annotation(
        problem.severity,
        problem.message + advice,
        path=problem.path,
        line=problem.line,
        column=problem.column,
        title=f"pldgov lint: {problem.code}",
    )
