"""Rules that recur when distillation is run again with another seed or teacher draw."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from pldgov.errors import UsageError
from pldgov.interpretability.model import Stability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pldgov.distill.model import DraftRule
    from pldgov.rulebook.model import Rule

    RuleSet = Sequence[Rule | DraftRule]
    Floats = NDArray[np.float32]

MATCH = 0.7
"""The least cosine at which two rules count as one found again, unless told otherwise."""


def rule_set_stability(
    sets: Sequence[RuleSet], *, vectors: Sequence[Floats], threshold: float = MATCH
) -> Stability:
    """Return how alike rule sets are; the first is the one whose rules' recurrence is told.

    ``vectors[k]`` (unit length) are those of the k-th set's rules, all from one embedding. Two
    rules match when their first labels are equal and their cosine is at least ``threshold``; of
    all ways to pair two sets one to one, that with the most matches counts, then the most
    similar. Raises ``UsageError`` for fewer than two sets.
    """
    if len(sets) < 2:  # noqa: PLR2004  (a comparison takes two)
        raise UsageError("stability needs at least two rule sets")
    pairs = {
        (one, other): _matches(sets[one], sets[other], vectors[one] @ vectors[other].T, threshold)
        for one, other in itertools.combinations(range(len(sets)), 2)
    }
    dice = [_dice(len(pairs[pair]), *(len(sets[index]) for index in pair)) for pair in pairs]
    return Stability(
        sets=len(sets),
        threshold=threshold,
        dice=float(np.mean(dice)),
        lowest=min(dice),
        recurrence=_recurrence(sets, pairs),
    )


def _matches(
    rules: RuleSet, others: RuleSet, similar: Floats, threshold: float
) -> tuple[tuple[int, int], ...]:
    """Return the positions of matched rules."""
    if not rules or not others:
        return ()
    alike = np.array([[_main(one) == _main(other) for other in others] for one in rules])
    allowed = alike & (similar >= threshold)
    # 3 a match and at most 1 for its similarity: one more match outweighs any similarity of
    # the two that an exchange can cost.
    first, second = linear_sum_assignment(np.where(allowed, 3 + similar, 0), maximize=True)
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    return tuple(pair for pair in pairs if allowed[pair])


def _main(rule: Rule | DraftRule) -> str | None:
    return rule.labels[0] if rule.labels else None


def _dice(matches: int, size: int, other: int) -> float:
    return 2 * matches / (size + other) if size + other else 1.0


def _recurrence(
    sets: Sequence[RuleSet], pairs: Mapping[tuple[int, int], tuple[tuple[int, int], ...]]
) -> dict[str, float]:
    found = [0] * len(sets[0])
    for (first, _), matches in pairs.items():
        if first == 0:
            for position, _ in matches:
                found[position] += 1
    others = len(sets) - 1
    return {rule.id: count / others for rule, count in zip(sets[0], found, strict=True)}
