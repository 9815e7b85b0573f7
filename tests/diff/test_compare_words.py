"""Comparing two texts word by word, short ones and enormous ones."""

from __future__ import annotations

import itertools
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pldgov.rulebook.diff.words import compare_words, longest_rise

WORDS = st.text(alphabet=st.sampled_from("ab .\n\t漢字é<*"), max_size=60)


def told(before, after):
    return [(piece.op, piece.text) for piece in compare_words(before, after)]


@given(WORDS, WORDS)
def test_pieces_make_both_texts(before, after):
    """No character is lost or invented on either side."""
    pieces = compare_words(before, after)
    assert "".join(p.text for p in pieces if p.op != "added") == before
    assert "".join(p.text for p in pieces if p.op != "removed") == after
    assert all(piece.text for piece in pieces)
    assert all(one.op != two.op for one, two in itertools.pairwise(pieces))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a b c", "a x c", [("same", "a"), ("removed", " b"), ("added", " x"), ("same", " c")]),
        ("a b", "a b c", [("same", "a b"), ("added", " c")]),
        ("", "a", [("added", "a")]),
        ("a", "", [("removed", "a")]),
        ("same", "same", [("same", "same")]),
        ("", "", []),
        ("漢字", "漢语", [("same", "漢"), ("removed", "字"), ("added", "语")]),
    ],
)
def test_words_are_the_unit(before, after, expected):
    """A changed letter changes its word; where a script has no blanks, a character."""
    assert told(before, after) == expected


def test_five_megabytes_take_seconds_at_most():
    """Sentences that stand once are fixed points, so that far-apart edits are still found."""
    source = random.Random(0)
    sentences = [
        " ".join(f"{source.getrandbits(24):x}" for _ in range(10)) + "." for _ in range(70_000)
    ]
    before = " ".join(sentences)
    assert len(before) > 5_000_000 * 0.9
    edited = list(sentences)
    for place in (10, 35_000, 69_990):
        edited[place] = edited[place].replace(" ", " really ", 1)
    start = time.perf_counter()
    pieces = compare_words(before, " ".join(edited))
    assert time.perf_counter() - start < 20
    assert [piece.text for piece in pieces if piece.op != "same"] == [" really"] * 3


def test_texts_without_a_fixed_point_count_as_replaced():
    """Two long texts with nothing to go by are not worth an hour."""
    before, after = "a b. " * 300_000, "b a c. " * 300_000
    pieces = compare_words(before, f"x {after}")
    assert {piece.op for piece in pieces} <= {"same", "removed", "added"}
    assert "".join(p.text for p in pieces if p.op != "added") == before


@given(st.lists(st.integers(0, 20), unique=True))
def test_the_longest_rise_rises(values):
    """Indices come in order, their values rise, and no pair that rises is missed entirely."""
    kept = longest_rise(values)
    assert kept == sorted(set(kept))
    assert [values[i] for i in kept] == sorted(values[i] for i in kept)
    if any(a < b for a, b in itertools.pairwise(values)):
        assert len(kept) >= 2
