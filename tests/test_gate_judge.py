"""The gate's word: every outcome, its reason, its exit code, and how often it cries wolf."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pldgov.errors import DataError
from pldgov.gate import exit_code, flips, judge
from pldgov.results import ComparabilityKey, Decision, Outcome, Verdict
from pldgov.rulebook.model import GatePolicy, LabelPolicy

LABELS = ("fraud", "card")
FIVE = ("a", "b", "c", "d", "e")
KEY = ComparabilityKey("student", "greedy", "1", LABELS, "set")


def run(*blocks, abstained=False):
    """Return decisions from blocks of (gold, answer, how many)."""
    pairs = [(gold, label) for gold, label, count in blocks for _ in range(count)]
    return tuple(
        Decision(f"e-{i}", gold, label, abstained=abstained and label is None)
        for i, (gold, label) in enumerate(pairs)
    )


def judged(head, base, *, names=LABELS, head_key=KEY, base_key=KEY, **policy):
    return judge(
        head,
        base,
        labels=names,
        policy=GatePolicy(draws=1000, **policy),
        head_key=head_key,
        base_key=base_key,
    )


GOOD = run(("fraud", "fraud", 90), ("fraud", "card", 10), ("card", "card", 100))
BROKEN = run(("fraud", "fraud", 50), ("fraud", "card", 50), ("card", "card", 100))
NUDGED = run(("fraud", "fraud", 87), ("fraud", "card", 13), ("card", "card", 100))


def simulated(rng, n, *, right=0.88, touched=0.15, harm=0.0):
    """Return head and base: an edit that gives a share of the answers anew, right less often."""
    gold = np.arange(n) % 5

    def answers(rate):
        return np.where(rng.random(n) < rate, gold, (gold + rng.integers(1, 5, size=n)) % 5)

    base = answers(right)
    head = np.where(rng.random(n) < touched, answers(right - harm / touched), base)
    return tuple(
        tuple(
            Decision(str(i), FIVE[g], FIVE[x])
            for i, (g, x) in enumerate(zip(gold, answer, strict=True))
        )
        for answer in (head, base)
    )


def test_a_clear_fall_is_regressed_and_says_how_far():
    """The reason names the drop, its interval and the margin in points."""
    verdict = judged(BROKEN, GOOD)
    assert verdict.outcome is Outcome.REGRESSED
    assert verdict.reason.startswith("macro-F1 fell by 21.7 points (95 % interval -27.")
    assert ", more than the 2.0 points allowed" in verdict.reason
    assert verdict.macro_f1.interval.high < 0
    assert verdict.examples_needed is None


def test_an_improvement_passes():
    """A rise is no regression, and the reason says what is ruled out."""
    verdict = judged(GOOD, BROKEN)
    assert verdict.outcome is Outcome.PASS
    assert verdict.reason.startswith("macro-F1 rose by 21.7 points (95 % interval +")
    assert verdict.reason.endswith("a drop of more than the 2.0 points allowed is ruled out")


@pytest.mark.parametrize("n", [1, 3, 500])
@pytest.mark.parametrize("max_drop", [0.0, 0.02])
def test_the_same_answers_pass_whatever_their_number(n, max_drop):
    """A reworded comment changes no answer: zero difference, PASS, even under a margin of 0."""
    same = run(("fraud", "fraud", n), ("card", None, n))
    verdict = judged(same, same, max_drop=max_drop, max_invalid=1)
    assert verdict.outcome is Outcome.PASS
    assert verdict.macro_f1.delta == 0
    assert verdict.reason.startswith(f"all {2 * n} answers are the same as the base's")
    assert verdict.flips == ()


def test_what_the_examples_cannot_tell_is_inconclusive_and_says_how_many_would():
    """A small drop within its noise names the number of labelled examples that would decide."""
    verdict = judged(NUDGED, GOOD, max_drop=0.025)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.examples_needed > 200
    assert "200 examples cannot rule out a drop of more than the 2.5 points" in verdict.reason
    assert "would decide" in verdict.reason


def test_a_drop_beyond_the_margin_but_within_chance_is_inconclusive():
    """Three points more than allowed on few examples is no regression yet."""
    base = run(("fraud", "fraud", 18), ("fraud", "card", 2), ("card", "card", 20))
    head = run(
        ("fraud", "fraud", 15), ("fraud", "card", 3), ("fraud", "fraud", 2), ("card", "card", 20)
    )
    verdict = judged(head, base, max_drop=0.01, label_max_drop=1)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "more than the 1.0 points allowed, but 40 examples cannot tell" in verdict.reason


def test_the_number_that_would_decide_does_decide():
    """With the answers repeated as often as asked for, the verdict is no longer open."""
    verdict = judged(NUDGED, GOOD, max_drop=0.025)
    times = -(-verdict.examples_needed // len(GOOD)) + 1

    def repeated(decisions):
        return [
            dataclasses.replace(one, example_id=f"{one.example_id}/{k}")
            for one in decisions
            for k in range(times)
        ]

    decided = judged(repeated(NUDGED), repeated(GOOD), max_drop=0.025)
    assert decided.outcome is Outcome.PASS


def test_a_margin_is_compared_unrounded_and_shown_apart():
    """A drop that rounds to the margin is shown with the decimals that tell them apart."""
    verdict = judged(BROKEN, GOOD, max_drop=0.21666)
    assert "fell by 21.7" not in verdict.reason
    fell = verdict.reason.split("by ")[1].split(" points")[0]
    allowed = verdict.reason.split("the ")[1].split(" points")[0]
    assert fell != allowed


def test_pairs_are_found_by_id_whatever_the_order():
    """A base in another order gives the same verdict."""
    assert judged(BROKEN, GOOD[::-1]).macro_f1 == judged(BROKEN, GOOD).macro_f1


def test_flips_are_listed_with_their_kind():
    """Every changed answer is listed: fixed, broken or changed."""
    base = run(("fraud", "fraud", 1), ("fraud", "card", 2), ("card", None, 1))
    head = run(("fraud", "card", 1), ("fraud", "fraud", 1), ("fraud", None, 1), ("card", None, 1))
    found = flips(head, base)
    assert [(one.example_id, one.kind) for one in found] == [
        ("e-0", "broken"),
        ("e-1", "fixed"),
        ("e-2", "changed"),
    ]
    assert len(judged(BROKEN, GOOD).flips) == 40


def test_keys_that_differ_are_not_comparable_and_named():
    """A stale base is refused with both values, never warned about."""
    stale = dataclasses.replace(KEY, student="older", template_engine="0")
    verdict = judged(GOOD, GOOD, base_key=stale)
    assert verdict.outcome is Outcome.NOT_COMPARABLE
    assert verdict.reason.startswith("base and head were not measured alike: ")
    for part in stale.differences(KEY):
        name = part.split(":")[0]
        assert name in verdict.reason
    assert "older" in verdict.reason
    assert verdict.macro_f1 is None


def test_a_base_without_a_key_is_not_comparable():
    """Answers of unknown origin cannot be a base."""
    verdict = judged(GOOD, GOOD, base_key=None)
    assert verdict.outcome is Outcome.NOT_COMPARABLE
    assert "does not say how it was measured" in verdict.reason


def test_other_examples_are_not_comparable_even_under_equal_keys():
    """Examples on one side only, or with another gold label, are counted in the reason."""
    assert "3 gate examples are only in head and 0" in judged(GOOD, GOOD[3:]).reason
    relabelled = (dataclasses.replace(GOOD[0], gold="card"), *GOOD[1:])
    verdict = judged(GOOD, relabelled)
    assert verdict.outcome is Outcome.NOT_COMPARABLE
    assert "1 gate examples have another gold label" in verdict.reason


def test_no_base_is_no_verdict_but_the_figures_stand():
    """A rulebook that is new gets NO_BASELINE, its macro-F1 and what the gate set could see."""
    verdict = judged(GOOD, None, base_key=None)
    assert verdict.outcome is Outcome.NO_BASELINE
    assert verdict.reason == "macro-F1 is 0.950, with no base to compare it with"
    assert 0.02 < verdict.detectable_drop < 0.15
    assert {one.outcome for one in verdict.labels} == {Outcome.NO_BASELINE}


def test_a_floor_holds_without_a_base():
    """``min`` fails a new rulebook, and both figures are said."""
    verdict = judged(GOOD, None, base_key=None, min=0.96)
    assert verdict.outcome is Outcome.REGRESSED
    assert verdict.reason == "macro-F1 is 0.950, below the floor of 0.960"


def test_a_floor_holds_when_nothing_changed():
    """Equal answers below the floor fail: a floor is absolute."""
    verdict = judged(GOOD, GOOD, min=0.99)
    assert verdict.outcome is Outcome.REGRESSED
    assert "below the floor of 0.990" in verdict.reason


def test_a_floor_is_compared_unrounded_but_not_against_rounding_errors():
    """0.94987 misses 0.9499 and both are shown apart; a floor equal to the figure is met."""
    value = judged(GOOD, None, base_key=None).reason
    assert "0.950" in value
    exact = judged(GOOD, GOOD).macro_f1.head
    assert judged(GOOD, GOOD, min=exact).outcome is Outcome.PASS
    missed = judged(GOOD, GOOD, min=exact + 1e-5)
    assert missed.outcome is Outcome.REGRESSED
    shown, floor = missed.reason.removeprefix("macro-F1 is ").split(", below the floor of ")
    assert float(shown) < float(floor)


def test_a_label_below_its_own_floor_fails_the_whole():
    """A per-label ``min`` names label, figure and floor, with and without a base."""
    floors = {"fraud": LabelPolicy(min=0.95)}
    for base, base_key in ((GOOD, KEY), (None, None)):
        verdict = judged(GOOD, base, base_key=base_key, labels=floors)
        assert verdict.outcome is Outcome.REGRESSED
        assert verdict.reason == "label 'fraud': F1 is 0.947, below its floor of 0.950"
        assert verdict.labels[0].outcome is Outcome.REGRESSED
        assert verdict.labels[1].outcome is not Outcome.REGRESSED


def two_labels_swapped():
    """Return runs in which one label rises and another falls, so that macro-F1 hardly moves."""
    base = run(
        ("a", "a", 40),
        ("b", "b", 20),
        ("b", "c", 20),
        ("c", "c", 40),
        ("d", "d", 20),
        ("d", "e", 20),
    )
    head = run(("a", "e", 20), ("a", "a", 20), ("b", "b", 40), ("c", "c", 40), ("d", "d", 40))
    return head, base


def test_a_label_that_falls_for_sure_fails_a_rulebook_whose_mean_stays():
    """One label's regression beyond its margin is REGRESSED, though macro-F1 did not fall."""
    head, base = two_labels_swapped()
    verdict = judged(head, base, names=FIVE)
    assert verdict.macro_f1.delta > 0
    assert verdict.outcome is Outcome.REGRESSED
    assert verdict.reason.startswith("label 'a': F1 fell by 33.3 points (95 % interval")
    assert verdict.reason.endswith("more than the 10.0 points allowed")
    assert verdict.labels[0].difference.adjusted_p < 0.05


