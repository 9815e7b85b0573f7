"""``pldgov report``: what a finished piece of work came to, once more."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import output_option, render_as, write_plot, write_result
from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pldgov.distill.summary import Summary

RUNS = ".pldgov/runs"
FORMATS = {
    "text": "pldgov.report.distill_text:render_distill_text",
    "json": "pldgov.report.distill_json:render_distill_json",
    "markdown": "pldgov.report.distill_markdown:render_distill_markdown",
}


@click.group()
def command() -> None:
    """Show again what a piece of work came to."""


@command.command("distill")
@click.argument("run")
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
    help="Also write both plots, side by side (.svg or .png).",
)
@output_option
def distill(run: str, format_: str, plot: Path | None, output: Path | None) -> None:
    """Show the report of RUN: the id of a run, its folder, or a rulebook with evidence of one."""
    summary = _read(Workspace.around((run,)), run)
    write_result(render_as(FORMATS, format_, summary), output)
    if plot:
        from pldgov.report.distill_plots import render_distill_plots

        write_plot(plot, partial(render_distill_plots, summary))


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
