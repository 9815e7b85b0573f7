"""From answers to decisions: priors, thresholds, abstention, invalid answers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pldgov import calibration_fit
from pldgov.calibration import (
    calibrate,
    decide,
    fit,
    fit_matrix,
    label_prior,
    log_probabilities,
)
from pldgov.dataset import Example
from pldgov.errors import DataError
from pldgov.results import Answer, DecisionPolicy

LABELS = ("fraud", "card", "loan")
EXAMPLE = Example("e-1", {"text": "hello"}, "card", group="g")
PLAIN = DecisionPolicy()
CALIBRATED = DecisionPolicy(calibration="label-prior")
FITTED = DecisionPolicy(calibration="fitted")
MATRIX = DecisionPolicy(calibration="matrix")


def likelihood(*scores, label="fraud"):
    return Answer(label, dict(zip(LABELS, scores, strict=True)), "log-likelihood")


def probability(*scores, label="fraud"):
    return Answer(label, dict(zip(LABELS, scores, strict=True)), "probability")


def decided(answer, policy=PLAIN, fitted=None):
    return decide(EXAMPLE, answer, LABELS, policy=policy, calibration=fitted)


def test_the_prior_is_the_mean_log_probability():
    """Each label's prior is the mean of the log of its normalised probability."""
    prior = label_prior([probability(0.5, 0.25, 0.25), probability(0.1, 0.1, 0.8)], LABELS)
    assert prior.n == 2
    assert prior.score_kind == "probability"
    assert prior.mean_log_scores["fraud"] == pytest.approx((math.log(0.5) + math.log(0.1)) / 2)
    assert prior.mean_log_scores["loan"] == pytest.approx((math.log(0.25) + math.log(0.8)) / 2)


@given(st.lists(st.floats(-50, 0), min_size=3, max_size=3), st.floats(-100, 100))
def test_a_constant_per_input_has_no_effect(scores, constant):
    """Adding one number to all log-likelihoods of an input changes neither prior nor decision."""
    plain, shifted = likelihood(*scores), likelihood(*(score + constant for score in scores))
    first, second = label_prior([plain], LABELS), label_prior([shifted], LABELS)
    for label in LABELS:
        assert first.mean_log_scores[label] == pytest.approx(
            second.mean_log_scores[label], abs=1e-9
        )
    before, after = decided(plain).probabilities, decided(shifted).probabilities
    assert after == pytest.approx(before, abs=1e-9)


def test_a_student_with_a_favourite_is_corrected():
    """A label that always leads by two nats loses exactly that lead."""
    leaning = [likelihood(-1.0, -3.0, -3.0), likelihood(-1.0, -3.0, -3.0)]
    prior = label_prior(leaning, LABELS)
    answer = likelihood(-1.0, -2.0, -3.0)
    assert decided(answer).label == "fraud"
    corrected = decided(answer, CALIBRATED, prior)
    assert corrected.label == "card"
    e = math.exp
    assert corrected.probabilities["card"] == pytest.approx(e(1) / (e(1) + 2))


def test_without_usable_scores_there_is_no_prior():
    """Answers without scores, or with broken ones, give no prior; they are passed over."""
    assert label_prior([], LABELS) is None
    assert label_prior([Answer("fraud"), likelihood(math.nan, 0, 0)], LABELS) is None
    assert label_prior([Answer("fraud"), likelihood(-1, -1, -1)], LABELS).n == 1


def test_probabilities_sum_to_one_and_follow_the_labels():
    """A decision carries one probability per label that sum to 1, with gold label and group."""
    decision = decided(likelihood(-1, -2, -3))
    assert list(decision.probabilities) == list(LABELS)
    assert math.fsum(decision.probabilities.values()) == pytest.approx(1)
    assert (decision.gold, decision.group, decision.example_id) == ("card", "g", "e-1")


def test_ties_go_to_the_label_listed_first():
    """Equal scores are decided by the rulebook's order."""
    assert decided(likelihood(-5, -1, -1)).label == "card"
    assert decide(
        EXAMPLE, likelihood(-5, -1, -1), LABELS[::-1], policy=PLAIN, calibration=None
    ).label == ("loan")


def test_a_probability_of_zero_is_a_very_small_one():
    """A server that rounds to zero does not break the logarithm."""
    decision = decided(probability(0.0, 1.0, 0.0))
    assert decision.label == "card"
    assert decision.probabilities["fraud"] < 1e-9


def test_likelihoods_far_below_the_range_of_floats_still_decide():
    """Long labels with log-likelihoods of minus thousands neither underflow nor overflow."""
    decision = decided(likelihood(-9000.0, -9001.0, -20000.0))
    assert decision.label == "fraud"
    assert decision.probabilities["card"] == pytest.approx(1 / (1 + math.e))


