"""``pldgov eval``: macro-F1 with its interval, per label, beside what it must beat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import (
    offline_option,
    output_option,
    progress_bar,
    student_option,
    write_result,
)
from pldgov.dataset import SPLIT_NAMES, SplitName
from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pldgov.interpretability.model import Interpretability
    from pldgov.results import EvalReport


@click.command()
@click.argument("rulebook")
@click.option("--split", type=click.Choice(SPLIT_NAMES), default="validation", show_default=True)
@student_option
@click.option(
    "--compare",
    default="",
    metavar="LIST",
    help="Beside it, separated by commas: zero-shot, few-shot:K, majority.",
)
@click.option("--seed", default=0, show_default=True, help="Chooses the few-shot examples.")
@offline_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(("text", "json", "markdown")),
    default="text",
    show_default=True,
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the reliability plot (.svg or .png).",
)
@click.option(
    "--interpretability",
    is_flag=True,
    help="Instead: how readable, well founded and stable the rules are.",
)
@output_option
def command(  # noqa: PLR0917  (click passes options by name)
    rulebook: str,
    split: SplitName,
    student: str | None,
    compare: str,
    seed: int,
    offline: bool,
    format_: str,
    plot: Path | None,
    interpretability: bool,
    output: Path | None,
) -> None:
    """Measure the student's macro-F1 under RULEBOOK.

    The gate split is for the gate: looking at it often while writing rules makes it a second
    train split.
    """
    if interpretability:
        write_result(_interpret(rulebook, split, student, offline, format_), output)
        return
    names = tuple(name.strip() for name in compare.split(",") if name.strip())
    report = _evaluate(
        rulebook, split=split, student=student, compare=names, seed=seed, offline=offline
    )
    write_result(_render(report, format_), output)
    if plot:
        _plot(report, plot)


def _evaluate(
    rulebook: str,
    *,
    split: SplitName,
    student: str | None,
    compare: tuple[str, ...],
    seed: int,
    offline: bool,
) -> EvalReport:
    from pldgov.workflows.evaluating import evaluate

    workspace = Workspace.around((rulebook,))
    path = workspace.find_one(rulebook)
    revision = workspace.load(path)
    with (
        progress_bar() as progress,
        workspace.answering((path,), student=student, offline=offline, progress=progress) as opened,
    ):
        return evaluate(revision, split=split, answering=opened, compare=compare, seed=seed)


def _interpret(
    rulebook: str, split: SplitName, student: str | None, offline: bool, format_: str
) -> str:
    """Return the interpretability scorecard, each rule left out once on ``split``."""
    from pldgov.workflows.interpreting import drawn_sets, interpret

    workspace = Workspace.around((rulebook,))
    path = workspace.find_one(rulebook)
    revision = workspace.load(path)
    redraws = drawn_sets(workspace.config.root, revision.rulebook.name)
    with (
        progress_bar() as progress,
        workspace.answering((path,), student=student, offline=offline, progress=progress) as opened,
    ):
        scorecard = interpret(
            revision,
            split=split,
            answering=opened,
            embedder=workspace.embedder("tfidf") if redraws else None,
            redraws=redraws,
        )
    return _render_interpretability(scorecard, format_)


def _render_interpretability(scorecard: Interpretability, format_: str) -> str:
    from pldgov.report import interpretability as report

    if format_ == "json":
        import json

        values = report.interpretability_values(scorecard)
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    if format_ == "markdown":
        return report.render_interpretability_markdown(scorecard)
    return report.render_interpretability_text(scorecard)


def _render(report: EvalReport, format_: str) -> str:
    if format_ == "json":
        from pldgov.report.eval_json import render_eval_json

        return render_eval_json(report)
    if format_ == "markdown":
        from pldgov.report.eval_markdown import render_eval_markdown

        return render_eval_markdown(report)
    from pldgov.report.eval_text import render_eval_text

    return render_eval_text(report)


def _plot(report: EvalReport, path: Path) -> None:
    from pldgov.files import write_atomically
    from pldgov.report.reliability_plot import render_reliability_plot

    if path.suffix not in (".svg", ".png"):
        raise UsageError("a plot is written as .svg or .png", where=str(path))
    write_atomically(path, render_reliability_plot(report, format=path.suffix[1:]))  # type: ignore[arg-type]
