"""Opening both sides of a comparison, the same for every verb that shows what changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.gitrepo import Repository
    from pldgov.rulebook.diff.pairing import Pair
    from pldgov.workflows.prompt_facts import Prices
    from pldgov.workflows.revision_range import Trees
    from pldgov.workspace import Workspace


def trees_of(workspace: Workspace, repository: Repository, revisions: str | None) -> Trees:
    """Return both sides of a range; see ``revision_range.open_trees``."""
    from pldgov.workflows.revision_range import open_trees

    base = workspace.config.base
    if base is not None and (base.endswith(".json") or (workspace.config.root / base).is_file()):
        base = None  # an evidence file is a base for the gate only
    return open_trees(revisions, repository, worktree=workspace.tree, base=base)


def choose_pairs(
    workspace: Workspace, repository: Repository, trees: Trees, names: Sequence[str]
) -> Sequence[Pair]:
    """Return the pairs that the names lead to on either side, all without names."""
    from pldgov.workflows.diffing import find_pairs, pairs_named

    places = {name: _relative(workspace, name) for name in names}
    folders = {workspace.config.rulebooks}
    folders |= {place for name, place in places.items() if place and Path(name).exists()}
    pairs = find_pairs(trees, under=sorted(folders))
    if not names:
        inside = f"{workspace.config.rulebooks}/"
        return [p for p in pairs if (p.head or p.base or "").startswith(inside)]
    return pairs_named(pairs, places, shallow=repository.is_shallow)


def pairs_by_student(
    workspace: Workspace, pairs: Sequence[Pair], student: str | None
) -> dict[str, tuple[Pair, ...]]:
    """Return the pairs that each student answers for; without pairs the default one has none."""
    groups: dict[str, tuple[Pair, ...]] = {}
    for pair in pairs:
        name = workspace.choosing.name(pair.head or pair.base, student)
        groups[name] = (*groups.get(name, ()), pair)
    return groups or {workspace.choosing.name(given=student): ()}


def prices_of(workspace: Workspace, student: str) -> Prices | None:
    """Return the prices in the student's table, None unless both are there."""
    from pldgov.workflows.prompt_facts import Prices

    table = workspace.config.students.get(student, {})
    given = [table.get(f"price_{side}") for side in ("input", "output")]
    if not all(isinstance(price, int | float) for price in given):
        return None
    return Prices(*map(float, given))  # type: ignore[arg-type]


def _relative(workspace: Workspace, name: str) -> str | None:
    """Return a path's place below the root, None for one outside."""
    root = os.path.realpath(workspace.config.root)
    place = os.path.relpath(os.path.realpath(name), root).replace(os.sep, "/")
    return None if place.startswith("..") else place.removeprefix(".")
