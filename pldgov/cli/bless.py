"""``pldgov bless``: a measurement becomes committed evidence."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import offline_option, progress_bar, student_option
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.measure import Answering

LEDGER = "evidence/ledger.jsonl"


@click.command()
@click.argument("rulebooks", nargs=-1)
@click.option("--reason", required=True, metavar="TEXT", help="Why this is the new baseline.")
@student_option
@offline_option
def command(rulebooks: tuple[str, ...], reason: str, student: str | None, offline: bool) -> None:
    """Measure RULEBOOKS (default: all) on the gate split and write the evidence to commit.

    Refuses a measurement that is suspect: too many invalid answers, truncated inputs, or files
    that are not committed.
    """
    workspace = Workspace.around(rulebooks)
    paths = workspace.find(rulebooks)

    def bless(path: str, answering: Answering) -> None:
        click.echo(_bless(workspace, workspace.load(path), answering, reason=reason))

    with progress_bar() as progress:
        workspace.for_each(paths, bless, student=student, offline=offline, progress=progress)


def _bless(workspace: Workspace, head: Revision, answering: Answering, *, reason: str) -> str:
    from pldgov.files import write_atomically
    from pldgov.workflows.blessing import (
        evidence_files,
        ledger_line,
        measure_for_blessing,
        refuse_dirty,
    )
    from pldgov.workflows.linting import require_sound

    head.require()
    require_sound(head)
    paths = [head.path, f"{head.folder}/examples", workspace.config.templates]
    with workspace.repository() as repository:
        refuse_dirty(paths, is_dirty=repository.is_dirty(paths))
        commit, author = repository.head, repository.author
    side, measured = measure_for_blessing(head, answering=answering)
    line = ledger_line(
        head,
        side,
        measured,
        card=answering.card,
        reason=reason,
        by=author,
        commit=commit,
        on=dt.datetime.now(tz=dt.UTC).date(),
    )
    root = workspace.config.root
    for path, text in evidence_files(head, side, measured, card=answering.card).items():
        write_atomically(root / path, text.encode())
    _lock(workspace, head, answering)
    ledger = root / head.folder / LEDGER
    earlier = ledger.read_text(encoding="utf-8") if ledger.exists() else ""
    write_atomically(ledger, f"{earlier}{line}".encode())
    return (
        f"{head.rulebook.name}: macro-F1 {measured.scorecard.macro_f1:.3f} on "
        f"{measured.scorecard.n} gate examples; commit {head.folder}/evidence/ and "
        "students.lock.json"
    )


def _lock(workspace: Workspace, head: Revision, answering: Answering) -> None:
    """Lock the student that was blessed; a changed one was refused before it was asked."""
    from pldgov.files import write_atomically
    from pldgov.student_lock import lock_text
    from pldgov.workflows.locking import locked_now, read_lock

    if answering.card.recorded_fingerprint is not None:
        return  # whose answers these are is not known
    lock = read_lock(workspace.tree, head.folder)
    entry = locked_now(answering.student, lock, head, ask=False)
    text = lock_text(lock.with_student(entry))
    write_atomically(workspace.config.root / lock.path, text.encode())
