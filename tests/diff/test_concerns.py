"""Which changed rules a flipped example concerns."""

from __future__ import annotations

from pldgov.concerns import ChangedRule, concerned_rules

CARDS = ChangedRule("cards", "A stolen or lost card is blocked by the card desk.")
LOANS = ChangedRule("loans", "Borrowing money for a house is a matter of the loan desk.")


def ids(found):
    return [(one.rule, one.how) for one in found]


def test_a_rule_that_cites_the_example_comes_before_any_likeness():
    """Provenance is a fact, likeness a guess."""
    citing = ChangedRule("other", "Nothing alike.", frozenset({"g-1"}))
    found = concerned_rules({"g-1": "my card was stolen"}, [CARDS, citing])
    assert ids(found["g-1"]) == [("other", "cited")]


def test_the_nearest_rule_is_the_one_with_the_rare_words_in_common():
    """Each example finds its own, with a score between 0 and 1."""
    texts = {"g-1": "my card was stolen", "g-2": "I want to borrow for a house"}
    found = concerned_rules(texts, [CARDS, LOANS])
    assert ids(found["g-1"]) == [("cards", "nearest")]
    assert ids(found["g-2"]) == [("loans", "nearest")]
    assert 0 < found["g-1"][0].score < 1


def test_an_example_near_to_none_concerns_none():
    """Unless only one rule was changed: then there is no other."""
    texts = {"g-1": "zzz qqq"}
    assert concerned_rules(texts, [CARDS, LOANS])["g-1"] == ()
    assert ids(concerned_rules(texts, [CARDS])["g-1"]) == [("cards", "nearest")]


def test_without_changed_rules_or_words_nothing_is_concerned():
    """A changed template flips answers too; blank texts have no words."""
    assert concerned_rules({"g-1": "text"}, []) == {"g-1": ()}
    blank = [ChangedRule("a", " "), ChangedRule("b", "")]
    assert concerned_rules({"g-1": "  "}, blank)["g-1"] == ()


def test_no_more_than_three_are_named():
    """A reader can look at three."""
    alike = [ChangedRule(f"r-{n}", "stolen card") for n in range(9)]
    assert len(concerned_rules({"g-1": "stolen card"}, alike)["g-1"]) == 3
