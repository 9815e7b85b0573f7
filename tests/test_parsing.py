"""What counts as naming a label, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pldgov.parsing import parse_label

DESKS = ("card", "loan", "gender", "gender identity", "Not mentioned")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("card", "card"),
        (" card\n", "card"),
        ("**Card**.", "card"),
        ('"LOAN"', "loan"),
        ("not mentioned", "Not mentioned"),
        ("The label is: loan.", "loan"),
        ("loan, because it is about a loan", "loan"),
        ("Label: gender identity", "gender identity"),
        ("I would say gender", "gender"),
        ("cards", None),
        ("discard", None),
        ("card or loan", None),
        ("gender or gender identity", None),
        ("", None),
        ("  ...", None),
        ("mortgage", None),
    ],
)
def test_text_is_parsed_to_at_most_one_label(text, label):
    """Decoration and sentences around one label are accepted; none or several is no answer."""
    assert parse_label(text, DESKS) == label


@pytest.mark.parametrize(
    ("text", "label"), [("A", "A"), ("a", "a"), ("a.", "a"), ("is it A", None), ("(A)", "A")]
)
def test_labels_that_differ_in_case_need_the_exact_spelling(text, label):
    """Labels that differ only in case are never guessed between."""
    assert parse_label(text, ("A", "a")) == label


@pytest.mark.parametrize("text", ["+", "+ ", "the sign is +"])
def test_labels_without_letters_are_found(text):
    """A label made of punctuation alone survives the stripping of punctuation."""
    assert parse_label(text, ("+", "-")) == "+"


def test_no_labels_means_no_answer():
    """Without labels every text is invalid."""
    assert parse_label("anything", ()) is None


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=5), max_size=4, unique=True))
def test_result_is_a_label_or_nothing(text, labels):
    """Whatever the text, the result is one of the labels or None."""
    assert parse_label(text, labels) in {None, *labels}


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True))
def test_a_label_given_verbatim_is_found(labels):
    """A student that answers with a label's exact text is understood."""
    for label in labels:
        if label.strip() == label:
            assert parse_label(label, labels) == label