def test_a_label_may_have_its_own_margin():
    """``max_drop`` of a label replaces ``label_max_drop``, in both directions."""
    head, base = two_labels_swapped()
    wide = judged(head, base, names=FIVE, labels={"a": LabelPolicy(max_drop=0.5)})
    assert wide.outcome is Outcome.PASS
    assert wide.labels[0].outcome is Outcome.PASS
    narrow = judged(NUDGED, BROKEN, labels={"fraud": LabelPolicy(max_drop=0)})
    assert narrow.outcome is Outcome.PASS
    fell = judged(
        BROKEN, GOOD, max_drop=1, label_max_drop=1, labels={"card": LabelPolicy(max_drop=0.05)}
    )
    assert [one.outcome for one in fell.labels] == [Outcome.PASS, Outcome.REGRESSED]
    assert fell.outcome is Outcome.REGRESSED


def test_a_label_that_is_merely_open_is_listed_but_does_not_fail():
    """An undecided label leaves the outcome to macro-F1 and stands in the notes."""
    head = run(("a", "a", 11), ("a", "b", 1), ("b", "b", 400), ("c", "c", 400))
    base = run(("a", "a", 12), ("b", "b", 400), ("c", "c", 400))
    verdict = judged(head, base, names=("a", "b", "c"), max_drop=0.1)
    assert verdict.outcome is Outcome.PASS
    assert verdict.labels[0].outcome is Outcome.INCONCLUSIVE
    assert "not decided for single labels: a" in verdict.notes


