"""Near-duplicate rules become one, and nothing that they rest on is lost."""

from __future__ import annotations

import numpy as np

from pldgov.distill.duplicates import merge_duplicates
from pldgov.distill.model import CitedExample, DraftRule


def rule(id_, labels=("a",), cites=(), instruction="Do this.", **more):
    return DraftRule(
        id_, id_, labels, instruction, tuple(CitedExample(*one) for one in cites), "q", **more
    )


def at(*degrees):
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_better_supported_rule_takes_in_the_other():
    """It keeps its wording and place, cites what both cite, and names the other as lineage."""
    weak = rule("weak", cites=[("e-1",), ("e-9", "counter")], lineage=("old",), priority=5)
    strong = rule("strong", cites=[("e-2",), ("e-3",)], instruction="Do that.")
    kept, mergers = merge_duplicates([weak, strong, rule("far")], vectors=at(0, 10, 90))
    assert [one.id for one in kept] == ["strong", "far"]
    assert kept[0].instruction == "Do that."
    assert [(c.id, c.role) for c in kept[0].cites] == [
        ("e-2", "support"), ("e-3", "support"), ("e-1", "support"), ("e-9", "counter"),
    ]  # fmt: skip
    assert kept[0].lineage == ("weak", "old")
    assert kept[0].priority == 5
    [merger] = mergers
    assert (merger.kept, merger.dropped) == ("strong", "weak")
    assert abs(merger.similarity - np.cos(np.radians(10))) < 1e-6


def test_rules_for_other_labels_are_never_merged():
    """The same words for different labels are a contradiction, not a duplicate."""
    rules = [rule("one", ("a",)), rule("two", ("b",)), rule("three", ("a", "b"))]
    kept, mergers = merge_duplicates(rules, vectors=at(0, 0, 0))
    assert kept == tuple(rules)
    assert mergers == ()


def test_the_order_of_labels_does_not_matter():
    """Two rules that argue for the same labels in another order are merged."""
    kept, _ = merge_duplicates([rule("one", ("a", "b")), rule("two", ("b", "a"))], vectors=at(0, 5))
    assert [one.id for one in kept] == ["one"]


def test_duplicates_do_not_chain():
    """A rule near to a dropped rule, but not to the one that stays, stays itself."""
    rules = [rule("a", cites=[("e-1",)]), rule("b"), rule("c")]
    kept, mergers = merge_duplicates(rules, vectors=at(0, 24, 48))
    assert [one.id for one in kept] == ["a", "c"]
    assert [(m.kept, m.dropped) for m in mergers] == [("a", "b")]


def test_the_threshold_decides():
    """Rules below the threshold are left alone; so is an empty set."""
    rules = [rule("a"), rule("b")]
    assert merge_duplicates(rules, vectors=at(0, 20), threshold=0.95)[1] == ()
    assert len(merge_duplicates(rules, vectors=at(0, 20), threshold=0.9)[1]) == 1
    assert merge_duplicates([], vectors=np.empty((0, 2), np.float32)) == ((), ())


def test_the_outcome_does_not_depend_on_the_order():
    """Whichever order the rules come in, the same rule stays."""
    rules = [rule("a", cites=[("e-1",)]), rule("b"), rule("c")]
    vectors = at(0, 10, 20)
    forwards = merge_duplicates(rules, vectors=vectors)
    backwards = merge_duplicates(rules[::-1], vectors=vectors[::-1])
    assert {one.id for one in forwards[0]} == {one.id for one in backwards[0]} == {"a"}
    assert forwards[1] == backwards[1]
