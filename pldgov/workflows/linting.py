"""Lint: what loading found wrong and what the checks find, together and in order."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pldgov.errors import RulebookError
from pldgov.rulebook.checks import CHECKS, check_rulebook, place_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pldgov.approval_policy import ApprovalPolicy, Author
    from pldgov.dataset import Example, SplitName
    from pldgov.problems import Problem
    from pldgov.rulebook.loading import Revision

_LEFT_TO_LINT = {
    "folder-name",  # the name of a folder changes no answer
    "similar-across-splits",  # the search takes longer than the verdict
}
_OF_HISTORY = {"approval-by-author"}


def lint_revision(
    revision: Revision,
    *,
    selected: Collection[str] | None = None,
    approval: ApprovalPolicy | None = None,
    authors: Mapping[str, Author] | None = None,
) -> tuple[Problem, ...]:
    """Return every problem of a rulebook and its examples, sorted by place.

    ``selected`` are codes from ``select_checks``, all if None; what stands in the way of reading
    is always reported. Without a policy on ``approval`` no rule needs one; ``authors`` tells who
    wrote each rule, where the policy asks for another approver.
    """
    found = check_rulebook(
        revision.document,
        splits=_sound_splits(revision),
        templates=revision.templates,
        absent=revision.absent,
        selected=selected,
        approval=approval,
        authors=authors,
    )
    return tuple(sorted((*revision.problems, *found), key=place_key))


def new_problems(
    base: Revision | None, head: Revision, *, approval: ApprovalPolicy | None = None
) -> tuple[Problem, ...]:
    """Return what lint finds in head and did not find in the base, each without errors of reading.

    A finding is the same wherever it stands in the file. The checks that need a long search or
    history are left out.
    """
    selected = CHECKS.keys() - _LEFT_TO_LINT - _OF_HISTORY

    def found(revision: Revision) -> tuple[Problem, ...]:
        return lint_revision(revision, selected=selected, approval=approval)

    known = {_said(problem) for problem in found(base)} if base is not None else set()
    return tuple(problem for problem in found(head) if _said(problem) not in known)


def _said(problem: Problem) -> tuple[str, str | None, str]:
    return problem.code, problem.rule_id, problem.message


def require_sound(revision: Revision) -> None:
    """Raise ``RulebookError`` with every error that would make a measurement worthless.

    An example cited from the gate split, for instance, is in the prompt that the gate judges.
    """
    selected = {code for code, one in CHECKS.items() if one.severity == "error"}
    problems = lint_revision(revision, selected=selected - _LEFT_TO_LINT)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise RulebookError(errors)


def _sound_splits(revision: Revision) -> Mapping[SplitName, Sequence[Example]]:
    """Return the splits whose examples could all be read: of the others one would be missed."""
    faulty = {problem.path for problem in revision.problems if problem.severity == "error"}
    return {
        name: examples
        for name, examples in revision.splits.items()
        if _split_path(revision, name) not in faulty
    }


def _split_path(revision: Revision, name: SplitName) -> str:
    assert revision.document.rulebook is not None
    spec = str(getattr(revision.document.rulebook.examples, name))
    if spec.startswith("hf:"):
        return spec
    return posixpath.normpath(posixpath.join(revision.folder, spec))
