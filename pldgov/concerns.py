"""Which changed rules a flipped example most concerns.

Those that cite it; else those that argue for the answer given now, or no longer for the one given
before, the nearest first; then those that are merely near. Near means cosine similarity of TF-IDF
vectors of words, between the example's text and the words of a rule before and after, with those
of the examples that it cites. That is a hint where to read first, not a cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.diff_report import Concern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pldgov.results import Flip

MOST = 3
LEAST = 0.05
"""A rule less near than that has hardly a word in common."""
LEAST_OF_BEST = 0.5
"""A rule less than half as near as the nearest one is left out."""

_WORD_OR_MARK = r"(?u)\w+|[^\w\s]"


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """A changed rule: its words on both sides, the ids of the examples that it cites, its labels.

    ``argues`` holds its labels in head, ``gave_up`` those that it has in base only.
    """

    id: str
    words: str
    cites: frozenset[str] = frozenset()
    argues: frozenset[str] = frozenset()
    gave_up: frozenset[str] = frozenset()

    def explains(self, flip: Flip) -> bool:
        """Tell whether the rule's labels and the example's answers changed alike."""
        return flip.after in self.argues or flip.before in self.gave_up


def concerned_rules(
    flips: Sequence[Flip],
    rules: Sequence[ChangedRule],
    *,
    texts: Mapping[str, str],
    others: Sequence[str] = (),
) -> dict[str, tuple[Concern, ...]]:
    """Return the rules that each flipped example concerns by its id, the most concerned first.

    ``texts`` are the examples' by id; ``others`` are further texts of the rulebook, from which it
    is learned which words are common. Where only one rule was changed, every flip concerns it.
    """
    found = {
        flip.example_id: tuple(
            Concern(rule.id, "cited") for rule in rules if flip.example_id in rule.cites
        )[:MOST]
        for flip in flips
    }
    rest = [flip for flip in flips if not found[flip.example_id]]
    if rules and rest:
        read = [texts.get(flip.example_id, "") for flip in rest]
        rows = _similarities(read, [rule.words for rule in rules], others)
        found |= {
            flip.example_id: _ranked(flip, row, rules) for flip, row in zip(rest, rows, strict=True)
        }
    return found


def _ranked(flip: Flip, row: Sequence[float], rules: Sequence[ChangedRule]) -> tuple[Concern, ...]:
    ranked = sorted(zip(row, rules, strict=True), key=lambda one: -one[0])
    best = ranked[0][0]
    alike = [(score, rule) for score, rule in ranked if rule.explains(flip)]
    near = [
        (score, rule)
        for score, rule in ranked
        if not rule.explains(flip)
        and (len(rules) == 1 or score >= max(LEAST, LEAST_OF_BEST * best))
    ]
    named = [Concern(rule.id, "label", round(score, 4)) for score, rule in alike]
    named += [Concern(rule.id, "nearest", round(score, 4)) for score, rule in near]
    return tuple(named[:MOST])


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
