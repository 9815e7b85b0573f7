"""Cues: whole words that a teacher names, held against the training examples."""

import pytest

from pldgov.dataset import Example
from pldgov.distill.cues import MOST_CUES, CueCheck

TRAIN = tuple(
    Example(f"e-{n}", {"text": text}, label)
    for n, (text, label) in enumerate(
        [
            ("A lost card.", "card"), ("My card again", "card"), ("The card-reader", "loan"),
            ("A loan, please", "loan"), ("the loan", "loan"), ("This loan and card", "card"),
            ("A discard", "loan"),
        ]
    )
)  # fmt: skip
CHECK = CueCheck("text", TRAIN)


def read(*cues, labels=("card",)):
    return CHECK.read(cues, labels=labels, title="Cards")


def test_cues_are_read_as_words_each_once():
    """In lower case, without marks; the rule gets them as its `when`."""
    found = read("Card", "card.", "debit-card", "lost  card")
    assert found.when == (("text", ("card", "debit card", "lost card")),)
    assert found.problems == found.findings == ()


def test_a_word_that_stands_with_other_labels_is_dropped_and_reported():
    """`loan` stands in three training examples, two of them no cards; unknown words stay."""
    found = read("card", "loan", "plastic")
    assert found.when == (("text", ("card", "plastic")),)
    (finding,) = found.findings
    assert finding.kind == "weak-cue"
    assert finding.about == ("Cards", "loan")
    assert "1 of 3" in finding.message


def test_no_cues_make_a_rule_for_every_input():
    """What no word tells is shown always."""
    assert read().when == ()
    assert read().problems == ()


def test_one_example_against_it_is_enough_where_a_cue_is_to_decide():
    """`a card` would pass as a topic's word; as one that decides, two of three are too few."""
    deciding = CueCheck("text", TRAIN, deciding=True)
    said = ("lost card", "card", "discard", "plastic card")
    found = deciding.read(said, labels=("card",), title="Cards")
    assert found.when == (("text", ("lost card", "card", "plastic card")),)
    assert [finding.about for finding in found.findings] == [("Cards", "discard")]
    assert "0 of 1" in found.findings[0].message
    with_another = (*TRAIN, Example("e-9", {"text": "card against loan"}, "loan"))
    found = CueCheck("text", with_another, deciding=True).read(said, labels=("card",), title="C")
    assert found.when == (("text", ("lost card", "plastic card")),)
    assert read("card", "discard").findings == ()


def test_short_cues_are_left_out_where_longer_ones_are_asked_for():
    """How many is told once a rule; a rule whose cues are all short is sent back."""
    check = CueCheck("text", TRAIN, least_words=2)
    found = check.read(("card", "lost-card", "pin"), labels=("card",), title="Cards")
    assert found.when == (("text", ("lost card",)),)
    (finding,) = found.findings
    assert (finding.kind, finding.about) == ("short-cues", ("Cards",))
    assert finding.message == "2 cues have fewer than 2 words"
    none = check.read(("card",), labels=("card",), title="Cards")
    assert none.when == ()
    assert "fewer than 2 words" in none.problems[0]
    assert check.read((), labels=("card",), title="Cards").problems == ()


@pytest.mark.parametrize(
    ("cues", "problem"),
    [
        (["card", "..."], "is no word"),
        (["a\x07b"], "is no word"),
        (["one two three four five-six seven"], "more than 6 words"),
        ([f"word{n}" for n in range(MOST_CUES + 1)], "201 are more than 200"),
        (["loan"], "every one stands with other labels"),
    ],
)
def test_what_cannot_be_looked_up_is_sent_back(cues, problem):
    """The teacher is told which cue and why."""
    found = read(*cues)
    assert found.when == ()
    assert problem in "; ".join(found.problems)
