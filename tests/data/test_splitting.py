"""Splits that do not leak: whole groups, whole clusters of texts, balanced labels."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pldgov.data.reading import require_examples
from pldgov.data.similarity import near_duplicates
from pldgov.data.splitting import DEFAULT_FRACTIONS, missing_labels, split_examples
from pldgov.dataset import Example
from pldgov.errors import DataError, UsageError


def example(number, label, group=None, text=None):
    return Example(f"e{number}", {"text": text or f"text{number} of its own"}, label, group)


def many(count, labels="ab"):
    return [example(number, labels[number % len(labels)]) for number in range(count)]


def ids(splits):
    return {name: [one.id for one in part] for name, part in splits.items()}


rows = st.lists(
    st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 12), st.integers(0, 30)),
    min_size=6,
    max_size=60,
)
shares = st.sampled_from(
    [DEFAULT_FRACTIONS, {"train": 0.5, "gate": 0.5}, {"train": 0.1, "validation": 0.1, "gate": 0.8}]
)


def build(drawn):
    return [
        example(number, label, None if group is None else f"g{group}", f"word{text} is the text")
        for number, (label, group, text) in enumerate(drawn)
    ]


def split_or_assume(examples, fractions, seed):
    try:
        return split_examples(examples, fractions=fractions, seed=seed)
    except DataError:
        assume(False)


@settings(deadline=None)  # other jobs may hold the machine up
@given(rows, shares, st.integers(0, 5))
def test_nothing_is_lost_and_nothing_leaks(drawn, fractions, seed):
    """Every example stands in one split; no group and no text stands in two."""
    examples = build(drawn)
    splits = split_or_assume(examples, fractions, seed)
    assert set(splits) == set(fractions)
    dealt = [one.id for part in splits.values() for one in part]
    assert sorted(dealt) == sorted(one.id for one in examples)
    for key in (lambda one: one.group, lambda one: one.inputs["text"]):
        homes = {}
        for name, part in splits.items():
            assert part
            for one in part:
                if key(one) is not None:
                    assert homes.setdefault(key(one), name) == name


@settings(deadline=None)  # other jobs may hold the machine up
@given(rows, shares, st.randoms())
def test_the_order_of_the_file_does_not_matter(drawn, fractions, random):
    """A shuffled file gives the same splits."""
    examples = build(drawn)
    shuffled = random.sample(examples, len(examples))
    splits = split_or_assume(examples, fractions, 0)
    again = split_examples(shuffled, fractions=fractions, seed=0)
    assert {name: sorted(part) for name, part in ids(splits).items()} == {
        name: sorted(part) for name, part in ids(again).items()
    }


@settings(deadline=None)  # other jobs may hold the machine up
@given(
    st.lists(st.sampled_from("abcd"), min_size=20, max_size=120),
    shares,
    st.integers(0, 3),
)
def test_single_examples_give_exact_shares(labels, fractions, seed):
    """With no groups, each label's number in each split is within two of what was asked for."""
    assume(len(set(labels)) > 1)
    examples = [example(number, label) for number, label in enumerate(labels)]
    splits = split_examples(examples, fractions=fractions, seed=seed)
    whole = Counter(labels)
    for name, part in splits.items():
        for label, count in Counter(one.label for one in part).items():
            assert abs(count - fractions[name] * whole[label]) < 2


@settings(deadline=None)  # other jobs may hold the machine up
@given(st.lists(st.sampled_from("abcd"), min_size=12, max_size=80), shares)
def test_a_label_with_enough_units_is_in_every_split(labels, fractions):
    """Three examples of a rare label are enough for three splits."""
    assume(len(set(labels)) > 1)
    examples = [example(number, label) for number, label in enumerate(labels)]
    splits = split_examples(examples, fractions=fractions, seed=0)
    enough = {label for label, count in Counter(labels).items() if count >= len(fractions)}
    for part in splits.values():
        assert enough <= {one.label for one in part}


def test_no_split_stays_empty_for_a_labels_sake():
    """With as few units as splits, each split gets one, whatever label that costs the others."""
    examples = [example(n, "a", "big") for n in range(4)] + [example(4, "a"), example(5, "b")]
    splits = split_examples(examples, fractions=DEFAULT_FRACTIONS, seed=0)
    assert sorted(len(part) for part in splits.values()) == [1, 1, 4]


def test_splits_keep_the_order_of_the_file_and_the_sizes_asked_for():
    """100 examples at 60/20/20 are 60, 20 and 20, each in the order they had."""
    examples = many(100)
    splits = split_examples(examples, fractions=DEFAULT_FRACTIONS, seed=0)
    assert {name: len(part) for name, part in splits.items()} == {
        "train": 60,
        "validation": 20,
        "gate": 20,
    }
    for part in splits.values():
        assert list(part) == sorted(part, key=examples.index)


