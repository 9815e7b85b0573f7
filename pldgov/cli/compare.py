"""``pldgov compare``: several students under one rulebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pldgov.cli.output import (
    offline_option,
    output_option,
    progress_bar,
    render_as,
    write_result,
)
from pldgov.dataset import SPLIT_NAMES, SplitName
from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from pldgov.student_report import StudentsReport

FORMATS = {
    "text": "pldgov.report.compare_text:render_compare_text",
    "json": "pldgov.report.compare_json:render_compare_json",
    "markdown": "pldgov.report.compare_markdown:render_compare_markdown",
}
LEAST = 2


@click.command()
@click.argument("rulebook")
@click.option(
    "--student",
    "students",
    multiple=True,
    metavar="NAME",
    help="At least two; the first is held against.",
)
@click.option("--split", type=click.Choice(SPLIT_NAMES), default="validation", show_default=True)
@offline_option
@click.option(
    "--format", "format_", type=click.Choice(tuple(FORMATS)), default="text", show_default=True
)
@output_option
def command(
    rulebook: str,
    students: tuple[str, ...],
    split: SplitName,
    offline: bool,
    format_: str,
    output: Path | None,
) -> None:
    """Measure every --student under RULEBOOK, paired by example against the first.

    The lock is not enforced here: to look at another student is how a change begins.
    """
    names = tuple(dict.fromkeys(students))
    if len(names) < LEAST:
        raise UsageError("name at least two students", where="--student")
    report = _compare(rulebook, names, split=split, offline=offline)
    write_result(render_as(FORMATS, format_, report), output)


def _compare(
    rulebook: str, names: tuple[str, ...], *, split: SplitName, offline: bool
) -> StudentsReport:
    from pldgov.workflows.comparing import compare_runs, run_student
    from pldgov.workflows.locking import read_lock

    workspace = Workspace.around((rulebook,))
    path = workspace.find_one(rulebook)
    revision = workspace.load(path)
    lock = read_lock(workspace.tree, revision.folder)
    runs = []
    with progress_bar() as progress:
        for name in names:  # one after the other: two local models need not fit into memory
            with workspace.answering(
                (path,), student=name, offline=offline, progress=progress, locked=False
            ) as opened:
                runs.append(run_student(revision, split=split, answering=opened, lock=lock))
    return compare_runs(revision, runs, split=split)
