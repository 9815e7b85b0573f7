"""The figures of a run: scikit-learn's, with everything that is defined rather than measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    brier_score_loss,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
)

from pldgov.dataset import Example
from pldgov.errors import DataError
from pldgov.metrics import f1_scores, macro_f1, majority_decisions, probability_scores, score
from pldgov.results import Answer, Decision
from pldgov.rulebook.model import GatePolicy

LABELS = ("fraud", "card", "loan")
POLICY = GatePolicy(draws=200)


def run(pairs, **fields):
    return tuple(
        Decision(f"e-{number}", gold, label, **fields) for number, (gold, label) in enumerate(pairs)
    )


def sure(gold, *odds):
    probabilities = dict(zip(LABELS, odds, strict=True))
    return Decision("e", gold, max(probabilities, key=probabilities.get), probabilities)


PAIRS = st.lists(
    st.tuples(st.sampled_from([*LABELS, "mortgage"]), st.sampled_from([*LABELS, None])),
    min_size=1,
    max_size=40,
)


@given(PAIRS)
@settings(max_examples=60, deadline=None)
def test_the_figures_are_scikit_learns(pairs):
    """Precision, recall, F1, support and macro-F1 are those of scikit-learn, whatever comes."""
    card = score(run(pairs), LABELS, policy=GatePolicy(draws=100))
    gold = [gold for gold, _ in pairs]
    said = [label or "no label" for _, label in pairs]
    expected = precision_recall_fscore_support(gold, said, labels=LABELS, zero_division=0)
    for index, figures in enumerate(zip(*expected, strict=True)):
        found = card.labels[index]
        assert (found.precision, found.recall, found.f1, found.support) == pytest.approx(figures)
    macro = f1_score(gold, said, labels=LABELS, average="macro", zero_division=0)
    assert card.macro_f1 == pytest.approx(macro)
    assert macro_f1(run(pairs), LABELS) == card.macro_f1
    assert card.accuracy == pytest.approx(np.mean([g == s for g, s in pairs]))


def test_a_run_by_hand():
    """Figures worked out on paper for four examples, one of them without a label."""
    pairs = [("fraud", "fraud"), ("fraud", "card"), ("card", "card"), ("loan", None)]
    card = score(run(pairs), LABELS, policy=POLICY)
    assert card.n == 4
    assert card.accuracy == 0.5
    assert f1_scores(run(pairs), LABELS) == pytest.approx((2 / 3, 2 / 3, 0))
    assert card.macro_f1 == pytest.approx(4 / 9)
    assert card.confusion == ((1, 1, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1))
    assert (card.invalid, card.invalid_rate) == (1, 0.25)


@given(PAIRS)
@settings(max_examples=30, deadline=None)
def test_the_confusion_matrix_is_scikit_learns_without_unknown_gold_labels(pairs):
    """Rows are the task's labels, columns the labels and one for no label."""
    card = score(run(pairs), LABELS, policy=GatePolicy(draws=100))
    columns = [*LABELS, "no label"]
    said = [label or "no label" for _, label in pairs] + columns
    everything = confusion_matrix([g for g, _ in pairs] + columns, said, labels=columns)
    assert card.confusion == tuple(
        tuple(int(cell) - (i == j) for j, cell in enumerate(row))
        for i, row in enumerate(everything[:-1])
    )


def test_abstentions_are_wrong_but_not_invalid():
    """A withheld label counts against the label's recall and is reported apart."""
    decisions = (
        *run([("fraud", "fraud"), ("card", None)]),
        Decision("e", "card", None, abstained=True),
    )
    card = score(decisions, LABELS, policy=POLICY)
    assert (card.invalid, card.abstained) == (1, 1)
    assert card.confusion[1][3] == 2


def test_notes_say_which_figures_are_defined_and_not_measured():
    """A label without example, one never predicted, and a strange gold label are put in words."""
    pairs = [("fraud", "fraud"), ("fraud", "card"), ("mortgage", "fraud")]
    notes = " | ".join(score(run(pairs), (*LABELS, "misc"), policy=POLICY).notes)
    assert "label 'card' has no example, 1 answers name it" in notes
    assert "label 'loan' has no example and is never predicted" in notes
    assert "1 examples have the gold label 'mortgage'" in notes
    assert "'fraud' " not in notes
    both = score(run([("fraud", "card"), ("card", "card")]), LABELS[:2], policy=POLICY)
    assert both.notes == ("label 'fraud' is never predicted: its F1 is 0",)


def test_a_clean_run_has_no_notes():
    """Nothing is said when every label is seen and predicted."""
    assert score(run(zip(LABELS, LABELS, strict=True)), LABELS, policy=POLICY).notes == ()


def test_one_class_only_is_scored_and_said():
    """A set with one gold label still gives figures, with two labels at zero."""
    card = score(run([("fraud", "fraud")] * 5), LABELS, policy=POLICY)
    assert card.macro_f1 == pytest.approx(1 / 3)
    assert len(card.notes) == 2


def test_nothing_to_score_is_an_error():
    """An empty split is refused."""
    with pytest.raises(DataError, match="no example to score"):
        score((), LABELS, policy=POLICY)