def test_holm_spares_a_label_that_only_looks_bad_alone():
    """A p-value that convinces alone does not among twenty labels."""
    names = tuple(f"l{i}" for i in range(20))
    others = [(name, name, 30) for name in names[1:]]
    base = run(("l0", "l0", 20), *others)
    head = run(("l0", "l0", 16), ("l0", None, 4), *others)
    labels = {"l0": LabelPolicy(max_drop=0.05)}
    verdict = judged(head, base, names=names, labels=labels, max_invalid=1)
    first = verdict.labels[0]
    assert first.difference.p_value < 0.05 < first.difference.adjusted_p
    assert first.outcome is Outcome.INCONCLUSIVE


def test_a_handful_of_examples_never_makes_a_label_regressed():
    """With fewer than ten independent examples a label's fall is left open, and it is said why."""
    base = run(("a", "a", 3), ("b", "b", 60), ("c", "c", 60))
    head = run(("a", None, 3), ("b", "b", 60), ("c", "c", 60))
    verdict = judged(head, base, names=("a", "b", "c"), max_drop=1)
    assert verdict.labels[0].outcome is Outcome.INCONCLUSIVE
    assert "3 independent examples are too few" in verdict.labels[0].reason
    assert any(
        "fewer than 10 independent examples" in note and "a (3)" in note for note in verdict.notes
    )


