"""Pruning, order and layout: the same macro-F1 with fewer tokens, never less of it."""

import pytest

from pldgov.distill.candidates import Judged, Layout, RuleSet, best_of
from pldgov.distill.model import CitedExample, DraftRule
from pldgov.distill.pruning import (
    GROW_PATIENCE,
    choose_exemplars,
    choose_layout,
    choose_order,
    grow,
    prune,
)

LAYOUT = Layout("plain.j2")


def draft(id_, *labels, cites=1):
    labels = labels or ("fraud",)
    cited = tuple(CitedExample(f"e-{n}") for n in range(cites))
    return DraftRule(id_, id_, labels, f"When {id_}, {labels[0]}.", cited, "1" * 64)


class FakeJudge:
    """Scores a rule set by a function of its ids; counts what it measured."""

    def __init__(self, worth):
        self.worth = worth
        self.steps = []

    def __call__(self, rule_set, *, step):
        self.steps.append(step)
        size = 10 * len(rule_set.rules) + len(rule_set.layout.template)
        return Judged(rule_set, step, str(rule_set), size, self.worth(rule_set))


def always():
    return True


def start_of(judge, *ids):
    return judge(RuleSet(tuple(draft(id_) for id_ in ids), LAYOUT), step="start")


def test_what_brings_nothing_goes_and_what_helps_stays():
    """A rule without effect goes, one that harms goes first, one that helps stays."""
    judge = FakeJudge(lambda s: 0.5 + 0.3 * ("good" in s.ids) - 0.2 * ("bad" in s.ids))
    pruned = prune(start_of(judge, "good", "idle", "bad"), judge=judge, affordable=always)
    assert pruned.best.rule_set.ids == ("good",)
    assert pruned.removed == ("bad", "idle")
    assert dict(pruned.effects) == pytest.approx({"good": 0.3, "idle": 0.0, "bad": -0.2})


def test_two_rules_that_stand_in_for_each_other_do_not_both_go():
    """Each alone is dispensable, both together are not: the set is judged, not the rule."""
    judge = FakeJudge(lambda s: 0.9 if {"one", "two"} & set(s.ids) else 0.4)
    pruned = prune(start_of(judge, "one", "two"), judge=judge, affordable=always)
    assert len(pruned.best.rule_set.rules) == 1
    assert pruned.best.macro_f1 == 0.9


def test_the_last_rule_stays():
    """Pruning leaves at least one rule, even where none helps."""
    judge = FakeJudge(lambda s: 0.5)
    pruned = prune(start_of(judge, "one", "two"), judge=judge, affordable=always)
    assert len(pruned.best.rule_set.rules) == 1


def test_the_budget_ends_it_early():
    """Nothing is measured once it is no longer affordable, and what was found stays."""
    judge = FakeJudge(lambda s: 0.5 - 0.1 * len(s.ids))
    left = iter([True, True, False, False, False])
    pruned = prune(start_of(judge, *"abcd"), judge=judge, affordable=lambda: next(left))
    assert len(judge.steps) == 3
    assert pruned.best.rule_set.ids == tuple("abcd")
    assert len(pruned.effects) == 2


def test_an_unmeasured_candidate_is_never_better():
    """Candidates that were refused do not win, whatever their size."""
    judge = FakeJudge(lambda s: None if len(s.ids) < 3 else 0.5)
    pruned = prune(start_of(judge, *"abc"), judge=judge, affordable=always)
    assert pruned.best.rule_set.ids == tuple("abc")
    assert pruned.effects == ()


def test_order_is_tried_and_kept_where_it_is_as_good():
    """Another order wins only by a higher macro-F1."""
    rules = (draft("x", "other"), draft("y", cites=3), draft("z", "other"))
    for best, expected in (("yxz", ("y", "x", "z")), ("xyz", ("x", "y", "z"))):
        judge = FakeJudge(lambda s, best=best: 0.9 if s.ids == tuple(best) else 0.5)
        start = judge(RuleSet(rules, LAYOUT), step="start")
        chosen = choose_order(start, ("fraud", "other"), judge=judge, affordable=always)
        assert chosen.rule_set.ids == expected


def test_layouts_compete_and_the_shorter_of_equals_wins():
    """Of layouts that are as good the one with fewer tokens is taken."""
    judge = FakeJudge(lambda s: 0.7)
    start = start_of(judge, "a")
    layouts = [Layout("much-longer.j2"), Layout("a.j2")]
    chosen = choose_layout(start, layouts, judge=judge, affordable=always)
    assert chosen.rule_set.layout.template == "a.j2"


def test_best_is_the_highest_then_the_smallest_then_the_earliest():
    """Choice among all candidates: macro-F1, then tokens, then order; refused ones never."""
    rules = RuleSet((draft("a"),), LAYOUT)
    made = [
        Judged(rules, "refused", "p0", 1, None, "over budget"),
        Judged(rules, "long", "p1", 90, 0.8),
        Judged(rules, "short", "p2", 50, 0.8),
        Judged(rules, "as short", "p3", 50, 0.8),
        Judged(rules, "low", "p4", 10, 0.7),
    ]
    assert best_of(made).step == "short"
    assert best_of(made[:1]) is None
    assert not made[3].beats(made[2])
    assert made[1].beats(made[0])


