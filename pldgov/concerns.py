"""Which changed rules a flipped example most concerns: those that cite it, else the nearest ones.

Near means cosine similarity of TF-IDF vectors of words, between the example's text and the words
of a rule before and after, with those of the examples that it cites. That is a hint where to
read first, not a cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.diff_report import Concern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 3
LEAST = 0.05
"""A rule less near than that has hardly a word in common."""
LEAST_OF_BEST = 0.5
"""A rule less than half as near as the nearest one is left out."""

_WORD_OR_MARK = r"(?u)\w+|[^\w\s]"


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """A changed rule: its words on both sides, and the ids of the examples that it cites."""

    id: str
    words: str
    cites: frozenset[str] = frozenset()


def concerned_rules(
    texts: Mapping[str, str], rules: Sequence[ChangedRule], *, others: Sequence[str] = ()
) -> dict[str, tuple[Concern, ...]]:
    """Return the rules that each example (text by id) concerns, the most concerned first.

    ``others`` are further texts of the rulebook, from which it is learned which words are common.
    An example near to no rule concerns none, unless only one was changed.
    """
    cited = {
        id_: tuple(Concern(rule.id, "cited") for rule in rules if id_ in rule.cites)[:MOST]
        for id_ in texts
    }
    rest = [id_ for id_ in texts if not cited[id_]]
    if not rules or not rest:
        return cited
    rows = _similarities([texts[id_] for id_ in rest], [rule.words for rule in rules], others)
    nearest = {id_: _nearest(row, rules) for id_, row in zip(rest, rows, strict=True)}
    return {**cited, **nearest}


def _nearest(row: Sequence[float], rules: Sequence[ChangedRule]) -> tuple[Concern, ...]:
    ranked = sorted(zip(row, rules, strict=True), key=lambda one: -one[0])[:MOST]
    best = ranked[0][0]
    kept = [
        (score, rule)
        for score, rule in ranked
        if len(rules) == 1 or score >= max(LEAST, LEAST_OF_BEST * best)
    ]
    return tuple(Concern(rule.id, "nearest", round(score, 4)) for score, rule in kept)


def _similarities(
    examples: Sequence[str], rules: Sequence[str], others: Sequence[str]
) -> list[list[float]]:
    """Return cosine similarities, a row for each example and a column for each rule."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415  (takes a second)

    known = [*rules, *others, *examples]
    if not any(text.strip() for text in known):
        return [[0.0] * len(rules) for _ in examples]
    vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=_WORD_OR_MARK)
    vectorizer.fit(known)
    found = vectorizer.transform(examples) @ vectorizer.transform(rules).T
    rows: list[list[float]] = found.toarray().tolist()
    return rows
