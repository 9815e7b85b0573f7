"""Rules that say the same: merged, with all that they cite, and reported.

Synthesis writes each cluster's rules without seeing the other clusters', so that the same
advice comes back several times (a replication found six of 40 rules to be one). Only rules for
the same labels are merged; near-equal rules for different labels are a contradiction, which is
another matter (``pldgov.distill.conflicts``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pldgov.distill.model import CitedExample, DraftRule

SAME = 0.9
"""The least cosine at which two instructions count as the same, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Merger:
    """``kept`` took in ``dropped``; ``similarity`` is the cosine of their instructions."""

    kept: str
    dropped: str
    similarity: float


def merge_duplicates(
    rules: Sequence[DraftRule], *, vectors: NDArray[np.float32], threshold: float = SAME
) -> tuple[tuple[DraftRule, ...], tuple[Merger, ...]]:
    """Return the rules without near-duplicates, and what was merged into what.

    Row i of ``vectors`` (unit length) is the i-th rule's instruction. Of two rules with the same
    labels and a cosine of at least ``threshold`` the better supported stays (then the shorter,
    then the smaller id), with its wording; it cites what both cite, and its lineage names the
    other. A rule joins the most similar one that stays, and only one that it is itself near to:
    duplicates do not chain. Rules keep their order.
    """
    similar = vectors @ vectors.T
    kept: list[int] = []
    taken: dict[int, list[int]] = {}
    mergers: list[Merger] = []
    for index in sorted(range(len(rules)), key=lambda one: _worth(rules[one])):
        near = [
            other
            for other in kept
            if similar[index, other] >= threshold and _same_labels(rules[index], rules[other])
        ]
        if not near:
            kept.append(index)
            continue
        host = max(near, key=lambda other: (similar[index, other], -kept.index(other)))
        taken.setdefault(host, []).append(index)
        mergers.append(
            Merger(rules[host].id, rules[index].id, min(1.0, float(similar[index, host])))
        )
    merged = tuple(
        _with(rules[index], [rules[other] for other in sorted(taken.get(index, ()))])
        for index in sorted(kept)
    )
    return merged, tuple(sorted(mergers, key=lambda merger: (merger.kept, merger.dropped)))


def _worth(rule: DraftRule) -> tuple[int, int, str]:
    support = sum(cited.role == "support" for cited in rule.cites)
    return -support, len(rule.instruction), rule.id


def _same_labels(one: DraftRule, other: DraftRule) -> bool:
    return set(one.labels) == set(other.labels) and one.when == other.when


def _with(rule: DraftRule, others: Sequence[DraftRule]) -> DraftRule:
    """Return ``rule`` with what the others cite; where they disagree on a role, its own counts."""
    if not others:
        return rule
    cites: dict[str, CitedExample] = {cited.id: cited for cited in rule.cites}
    lineage = list(rule.lineage)
    for other in others:
        for cited in other.cites:
            cites.setdefault(cited.id, cited)
        lineage += [other.id, *other.lineage]
    priority = max(one.priority for one in (rule, *others))
    return replace(
        rule,
        cites=tuple(cites.values()),
        lineage=tuple(dict.fromkeys(lineage)),
        priority=priority,
    )
