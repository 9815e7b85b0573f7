"""The scorecard of one rulebook, from its text, its examples and what a student did."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from pldgov.distill.conflicts import find_conflicts
from pldgov.errors import UsageError
from pldgov.interpretability.clauses import clause_recovery
from pldgov.interpretability.effect import rule_effects
from pldgov.interpretability.model import Interpretability, Spread
from pldgov.interpretability.reading_ease import reading_ease, words
from pldgov.interpretability.stability import MATCH, rule_set_stability
from pldgov.rulebook.content_words import without_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pldgov.dataset import Example, SplitName
    from pldgov.distill.model import Conflict, ConflictKind, DraftRule
    from pldgov.interpretability.model import LeaveOneOut, Stability
    from pldgov.ports import Embedder
    from pldgov.rulebook.model import Rule, Rulebook

    RuleSet = Sequence[Rule | DraftRule]

TWICE = 2
"""Supporting examples that a rule must have to count as supported: one may be a fluke."""


def measure_interpretability(
    rulebook: Rulebook,
    *,
    splits: Mapping[SplitName, Sequence[Example]],
    count_tokens: Callable[[str], int | None],
    leave_one_out: LeaveOneOut | None = None,
    embedder: Embedder | None = None,
    redraws: Sequence[RuleSet] = (),
    match: float = MATCH,
    seed: int = 0,
) -> Interpretability:
    """Return the scorecard of the active rules.

    ``splits`` needs the train split for what is said about citations; without it those figures
    are None. ``redraws`` are rule sets of other runs, compared through ``embedder`` at a cosine
    of ``match``. Without an embedder conflicts are found by words. Raises ``UsageError`` for
    redraws without an embedder.
    """
    if redraws and embedder is None:
        raise UsageError("the rules of several runs can only be matched with an embedder")
    rules = rulebook.active_rules
    train = splits.get("train", ())
    vectors = _vectors([rules, *redraws], rulebook.labels, embedder)
    conflicts = find_conflicts(
        rules,
        gold={example.id: example.label for example in train},
        labels=rulebook.labels,
        vectors=None if vectors is None else vectors[0],
    )
    texts = [rule.instruction for rule in rules]
    return Interpretability(
        rulebook=rulebook.name,
        rules=len(rules),
        words=_spread([len(words(text)) for text in texts]),
        tokens=_tokens(texts, count_tokens),
        reading_ease=reading_ease(*texts),
        hardest=_hardest(rules),
        supported=_share(rules, lambda rule: len(_support(rule)) >= TWICE),
        cited=_cited(rules, train),
        redundant=_involved(rules, conflicts, "duplicate"),
        contradicted=_involved(rules, conflicts, "contradiction"),
        conflicts=conflicts,
        embedder=None if embedder is None else embedder.fingerprint,
        effect=None if leave_one_out is None else rule_effects(leave_one_out),
        stability=_stability([rules, *redraws], vectors, match),
        clauses=clause_recovery(rules, train, seed=seed),
    )


def _vectors(
    sets: Sequence[RuleSet], labels: Sequence[str], embedder: Embedder | None
) -> list[NDArray[np.float32]] | None:
    """Return vectors set by set, of conditions; embedded together, as some embedders are fitted."""
    texts = [without_labels(rule.instruction, labels) or "-" for rules in sets for rule in rules]
    if embedder is None or not texts:
        return None
    together = embedder.embed(texts)
    found, start = [], 0
    for rules in sets:
        found.append(together[start : start + len(rules)])
        start += len(rules)
    return found


def _stability(
    sets: Sequence[RuleSet], vectors: Sequence[NDArray[np.float32]] | None, match: float
) -> Stability | None:
    if len(sets) == 1 or vectors is None:
        return None
    return rule_set_stability(sets, vectors=vectors, threshold=match)


def _spread(counts: Sequence[int]) -> Spread:
    if not counts:
        return Spread(0, 0.0, 0.0, 0)
    return Spread(
        sum(counts), statistics.fmean(counts), float(statistics.median(counts)), max(counts)
    )


def _tokens(texts: Sequence[str], count_tokens: Callable[[str], int | None]) -> Spread | None:
    counts = [count_tokens(text) for text in texts]
    known = [count for count in counts if count is not None]
    return _spread(known) if len(known) == len(counts) else None


def _hardest(rules: Sequence[Rule]) -> tuple[str, float] | None:
    eases = [(rule.id, reading_ease(rule.instruction)) for rule in rules]
    known = [(rule, ease) for rule, ease in eases if ease is not None]
    return min(known, key=lambda one: one[1], default=None)


def _support(rule: Rule) -> frozenset[str]:
    cited = rule.provenance.examples if rule.provenance else ()
    return frozenset(one.id for one in cited if one.role == "support")


def _share(rules: Sequence[Rule], holds: Callable[[Rule], bool]) -> float | None:
    return sum(map(holds, rules)) / len(rules) if rules else None


def _cited(rules: Sequence[Rule], train: Sequence[Example]) -> float | None:
    if not train:
        return None
    cited = frozenset().union(*map(_support, rules))
    return sum(example.id in cited for example in train) / len(train)


def _involved(
    rules: Sequence[Rule], conflicts: Sequence[Conflict], kind: ConflictKind
) -> float | None:
    ids = {rule for one in conflicts if one.kind == kind for rule in (one.first, one.second)}
    return _share(rules, lambda rule: rule.id in ids)
