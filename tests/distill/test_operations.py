"""Operations: what each kind does to a rule set, and which shapes it may have."""

import pytest

from pldgov.distill.candidates import Layout, RuleSet
from pldgov.distill.model import CitedExample, DraftRule, Operation
from pldgov.distill.operations import apply_operation, apply_operations, misshapen, name_rules

LAYOUT = Layout("plain.j2")


def draft(id_, label="fraud", **changes):
    values = {
        "id": id_,
        "title": f"About {id_}",
        "labels": (label,),
        "instruction": f"When {id_} holds, the label is {label}.",
        "cites": (CitedExample("e-1"),),
        "request": "1" * 64,
    }
    return DraftRule(**values | changes)


def operation(kind, *targets, rules=()):
    return Operation(kind, targets, tuple(rules), "Because.", "2" * 64, ("e-1",))


@pytest.fixture
def rule_set():
    return RuleSet((draft("a"), draft("b"), draft("c")), LAYOUT)


def test_add_comes_last(rule_set):
    """An added rule stands after all others."""
    after = apply_operation(rule_set, operation("add", rules=[draft("d")]))
    assert after.ids == ("a", "b", "c", "d")


def test_modify_keeps_id_place_and_first_answer(rule_set):
    """A modified rule keeps its id and place, and remembers the answer it first came from."""
    new = draft("b", instruction="When b is so, the label is fraud.", request="2" * 64)
    after = apply_operation(rule_set, operation("modify", "b", rules=[new]))
    assert after.ids == ("a", "b", "c")
    assert after.rules[1].instruction == "When b is so, the label is fraud."
    assert after.rules[1].first_request == "1" * 64
    again = apply_operation(after, operation("modify", "b", rules=[draft("b", request="3" * 64)]))
    assert again.rules[1].first_request == "1" * 64


def test_split_stands_in_place_and_names_its_source(rule_set):
    """Both parts stand where the rule stood; the rule is kept as their ancestor."""
    after = apply_operation(rule_set, operation("split", "b", rules=[draft("b1"), draft("b2")]))
    assert after.ids == ("a", "b1", "b2", "c")
    assert [rule.lineage for rule in after.rules] == [(), ("b",), ("b",), ()]
    assert [rule.id for rule in after.ancestors] == ["b"]


def test_merge_stands_at_the_first_target(rule_set):
    """The merged rule stands where the first of its sources stood and names them all."""
    after = apply_operation(rule_set, operation("merge", "c", "a", rules=[draft("ac")]))
    assert after.ids == ("ac", "b")
    assert after.rules[0].lineage == ("c", "a")
    assert {rule.id for rule in after.ancestors} == {"a", "c"}


def test_retire_removes_without_ancestors(rule_set):
    """A retired rule is gone: nothing is related to it."""
    after = apply_operation(rule_set, operation("retire", "a", "c"))
    assert after.ids == ("b",)
    assert after.ancestors == ()


def test_an_operation_on_a_rule_that_is_gone_does_not_apply(rule_set):
    """Alone it gives nothing; among others it is passed over."""
    modify = operation("modify", "a", rules=[draft("a", request="2" * 64)])
    retire = operation("retire", "a")
    assert apply_operation(rule_set.without("a"), modify) is None
    assert apply_operations(rule_set, [retire, modify, retire]).ids == ("b", "c")


def test_new_rules_get_ids_that_were_never_used():
    """Titles make ids; one that is taken, or was given before in the round, is not given again."""
    named = name_rules(
        [
            operation("add", rules=[draft("", title="Cash gone")]),
            operation("modify", "x", rules=[draft("", title="Cash gone")]),
            operation("split", "y", rules=[draft("", title="Cash gone"), draft("", title="New")]),
        ],
        taken={"cash-gone"},
    )
    ids = [[rule.id for rule in each.rules] for each in named]
    assert ids == [["cash-gone-2"], ["x"], ["cash-gone-3", "new"]]


@pytest.mark.parametrize(
    ("kind", "targets", "rules", "said"),
    [
        ("add", 1, 1, "add takes no targets, not 1"),
        ("add", 0, 0, "add takes 1 to 5 rules, not 0"),
        ("modify", 1, 2, "modify takes 1 rules, not 2"),
        ("split", 1, 1, "split takes 2 to 5 rules, not 1"),
        ("merge", 1, 1, "merge takes 2 to 10 targets, not 1"),
        ("retire", 0, 0, "retire takes 1 to 10 targets, not 0"),
        ("retire", 1, 1, "retire takes no rules, not 1"),
        ("merge", 3, 1, None),
    ],
)
def test_shapes(kind, targets, rules, said):
    """Every kind takes its own number of targets and rules, and says so otherwise."""
    assert misshapen(kind, targets=targets, rules=rules) == said
