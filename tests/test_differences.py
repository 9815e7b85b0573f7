"""The statistics of the gate: paired differences, Holm, what can be seen, how many would decide."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from pldgov.differences import (
    compare,
    detectable_drop,
    examples_needed,
    holm,
    reference_error,
)
from pldgov.results import Decision, Difference, Interval
from pldgov.rulebook.model import GatePolicy

LABELS = ("a", "b", "c", "d", "e")


def simulated(rng, n, *, right=0.88, touched=0.15):
    """Return head and base: an edit of no effect that gives a share of the answers anew."""
    gold = np.arange(n) % 5

    def answers():
        return np.where(rng.random(n) < right, gold, (gold + rng.integers(1, 5, size=n)) % 5)

    base = answers()
    head = np.where(rng.random(n) < touched, answers(), base)
    return tuple(
        [
            Decision(str(i), LABELS[g], LABELS[x])
            for i, (g, x) in enumerate(zip(gold, run, strict=True))
        ]
        for run in (head, base)
    )


def difference(delta, low, high):
    return Difference(0.8, 0.8 + delta, Interval(low, high), 0.01, 0.5)


def test_differences_are_between_scikit_learns_figures():
    """Base, head and delta are unrounded macro-F1 and F1 values of scikit-learn."""
    head, base = simulated(np.random.default_rng(1), 60)
    found = compare(head, base, LABELS, policy=GatePolicy(draws=200))
    for run, value in ((head, found.macro_f1.head), (base, found.macro_f1.base)):
        gold, said = [one.gold for one in run], [one.label for one in run]
        assert value == pytest.approx(f1_score(gold, said, average="macro"), abs=1e-12)
    assert found.macro_f1.delta == pytest.approx(np.mean([one.delta for one in found.labels]))
    assert found.macro_f1.adjusted_p is None
    assert all(one.adjusted_p >= one.p_value for one in found.labels)


def test_equal_answers_differ_by_exactly_nothing():
    """No draw is needed to know that the same answers have the same F1."""
    run = [Decision("1", "a", "b"), Decision("2", "b", None)]
    found = compare(run, run, LABELS, policy=GatePolicy(draws=100))
    for one in (found.macro_f1, *found.labels):
        assert (one.delta, one.interval.low, one.interval.high) == (0, 0, 0)
        assert (one.standard_error, one.p_value) == (0, 1)


def test_p_values_are_never_zero():
    """The +1 correction bounds a one-sided p-value below by one over the draws plus one."""
    base = [Decision(str(i), "ab"[i % 2], "ab"[i % 2]) for i in range(60)]
    head = [Decision(str(i), "ab"[i % 2], "ab"[(i + i % 3 // 2) % 2]) for i in range(60)]
    found = compare(head, base, ("a", "b"), policy=GatePolicy(draws=999))
    assert found.macro_f1.p_value == pytest.approx(1 / 1000)
    better = compare(base, head, ("a", "b"), policy=GatePolicy(draws=999))
    assert better.macro_f1.p_value == 1


@pytest.mark.parametrize(
    ("n", "half_width"), [(100, 0.038), (200, 0.026), (500, 0.019), (1000, 0.011)]
)
def test_the_noise_of_an_edit_without_effect_is_as_known(n, half_width):
    """The half-widths known from single edits come out on average, and shrink with sqrt(n)."""
    rng = np.random.default_rng(n)
    intervals = [
        compare(*simulated(rng, n), LABELS, policy=GatePolicy(draws=1000)).macro_f1.interval
        for _ in range(30)
    ]
    mean = np.mean([(one.high - one.low) / 2 for one in intervals])
    assert mean == pytest.approx(half_width, rel=0.3)
    assert mean == pytest.approx(1.96 * (0.15 * 2 * 0.88 * 0.12 / n) ** 0.5, rel=0.15)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    """Over 300 edits without effect the 95 % interval holds 0 in 91 to 99 % of them."""
    rng = np.random.default_rng(5)
    policy = GatePolicy(draws=400)
    held = 0
    for _ in range(300):
        found = compare(*simulated(rng, 200), LABELS, policy=policy).macro_f1.interval
        held += found.low <= 0 <= found.high
    assert 0.91 <= held / 300 <= 0.99


def test_the_reference_error_is_that_of_an_edit_without_effect():
    """The closed form agrees with the bootstrap's standard error of the simulated edit."""
    rng = np.random.default_rng(2)
    runs = [simulated(rng, 1000) for _ in range(10)]
    closed = np.mean([reference_error(base, LABELS) for _, base in runs])
    drawn = np.mean(
        [
            compare(*pair, LABELS, policy=GatePolicy(draws=400)).macro_f1.standard_error
            for pair in runs
        ]
    )
    assert closed == pytest.approx(drawn, rel=0.1)


def test_a_run_without_any_variety_has_no_reference():
    """When each label always gets the same answer, answers given anew would be the same."""
    assert reference_error([Decision("1", "a", "a"), Decision("2", "b", None)], LABELS) == 0


def test_holm_adjusts_as_published():
    """The adjusted p-values are those of R's p.adjust(method = "holm")."""
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx((0.05, 0.08, 0.09, 0.09, 0.09))
    assert holm([0.05, 0.001, 0.9]) == pytest.approx((0.1, 0.003, 0.9))
    assert holm([0.6, 0.7]) == (1, 1)
    assert holm([]) == ()


@given(st.lists(st.floats(1e-4, 1), min_size=1, max_size=12))
def test_holm_lies_between_nothing_and_bonferroni(p_values):
    """Adjusted values keep their order and never exceed Bonferroni's."""
    adjusted = holm(p_values)
    for p, corrected in zip(p_values, adjusted, strict=True):
        assert p <= corrected <= min(1, p * len(p_values))
    ranked = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert sorted(adjusted) == [adjusted[index] for index in ranked]


def test_the_detectable_drop_is_2_8_standard_errors_under_a_small_margin():
    """With a margin of no weight the drop is (1.96 + 0.84) standard errors."""
    found = detectable_drop(0.01, margin=0.01, confidence=0.95)
    assert found == pytest.approx(0.0280, abs=1e-4)


def test_a_wide_margin_lifts_the_detectable_drop():
    """A drop must also pass the margin in four of five measurements."""
    found = detectable_drop(0.01, margin=0.05, confidence=0.95)
    assert found == pytest.approx(0.05 + 0.0084, abs=1e-4)
    assert detectable_drop(0.0, margin=0.05, confidence=0.95) is None


def test_examples_needed_scale_with_the_square_of_the_arm():
    """Half the room needs four times the examples, on either side of the margin."""
    within = difference(0.0, -0.04, 0.04)
    assert examples_needed(within, 100, margin=0.02) == 400
    beyond = difference(-0.04, -0.12, 0.04)
    assert examples_needed(beyond, 100, margin=0.02) == 400
    assert math.isclose(beyond.delta, -0.04)


def test_no_number_of_examples_decides_a_drop_that_equals_the_margin():
    """On the margin itself, and at no change under a margin of 0, there is no such number."""
    assert examples_needed(difference(-0.02, -0.05, 0.01), 100, margin=0.02) is None
    assert examples_needed(difference(0.0, -0.05, 0.05), 100, margin=0.0) is None