def test_the_interval_holds_the_point_and_narrows_with_more_examples():
    """More examples of the same kind make the interval of macro-F1 and of each F1 narrower."""
    pairs = [("fraud", "fraud")] * 8 + [("fraud", "card")] * 2 + [("card", "card")] * 10
    few = score(run(pairs), LABELS[:2], policy=POLICY)
    many = score(run(pairs * 16), LABELS[:2], policy=POLICY)
    assert few.interval.low < few.macro_f1 < few.interval.high
    width = [card.interval.high - card.interval.low for card in (few, many)]
    assert width[0] / width[1] == pytest.approx(4, rel=0.25)
    label = few.labels[0]
    assert label.f1_interval.low < label.f1 <= label.f1_interval.high


def test_the_same_run_has_the_same_interval_in_any_order():
    """Seeded draws do not depend on the order of the examples."""
    pairs = [("fraud", "fraud")] * 9 + [("fraud", "card")] * 3 + [("card", "card")] * 5
    first, second = (score(run(p), LABELS, policy=POLICY).interval for p in (pairs, pairs[::-1]))
    assert first == second


def test_tokens_seconds_and_truncations_are_added_up():
    """The answers' costs are summed; truncated counts the inputs that were cut."""
    answers = [Answer("x", tokens_in=5, tokens_out=2, seconds=0.5, truncated=40), Answer("x")]
    card = score(run([("fraud", "fraud")] * 2), LABELS, policy=POLICY, answers=answers)
    assert (card.tokens_in, card.tokens_out, card.seconds, card.truncated) == (5, 2, 0.5, 1)


def test_probability_scores_are_scikit_learns():
    """Log loss in nats and the multi-class Brier score agree with the definitions."""
    decisions = (sure("fraud", 0.7, 0.2, 0.1), sure("loan", 0.1, 0.6, 0.3))
    found = probability_scores(decisions, LABELS)
    assert found.log_loss == pytest.approx(-(math.log(0.7) + math.log(0.3)) / 2)
    matrix = [[0.2, 0.7, 0.1], [0.6, 0.1, 0.3]]  # alphabetical, as scikit-learn wants it
    expected = brier_score_loss(["fraud", "loan"], matrix, labels=sorted(LABELS))
    assert found.brier == pytest.approx(expected)


ODDS = st.lists(
    st.tuples(st.sampled_from(LABELS), st.tuples(*[st.floats(0, 1)] * 3)).filter(
        lambda row: sum(row[1]) > 0.01
    ),
    min_size=1,
    max_size=20,
)


@given(ODDS)
@settings(max_examples=60, deadline=None)
def test_log_loss_is_scikit_learns_even_at_zero(rows):
    """Probabilities of 0 and 1 are clipped as scikit-learn clips them."""
    scaled = [(gold, [odd / sum(odds) for odd in odds]) for gold, odds in rows]
    found = probability_scores([sure(gold, *odds) for gold, odds in scaled], LABELS)
    numbers = [LABELS.index(gold) for gold, _ in scaled]
    expected = log_loss(numbers, [odds for _, odds in scaled], labels=range(3))
    assert found.log_loss == pytest.approx(expected, abs=1e-9)


def test_calibration_error_weighs_the_gap_of_each_bin():
    """Four answers at 0.75 of which half are right, six at 0.95 all right."""
    decisions = [sure("fraud", 0.75, 0.25, 0.0)] * 2 + [sure("card", 0.75, 0.25, 0.0)] * 2
    decisions += [sure("loan", 0.05, 0.0, 0.95)] * 6
    found = probability_scores(decisions, LABELS)
    assert found.calibration_error == pytest.approx(0.4 * 0.25 + 0.6 * 0.05)
    assert found.reliability[7] == (pytest.approx(0.75), 0.5, 4)
    assert found.reliability[9] == (pytest.approx(0.95), 1.0, 6)
    assert found.reliability[0] == (0, 0, 0)
    assert sum(count for *_, count in found.reliability) == 10


def test_the_last_bin_holds_certainty():
    """A probability of exactly 1 falls into the last bin."""
    assert probability_scores([sure("fraud", 1.0, 0.0, 0.0)], LABELS).reliability[-1][2] == 1


def test_probabilities_are_scored_only_when_every_decision_has_them():
    """One answer without probabilities, or with an unknown gold label, and none are scored."""
    assert probability_scores([sure("fraud", 1, 0, 0), *run([("card", "card")])], LABELS) is None
    assert probability_scores([sure("mortgage", 1, 0, 0)], LABELS) is None
    card = score([sure("fraud", 0.8, 0.1, 0.1)], LABELS, policy=POLICY)
    assert card.probabilities.log_loss == pytest.approx(-math.log(0.8))


def test_the_majority_baseline_reads_nothing():
    """Every example gets the most frequent training label; ties go by the alphabet."""
    examples = [Example("a", {"text": "x"}, "card", group="g"), Example("b", {"text": "y"}, "loan")]
    decisions = majority_decisions(["loan", "fraud", "loan", "fraud", "card"], examples)
    assert [(d.example_id, d.gold, d.label, d.group) for d in decisions] == [
        ("a", "card", "fraud", "g"),
        ("b", "loan", "fraud", None),
    ]
    with pytest.raises(DataError, match="training example"):
        majority_decisions([], examples)
