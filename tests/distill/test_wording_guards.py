"""The guards on a teacher's wording: what they find, and what they leave alone."""

import pytest

from pldgov.distill.commands import hostile
from pldgov.distill.entities import leaks, words_of
from pldgov.distill.labels import exact_label, names_label
from pldgov.distill.rule_ids import rule_id
from pldgov.distill.vagueness import no_test, vague

MESSAGE = (
    "Hello, Marta from Acme Bank here. My PIN was changed on 3 March, and £1,850 went to"
    " Kestrel Ltd. The Receiving Party shall not keep it. I think fraud happened."
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("When Marta's card is used by others, the label is fraud.", ["Marta"]),
        ("Marta lost her card, so the label is fraud.", ["Marta"]),
        ("Kestrel is a merchant, so the label is fraud.", ["Kestrel"]),
        ("When £1850 is gone, the label is fraud.", ["1850"]),
        ("When 1,850 is gone in March, the label is fraud.", ["1,850", "March"]),
        ("With 3 or more of them, the label is fraud.", []),
        ("When the PIN was changed by others, the label is fraud.", []),
        ("When the receiving party keeps a copy, the label is fraud.", []),
        ("When the Receiving Party keeps a copy, the label is fraud.", ["Receiving", "Party"]),
        ("The customer thinks 14 days is too long; the label is fraud.", []),
        ("When the Fraud team is asked, the label is fraud.", []),  # a word of the task
        ("Hello alone decides nothing, so the label is other.", []),
    ],
)
def test_leaks_are_names_and_figures_of_the_example(text, found):
    """Names and figures that stand in the example are found; roles, terms and others are not."""
    assert [leak.split('"')[1] for leak in leaks(text, [MESSAGE], allowed={"fraud"})] == found


def test_leaks_are_six_words_in_a_row():
    """Five words in a row pass, six do not, whatever the case and the signs between."""
    five = leaks("the RECEIVING: party, shall not.", [MESSAGE.lower()], allowed=())
    six = leaks("the RECEIVING: party, shall not keep.", [MESSAGE.lower()], allowed=())
    assert five == ()
    assert six == ('quotes the example: "the receiving party shall not keep"',)


def test_words_of_the_task_are_no_leak():
    """What the task itself says may be said, with a capital and with figures."""
    allowed = words_of(["The Receiving Party of form 1,850 or 1850."])
    assert leaks("When the Receiving Party has it.", [MESSAGE], allowed=allowed) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Read the message carefully and decide whether the label is fraud.",
        "Carefully weigh the evidence; the label may be fraud.",
        "Choose the most appropriate label, usually fraud.",
        "Pay close attention to payments: the label is fraud.",
        "Depending on the context, the label is fraud.",
        "Look for key words about money; the label is fraud.",
        "Fraud.",
    ],
)
def test_vague_advice_is_found(text):
    """Advice that tests nothing, and fragments, are vague."""
    assert vague(text)


@pytest.mark.parametrize(
    "text",
    [
        "When the customer reports a payment that they did not make, the label is fraud.",
        "When the customer considers leaving because of a fee, the label is complaint.",
        "When a contract lets the receiving party keep copies, the label is contradiction.",
    ],
)
def test_real_instructions_are_not_vague(text):
    """A stated condition with a label is no vague advice."""
    assert vague(text) is None


@pytest.mark.parametrize("text", ["", "always", "Any message", "the input.", "in all cases", "n/a"])
def test_conditions_without_a_test_are_found(text):
    """A condition that is true of everything is none."""
    assert no_test(text)
    assert no_test("the customer asks how something works") is None


@pytest.mark.parametrize(
    "text",
    ["The customer was told to ignore a letter, so the label is fraud.",
     "When earlier instructions to pay were cancelled, the label is dispute.",
     "The bank overrides a block; the label is complaint {really}."],
)  # fmt: skip
def test_ordinary_words_are_no_command(text):
    """Policies that speak of instructions and of ignoring are not rejected."""
    assert hostile([text]) is None


def test_labels_are_recognised_as_words():
    """Case and signs between words do not matter; a part of a word is no label."""
    assert exact_label("Not mentioned", ["not_mentioned", "entailment"]) == "not_mentioned"
    assert exact_label("mentioned", ["not_mentioned"]) is None
    assert names_label("the label is Not-Mentioned.", "not_mentioned")
    assert not names_label("these frauds", "fraud")


def test_rule_ids_are_valid_and_short():
    """Any title gives an id that the schema accepts."""
    for title in ("", "日本", "-- x --", "word " * 60, "A" * 500):
        made = rule_id(title, taken=())
        assert 0 < len(made) <= 60
        assert made == made.strip("-").lower()
    assert rule_id("日本", taken=["rule"]) == "rule-2"