def test_examples_of_one_group_count_once():
    """Thirty examples in two groups are two independent ones."""
    head = [dataclasses.replace(one, group=f"g{i % 2}") for i, one in enumerate(BROKEN)]
    base = [dataclasses.replace(one, group=f"g{i % 2}") for i, one in enumerate(GOOD)]
    verdict = judged(head, base)
    assert any("fraud (2), card (2)" in note for note in verdict.notes)


def test_one_example_a_label_decides_nothing():
    """Where the bootstrap has nothing to vary, a change is INCONCLUSIVE and not certain."""
    verdict = judged(
        run(("fraud", "card", 1), ("card", "card", 1)),
        run(("fraud", "fraud", 1), ("card", "card", 1)),
    )
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "one independent example a label" in verdict.reason
    assert verdict.examples_needed is None


def test_too_many_invalid_answers_make_a_pass_inconclusive():
    """A measurement with 10 % invalid answers is suspect, and the reason says the rate."""
    head = run(("fraud", "fraud", 100), ("card", "card", 80), ("card", None, 20))
    verdict = judged(head, head)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reason == (
        "10.0 % (20 of 200) of the answers name no label, more than the 5 % that is trusted"
    )
    assert "invalid answers of head: 10.0 % (20 of 200): not to be trusted" in verdict.notes
    assert judged(head, head, max_invalid=0.1).outcome is Outcome.PASS


def test_too_many_invalid_answers_do_not_hide_a_regression():
    """What fell for sure stays REGRESSED, whatever the invalid rate."""
    head = run(("fraud", "fraud", 50), ("fraud", None, 50), ("card", "card", 100))
    assert judged(head, GOOD).outcome is Outcome.REGRESSED


