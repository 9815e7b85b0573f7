"""``pldgov explain``: what each rule does to the student's answers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import (
    offline_option,
    output_option,
    progress_bar,
    render_as,
    student_option,
    write_result,
)
from pldgov.dataset import SPLIT_NAMES, SplitName
from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from pldgov.attribution import ExampleExplanation, Explanation

FORMATS = {
    "text": "pldgov.report.explain_text:render_explain_text",
    "json": "pldgov.report.explain_json:render_explain_json",
    "markdown": "pldgov.report.explain_markdown:render_explain_markdown",
}
EXAMPLE_FORMATS = {
    "text": "pldgov.report.explain_text:render_example_text",
    "json": "pldgov.report.explain_json:render_example_json",
    "markdown": "pldgov.report.explain_markdown:render_example_markdown",
}
EXIT_CODES = {None: 0, "offline": 3, "budget": 4}


@click.command()
@click.argument("rulebook")
@click.option("--rule", "rules", multiple=True, metavar="ID", help="Only this rule; repeatable.")
@click.option("--example", metavar="ID", help="One example: which rules' removal flips it.")
@click.option(
    "--split",
    type=click.Choice(SPLIT_NAMES),
    help="Default: validation; for --example, wherever it stands.",
)
@click.option(
    "--max-calls", type=click.IntRange(min=0), metavar="N", help="Most student calls to make."
)
@click.option("--save", is_flag=True, help="Write evidence/<student>.explain.json, to commit.")
@student_option
@offline_option
@click.option(
    "--format", "format_", type=click.Choice(tuple(FORMATS)), default="text", show_default=True
)
@output_option
def command(  # noqa: PLR0917  (click passes options by name)
    rulebook: str,
    rules: tuple[str, ...],
    example: str | None,
    split: SplitName | None,
    max_calls: int | None,
    save: bool,
    student: str | None,
    offline: bool,
    format_: str,
    output: Path | None,
) -> int:
    """Leave out each rule of RULEBOOK once and say what changes.

    Exit code 4 when the budget of --max-calls left rules unmeasured, 3 when --offline did.
    """
    if save and (rules or example):
        raise UsageError("is for all rules", where="--save", hint="leave out --rule and --example")
    workspace = Workspace.around((rulebook,))
    path = workspace.find_one(rulebook)
    report = _explained(
        workspace,
        path,
        rules=rules,
        example=example,
        split=split,
        max_calls=max_calls,
        student=student,
        offline=offline,
    )
    table = EXAMPLE_FORMATS if example else FORMATS
    write_result(render_as(table, format_, report), output)
    if save:
        _save(workspace, path, report)
    return EXIT_CODES[report.stopped_by]


def _explained(
    workspace: Workspace,
    path: str,
    *,
    rules: tuple[str, ...],
    example: str | None,
    split: SplitName | None,
    max_calls: int | None,
    student: str | None,
    offline: bool,
) -> Explanation | ExampleExplanation:
    from pldgov.workflows.explaining import explain_example, explain_rules

    revision = workspace.load(path)
    with (
        progress_bar() as progress,
        workspace.answering((path,), student=student, offline=offline, progress=progress) as opened,
    ):
        if example:
            return explain_example(
                revision,
                example,
                answering=opened,
                split=split,
                rules=rules,
                max_calls=max_calls,
            )
        return explain_rules(
            revision,
            split=split or "validation",
            answering=opened,
            today=dt.datetime.now(tz=dt.UTC).date(),
            rules=rules,
            max_calls=max_calls,
            review_after_days=workspace.config.review_after_days,
        )


def _save(workspace: Workspace, path: str, report: Explanation | ExampleExplanation) -> None:
    from pldgov.attribution import Explanation
    from pldgov.effects_file import effects_path, effects_text
    from pldgov.files import write_atomically

    assert isinstance(report, Explanation)
    target = effects_path(path.rpartition("/")[0], report.student.name)
    write_atomically(workspace.config.root / target, effects_text(report).encode())
    click.echo(f"saved: {target}", err=True)
