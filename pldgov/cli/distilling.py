"""What `pldgov distill` says at its end, and the exit code that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pldgov.workflows.distilling.journey import Finished


def echo_finished(done: Finished) -> int:
    """Print what a run came to and return the exit code: 1 where a check found a difference."""
    if done.awaited is not None:
        return _echo_awaited(done)
    if done.diff is not None:
        return _echo_check(done)
    from pldgov.report.distill_text import render_distill_text

    assert done.summary is not None
    click.echo(render_distill_text(done.summary), nl=False)
    click.echo(f"written: {', '.join(done.written)}", err=True)
    click.echo(f"run: {done.folder}", err=True)
    return 0


def _echo_awaited(done: Finished) -> int:
    awaited = done.awaited
    assert awaited is not None
    if awaited.student:
        click.echo(f"{done.run_id}: the student comes next: it measures the candidates")
        return 0
    if awaited.plan is not None:
        click.echo(f"{done.run_id}: {awaited.missing} requests of {awaited.phase} come next")
        return 0
    where = "; ".join(awaited.places) or f"{awaited.missing} answers are awaited"
    click.echo(f"{done.run_id}: {awaited.phase}: {where}; then run the command again")
    for finding in awaited.findings:
        if finding.kind != "awaiting":
            about = ", ".join(finding.about)
            click.echo(f"{finding.kind}: {about}: {finding.message}", err=True)
    return 0


def _echo_check(done: Finished) -> int:
    if done.diff:
        click.echo(done.diff, nl=False)
        click.echo(f"{done.run_id}: the run gives another rulebook", err=True)
        return 1
    click.echo(f"{done.run_id}: the run gives this rulebook, byte for byte")
    return 0