def shown(rule_set):
    return {r.id: [c.id for c in r.cites][: rule_set.layout.support] for r in rule_set.rules}


def cited_start(judge, *, layout=LAYOUT, cites=3):
    rules = tuple(draft(id_, cites=cites) for id_ in ("one", "two"))
    return judge(RuleSet(rules, layout), step="start")


def test_other_exemplars_are_shown_where_they_help():
    """Rule by rule; what is cited stays the same, only what comes first changes."""
    judge = FakeJudge(lambda s: 0.5 + 0.2 * (shown(s)["one"] == ["e-2"]))
    best = choose_exemplars(cited_start(judge), 2, judge=judge, affordable=always)
    assert best.macro_f1 == pytest.approx(0.7)
    assert shown(best.rule_set) == {"one": ["e-2"], "two": ["e-0"]}
    assert {c.id for c in best.rule_set.rules[0].cites} == {"e-0", "e-1", "e-2"}


def test_exemplars_stay_where_others_do_not_help_or_there_are_none():
    """A tie changes nothing; no swaps, no exemplars in the layout or no other citation: no try."""
    judge = FakeJudge(lambda s: 0.5)
    start = cited_start(judge)
    assert choose_exemplars(start, 2, judge=judge, affordable=always) is start
    assert len(judge.steps) == 5
    for options in ({"cites": 1}, {"layout": Layout("plain.j2", 0)}):
        judge.steps.clear()
        alone = cited_start(judge, **options)
        assert choose_exemplars(alone, 2, judge=judge, affordable=always) is alone
        assert judge.steps == ["start"]
    judge.steps.clear()
    choose_exemplars(start, 0, judge=judge, affordable=always)
    choose_exemplars(start, 2, judge=judge, affordable=lambda: False)
    assert judge.steps == []


def test_counter_examples_stay_where_support_moves():
    """Only supporting examples change places."""
    cites = (CitedExample("e-0"), CitedExample("c-0", "counter"), CitedExample("e-1"))
    rule = DraftRule("one", "one", ("fraud",), "When one, fraud.", cites, "1" * 64)
    moved = RuleSet((rule,), LAYOUT).showing("one", 1)
    assert [c.id for c in moved.rules[0].cites] == ["e-1", "e-0", "c-0"]


def empty_of(judge):
    return judge(RuleSet((), LAYOUT), step="without")


def test_growing_keeps_what_helps_in_the_order_of_the_rules():
    """All together they harm; grown from nothing, the two that help stay, most cited tried first."""
    worth = {"good": 0.1, "bad": -0.3, "better": 0.2}
    judge = FakeJudge(lambda s: 0.5 + sum(worth[id_] for id_ in s.ids))
    rules = RuleSet((draft("good"), draft("bad"), draft("better", cites=3)), LAYOUT)
    grown = grow(rules, empty_of(judge), judge=judge, affordable=always)
    assert grown.rule_set.ids == ("good", "better")
    assert judge.steps[1:] == ["grow: with better", "grow: with good", "grow: with bad"]


def test_growing_gives_the_empty_prompt_back_where_nothing_helps():
    """A tie is no gain, and without budget nothing is tried."""
    judge = FakeJudge(lambda s: 0.5)
    rules = RuleSet((draft("one"), draft("two")), LAYOUT)
    empty = empty_of(judge)
    assert grow(rules, empty, judge=judge, affordable=always) is empty
    judge.steps.clear()
    assert grow(rules, empty, judge=judge, affordable=lambda: False) is empty
    assert judge.steps == []


def test_growing_begins_with_one_rule_of_each_label_in_the_layout_that_suits():
    """A single rule draws everything to its label, so none alone helps; one of each does."""

    def balanced(rule_set):
        labels = [rule.labels[0] for rule in rule_set.rules]
        gain = {0: 0.0, 1: -0.2, 2: 0.1}[len(set(labels))]
        return 0.5 + gain * rule_set.layout.support

    judge = FakeJudge(balanced)
    rules = RuleSet(
        (
            draft("rare", "fraud"),
            draft("often", "fraud", cites=3),
            draft("other", "dispute"),
            draft("either", "fraud", "dispute", cites=5),
        ),
        LAYOUT,
    )
    other = Layout("turns.j2", 2)
    grown = grow(rules, empty_of(judge), judge=judge, affordable=always, layouts=(LAYOUT, other))
    assert grown.rule_set.ids == ("often", "other")
    assert grown.rule_set.layout == other
    assert judge.steps[1:] == [
        f"grow: one of each label, {LAYOUT}",
        f"grow: one of each label, {other}",
        "grow: with either",
        "grow: with rare",
    ]


def test_growing_ends_after_rules_in_a_row_that_bring_nothing():
    """What is cited least comes last, and is not tried for ever; a rule that helps starts anew."""
    names = [f"r{n}" for n in range(3 * GROW_PATIENCE)]
    rules = RuleSet(tuple(draft(name, cites=50 - n) for n, name in enumerate(names)), LAYOUT)
    judge = FakeJudge(lambda s: 0.5 + 0.1 * ("r2" in s.ids))
    grown = grow(rules, empty_of(judge), judge=judge, affordable=always)
    assert grown.rule_set.ids == ("r2",)
    assert judge.steps[-1] == f"grow: with r{2 + GROW_PATIENCE}"
