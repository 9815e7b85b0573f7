"""``pldgov report``: what a finished piece of work came to, once more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import output_option, write_result
from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pldgov.distill.summary import Summary

RUNS = ".pldgov/runs"


@click.group()
def command() -> None:
    """Show again what a piece of work came to."""


@command.command("distill")
@click.argument("run")
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
    help="Also write both plots, side by side (.svg or .png).",
)
@output_option
def distill(run: str, format_: str, plot: Path | None, output: Path | None) -> None:
    """Show the report of RUN: the id of a run, its folder, or a rulebook with evidence of one."""
    summary = _read(Workspace.around((run,)), run)
    write_result(_render(summary, format_), output)
    if plot:
        _plot(summary, plot)


def _read(workspace: Workspace, run: str) -> Summary:
    import json

    from pldgov.distill.summary import summary_from_json

    path = _find(workspace, run)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError("is no report", where=str(path)) from error
    return summary_from_json(value if isinstance(value, dict) else {}, where=str(path))


def _find(workspace: Workspace, run: str) -> Path:
    """Return the report's file; raises ``UsageError`` where there is none."""
    root = workspace.config.root
    for path in (Path(run), Path(run) / "report.json", root / RUNS / run / "report.json"):
        if path.is_file() and path.suffix == ".json":
            return path
    known = sorted(path.parent.name for path in (root / RUNS).glob("*/report.json"))
    try:
        folder = (root / workspace.find_one(run)).parent
    except UsageError as error:
        hint = f"known are {', '.join(known)}" if known else "pldgov distill makes one"
        raise UsageError("there is no such run", where=run, hint=hint) from error
    path = folder / "evidence" / "distill.json"
    if not path.is_file():
        raise UsageError("no distillation is recorded", where=run, hint="pldgov distill")
    return path


def _render(summary: Summary, format_: str) -> str:
    if format_ == "json":
        from pldgov.report.distill_json import render_distill_json

        return render_distill_json(summary)
    if format_ == "markdown":
        from pldgov.report.distill_markdown import render_distill_markdown

        return render_distill_markdown(summary)
    from pldgov.report.distill_text import render_distill_text

    return render_distill_text(summary)


def _plot(summary: Summary, path: Path) -> None:
    from pldgov.files import write_atomically
    from pldgov.report.distill_plots import render_distill_plots

    if path.suffix not in (".svg", ".png"):
        raise UsageError("a plot is written as .svg or .png", where=str(path))
    write_atomically(path, render_distill_plots(summary, format=path.suffix[1:]))  # type: ignore[arg-type]
