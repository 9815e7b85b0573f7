"""``pldgov diff``: what changed between two revisions, in rules; exit code 0 once compared."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import (
    output_option,
    progress_bar,
    render_as,
    student_option,
    write_result,
)
from pldgov.cli.sides import choose_pairs, pairs_by_student, prices_of, trees_of
from pldgov.errors import NoBaseError, PldgovError, UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pldgov.diff_report import DiffReport, RulebookDiff
    from pldgov.gitrepo import Repository
    from pldgov.rulebook.diff.pairing import Pair
    from pldgov.workflows.diffing import Differ
    from pldgov.workflows.measure import Answering
    from pldgov.workflows.revision_range import Trees

FORMATS = {
    "text": "pldgov.report.diff_text:render_diff_text",
    "markdown": "pldgov.report.diff_markdown:render_diff_markdown",
    "json": "pldgov.report.diff_json:render_diff_json",
    "html": "pldgov.report.diff_html:render_diff_html",
}
UNREADABLE = 2

_GIT_SYNTAX = re.compile(r"[~^@:]|^HEAD$")
"""What only a revision holds: a name that git does not know is then a wrong revision."""


@click.command()
@click.argument("what", nargs=-1, metavar="[BASE[..HEAD]] [RULEBOOK]...")
@student_option
@click.option("--ask", is_flag=True, help="Ask the student for the answers that are missing.")
@click.option(
    "--volume",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also tell tokens and cost of N examples a year.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if the student may notice.")
@click.option(
    "--format", "format_", type=click.Choice(tuple(FORMATS)), default="text", show_default=True
)
@output_option
def command(
    what: tuple[str, ...],
    student: str | None,
    ask: bool,
    volume: int | None,
    exit_code: bool,
    format_: str,
    output: Path | None,
) -> int:
    """Tell what changed from BASE to HEAD, rule by rule, and which answers flip.

    BASE defaults to where HEAD left the default branch; without ..HEAD it is compared with the
    working tree. BASE...HEAD starts where both parted, REV^! shows one commit. Answers come from
    the evidence committed on either side and from the store; no student is asked without --ask.
    RULEBOOK (default: all) is a name, a folder or a file on either side.

    Exit code 0: compared. 2: wrong use, or a side that cannot be read. 3: no such revision.
    """
    report = _diff(what, student=student, ask=ask, volume=volume)
    write_result(render_as(FORMATS, format_, report), output)
    if any(diff.state == "unreadable" for diff in report.rulebooks):
        return UNREADABLE
    return int(exit_code and any(diff.reaches_student for diff in report.rulebooks))


def _diff(what: Sequence[str], *, student: str | None, ask: bool, volume: int | None) -> DiffReport:
    workspace = Workspace.around([one for one in what if Path(one).exists()])
    with ExitStack() as stack:
        repository = stack.enter_context(workspace.repository())
        revisions, names = _sort_out(workspace, repository, what)
        trees = trees_of(workspace, repository, revisions)
        pairs = choose_pairs(workspace, repository, trees, names)
        compared: dict[Pair, RulebookDiff] = {}
        for name, group in pairs_by_student(workspace, pairs, student).items():
            must_open = student is not None or ask
            with _differ(
                workspace, trees, student=name, ask=ask, volume=volume, must_open=must_open
            ) as differ:
                report = differ.report(group)
            compared.update(zip(group, report.rulebooks, strict=True))
        return replace(report, rulebooks=tuple(compared[pair] for pair in pairs))


def _sort_out(
    workspace: Workspace, repository: Repository, what: Sequence[str]
) -> tuple[str | None, Sequence[str]]:
    """Return the range of revisions, if the first argument is one, and the rulebooks' names."""
    from pldgov.workflows.revision_range import is_range

    if not what:
        return None, ()
    first, rest = what[0], what[1:]
    is_rulebook = _is_rulebook(workspace, first)
    if (is_range(first) or _GIT_SYNTAX.search(first)) and not is_rulebook:
        return first, rest
    if not _is_revision(repository, first):
        return None, what  # a rulebook, of this side or the other
    if is_rulebook:
        raise UsageError(
            "is a revision and a rulebook",
            where=first,
            hint=f"write refs/heads/{first} for the branch, or the rulebook's path",
        )
    return first, rest


def _is_rulebook(workspace: Workspace, name: str) -> bool:
    try:
        return bool(workspace.find((name,)))
    except UsageError:
        return False


def _is_revision(repository: Repository, name: str) -> bool:
    try:
        repository.tree(name)
    except NoBaseError:
        return False
    return True


@contextmanager
def _differ(
    workspace: Workspace,
    trees: Trees,
    *,
    student: str,
    ask: bool,
    volume: int | None,
    must_open: bool,
) -> Iterator[Differ]:
    """Open what compares; unless it ``must_open``, say why a student cannot be, in its place."""
    from pldgov.workflows.diffing import Differ
    from pldgov.workflows.prompt_facts import Meter

    with ExitStack() as stack:
        answering, unanswered = None, ""
        try:
            answering = stack.enter_context(_answering(workspace, student, ask=ask))
        except PldgovError as error:
            if must_open:
                raise
            unanswered = str(error)
        yield Differ(
            trees=trees,
            load=lambda source, path: workspace.load(path, source=source),
            worktree=workspace.tree,
            templates=workspace.config.templates,
            approval=workspace.config.approval,
            answering=answering,
            unanswered=unanswered,
            meter=Meter(
                count_tokens=answering.student.count_tokens if answering else None,
                volume=volume,
                prices=prices_of(workspace, student),
            ),
        )


@contextmanager
def _answering(workspace: Workspace, student: str, *, ask: bool) -> Iterator[Answering]:
    with (
        progress_bar() as progress,
        workspace.answering((), student=student, offline=not ask, progress=progress) as opened,
    ):
        yield opened
