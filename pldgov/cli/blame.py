"""``pldgov blame``: which prompt was live, and who stands behind its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pldgov.cli.output import output_option, render_as, student_option, write_result
from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from pldgov.gitrepo import Repository
    from pldgov.history.model import Blame

FORMATS = {
    "text": "pldgov.report.blame_text:render_blame_text",
    "json": "pldgov.report.blame_json:render_blame_json",
    "markdown": "pldgov.report.blame_markdown:render_blame_markdown",
}


@click.command()
@click.argument("rulebook")
@click.option(
    "--at",
    metavar="DATE|REF",
    help="A day (its last commit, UTC) or a git revision; default: the branch as it is.",
)
@click.option(
    "--branch", default="HEAD", show_default=True, help="The branch whose first line was live."
)
@student_option
@click.option(
    "--format", "format_", type=click.Choice(tuple(FORMATS)), default="text", show_default=True
)
@output_option
def command(
    rulebook: str,
    at: str | None,
    branch: str,
    student: str | None,
    format_: str,
    output: Path | None,
) -> None:
    """Say which prompt of RULEBOOK was live, and who wrote and approved each active rule.

    What is not committed does not count.
    """
    write_result(render_as(FORMATS, format_, _blame(rulebook, at, branch, student)), output)


def _blame(rulebook: str, at: str | None, branch: str, student: str | None) -> Blame:
    from pldgov.workflows.tracing import blame_rulebook, find_in_history

    workspace = Workspace.around((rulebook,))
    with workspace.repository() as repository:
        try:
            path = workspace.find_one(rulebook)
        except UsageError:
            rulebooks = workspace.config.rulebooks
            found = find_in_history(repository.log, rulebook, rulebooks=rulebooks)
            if found is None:
                raise
            path = found

        def render(sha: str, then: str) -> str:
            return _digest(workspace, repository, sha, then, student)

        return blame_rulebook(repository.log, path, at=at, branch=branch, render=render)


def _digest(
    workspace: Workspace, repository: Repository, sha: str, path: str, student: str | None
) -> str:
    """Return the digest of the prompt at a commit, as it would be deployed for the student."""
    from pldgov.prompt import render_within_budget
    from pldgov.workflows.sides import builder_of

    revision = workspace.load(path, source=repository.tree(sha), splits=("train",))

    def count_tokens(text: str) -> int | None:
        return workspace.student(student, path=path).count_tokens(text)

    rendered = render_within_budget(
        builder_of(revision), revision.rulebook, count_tokens=count_tokens
    )
    return rendered.prompt.digest