def test_invalid_answers_of_the_base_are_only_noted():
    """A change that mends a broken base is not held up by it."""
    base = run(("fraud", "fraud", 50), ("fraud", None, 50), ("card", "card", 100))
    verdict = judged(GOOD, base)
    assert verdict.outcome is Outcome.PASS
    assert "invalid answers of the base: 25.0 % (50 of 200): not to be trusted" in verdict.notes


def test_abstentions_are_no_invalid_answers():
    """Withheld labels are counted apart and do not make a measurement suspect."""
    head = run(("fraud", "fraud", 100), ("card", "card", 80), ("card", None, 20), abstained=True)
    verdict = judged(head, head)
    assert verdict.outcome is Outcome.PASS
    assert "abstentions of head: 10.0 % (20 of 200)" in verdict.notes


def test_a_policy_for_a_label_that_does_not_exist_is_noted():
    """A misspelt label in the policy does not go unnoticed."""
    verdict = judged(GOOD, GOOD, labels={"freud": LabelPolicy(min=1.0)})
    assert "the policy names labels that the task lacks: freud" in verdict.notes


def test_nothing_to_judge_and_double_answers_are_refused():
    """An empty set and an id that occurs twice are errors, not verdicts."""
    with pytest.raises(DataError, match="no example to judge"):
        judged((), None)
    with pytest.raises(DataError, match=r"e-0.*answered 2 times"):
        judged((*GOOD, GOOD[0]), GOOD)


@pytest.mark.parametrize(
    ("outcome", "policy", "code"),
    [
        (Outcome.PASS, {}, 0),
        (Outcome.REGRESSED, {"on_inconclusive": "pass", "on_no_baseline": "pass"}, 1),
        (Outcome.INCONCLUSIVE, {}, 3),
        (Outcome.INCONCLUSIVE, {"on_inconclusive": "pass"}, 0),
        (Outcome.INCONCLUSIVE, {"on_inconclusive": "fail"}, 1),
        (Outcome.NO_BASELINE, {}, 3),
        (Outcome.NO_BASELINE, {"on_no_baseline": "pass"}, 0),
        (Outcome.NO_BASELINE, {"on_no_baseline": "fail", "on_inconclusive": "pass"}, 1),
        (Outcome.NOT_COMPARABLE, {"on_inconclusive": "pass", "on_no_baseline": "pass"}, 3),
    ],
)
def test_exit_codes_follow_the_policy(outcome, policy, code):
    """0 may be merged, 1 may not, 3 undecided; what is not comparable is never waved through."""
    assert exit_code(Verdict(outcome, "why"), GatePolicy(**policy)) == code


@pytest.mark.parametrize("n", [60, 100, 200])
def test_an_edit_without_effect_is_rarely_called_a_regression(n):
    """Of 150 such edits at most 2.5 % (and three sigma) are REGRESSED."""
    rng = np.random.default_rng(n)
    policy = GatePolicy(draws=400)
    outcomes = [
        judge(*simulated(rng, n), labels=FIVE, policy=policy, head_key=KEY, base_key=KEY).outcome
        for _ in range(150)
    ]
    assert outcomes.count(Outcome.REGRESSED) / 150 <= 0.025 + 3 * (0.025 * 0.975 / 150) ** 0.5
    assert set(outcomes) <= {Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.REGRESSED}


def test_a_drop_of_the_detectable_size_is_found_four_times_in_five():
    """An edit whose true drop is the one the gate prints is REGRESSED in about 80 % of runs."""
    rng = np.random.default_rng(8)
    policy = GatePolicy(draws=400, label_max_drop=1)

    def verdict(harm):
        return judge(
            *simulated(rng, 400, touched=0.2, harm=harm),
            labels=FIVE,
            policy=policy,
            head_key=KEY,
            base_key=KEY,
        )

    drop = np.mean([verdict(0.05).detectable_drop for _ in range(20)])
    found = sum(verdict(drop).outcome is Outcome.REGRESSED for _ in range(150)) / 150
    assert 0.68 <= found <= 0.92