def test_a_label_below_its_threshold_is_withheld():
    """A threshold belongs to one label; below it the answer is an abstention with its odds kept."""
    policy = DecisionPolicy(thresholds={"fraud": 0.7})
    withheld = decided(probability(0.6, 0.4, 0.0), policy)
    assert (withheld.label, withheld.abstained) == (None, True)
    assert withheld.probabilities["fraud"] == pytest.approx(0.6)
    assert decided(probability(0.4, 0.6, 0.0), policy).label == "card"
    assert decided(probability(0.7, 0.3, 0.0), policy).label == "fraud"


def test_abstain_below_holds_for_every_label():
    """Any label less sure than ``abstain_below`` is withheld."""
    policy = DecisionPolicy(abstain_below=0.5)
    assert decided(probability(0.4, 0.3, 0.3), policy).abstained
    assert not decided(probability(0.3, 0.6, 0.1), policy).abstained


def test_an_answer_without_scores_keeps_its_label():
    """A generated label stands as it is; calibration and thresholds cannot apply to it."""
    policy = DecisionPolicy(calibration="label-prior", abstain_below=0.99)
    decision = decided(Answer("loan", raw="loan"), policy)
    assert (decision.label, decision.abstained, decision.probabilities) == ("loan", False, None)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(None, raw="I think it is a card"),
        Answer("mortgage"),
        likelihood(math.nan, -1, -2),
        likelihood(-math.inf, -1, -2),
        probability(-0.1, 0.6, 0.5),
        Answer("fraud", {"fraud": -1.0}, "log-likelihood"),
    ],
    ids=["none", "unknown label", "nan", "infinite", "negative probability", "label missing"],
)
def test_an_unusable_answer_is_invalid_and_no_abstention(answer):
    """What names no known label, or rests on numbers that cannot be, is an invalid answer."""
    decision = decided(answer)
    assert (decision.label, decision.abstained, decision.probabilities) == (None, False, None)


def test_calibration_without_a_prior_is_refused():
    """Asking for calibration and giving no prior is an error that names the remedy."""
    with pytest.raises(DataError, match=r"e-1.*calibration = \"none\""):
        decided(likelihood(-1, -2, -3), CALIBRATED)


def test_log_probabilities_are_normalised_over_the_labels():
    """Probability over other options (a server's 'none of these') is shared out."""
    scores = log_probabilities(probability(0.2, 0.2, 0.1), LABELS)
    assert [math.exp(score) for score in scores] == pytest.approx([0.4, 0.4, 0.2])


def leaning(gold):
    """Return an answer that leans to the first label by three nats and to ``gold`` by two."""
    scores = [-1.0, -4.0, -4.0]
    scores[LABELS.index(gold)] += 2.0
    return likelihood(*scores)


@pytest.mark.parametrize("counts", [(5, 5, 5), (20, 4, 1)])
def test_a_fit_removes_a_lean_however_common_the_labels_are(counts):
    """Offsets come from gold labels, so a rare label is not taken for a neglected one."""
    golds = [label for label, count in zip(LABELS, counts, strict=True) for _ in range(count)]
    found = fit([leaning(gold) for gold in golds], golds, LABELS)
    assert found.n == sum(counts)
    for gold in LABELS:
        assert decided(leaning(gold), FITTED, found).label == gold


def test_a_label_prior_over_common_labels_pushes_answers_to_the_rare_one():
    """What a fit is for: the same answers, with one label common, mislead the label prior."""
    golds = ["fraud"] * 40 + ["card"] * 4 + ["loan"]
    answers = [leaning(gold) for gold in golds]
    unsure = likelihood(-1.5, -3.0, -3.0)
    assert decided(unsure, CALIBRATED, label_prior(answers, LABELS)).label != "fraud"
    assert decided(leaning("fraud"), FITTED, fit(answers, golds, LABELS)).label == "fraud"


def test_a_fit_has_the_least_loss():
    """No step to either side of an offset or the slope lowers the penalised, balanced loss."""
    golds = ["fraud", "card", "loan", "card", "fraud", "loan", "loan"]
    answers = [leaning(gold) for gold in golds[:5]] + [likelihood(-1, -3, -5)] * 2
    found = fit(answers, golds, LABELS)

    def loss(offsets, slope):
        total = calibration_fit.OFFSET_PENALTY * sum(value**2 for value in offsets.values())
        total += calibration_fit.SLOPE_PENALTY * math.log(slope) ** 2
        for answer, gold in zip(answers, golds, strict=True):
            fitted = replace(found, offsets=offsets, slope=slope)
            probable = decided(answer, FITTED, fitted).probabilities[gold]
            total -= len(golds) / (3 * golds.count(gold)) * math.log(probable)
        return total

    least = loss(found.offsets, found.slope)
    for label in LABELS:
        for step in (-0.01, 0.01):
            moved = {**found.offsets, label: found.offsets[label] + step}
            assert loss(moved, found.slope) > least
    assert loss(found.offsets, found.slope * 1.01) > least
    assert loss(found.offsets, found.slope / 1.01) > least


