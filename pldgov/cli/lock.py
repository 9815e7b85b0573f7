"""``pldgov lock``: pin the student that a rulebook is blessed for."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import offline_option, student_option
from pldgov.errors import StudentAbsentError, UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.ports import Student
    from pldgov.student_lock import LockedStudent, StudentChange, StudentLock


@click.command()
@click.argument("rulebooks", nargs=-1)
@student_option
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when the lock differs.")
@click.option("--forget", metavar="NAME", help="Take a student out of the lock instead.")
@offline_option
def command(
    rulebooks: tuple[str, ...], student: str | None, check: bool, forget: str | None, offline: bool
) -> int:
    """Write students.lock.json beside RULEBOOKS (default: all), to commit.

    A student behind an endpoint is asked once, to learn as which model it answers. One whose
    weights are not here is neither locked nor checked: then exit code 4, after all others.
    """
    if forget and (student or check):
        raise UsageError("stands alone", where="--forget")
    workspace = Workspace.around(rulebooks)
    paths = workspace.find(rulebooks)
    if forget:
        return _forget(workspace, paths, forget)
    ask = not (offline or workspace.config.offline)
    differ, absent = False, None
    for name, group in workspace.choosing.groups(paths, student).items():
        with closing(workspace.student(name)) as opened:
            try:
                for path in group:
                    differ |= _lock(workspace, path, opened, ask=ask, check=check)
            except StudentAbsentError as error:
                click.echo(f"not looked at: {', '.join(group)}: {error}", err=True)
                absent = error
    if absent is not None:
        raise absent
    return int(check and differ)


def _lock(workspace: Workspace, path: str, student: Student, *, ask: bool, check: bool) -> bool:
    """Lock one rulebook, or only look; tell whether its lock differs."""
    from pldgov.student_lock import lock_changes
    from pldgov.workflows.locking import locked_now, read_lock

    before = read_lock(workspace.tree, path.rpartition("/")[0])
    entry = locked_now(student, before, workspace.load(path), ask=ask)
    name = before.name_of(entry.card)
    after = before.with_student(entry)
    changes = lock_changes(before, after)
    _say(before, changes, entry, name)
    if changes and not check:
        write_lock(workspace, after)
    return bool(changes)


def _forget(workspace: Workspace, paths: Sequence[str], name: str) -> int:
    from pldgov.workflows.locking import read_lock

    for path in paths:
        lock = read_lock(workspace.tree, path.rpartition("/")[0])
        write_lock(workspace, lock.without(name))
        click.echo(f"{lock.path}: {name} is no longer locked")
    return 0


def write_lock(workspace: Workspace, lock: StudentLock) -> None:
    """Write a lock to its place."""
    from pldgov.files import write_atomically
    from pldgov.student_lock import lock_text

    write_atomically(workspace.config.root / lock.path, lock_text(lock).encode())


def _say(
    lock: StudentLock, changes: Sequence[StudentChange], entry: LockedStudent, name: str
) -> None:
    from pldgov.report.terminal import printable

    if not changes:
        click.echo(f"{lock.path}: {name} is as it is locked")
    for change in changes:
        if change.before is None:
            what = printable(f"{change.name} (new): {entry.card.kind}, {entry.card.model}")
            click.echo(f"{lock.path}: {what}, {printable(entry.card.snapshot)}")
            continue
        click.echo(f"{lock.path}: {change.name} changed")
        for part in change.parts:
            click.echo(f"  {printable(str(part))}")
    if entry.served_model and entry.served_model != entry.card.snapshot:
        click.echo(
            f"note: it answers as {printable(entry.served_model)!r}; set served_model to that, so "
            "that stored answers of two snapshots cannot mix",
            err=True,
        )
