"""``pldgov comment``: one comment on a pull request that tells what its change of rules does."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import output_option, student_option, write_result
from pldgov.errors import PldgovError, UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pldgov.comment_report import CommentReport
    from pldgov.github.actions import ActionsRun
    from pldgov.github.sticky import Posted

_FALL_BACK = (403, 404, 410)


@click.command()
@click.argument("rulebooks", nargs=-1)
@click.option("--repo", metavar="OWNER/NAME", help="Default: GITHUB_REPOSITORY.")
@click.option("--pr", type=click.IntRange(min=1), help="Default: that of the event file.")
@click.option(
    "--base",
    metavar="REF|FILE",
    help="As in `pldgov gate`; default: where HEAD left the default branch.",
)
@click.option("--host", metavar="URL", help="Of the API; default: GITHUB_API_URL, else github.com.")
@click.option("--artifact-url", metavar="URL", help="Of the full report, to link it.")
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Job summary; default: GITHUB_STEP_SUMMARY.",
)
@click.option("--key", metavar="TEXT", help="Tells several comments on one pull request apart.")
@click.option("--dry-run", is_flag=True, help="Send nothing; print the comment.")
@student_option
@click.option(
    "--offline", "--no-ask", "offline", is_flag=True,
    help="Never ask a student; recorded answers only.",
)  # fmt: skip
@click.option(
    "--volume",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also tell tokens and cost of N examples a year.",
)
@click.option(
    "--max-wait",
    type=click.FloatRange(min=0),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest wait for rate limits and a server that fails.",
)
@output_option
def command(  # noqa: PLR0917  (click passes options by name)
    rulebooks: tuple[str, ...],
    repo: str | None,
    pr: int | None,
    base: str | None,
    host: str | None,
    artifact_url: str | None,
    summary: Path | None,
    key: str | None,
    dry_run: bool,
    student: str | None,
    offline: bool,
    volume: int | None,
    max_wait: float,
    output: Path | None,
) -> int:
    """Tell on a pull request what its change of RULEBOOKS (default: all) does.

    The verdicts are those of `pldgov gate`, in the working tree and against the same base. The
    comment is found again by a hidden marker and edited in place. The token comes from the
    variable GITHUB_TOKEN. Without one, or where it may not write (a fork), the same text stands in
    the job summary alone. -o writes all of it into a file, however long.

    Exit code 0: posted, or left to the job summary; whatever the verdict, which is for `pldgov
    gate` to enforce. 2: wrong use. 3: no base. 4: GitHub failed for good.
    """
    from pldgov.cli.commenting import comment_report
    from pldgov.github.actions import actions_run
    from pldgov.github.address import api_address, repository_name, usable_token

    run = actions_run(os.environ)
    # What is wrong with the call is told before a student is asked for an hour.
    token = None if dry_run else usable_token(os.environ.get("GITHUB_TOKEN"))
    address = api_address(host or run.api)
    place = None if dry_run else _place(repo or run.repository, pr or run.pull, run)
    if place:
        repository_name(place[0])
    workspace = Workspace.around(rulebooks)
    text = _Texts(workspace, key=key, full_report=artifact_url, run=run.url)
    report = comment_report(
        workspace,
        rulebooks,
        base=base,
        student=student,
        offline=offline,
        volume=volume,
        commit=run.commit,
        is_posted=place is not None,
    )
    if output is not None:
        write_result(text.whole(report), output)
    written = text.summarize(report, summary or run.summary)
    if dry_run:
        if output is None:
            click.echo(text.comment(report), nl=False)
        return 0
    why = _why_not(token, place)
    if why is None:
        assert token is not None
        assert place is not None
        why = _post(text.comment(report), text.marker, address, token, place, max_wait)
    if why is not None:
        _fall_back(why, text.comment(report), written=written or output is not None)
    return 0


def _place(repo: str | None, pr: int | None, run: ActionsRun) -> tuple[str, int] | None:
    """Return repository and number; None in a run of Actions that is about no pull request."""
    if repo and pr:
        return repo, pr
    if run.is_event and repo:
        return None
    missing = "--pr" if repo else "--repo"
    raise UsageError(
        "is not given, and the environment does not tell it",
        where=missing,
        hint="pldgov comment --repo OWNER/NAME --pr N; --dry-run prints without sending",
    )


def _why_not(token: str | None, place: tuple[str, int] | None) -> str | None:
    if place is None:
        return "this run is about no pull request"
    return None if token else "GITHUB_TOKEN is not set"


def _post(
    body: str, marker: str, address: str, token: str, place: tuple[str, int], max_wait: float
) -> str | None:
    """Post the comment, and return None; or why the host will not have it from this token."""
    from contextlib import closing

    from pldgov.github.api import GitHubApi, RefusedError
    from pldgov.github.limits import Patience
    from pldgov.github.sticky import StickyComment

    repository, number = place
    with closing(GitHubApi(address, token=token, patience=Patience(most=max_wait))) as api:
        try:
            posted = StickyComment(api, repository, number, marker).put(body)
        except RefusedError as error:
            if error.status not in _FALL_BACK:
                raise
            return f"the token may not write on {repository}#{number} ({error.message})"
    _say_posted(posted)
    return None


def _say_posted(posted: Posted) -> None:
    click.echo(f"comment {posted.action}: {posted.url}")
    if posted.retired:
        click.echo(f"duplicates that now point to it: {posted.retired}", err=True)


def _fall_back(why: str, body: str, *, written: bool) -> None:
    """Say in a sentence where the text is instead."""
    if written:
        click.echo(f"not posted: {why}; the same text stands in the job summary", err=True)
        return
    click.echo(f"not posted: {why}; there is no job summary, so here is the text", err=True)
    click.echo(body, nl=False)


class _Texts:
    """The report as Markdown in its three sizes."""

    def __init__(
        self, workspace: Workspace, *, key: str | None, full_report: str | None, run: str | None
    ) -> None:
        from pldgov.report.comment.marker import comment_marker
        from pldgov.report.comment.render import link_target, render_comment

        self.marker = comment_marker(key if key is not None else _place_of(workspace))
        self._render = partial(
            render_comment,
            marker=self.marker,
            full_report=link_target(full_report),
            run=link_target(run),
        )

    def comment(self, report: CommentReport) -> str:
        """Return what fits into a comment."""
        return self._render(report)

    def whole(self, report: CommentReport) -> str:
        """Return all of it."""
        return self._render(report, room=None)

    def summarize(self, report: CommentReport, path: Path | None) -> bool:
        """Add as much as fits to the job summary, and return whether that could be done."""
        from pldgov.github.actions import append_summary, summary_room
        from pldgov.report.comment.fitting import utf8_bytes

        if path is None:
            return False
        room = summary_room(path)
        text = self._render(report, room=room, size=utf8_bytes)
        if utf8_bytes(text) > room:
            click.echo(f"warning: the job summary {path} is full; nothing was added", err=True)
            return False
        try:
            append_summary(path, text)
        except PldgovError as error:
            click.echo(f"warning: {error}", err=True)
            return False
        return True


def _place_of(workspace: Workspace) -> str:
    """Return the governance folder's place in the repository, which tells its comment apart."""
    with workspace.repository() as repository:
        return repository.folder or "."