def test_a_fit_stays_finite_where_every_answer_is_right_and_a_label_is_missing():
    """Separable data and a label without examples give finite, usable numbers."""
    found = fit([leaning("fraud"), leaning("card")] * 20, ["fraud", "card"] * 20, LABELS)
    assert all(math.isfinite(value) for value in found.offsets.values())
    assert math.isfinite(found.slope)
    assert found.offsets["loan"] == 0.0
    assert decided(leaning("card"), FITTED, found).label == "card"


def test_a_fit_passes_over_what_it_cannot_use():
    """Broken scores and unknown gold labels are left out; without any rest there is no fit."""
    good, broken = leaning("card"), likelihood(math.nan, -1, -1)
    golds = ["card", "card", "no label"]
    assert fit([good, broken, good], golds, LABELS) == fit([good], ["card"], LABELS)
    assert fit([broken], ["card"], LABELS) is None
    with pytest.raises(DataError, match="fitted calibration needs"):
        decided(good, FITTED, None)


def exchanging(gold):
    """Return an answer in which the scores of card and loan stand for each other."""
    scores = [-3.0, -3.0, -3.0]
    scores[{"fraud": 0, "card": 2, "loan": 1}[gold]] = -1.0
    return likelihood(*scores)


def test_a_matrix_puts_right_what_a_student_takes_for_another_label():
    """Two labels exchanged: no offset or slope can tell them apart, weights between labels do."""
    golds = list(LABELS) * 10
    answers = [exchanging(gold) for gold in golds]
    matrix, fitted = fit_matrix(answers, golds, LABELS), fit(answers, golds, LABELS)
    for gold in LABELS:
        assert decided(exchanging(gold), MATRIX, matrix).label == gold
    assert decided(exchanging("card"), FITTED, fitted).label == "loan"


def test_a_matrix_has_the_least_loss():
    """No step to either side of an offset or a weight lowers the penalised, balanced loss."""
    golds = ["fraud", "card", "loan", "card", "fraud", "loan", "loan"]
    answers = [leaning(gold) for gold in golds[:5]] + [likelihood(-1, -3, -5)] * 2
    found = fit_matrix(answers, golds, LABELS)

    def loss(offsets, weights):
        total = calibration_fit.MATRIX_OFFSET_PENALTY * sum(v**2 for v in offsets.values())
        total += calibration_fit.MATRIX_PENALTY * sum(
            (weights[label][other] - (label == other)) ** 2 for label in LABELS for other in LABELS
        )
        for answer, gold in zip(answers, golds, strict=True):
            corrected = replace(found, offsets=offsets, weights=weights)
            probable = decided(answer, MATRIX, corrected).probabilities[gold]
            total -= len(golds) / (3 * golds.count(gold)) * math.log(probable)
        return total

    least = loss(found.offsets, found.weights)
    for label in LABELS:
        for step in (-0.01, 0.01):
            moved = {**found.offsets, label: found.offsets[label] + step}
            assert loss(moved, found.weights) > least
            for other in LABELS:
                row = {**found.weights[label], other: found.weights[label][other] + step}
                assert loss(found.offsets, {**found.weights, label: row}) > least


def test_a_matrix_leaves_a_label_without_examples_as_it_was():
    """Nothing tells the offset or the weights of a label that no training example carries."""
    found = fit_matrix([leaning("fraud"), leaning("card")] * 20, ["fraud", "card"] * 20, LABELS)
    assert found.offsets["loan"] == 0.0
    assert found.weights["loan"] == {"fraud": 0.0, "card": 0.0, "loan": 1.0}
    assert decided(leaning("card"), MATRIX, found).label == "card"
    broken = likelihood(math.nan, -1, -1)
    assert fit_matrix([broken], ["card"], LABELS) is None


def test_each_method_of_calibration_is_the_one_that_is_named():
    """The method of a student's policy decides what is estimated, from the same answers."""
    golds = ["fraud", "card", "loan"]
    answers = [leaning(gold) for gold in golds]
    assert calibrate(answers, golds, LABELS, method="none") is None
    assert calibrate(answers, golds, LABELS, method="label-prior") == label_prior(answers, LABELS)
    assert calibrate(answers, golds, LABELS, method="fitted") == fit(answers, golds, LABELS)
    assert calibrate(answers, golds, LABELS, method="matrix") == fit_matrix(answers, golds, LABELS)
