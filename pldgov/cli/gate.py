"""``pldgov gate``: exit code 0 pass, 1 regressed, 3 no verdict."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import click

from pldgov.cli.formats import FORGE_FORMATS, also_option, repository_prefix, write_formats
from pldgov.cli.output import (
    offline_option,
    output_option,
    progress_bar,
    student_option,
)
from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pldgov.results import GateReport
    from pldgov.workflows.measure import Answering

FORMATS = ("text", "json", "markdown", "junit", "github", "sarif", "gitlab")


@click.command()
@click.argument("rulebooks", nargs=-1)
@click.option(
    "--base",
    metavar="REF|FILE",
    help="Git revision or evidence file; default: where HEAD left the default branch.",
)
@student_option
@click.option(
    "--against",
    metavar="STUDENT|FILE",
    help="Judge the student instead of the rules: against this one, or its evidence file.",
)
@offline_option
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True)
@output_option
@also_option(FORMATS)
def command(
    rulebooks: tuple[str, ...],
    base: str | None,
    student: str | None,
    against: str | None,
    offline: bool,
    format_: str,
    output: Path | None,
    also: Sequence[tuple[str, Path]],
) -> int:
    """Judge RULEBOOKS (default: all) in the working tree against their base.

    With --against the rules stay as they are, and --student is judged against another student.

    Exit code 0: every rulebook passed. 1: one regressed. 3: none regressed, but one could not be
    judged; its policy may map that to 0 or 1.
    """
    workspace = Workspace.around(rulebooks)
    if against is not None:
        if base is not None:
            raise UsageError("say which side is the base", where="--base and --against")
        reports = _gate_students(
            workspace, rulebooks, new=student, against=against, offline=offline
        )
    else:
        if not rulebooks:
            _name_deleted(workspace, base)
        reports = _gate(workspace, rulebooks, base=base, student=student, offline=offline)
    from pldgov.workflows.gating import worst_exit_code

    code = worst_exit_code(reports)
    write_formats(partial(_render, workspace, reports), format_, output, also=also)
    return code


def _render(workspace: Workspace, reports: Sequence[GateReport], format_: str) -> str:
    if format_ not in FORGE_FORMATS:
        return render_reports(reports, format_)
    prefix = repository_prefix(workspace)
    placed = [replace(report, path=f"{prefix}{report.path}") for report in reports]
    return render_reports(placed, format_)


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
) -> tuple[GateReport, ...]:
    paths = workspace.find(rulebooks)
    with progress_bar() as progress:
        return workspace.for_each(
            paths,
            lambda path, opened: workspace.gate(path, answering=opened, base=base),
            student=student,
            offline=offline,
            progress=progress,
        )


def _gate_students(
    workspace: Workspace,
    rulebooks: Sequence[str],
    *,
    new: str | None,
    against: str,
    offline: bool,
) -> tuple[GateReport, ...]:
    paths = workspace.find(rulebooks)
    with progress_bar() as progress:
        return workspace.for_each(
            paths,
            partial(_gate_student, workspace, against=against, offline=offline),
            student=new,
            offline=offline,
            progress=progress,
            locked=False,
        )


def _gate_student(
    workspace: Workspace, path: str, new: Answering, *, against: str, offline: bool
) -> GateReport:
    from pldgov.workflows.linting import require_sound
    from pldgov.workflows.upgrading import gate_student_against_evidence, gate_students

    head = workspace.load(path)
    require_sound(head)
    head.require()
    found = workspace.evidence(against)
    if found is not None:
        return gate_student_against_evidence(head, found, new=new)
    with workspace.answering(
        (path,), student=against, offline=offline, progress=new.progress
    ) as old:
        return gate_students(head, new=new, old=old)


def render_reports(reports: Sequence[GateReport], format_: str) -> str:
    """Return the verdicts in one of ``FORMATS``."""
    render = getattr(import_module(f"pldgov.report.gate_{format_}"), f"render_gate_{format_}")
    if format_ in {"text", "markdown"}:
        return "\n".join(map(render, reports))
    rendered: str = render(reports)
    return rendered