def test_another_seed_gives_another_split():
    """The seed decides who goes where, and the same seed decides the same."""
    examples = many(40)
    first, second, third = (
        ids(split_examples(examples, fractions=DEFAULT_FRACTIONS, seed=seed)) for seed in (1, 1, 2)
    )
    assert first == second
    assert first != third


def test_near_equal_texts_and_chains_of_groups_stay_together():
    """A text shared by two groups ties them, up to case and white space."""
    chain = [
        example("x1", "a", "g1", "one shared text"),
        example("x2", "b", "g2", "One  SHARED text"),
        example("x3", "a", "g2"),
        example("x4", "b", None, "one shared text"),
    ]
    splits = split_examples([*many(20), *chain], fractions=DEFAULT_FRACTIONS, seed=0)
    homes = [name for name, part in ids(splits).items() if {"ex1", "ex2", "ex3", "ex4"} & set(part)]
    assert len(homes) == 1


def test_a_scarce_label_goes_to_train_then_gate_and_the_rest_is_said():
    """A label of one group is learnt from; with two groups it is gated as well."""
    once = [*many(20), example("x", "rare")]
    splits = split_examples(once, fractions=DEFAULT_FRACTIONS, seed=0)
    assert "ex" in ids(splits)["train"]
    assert missing_labels(splits) == (
        'the label "rare" does not stand in the validation split',
        'the label "rare" does not stand in the gate split',
    )
    twice = [*once, example("y", "rare")]
    splits = split_examples(twice, fractions=DEFAULT_FRACTIONS, seed=0)
    assert missing_labels(splits) == ('the label "rare" does not stand in the validation split',)


@pytest.mark.parametrize(
    ("fractions", "words"),
    [
        ({"train": 0.5, "gate": 0.4}, "add up to 0.9, not to 1"),
        ({"train": 1.2, "gate": -0.2}, "the fraction of train is 1.2"),
        ({"train": 1.0, "gate": 0.0}, "the fraction of train is 1.0"),
        ({"train": float("nan"), "gate": 0.5}, "the fraction of train is nan"),
        ({"train": 0.5, "test": 0.5}, "unknown split 'test'"),
        ({}, "add up to 0, not to 1"),
    ],
)
def test_fractions_that_make_no_split_are_refused(fractions, words):
    """Each is told what is wrong with it."""
    with pytest.raises(UsageError, match=words):
        split_examples(many(20), fractions=fractions, seed=0)


def test_a_third_each_is_a_split():
    """Fractions need not be round."""
    third = dict.fromkeys(("train", "validation", "gate"), 1 / 3)
    splits = split_examples(many(30), fractions=third, seed=0)
    assert [len(part) for part in splits.values()] == [10, 10, 10]


@pytest.mark.parametrize(
    ("examples", "words"),
    [
        (many(20, "a"), 'all examples have the label "a"'),
        ([example(n, "ab"[n % 2], f"g{n % 2}") for n in range(20)], "2 groups cannot fill 3"),
        ([example(n, "ab"[n % 2], None, "one text") for n in range(9)], "1 groups cannot fill 3"),
        ([], "0 groups cannot fill 3"),
    ],
)
def test_examples_that_cannot_be_split_are_refused(examples, words):
    """One class only, or too few groups: said, not silently skewed."""
    with pytest.raises(DataError, match=words):
        split_examples(examples, fractions=DEFAULT_FRACTIONS, seed=0)


HASHED = """
from pldgov.data.splitting import DEFAULT_FRACTIONS, split_examples
from pldgov.dataset import Example
rows = [Example(f"e{n}", {"text": f"t{n % 70} x"}, "abc"[n % 3], f"g{n % 40}") for n in range(200)]
splits = split_examples(rows, fractions=DEFAULT_FRACTIONS, seed=3)
print({name: [one.id for one in part] for name, part in splits.items()})
"""


def test_the_split_does_not_depend_on_the_hash_seed():
    """Two machines with different hash seeds make the same files."""

    def run(seed):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", HASHED]
        return subprocess.run(command, env=environment, capture_output=True, check=True).stdout

    assert run("1") == run("2") != b""


@pytest.mark.parametrize(
    ("path", "inputs"),
    [
        ("contract_nli_spans/dev.jsonl", ["premise", "hypothesis"]),
        ("hatecheck/dev.jsonl", ["sentence"]),
    ],
)
def test_real_data_keeps_its_shares_and_leaks_nothing(shared_data, path, inputs):
    """On grouped real data each label's share stays within five points of the whole's."""
    examples = require_examples(str(shared_data / path), inputs)
    splits = split_examples(examples, fractions=DEFAULT_FRACTIONS, seed=0)
    assert missing_labels(splits) == ()
    assert near_duplicates(splits) == ()
    whole = Counter(one.label for one in examples)
    for name, part in splits.items():
        assert len(part) / len(examples) == pytest.approx(DEFAULT_FRACTIONS[name], abs=0.05)
        for label, count in Counter(one.label for one in part).items():
            share = whole[label] / len(examples)
            assert count / len(part) == pytest.approx(share, abs=0.05)
