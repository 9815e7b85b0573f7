"""What a student does without each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.errors import UsageError
from pldgov.interpretability.model import Effect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.interpretability.model import LeaveOneOut
    from pldgov.results import Decision


def rule_effects(leave_one_out: LeaveOneOut) -> Effect:
    """Return which share of answers changes without some rule, and without each.

    The effect of a rule is that in this set of rules: effects do not add up. Raises
    ``UsageError`` when the decisions are not about the same examples, or there are none.
    """
    base = _labels(leave_one_out.decisions)
    if not base:
        raise UsageError("leaving rules out needs decisions on at least one example")
    changed: dict[str, set[str]] = {}
    for rule, decisions in leave_one_out.without.items():
        labels = _labels(decisions)
        if labels.keys() != base.keys():
            raise UsageError(f'the decisions without rule "{rule}" are about other examples')
        changed[rule] = {example for example in base if labels[example] != base[example]}
    return Effect(
        coverage=len(set().union(*changed.values())) / len(base),
        by_rule={rule: len(examples) / len(base) for rule, examples in changed.items()},
        inert=tuple(rule for rule, examples in changed.items() if not examples),
    )


def _labels(decisions: Sequence[Decision]) -> dict[str, str | None]:
    return {decision.example_id: decision.label for decision in decisions}
