"""Lint: what loading found wrong and what the checks find, together and in order."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pldgov.rulebook.checks import check_rulebook, place_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pldgov.dataset import Example, SplitName
    from pldgov.problems import Problem
    from pldgov.rulebook.loading import Revision


def lint_revision(
    revision: Revision, *, selected: Collection[str] | None = None
) -> tuple[Problem, ...]:
    """Return every problem of a rulebook and its examples, sorted by place.

    ``selected`` are codes from ``select_checks``, all if None; what stands in the way of reading
    is always reported.
    """
    found = check_rulebook(
        revision.document,
        splits=_sound_splits(revision),
        templates=revision.templates,
        selected=selected,
    )
    return tuple(sorted((*revision.problems, *found), key=place_key))


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
