"""How readable and how well founded a rulebook is, with what a student does without each rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pldgov.distill.model import DraftRule
from pldgov.interpretability.measure import measure_interpretability
from pldgov.interpretability.model import LeaveOneOut
from pldgov.students.pinned import count_if_here
from pldgov.workflows.measure import measure
from pldgov.workflows.run_folder import RUNS
from pldgov.workflows.sides import side_of

if TYPE_CHECKING:
    from pathlib import Path

    from pldgov.dataset import SplitName
    from pldgov.interpretability.model import Interpretability
    from pldgov.ports import Embedder
    from pldgov.results import Decision
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Rule
    from pldgov.workflows.measure import Answering
    from pldgov.workflows.sides import Side

    Redraw = tuple[DraftRule, ...]

SYNTHESIS = "synthesis: "
"""How the step of a candidate begins that is a teacher's draw as it came."""


def interpret(
    revision: Revision,
    *,
    split: SplitName,
    answering: Answering,
    embedder: Embedder | None = None,
    redraws: tuple[Redraw, ...] = (),
) -> Interpretability:
    """Return the interpretability scorecard of a rulebook, each rule left out once on ``split``.

    ``redraws`` are rule sets of other draws and seeds, for which there must be an ``embedder``.
    """
    revision.require()
    side = side_of(revision, answering.student)
    rules = revision.rulebook.active_rules
    without = {
        rule.id: _decide(side, [one for one in rules if one is not rule], split, answering)
        for rule in rules
    }
    return measure_interpretability(
        revision.rulebook,
        splits=revision.splits,
        count_tokens=count_if_here(answering.student),
        leave_one_out=LeaveOneOut(_decide(side, rules, split, answering), without),
        embedder=embedder if redraws else None,
        redraws=redraws,
    )


def drawn_sets(root: Path, rulebook: str) -> tuple[Redraw, ...]:
    """Return the rule sets that the runs on a rulebook drew, as synthesis gave them.

    Runs are those whose folders are still there; equal sets count once.
    """
    found: dict[tuple[tuple[str, str], ...], Redraw] = {}
    for path in sorted((root / RUNS).glob("*/candidates.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["rulebook"] == rulebook and row["step"].startswith(SYNTHESIS):
                rules = _drafts(row["texts"])
                found.setdefault(tuple((r.id, r.instruction) for r in rules), rules)
    return tuple(found.values())


def _drafts(texts: dict[str, list[str]]) -> Redraw:
    return tuple(
        DraftRule(id_, id_, (label,), instruction, (), "")
        for id_, (label, instruction) in texts.items()
    )


def _decide(
    side: Side, rules: list[Rule] | tuple[Rule, ...], split: SplitName, answering: Answering
) -> tuple[Decision, ...]:
    revision = side.revision
    return measure(
        side.builder,
        side.builder.build(rules),
        revision.split(split),
        train=revision.split("train"),
        answering=answering,
        policy=revision.rulebook.gate,
        stage="leaving out each rule",
    ).decisions
