"""How much of a written policy the rules give back, where examples name the clauses they turn on.

The clauses stand in the examples' metadata: neither student nor teacher sees them, and they are
used for this figure only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from pldgov.interpretability.model import ClauseRecovery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.rulebook.model import Rule

LEAST = 2
"""Examples of a clause that a rule must rest on; clauses with fewer are not counted at all."""
SHARE = 0.5
"""Share of a rule's supporting examples that must turn on the clause."""
DRAWS = 200


def clause_recovery(
    rules: Sequence[Rule], train: Sequence[Example], *, field: str = "clauses", seed: int = 0
) -> ClauseRecovery | None:
    """Return the clauses that the rules recover; None where no example names a clause.

    A rule recovers a clause when at least two of its supporting examples, and at least half of
    them, turn on that clause; only examples whose gold label the rule argues for count. So a rule
    must be about the clause: one that cites a bit of everything recovers nothing.
    """
    clauses = {example.id: _clauses(example, field) for example in train}
    counts = Counter(clause for named in clauses.values() for clause in named)
    known = tuple(sorted((c for c, count in counts.items() if count >= LEAST), key=_natural))
    if not counts:
        return None
    support = {rule.id: _support(rule, train) for rule in rules}
    recovered: dict[str, list[str]] = defaultdict(list)
    for rule in rules:
        for clause in _about([clauses[one] for one in support[rule.id]]):
            recovered[clause].append(rule.id)
    touched = {clause for cited in support.values() for one in cited for clause in clauses[one]}
    return ClauseRecovery(
        clauses=known,
        recovered={clause: tuple(recovered[clause]) for clause in known if clause in recovered},
        touched=tuple(clause for clause in known if clause in touched),
        by_chance=_by_chance(rules, train, clauses, support, seed),
    )


def _clauses(example: Example, field: str) -> frozenset[str]:
    named = example.metadata.get(field) or ()
    return frozenset(map(str, named)) if isinstance(named, (list, tuple)) else frozenset()


def _natural(clause: str) -> tuple[str, int, str]:
    """Sort P2 before P10."""
    digits = "".join(filter(str.isdecimal, clause))
    return clause.rstrip("0123456789"), int(digits or 0), clause


def _support(rule: Rule, train: Sequence[Example]) -> tuple[str, ...]:
    gold = {example.id: example.label for example in train}
    cited = rule.provenance.examples if rule.provenance else ()
    ids = dict.fromkeys(one.id for one in cited if one.role == "support")
    return tuple(one for one in ids if gold.get(one) in rule.labels)


def _about(cited: Sequence[frozenset[str]]) -> tuple[str, ...]:
    """Return the clauses that a rule with these supporting examples is about."""
    counts = Counter(clause for named in cited for clause in named)
    return tuple(c for c, n in counts.items() if n >= LEAST and n >= SHARE * len(cited))


def _by_chance(
    rules: Sequence[Rule],
    train: Sequence[Example],
    clauses: Mapping[str, frozenset[str]],
    support: Mapping[str, Sequence[str]],
    seed: int,
) -> float:
    """Return the mean number of clauses recovered by as many citations, drawn among the labels."""
    source = np.random.default_rng(seed)
    pools = {
        rule.id: [example.id for example in train if example.label in rule.labels] for rule in rules
    }
    totals = []
    for _ in range(DRAWS):
        found: set[str] = set()
        for rule in rules:
            drawn = (
                source.choice(len(pools[rule.id]), len(support[rule.id]), replace=False)
                if support[rule.id]
                else ()
            )
            found.update(_about([clauses[pools[rule.id][index]] for index in drawn]))
        totals.append(len(found))
    return float(np.mean(totals))
