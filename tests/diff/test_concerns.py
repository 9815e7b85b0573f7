"""Which changed rules a flipped example concerns."""

from __future__ import annotations

import pytest

from pldgov.concerns import ChangedRule, concerned_rules
from pldgov.results import Flip

CARDS = ChangedRule("cards", "A stolen or lost card is blocked by the card desk.")
LOANS = ChangedRule("loans", "Borrowing money for a house is a matter of the loan desk.")


def concerns(texts, rules, *, before="x", after="y"):
    """Return (rule, how) for each text by id, all flipped alike."""
    flips = [Flip(id_, "gold", before, after) for id_ in texts]
    found = concerned_rules(flips, rules, texts=texts)
    return {id_: [(one.rule, one.how) for one in named] for id_, named in found.items()}


def test_a_rule_that_cites_the_example_comes_before_any_likeness():
    """Provenance is a fact, likeness a guess."""
    citing = ChangedRule("other", "Nothing alike.", frozenset({"g-1"}))
    assert concerns({"g-1": "my card was stolen"}, [CARDS, citing]) == {"g-1": [("other", "cited")]}


def test_the_nearest_rule_is_the_one_with_the_rare_words_in_common():
    """Each example finds its own, with a score between 0 and 1."""
    texts = {"g-1": "my card was stolen", "g-2": "I want to borrow for a house"}
    found = concerns(texts, [CARDS, LOANS])
    assert found == {"g-1": [("cards", "nearest")], "g-2": [("loans", "nearest")]}
    (one,) = concerned_rules([Flip("g-1", "a", "b", "c")], [CARDS, LOANS], texts=texts)["g-1"]
    assert 0 < one.score < 1


@pytest.mark.parametrize(
    ("labels", "before", "after", "how"),
    [
        ({"argues": frozenset({"loan"})}, "card", "loan", "label"),
        ({"gave_up": frozenset({"card"})}, "card", "loan", "label"),
        ({"argues": frozenset({"card"})}, "card", "loan", None),
        ({"gave_up": frozenset({"card"})}, "card", None, "label"),
    ],
)
def test_a_rule_whose_labels_changed_as_the_answer_did_comes_first(labels, before, after, how):
    """It argues for the new answer, or no longer for the old one, whatever its words are."""
    rule = ChangedRule("far", "Nothing alike.", **labels)
    found = concerns({"g-1": "my card was stolen"}, [CARDS, rule], before=before, after=after)
    near = [("cards", "nearest")]
    assert found["g-1"] == ([("far", how), *near] if how else near)


def test_an_example_near_to_none_concerns_none():
    """Unless only one rule was changed: then there is no other."""
    texts = {"g-1": "zzz qqq"}
    assert concerns(texts, [CARDS, LOANS]) == {"g-1": []}
    assert concerns(texts, [CARDS]) == {"g-1": [("cards", "nearest")]}


def test_without_changed_rules_or_words_nothing_is_concerned():
    """A changed template flips answers too; blank texts have no words."""
    assert concerns({"g-1": "text"}, []) == {"g-1": []}
    blank = [ChangedRule("a", " "), ChangedRule("b", "")]
    assert concerns({"g-1": "  "}, blank) == {"g-1": []}


def test_no_more_than_three_are_named():
    """A reader can look at three."""
    alike = [ChangedRule(f"r-{n}", "stolen card") for n in range(9)]
    assert len(concerns({"g-1": "stolen card"}, alike)["g-1"]) == 3
