"""Opening all that a comment is made of: both sides, the student, and the gate over both."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from pldgov.cli.output import progress_bar
from pldgov.cli.sides import choose_pairs, pairs_by_student, prices_of, trees_of
from pldgov.errors import NoBaseError, PldgovError
from pldgov.gitrepo import GitTree
from pldgov.workflows.commenting import Commenter
from pldgov.workflows.diffing import Differ
from pldgov.workflows.prompt_facts import Meter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.comment_report import CommentReport, RulebookNews
    from pldgov.gitrepo import Repository
    from pldgov.results import GateReport
    from pldgov.rulebook.diff.pairing import Pair
    from pldgov.workflows.measure import Answering
    from pldgov.workflows.revision_range import Trees
    from pldgov.workspace import Workspace

_SHORT = 9


def comment_report(
    workspace: Workspace,
    names: Sequence[str],
    *,
    base: str | None,
    student: str | None,
    offline: bool,
    volume: int | None,
    commit: str | None,
    is_posted: bool,
) -> CommentReport:
    """Return what there is to tell of the rulebooks; ``commit`` is the head that people know.

    Raises ``NoBaseError`` without a base, and where the report ``is_posted`` also for a base that
    is head itself: no pull request is empty, so its base was not fetched. Raises ``UsageError``
    for a name that leads to no rulebook.
    """
    with ExitStack() as stack:
        repository = stack.enter_context(workspace.repository())
        trees = trees_of(workspace, repository, None if _is_evidence(workspace, base) else base)
        if is_posted:
            _require_change(trees, repository)
        pairs = choose_pairs(workspace, repository, trees, names)
        news: dict[Pair, RulebookNews] = {}
        for name, group in pairs_by_student(workspace, pairs, student).items():
            paths = tuple(pair.head for pair in group if pair.head is not None)
            with ExitStack() as inner:  # a student is closed before the next is opened
                opened = _open(inner, workspace, paths, student=name, offline=offline)
                commenter = _commenter(
                    workspace, trees, opened, base=base, student=name, volume=volume
                )
                report = commenter.report(group)
            news.update(zip(group, report.rulebooks, strict=True))
        report = replace(report, rulebooks=tuple(news[pair] for pair in pairs))
        head = commit or repository.head
        # What is not committed is judged too, and then no commit is what was judged.
        is_committed = not repository.is_dirty(
            [workspace.config.rulebooks, workspace.config.templates]
        )
    return replace(report, head=f"commit {head[:_SHORT]}") if head and is_committed else report


def _require_change(trees: Trees, repository: Repository) -> None:
    """Refuse to compare a commit with itself, in which nothing is ever wrong."""
    if isinstance(trees.base, GitTree) and trees.base.commit.hexsha == repository.head:
        raise NoBaseError(
            f"{trees.base.name} is the commit that is checked out: there is nothing to compare",
            where="base",
            hint="fetch the target branch (fetch-depth: 0, or git fetch), or name it with --base",
        )


def _is_evidence(workspace: Workspace, base: str | None) -> bool:
    return workspace.evidence(base) is not None


def _open(
    stack: ExitStack,
    workspace: Workspace,
    paths: Sequence[str],
    *,
    student: str,
    offline: bool,
) -> Answering | PldgovError:
    """Open the student, or return why there is none: then that is told, and the rest with it."""
    progress = stack.enter_context(progress_bar())
    try:
        return stack.enter_context(
            # Each rulebook's lock is held against the student when it is judged, one by one.
            workspace.answering(
                paths, student=student, offline=offline, progress=progress, locked=False
            )
        )
    except PldgovError as error:
        return error


def _commenter(
    workspace: Workspace,
    trees: Trees,
    opened: Answering | PldgovError,
    *,
    base: str | None,
    student: str,
    volume: int | None,
) -> Commenter:
    answering = None if isinstance(opened, PldgovError) else opened

    def gate(path: str) -> GateReport:
        if isinstance(opened, PldgovError):
            raise opened
        return workspace.gate(path, answering=opened, base=base)

    differ = Differ(
        trees=trees,
        load=lambda source, path: workspace.load(path, source=source),
        worktree=workspace.tree,
        templates=workspace.config.templates,
        approval=workspace.config.approval,
        meter=Meter(
            count_tokens=answering.student.count_tokens if answering else None,
            volume=volume,
            prices=prices_of(workspace, student),
        ),
    )
    return Commenter(differ, gate, answering)
