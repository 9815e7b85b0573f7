"""``pldgov gate``: exit code 0 pass, 1 regressed, 3 no verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pldgov.cli.output import (
    offline_option,
    output_option,
    progress_bar,
    student_option,
    write_result,
)
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pldgov.results import GateReport

FORMATS = ("text", "json", "markdown", "junit", "github")


@click.command()
@click.argument("rulebooks", nargs=-1)
@click.option(
    "--base",
    metavar="REF|FILE",
    help="Git revision or evidence file; default: where HEAD left the default branch.",
)
@student_option
@offline_option
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True)
@output_option
def command(
    rulebooks: tuple[str, ...],
    base: str | None,
    student: str | None,
    offline: bool,
    format_: str,
    output: Path | None,
) -> int:
    """Judge RULEBOOKS (default: all) in the working tree against their base.

    Exit code 0: every rulebook passed. 1: one regressed. 3: none regressed, but one could not be
    judged; its policy may map that to 0 or 1.
    """
    workspace = Workspace.around(rulebooks)
    if not rulebooks:
        _name_deleted(workspace, base)
    reports, code = _gate(workspace, rulebooks, base=base, student=student, offline=offline)
    write_result(render_reports(reports, format_), output)
    return code


def _name_deleted(workspace: Workspace, base: str | None) -> None:
    for path in workspace.deleted_since(base):
        click.echo(f"warning: {path} is in the base and no longer here; nothing gates it", err=True)


def _gate(
    workspace: Workspace,
    rulebooks: Sequence[str],
    *,
    base: str | None,
    student: str | None,
    offline: bool,
) -> tuple[tuple[GateReport, ...], int]:
    from pldgov.workflows.gating import worst_exit_code

    paths = workspace.find(rulebooks)
    with (
        progress_bar() as progress,
        workspace.answering(paths, student=student, offline=offline, progress=progress) as opened,
    ):
        reports = tuple(workspace.gate(path, answering=opened, base=base) for path in paths)
    return reports, worst_exit_code(reports)


def render_reports(reports: Sequence[GateReport], format_: str) -> str:
    """Return the verdicts in one of ``FORMATS``."""
    if format_ == "json":
        from pldgov.report.gate_json import render_gate_json

        return render_gate_json(reports)
    if format_ == "junit":
        from pldgov.report.gate_junit import render_gate_junit

        return render_gate_junit(reports)
    if format_ == "github":
        from pldgov.report.gate_github import render_gate_github

        return render_gate_github(reports)
    if format_ == "markdown":
        from pldgov.report.gate_markdown import render_gate_markdown

        return "\n".join(map(render_gate_markdown, reports))
    from pldgov.report.gate_text import render_gate_text

    return "\n".join(map(render_gate_text, reports))
