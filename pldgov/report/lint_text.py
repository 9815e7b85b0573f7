"""Lint findings for people and terminals: one line each, then how many."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.problems import Problem


def render_lint_text(problems: Sequence[Problem], *, paths: Sequence[str]) -> str:
    """Return ``path:line:column: severity: message (hint) [code]`` a line, and a summary.

    ``paths`` are the rulebooks that were read.
    """
    return "".join(f"{line}\n" for line in (*map(_line, problems), summary(problems, paths=paths)))


def summary(problems: Sequence[Problem], *, paths: Sequence[str]) -> str:
    """Return how much was found in how many rulebooks, for instance ``1 error in 2 rulebooks``."""
    counts = Counter(problem.severity for problem in problems)
    kinds: tuple[tuple[str, int], ...] = (
        ("error", counts["error"]),
        ("warning", counts["warning"]),
    )
    said = ", ".join(_many(count, word) for word, count in kinds if count) or "no problem"
    return f"{said} in {_many(len(paths), 'rulebook')}"


def _line(problem: Problem) -> str:
    advice = f" ({problem.hint})" if problem.hint else ""
    message = f"{problem.message}{advice}".replace("\n", " ")
    return f"{problem.place}: {problem.severity}: {message} [{problem.code}]"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
