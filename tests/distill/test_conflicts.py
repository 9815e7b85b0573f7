"""Conflicts are found between drafts and between a rulebook's rules, with or without vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pldgov.distill.conflicts import find_conflicts
from pldgov.distill.model import CitedExample, DraftRule
from pldgov.rulebook.content_words import content_words, nearly_within, without_labels
from pldgov.rulebook.model import Citation, Provenance, Rule

LABELS = ("fraud", "enquiry")
STOLEN = "A stolen card with payments that the customer does not recognise is fraud."


def draft(id_, labels, instruction, *, support=(), counter=(), priority=0):
    cites = [CitedExample(one) for one in support] + [
        CitedExample(one, "counter") for one in counter
    ]
    return DraftRule(id_, id_, labels, instruction, tuple(cites), "q", priority=priority)


def rule(id_, labels, instruction, *, support=(), counter=(), priority=0, status="active"):
    cites = [Citation(id=one) for one in support]
    cites += [Citation(id=one, role="counter") for one in counter]
    return Rule(
        id=id_, title=id_, status=status, labels=labels, instruction=instruction,
        priority=priority, provenance=Provenance(origin="distilled", examples=tuple(cites)),
    )  # fmt: skip


def kinds(rules, *, gold=None, **more):
    found = find_conflicts(rules, gold=gold or {}, labels=LABELS, **more)
    return [(one.kind, one.first, one.second) for one in found]


@pytest.mark.parametrize("make", [draft, rule])
def test_the_same_case_for_another_label_is_a_contradiction(make):
    """Two rules of the same words but for the label contradict each other, drafts or not."""
    rules = [
        make("one", ("fraud",), STOLEN),
        make("two", ("enquiry",), STOLEN.replace("fraud", "enquiry")),
    ]
    assert kinds(rules) == [("contradiction", "one", "two")]


@pytest.mark.parametrize("make", [draft, rule])
def test_the_same_case_for_the_same_label_is_a_duplicate(make):
    """Two rules of the same words and labels are duplicates."""
    assert kinds([make("one", ("fraud",), STOLEN), make("two", ("fraud",), STOLEN)]) == [
        ("duplicate", "one", "two")
    ]


def test_a_negation_makes_two_cases_of_one():
    """Rules that differ by a negation are what a good rulebook has, however near their vectors."""
    rules = [
        draft("yes", ("fraud",), "The agreement lets the party share data with its advisers."),
        draft(
            "no", ("enquiry",), "The agreement doesn't let the party share data with its advisers."
        ),
    ]
    assert kinds(rules, near=0.7) == []
    same = np.array([[1, 0], [1, 0]], np.float32)
    assert kinds(rules, vectors=same) == []


def test_vectors_decide_where_they_are_given():
    """With vectors, other words with one meaning conflict, and the cosine is told."""
    rules = [
        draft("one", ("fraud",), "Somebody took the card."),
        draft("two", ("enquiry",), "A thief made off with plastic."),
        draft("three", ("enquiry",), "Interest rates."),
    ]
    vectors = np.array([[1, 0], [0.96, 0.28], [0, 1]], np.float32)
    [found] = find_conflicts(rules, gold={}, labels=LABELS, vectors=vectors)
    assert (found.kind, found.first, found.second) == ("contradiction", "one", "two")
    assert found.similarity == pytest.approx(0.96)
    assert '"fraud"' in found.reason
    assert kinds(rules, vectors=vectors, near=0.97) == []


def test_a_general_rule_subsumes_a_special_one_unless_it_comes_later():
    """All words of one in another, for another label: found, until priority puts it first."""
    general = draft("general", ("enquiry",), "The customer reports a lost card.")
    special = "The customer reports a lost card and payments made with it."
    assert kinds([draft("special", ("fraud",), special), general]) == [
        ("subsumption", "general", "special")
    ]
    assert kinds([draft("special", ("fraud",), special, priority=1), general]) == []
    assert kinds([draft("special", ("enquiry",), special), general]) == []
    short = draft("short", ("enquiry",), "A lost card.")
    assert kinds([draft("special", ("fraud",), special), short]) == []


@pytest.mark.parametrize("make", [draft, rule])
def test_examples_speak_against_rules(make):
    """Support of another label and a counter example of the same one are found; unknown ones not."""
    rules = [make("one", ("fraud",), STOLEN, support=["e-1", "e-2", "e-9"], counter=["e-3", "e-4"])]
    gold = {"e-1": "fraud", "e-2": "enquiry", "e-3": "fraud", "e-4": "enquiry"}
    assert kinds(rules, gold=gold) == [
        ("counter-example", "one", "e-2"),
        ("counter-example", "one", "e-3"),
    ]


def test_two_rules_for_different_labels_cannot_rest_on_one_example():
    """An example has one label, so one of the two rules is wrong about it; told once a pair."""
    rules = [
        draft("one", ("fraud",), "A stolen card.", support=["e-1", "e-2"]),
        draft("two", ("enquiry",), "Opening hours of branches.", support=["e-1", "e-2"]),
        draft("three", ("enquiry",), "Interest on savings.", counter=["e-1"]),
        draft("four", ("fraud", "enquiry"), "Phishing.", support=["e-1"]),
    ]
    assert kinds(rules) == [("contradiction", "one", "two")]


def test_deprecated_rules_do_not_conflict():
    """A deprecated rule is kept for its id only; rows of vectors still go with their rules."""
    rules = [
        rule("old", ("fraud",), STOLEN, status="deprecated"),
        rule("one", ("enquiry",), "Hours."),
        rule("two", ("fraud",), "Rates."),
    ]
    vectors = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    assert kinds(rules, vectors=vectors) == []
    assert kinds([]) == []


def test_content_words_leave_out_labels_and_keep_negations():
    """Function words and label names go; "don't" counts as a negation, "not here" as a label."""
    content = content_words("Label it not here: they DON'T give the PIN.", labels=["not here"])
    assert content.words == {"not", "pin"}
    assert content.negations == {"not"}
    assert without_labels("Fraudulent? No: fraud.", ["fraud"]) == "Fraudulent? No: ."
    assert content_words("").similarity(content_words("the")) == 0


@pytest.mark.parametrize("many", [1_000, 3])
def test_nearly_within_finds_exactly_the_pairs_that_counting_finds(monkeypatch, many):
    """The bit sets give what comparing every two sets of words gives, and so do long texts."""
    monkeypatch.setattr("pldgov.rulebook.content_words._MANY_WORDS", many)
    source = np.random.default_rng(3)
    contents = [
        content_words(" ".join(f"w{n}" for n in source.integers(0, 12, source.integers(0, 9))))
        for _ in range(60)
    ]
    for missing in (0, 0.2, 0.5):
        expected = {
            (i, j)
            for i, one in enumerate(contents)
            for j, other in enumerate(contents)
            if i != j
            and one.words
            and len(one.words - other.words) <= int(missing * len(one.words) + 1e-9)
        }
        assert set(nearly_within(contents, missing=missing)) == expected
        assert expected


def test_rules_for_different_kinds_of_input_do_not_meet():
    """One input shows the one or the other, so that the same words for other labels are no conflict."""
    one, two = draft("one", ("fraud",), STOLEN), draft("two", ("enquiry",), STOLEN)
    card, letter = ((("text", (word,)),) for word in ("card", "letter"))
    assert kinds([replace(one, when=card), replace(two, when=letter)]) == []
    assert kinds([replace(one, when=card), replace(two, when=card)])
    assert kinds([replace(one, when=card), two])
