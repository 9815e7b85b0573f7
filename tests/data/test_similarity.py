"""Near-duplicates: what counts as one, and that none is missed."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pldgov.data.similarity import near_duplicates, near_equal_pairs, normalise
from pldgov.dataset import Example
from pldgov.errors import UsageError


def example(id_, **inputs):
    return Example(id_, inputs, "x")


def pairs(found):
    return [(one.first.id, one.second.id, round(one.similarity, 3)) for one in found]


LONG = "one two three four five six seven eight nine ten " * 2 + "and " + "a b c d e f g h i j"


def test_equal_up_to_case_and_white_space_is_found_across_splits():
    """Case and white space do not hide a leaked text."""
    found = near_duplicates(
        {
            "train": [example("t", text="My card\nis  LOST")],
            "gate": [example("g", text=" my Card is lost ")],
        }
    )
    assert pairs(found) == [("t", "g", 1.0)]
    assert (found[0].first_split, found[0].second_split) == ("train", "gate")


def test_a_changed_word_in_a_long_text_is_found_and_in_a_short_one_not():
    """The threshold is a share of the word pairs, so it takes a long text to differ a little."""
    words = [f"w{number}" for number in range(60)]
    other = [*words[:30], "changed", *words[31:]]
    found = near_duplicates(
        {
            "train": [example("long", text=" ".join(words)), example("short", text="a b c d")],
            "gate": [example("long2", text=" ".join(other)), example("short2", text="a b c e")],
        }
    )
    assert pairs(found) == [("long", "long2", round(57 / 61, 3))]


def test_examples_of_one_split_are_not_compared():
    """Repeats within a split leak nothing."""
    assert near_duplicates({"train": [example("a", text="x y"), example("b", text="x y")]}) == ()


def test_every_input_field_must_be_near_equal():
    """The same document under another hypothesis is another example."""
    found = near_duplicates(
        {
            "train": [example("a", premise=LONG, hypothesis="may share the data")],
            "gate": [
                example("b", premise=LONG, hypothesis="must destroy all copies"),
                example("c", premise=LONG, hypothesis="May share the data"),
            ],
        }
    )
    assert pairs(found) == [("a", "c", 1.0)]


def test_each_example_is_reported_once_for_each_earlier_split():
    """A thousand copies of one greeting make a thousand findings, not a million."""
    hello = [example(f"h{number}", text="hello there") for number in range(50)]
    found = near_duplicates({"train": hello, "validation": hello[:2], "gate": hello[:3]})
    assert pairs(found) == [("h0", f"h{number}", 1.0) for number in (0, 1, 0, 0, 1, 1, 2, 2)]


def test_the_nearest_partner_is_named():
    """Of several near-equal texts, the finding cites the most similar one."""
    words = [f"w{number}" for number in range(100)]
    train = [
        example("far", text=" ".join([*words[:-3], "x", "y", "z"])),
        example("near", text=" ".join([*words[:-1], "z"])),
    ]
    found = near_duplicates({"train": train, "gate": [example("g", text=" ".join(words))]})
    assert [one.first.id for one in found] == ["near"]


@pytest.mark.parametrize("text", ["!!!", "好的", "one", ""])
def test_texts_without_word_pairs_are_compared_too(text):
    """Emoji, a single word or nothing at all is still a text."""
    found = near_duplicates({"train": [example("a", text=text)], "gate": [example("b", text=text)]})
    assert pairs(found) == [("a", "b", 1.0)]


def test_other_fields_never_match():
    """Examples with different numbers of input fields are never near-equal."""
    splits = {"train": [example("a", text="x")], "gate": [example("b", text="x", more="x")]}
    assert near_duplicates(splits) == ()


@pytest.mark.parametrize("threshold", [0, -1, 1.1, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold):
    """A threshold that would match everything or nothing is a usage error."""
    with pytest.raises(UsageError, match="threshold"):
        near_duplicates({}, threshold=threshold)


def jaccard(one, other):
    def shingles(text):
        words = normalise(text).split()
        return set(itertools.pairwise(words)) or {tuple(words) or ("",)}

    mine, yours = shingles(one), shingles(other)
    return len(mine & yours) / len(mine | yours)


texts = st.lists(st.sampled_from("abc"), min_size=0, max_size=9).map(" ".join)


@settings(deadline=None)  # other jobs may hold the machine up
@given(
    st.lists(texts, max_size=12), st.lists(texts, max_size=12), st.sampled_from([0.3, 0.5, 0.9, 1])
)
def test_none_is_missed(train, gate, threshold):
    """Prefix filtering finds exactly what comparing all pairs finds."""
    splits = {
        "train": [example(f"t{number}", text=text) for number, text in enumerate(train)],
        "gate": [example(f"g{number}", text=text) for number, text in enumerate(gate)],
    }
    found = {one.second.id: one.similarity for one in near_duplicates(splits, threshold=threshold)}
    for number, text in enumerate(gate):
        best = max((jaccard(text, other) for other in train), default=0.0)
        if best >= threshold:
            assert found[f"g{number}"] == pytest.approx(best)
        else:
            assert f"g{number}" not in found


@settings(deadline=None)  # other jobs may hold the machine up
@given(st.lists(texts, max_size=12))
def test_pairs_connect_every_near_equal_couple(several):
    """Whoever merges the pairs has every two near-equal examples in one cluster."""
    cluster = list(range(len(several)))
    for one, other in near_equal_pairs([example("", text=text) for text in several], threshold=0.5):
        old, new = cluster[other], cluster[one]
        cluster = [new if member == old else member for member in cluster]
    for one, other in itertools.combinations(range(len(several)), 2):
        if jaccard(several[one], several[other]) >= 0.5:
            assert cluster[one] == cluster[other]


HASHED = """
from pldgov.data.similarity import near_duplicates
from pldgov.dataset import Example
words = [f"w{n}" for n in range(40)]
texts = [" ".join(words[n:] + words[:n]) for n in range(12)]
make = lambda name: [Example(f"{name}{n}", {"text": text}, "x") for n, text in enumerate(texts)]
for one in near_duplicates({"train": make("t")[::2], "gate": make("g")}):
    print(one.first.id, one.second.id, one.similarity)
"""


def test_the_findings_do_not_depend_on_the_hash_seed():
    """Two machines with different hash seeds report the same pairs in the same order."""

    def run(seed):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(
            [sys.executable, "-c", HASHED], env=environment, capture_output=True, check=True
        ).stdout

    assert run("1").count(b"\n") == 12
    assert run("1") == run("2")
