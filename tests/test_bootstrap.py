"""The bootstrap: scikit-learn's figures on every draw, whole groups, fixed strata."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from pldgov import bootstrap
from pldgov.bootstrap import percentiles, resample
from pldgov.results import Decision

LABELS = ("a", "b", "c")


def runs_of(rows):
    """Return head and base of (gold, head's answer, base's answer, group) rows."""
    head = tuple(Decision(str(i), gold, h, group=g) for i, (gold, h, _, g) in enumerate(rows))
    base = tuple(Decision(str(i), gold, b, group=g) for i, (gold, _, b, g) in enumerate(rows))
    return head, base


def sklearn_f1(decisions, average="macro"):
    gold = [one.gold for one in decisions]
    said = [one.label or "no label" for one in decisions]
    return f1_score(gold, said, labels=LABELS, average=average, zero_division=0)


ANSWER = st.sampled_from([*LABELS, None])
ROWS = st.lists(
    st.tuples(
        st.sampled_from([*LABELS, "strange"]), ANSWER, ANSWER, st.sampled_from([None, "g", "h"])
    ),
    min_size=1,
    max_size=15,
)


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_counts_give_scikit_learns_f1_on_explicit_resamples(rows, random):
    """Repeating whole units in the data, or their vectors in the sum, gives the same F1."""
    runs = runs_of(rows)
    unit_of_example = bootstrap._units(runs[0])
    units = [np.flatnonzero(unit_of_example == unit) for unit in range(unit_of_example.max() + 1)]
    drawn = random.choices(units, k=len(units))
    vectors, _ = bootstrap._example_vectors(runs, LABELS)
    sums = sum(vectors[unit].sum(axis=0) for unit in drawn)[None, :].astype(float)
    for run, found in zip(runs, bootstrap._figures(sums, 2), strict=True):
        explicit = [run[position] for unit in drawn for position in unit]
        assert found.macro[0] == pytest.approx(sklearn_f1(explicit), abs=1e-12)
        assert found.f1[0] == pytest.approx(sklearn_f1(explicit, average=None), abs=1e-12)


def enumerated(head, strata):
    """Return the exact chance of every macro-F1 over all resamples within the strata."""
    chances = Counter()
    ways = [list(itertools.product(units, repeat=len(units))) for units in strata]
    for choice in itertools.product(*ways):
        positions = [p for stratum in choice for unit in stratum for p in unit]
        chances[round(sklearn_f1([head[p] for p in positions]), 9)] += 1
    total = sum(chances.values())
    return {value: count / total for value, count in chances.items()}


CASES = {
    "singles": (
        [
            ("a", "a", "a", None),
            ("a", "b", "a", None),
            ("a", "a", "a", None),
            ("b", "b", "b", None),
            ("b", None, "b", None),
        ],
        [[[0], [1], [2]], [[3], [4]]],
    ),
    "groups": (
        # g is of label a by majority, h of a by label order, i of b; examples move together
        [
            ("a", "a", "a", "g"),
            ("a", "b", "a", "g"),
            ("b", "b", "b", "g"),
            ("b", "a", "b", "h"),
            ("a", "a", "a", "h"),
            ("b", "b", "b", "i"),
            ("b", "c", "b", None),
        ],
        [[[0, 1, 2], [3, 4]], [[5], [6]]],
    ),
}


@pytest.mark.parametrize("cost", [0, 1e9], ids=["multinomial", "indices"])
@pytest.mark.parametrize("case", CASES)
def test_draws_have_the_distribution_of_all_resamples(case, cost, monkeypatch):
    """Both ways of drawing give every possible resample its exact chance, groups kept whole."""
    monkeypatch.setattr(bootstrap, "MULTINOMIAL_COST", cost)
    rows, strata = CASES[case]
    head, _ = runs_of(rows)
    draws = 20_000
    drawn = resample((head,), LABELS, draws=draws, seed=3)[0].macro
    exact = enumerated(head, strata)
    found = Counter(round(float(value), 9) for value in drawn)
    assert set(found) <= set(exact)
    for value, chance in exact.items():
        spread = 5 * math.sqrt(chance * (1 - chance) / draws)
        assert found[value] / draws == pytest.approx(chance, abs=spread + 1e-9)


def test_base_and_head_are_drawn_together():
    """Equal runs differ by exactly nothing on every draw; a run is the same beside another."""
    rows = [
        ("a", "a", "a", None),
        ("a", "b", "b", None),
        ("b", "b", "b", "g"),
        ("c", "a", "a", "g"),
    ]
    head, base = resample(runs_of(rows), LABELS, draws=500, seed=1)
    assert (head.macro == base.macro).all()
    assert (head.f1 == base.f1).all()


def test_the_support_of_each_label_is_fixed_without_groups():
    """Strata keep their size, so a label that is always right scores 1 unless others name it."""
    rows = [("a", "a", "a", None)] * 4 + [("b", "c", "b", None)] * 3 + [("c", "c", "c", None)] * 2
    head = resample(runs_of(rows), LABELS, draws=300, seed=1)[0]
    assert (head.f1[:, 0] == 1).all()
    assert (head.f1[:, 1] == 0).all()
    assert (head.f1[:, 2] == 2 * 2 / (2 + 5)).all()


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_examples_does_not_matter(rows, random):
    """Shuffled examples give the same draws, to the bit."""
    shuffled = random.sample(rows, k=len(rows))
    first = resample(runs_of(rows), LABELS, draws=50, seed=9)
    second = resample(runs_of(shuffled), LABELS, draws=50, seed=9)
    for one, other in zip(first, second, strict=True):
        assert (one.macro == other.macro).all()


def test_the_seed_decides_the_draws():
    """The same seed repeats the draws, another one changes them."""
    rows = [("a", answer, "a", None) for answer in ("a", "b", None) * 10]
    drawn = [resample(runs_of(rows), LABELS, draws=200, seed=seed)[0].macro for seed in (1, 1, 2)]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any()


@pytest.mark.parametrize("cost", [0, 1e9], ids=["multinomial", "indices"])
def test_small_chunks_change_nothing_but_the_memory(cost):
    """Drawing in pieces gives all draws, each from a full resample."""
    rows = [("a", answer, "a", None) for answer in ("a", "b", None) * 10]
    with (
        mock.patch.object(bootstrap, "CHUNK", 70),
        mock.patch.object(bootstrap, "MULTINOMIAL_COST", cost),
    ):
        drawn = resample(runs_of(rows), LABELS, draws=101, seed=1)[0]
    assert drawn.macro.shape == (101,)
    assert drawn.f1.shape == (101, 3)
    assert (drawn.macro > 0).all()


def test_groups_widen_the_interval():
    """Ten equal examples in one group carry the information of one, and the spread says so."""
    rows = [("a", "a", "a", None), ("a", "b", "a", None)] * 8 + [("b", "b", "b", None)] * 16
    tenfold = [(*row[:3], f"g{i}") for i, row in enumerate(rows) for _ in range(10)]
    alone = [(*row[:3], None) for row in tenfold]
    spread = [
        float(np.std(resample(runs_of(r), LABELS, draws=2000, seed=1)[0].macro))
        for r in (rows, tenfold, alone)
    ]
    assert spread[1] == pytest.approx(spread[0], rel=0.1)
    assert spread[2] == pytest.approx(spread[0] / math.sqrt(10), rel=0.1)


def test_percentiles_cut_equal_tails():
    """The interval leaves half of the rest on each side."""
    low, high = percentiles(np.arange(1001) / 1000, 0.9)
    assert (low, high) == (pytest.approx(0.05), pytest.approx(0.95))
