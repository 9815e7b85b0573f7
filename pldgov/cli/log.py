"""``pldgov log``: the life of a rulebook or a rule."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import output_option, render_as, write_plot, write_result
from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pldgov.history.model import Life

FORMATS = {
    "text": "pldgov.report.log_text:render_log_text",
    "json": "pldgov.report.log_json:render_log_json",
}


@click.command()
@click.argument("rulebook")
@click.argument("rule", required=False)
@click.option(
    "--format", "format_", type=click.Choice(tuple(FORMATS)), default="text", show_default=True
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also plot macro-F1 over the commits that hold evidence (.svg or .png).",
)
@output_option
def command(
    rulebook: str, rule: str | None, format_: str, plot: Path | None, output: Path | None
) -> None:
    """Tell the life of RULEBOOK, or of one RULE in it, commit by commit, the newest first.

    Moves and renames are followed, and a rulebook or rule that is gone can be named too.
    """
    life = _trace(rulebook, rule)
    if plot:
        from pldgov.report.log_plot import render_log_plot

        write_plot(plot, partial(render_log_plot, life))
    write_result(render_as(FORMATS, format_, life), output)


def _trace(rulebook: str, rule: str | None) -> Life:
    from pldgov.workflows.tracing import find_in_history, trace_life

    workspace = Workspace.around((rulebook,))
    with workspace.repository() as repository:
        log = repository.log
        try:
            path = workspace.find_one(rulebook)
        except UsageError:
            found = find_in_history(log, rulebook, rulebooks=workspace.config.rulebooks)
            if found is None:
                raise
            path = found
        return trace_life(log, path, rule_id=rule)
