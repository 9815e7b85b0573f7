"""``pldgov eval``: macro-F1 with its interval, per label, beside what it must beat."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import (
    offline_option,
    output_option,
    progress_bar,
    render_as,
    student_option,
    write_plot,
    write_result,
)
from pldgov.dataset import SPLIT_NAMES, SplitName
from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pldgov.interpretability.model import Interpretability
    from pldgov.results import EvalReport, StudentCard

FORMATS = {
    "text": "pldgov.report.eval_text:render_eval_text",
    "json": "pldgov.report.eval_json:render_eval_json",
    "markdown": "pldgov.report.eval_markdown:render_eval_markdown",
}


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
    type=click.Choice(tuple(FORMATS)),
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
@click.option(
    "--save",
    is_flag=True,
    help="With --interpretability: write evidence/<student>.interpretability.json, to commit.",
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
    save: bool,
    output: Path | None,
) -> None:
    """Measure the student's macro-F1 under RULEBOOK.

    The gate split is for the gate: looking at it often while writing rules makes it a second
    train split.
    """
    if save and not interpretability:
        raise UsageError(
            "is for the interpretability scorecard",
            where="--save",
            hint="add --interpretability; what a gate compares with is saved by: pldgov bless",
        )
    if interpretability:
        write_result(_interpret(rulebook, split, student, offline, format_, save=save), output)
        return
    names = tuple(name.strip() for name in compare.split(",") if name.strip())
    report = _evaluate(
        rulebook, split=split, student=student, compare=names, seed=seed, offline=offline
    )
    write_result(render_as(FORMATS, format_, report), output)
    if plot:
        from pldgov.report.reliability_plot import render_reliability_plot

        write_plot(plot, partial(render_reliability_plot, report))


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
    rulebook: str,
    split: SplitName,
    student: str | None,
    offline: bool,
    format_: str,
    *,
    save: bool,
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
        if save:
            _save(workspace, path, opened.card, split, scorecard)
    return _render_interpretability(scorecard, format_)


def _save(
    workspace: Workspace,
    path: str,
    card: StudentCard,
    split: SplitName,
    scorecard: Interpretability,
) -> None:
    from pldgov.files import write_atomically
    from pldgov.report.interpretability import interpretability_file

    target = f"{path.rpartition('/')[0]}/evidence/{card.name}.interpretability.json"
    text = interpretability_file(scorecard, card=card, split=split)
    write_atomically(workspace.config.root / target, text.encode())
    click.echo(f"saved: {target}", err=True)


def _render_interpretability(scorecard: Interpretability, format_: str) -> str:
    from pldgov.report import interpretability as report

    if format_ == "json":
        import json

        values = report.interpretability_values(scorecard)
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    if format_ == "markdown":
        return report.render_interpretability_markdown(scorecard)
    return report.render_interpretability_text(scorecard)
