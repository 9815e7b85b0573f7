"""``pldgov approve``: who read a rule, written into the rule."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, cast

import click

from pldgov.cli.output import student_option
from pldgov.errors import NoBaseError, PldgovError, UsageError
from pldgov.results import Outcome
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import ReviewVerdict


@click.command()
@click.argument("rulebook")
@click.argument("rules", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every active rule whose approval is missing.")
@click.option("--by", metavar="NAME", help="The approver; default: git's user.name and user.email.")
@click.option("--on", metavar="DATE", help="The day; default: today (UTC).")
@student_option
def command(
    rulebook: str,
    rules: tuple[str, ...],
    every: bool,
    by: str | None,
    on: str | None,
    student: str | None,
) -> None:
    """Approve RULES of RULEBOOK as they stand: who, when, and what the gate says right now.

    The verdict comes from recorded answers; no student is asked. No other line of the file
    changes, and any later change of what reaches the student voids the approval.
    """
    from pldgov.files import write_atomically
    from pldgov.workflows.approving import approve, rules_to_approve

    if bool(rules) == every:
        raise UsageError("name rules, or give --all", where="pldgov approve")
    workspace = Workspace.around((rulebook,))
    path = workspace.find_one(rulebook)
    day = _day(on)
    approver = _approver(workspace, by)
    revision = workspace.load(path)
    chosen = rules_to_approve(revision, rules, every=every)
    if not chosen:
        click.echo(f"{path}: every active rule is approved", err=True)
        return
    verdict = _verdict(workspace, revision, student)
    text = approve(revision, chosen, by=approver, on=day, verdict=verdict)
    mark = "\N{ZERO WIDTH NO-BREAK SPACE}"
    had_mark = workspace.tree.read(path).startswith(mark.encode())
    write_atomically(workspace.config.root / path, f"{mark if had_mark else ''}{text}".encode())
    for rule in chosen:
        click.echo(f"{path}: {rule.id} approved by {approver} on {day}, gate {verdict}", err=True)


def _day(on: str | None) -> dt.date:
    if on is None:
        return dt.datetime.now(tz=dt.UTC).date()
    try:
        day = dt.date.fromisoformat(on)
    except ValueError as error:
        raise UsageError(f"{on!r} is no day such as 2026-11-24", where="--on") from error
    if day.isoformat() != on:
        raise UsageError(f"{on!r} is no day such as 2026-11-24", where="--on")
    return day


def _approver(workspace: Workspace, by: str | None) -> str:
    given = " ".join((by or "").split())
    if given:
        return given
    if by is not None:
        raise UsageError("is empty", where="--by", hint="give a name")
    try:
        with workspace.repository() as repository:
            user = repository.user
    except NoBaseError:
        user = None
    if user is None:
        raise UsageError(
            "git knows no name to approve in",
            where="--by",
            hint='give --by NAME, or set it: git config user.name "..."',
        )
    return user


def _verdict(workspace: Workspace, revision: Revision, student: str | None) -> ReviewVerdict:
    """Return what the gate says on recorded answers, ``undecided`` where it cannot."""
    try:
        with workspace.answering((revision.path,), student=student, offline=True) as answering:
            report = workspace.gate(revision.path, answering=answering)
    except PldgovError as error:
        click.echo(f"warning: the gate has no verdict: {error}", err=True)
        return "undecided"
    outcome = report.verdict.outcome
    if outcome is not Outcome.PASS:
        click.echo(f"warning: the gate says {outcome}: {report.verdict.reason}", err=True)
    if outcome is Outcome.NOT_MEASURED:
        return "undecided"
    return cast("ReviewVerdict", outcome.value)
