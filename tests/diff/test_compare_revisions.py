"""The semantic diff: what is told of each kind of change, and whether it can reach the student."""

from __future__ import annotations

import dataclasses

import pytest

from pldgov.changes import Change, by_rule
from pldgov.report.change_words import tell
from pldgov.rulebook.diff import compare_revisions
from pldgov.rulebook.diff.reach import shown_by


@pytest.fixture
def compare(sides):
    """Compare base with what ``change`` makes of it, both rendered."""

    def make(change, **options):
        (base, head), (base_rendered, head_rendered) = sides(change, **options)
        return compare_revisions(
            base, head, base_rendered=base_rendered, head_rendered=head_rendered
        )

    return make


def told(changes):
    """Return kind, name and reach of each change."""
    return [(change.kind, change.name, change.reaches) for change in changes]


def put(number, **values):
    return lambda side: side.rule(number).update(values)


def new_rule(side, id_, *, instruction="Something new.", **values):
    side.book["rules"].append({**side.rule(1), "id": id_, "instruction": instruction, **values})


def drop(side, number):
    del side.book["rules"][number - 1]


def replace_rule(related, *, keep=False, ids=("n-1",), instruction="Another wording."):
    """Put new rules in the place of rule 2, which goes, or stays deprecated."""

    def change(side):
        for id_ in ids:
            text = f"{instruction} {id_}"
            new_rule(side, id_, title="Rule 2", instruction=text, related=related)
        if keep:
            side.rule(2)["status"] = "deprecated"
        else:
            drop(side, 2)

    return change


def related(type_, *ids):
    return [{"id": id_, "type": type_} for id_ in ids]


def swap(side):
    rules = side.book["rules"]
    rules[0], rules[3] = rules[3], rules[0]


CASES = {
    # what happens to a rule: (change, kinds with name and reach under plain.j2)
    "nothing": (lambda _: None, []),
    "added": (lambda side: new_rule(side, "n-1"), [("added", "n-1", True)]),
    "added draft": (
        lambda side: new_rule(side, "n-1", status="draft"),
        [("added", "n-1", False)],
    ),
    "removed": (lambda side: drop(side, 2), [("removed", "r-2", True)]),
    "reworded": (put(1, instruction="Other words."), [("reworded", "r-1", True)]),
    "only blanks around": (
        put(1, instruction=" Rule number 1 says what counts as fraud.\n"),
        [("reworded", "r-1", False)],
    ),
    "retitled": (put(1, title="Another"), [("retitled", "r-1", False)]),
    "relabelled": (put(1, labels=["other"]), [("relabelled", "r-1", False)]),
    "reprioritised": (put(4, priority=5), [("reprioritised", "r-4", True)]),
    "reprioritised, same order": (put(1, priority=5), [("reprioritised", "r-1", False)]),
    "activated": (put(1, status="draft"), [("status", "r-1", True)]),
    "moved": (
        lambda side: side.book["rules"].insert(0, side.book["rules"].pop(2)),
        [("moved", "r-3", True)],
    ),
    "rationale": (put(1, rationale="Because."), [("metadata", "r-1", False)]),
    "owner": (put(1, owner="legal"), [("metadata", "r-1", False)]),
    "approval": (
        put(1, review={"by": "Ada", "on": "2026-11-24", "digest": "0" * 64}),
        [("approval", "r-1", False)],
    ),
    "provenance": (
        put(1, provenance={"origin": "edited", "examples": [{"id": "t-3"}]}),
        [("provenance", "r-1", False)],
    ),
    "several at once": (
        put(1, labels=["other"], instruction="Other words.", rationale="Because."),
        [("relabelled", "r-1", False), ("reworded", "r-1", True), ("metadata", "r-1", False)],
    ),
    "replaced": (
        replace_rule(related("replaces", "r-2")),
        [("renamed", "n-1", False), ("reworded", "n-1", True),
         ("moved", "n-1", True)],
    ),
    "replaced, the old one kept": (
        replace_rule(related("replaces", "r-2"), keep=True),
        [("status", "r-2", True), ("renamed", "n-1", True), ("reworded", "n-1", True)],
    ),
    "a new id for the same words": (
        put(2, id="n-1"),
        [("renamed", "n-1", False)],
    ),
    "split": (
        replace_rule(related("split-from", "r-2"), ids=("n-1", "n-2")),
        [("split", "r-2", True)],
    ),
    "split, the old one goes on": (
        lambda side: new_rule(side, "n-1", related=related("split-from", "r-2")),
        [("split", "r-2", True)],
    ),
    "the one part of a split is a rename": (
        replace_rule(related("split-from", "r-2"), keep=True),
        [("status", "r-2", True), ("renamed", "n-1", True), ("reworded", "n-1", True)],
    ),
    "two that replace one are a split": (
        replace_rule(related("replaces", "r-2"), ids=("n-1", "n-2")),
        [("split", "r-2", True)],
    ),
    "related to a rule that goes on": (
        lambda side: new_rule(side, "n-1", related=related("replaces", "r-2")),
        [("added", "n-1", True)],
    ),
    "task": (
        lambda side: side.book["task"].update(instruction="Say the label."),
        [("task", "instruction", True)],
    ),
    "label described anew": (
        lambda side: side.book["task"]["labels"].update(fraud="theft"),
        [("task", "labels", True)],
    ),
    "labels in another order": (
        lambda side: side.book["task"].update(
            labels=dict(reversed(side.book["task"]["labels"].items()))
        ),
        [("task", "labels", True)],
    ),
    "gate policy": (
        lambda side: side.book.update(gate={"max_drop": 0.1, "labels": {"fraud": {"min": 0.5}}}),
        [("gate-policy", "max_drop", False), ("gate-policy", "labels", False)],
    ),
    "prompt policy": (
        lambda side: side.book["prompt"].update(budget_tokens=9000),
        [("prompt-policy", "budget_tokens", False)],
    ),
    "another template": (
        lambda side: side.book["prompt"].update(template="shown.j2"),
        [("prompt-policy", "template", True)],
    ),
    "template": (
        lambda side: side.templates.update({"plain.j2": "Now: " + side.templates["plain.j2"]}),
        [("template", "plain.j2", True)],
    ),
    "a comment in the template": (
        lambda side: side.templates.update({"plain.j2": "{# x #}" + side.templates["plain.j2"]}),
        [("template", "plain.j2", False)],
    ),
    "a template that nobody uses": (
        lambda side: side.templates.update({"unused.j2": "Changed."}),
        [],
    ),
    "rulebook's title": (
        lambda side: side.book.update(title="Another"),
        [("retitled", "title", False)],
    ),
    "rulebook's owner": (
        lambda side: side.book.update(owner="legal"),
        [("metadata", "owner", False)],
    ),
    "folder": (
        lambda side: setattr(side, "path", "rulebooks/other/rulebook.yaml"),
        [("renamed", "path", False)],
    ),
    "a comment": (
        lambda side: setattr(side, "prefix", "# For people.\n"),
        [("layout", "rulebooks/desk/rulebook.yaml", False)],
    ),
    "line ends": (
        lambda side: setattr(side, "newline", "\r\n"),
        [("layout", "rulebooks/desk/rulebook.yaml", False)],
    ),
    "example added": (
        lambda side: side.rows["gate"].append({"id": "g-9", "text": "More", "label": "other"}),
        [("examples-added", "gate", False)],
    ),
    "example removed": (lambda side: side.rows["gate"].pop(), [("examples-removed", "gate", False)]),
    "example relabelled": (
        lambda side: side.rows["train"][0].update(label="other"),
        [("examples-relabelled", "train", False)],
    ),
    "example changed": (
        lambda side: side.rows["gate"][0].update(text="Another text"),
        [("examples-changed", "gate", False)],
    ),
    "example regrouped": (
        lambda side: side.rows["gate"][0].update(group="a"),
        [("examples-regrouped", "gate", False)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_change_is_told_apart(case, compare):
    """A template that shows only instructions: what it does not show cannot reach the student."""
    change, expected = CASES[case]
    assert told(compare(change)) == expected


SHOWN = {
    # the same changes where the template shows ids, titles, labels, priorities and exemplars
    "retitled": [("retitled", "r-1", True)],
    "relabelled": [("relabelled", "r-1", True)],
    "reprioritised, same order": [("reprioritised", "r-1", True)],
    "a new id for the same words": [("renamed", "n-1", True)],
    "provenance": [("provenance", "r-1", True)],
    "rationale": [("metadata", "r-1", False)],
    "example changed": [("examples-changed", "gate", False)],
}


@pytest.mark.parametrize("case", SHOWN)
def test_what_a_template_shows_can_reach_the_student(case, compare):
    """The reach of a change depends on the templates of either side."""
    assert told(compare(CASES[case][0], template="shown.j2")) == SHOWN[case]


def test_an_example_that_is_shown_reaches_the_student(compare):
    """Of the training split, only what rules cite and the template shows is read."""

    def change(side):
        side.rows["train"][0]["text"] = "Shown"
        side.rows["train"][3]["text"] = "Not shown"

    (changed,) = compare(change, template="shown.j2")
    assert (changed.kind, changed.others, changed.reaches) == (
        "examples-changed", ("t-1", "t-4"), True,
    )  # fmt: skip
    (other,) = compare(
        lambda side: side.rows["train"][3].update(text="Not shown"), template="shown.j2"
    )
    assert not other.reaches


def test_merged_rules_name_each_other(compare):
    """One rule in the place of two that it says it joins: one change, with both texts."""

    def change(side):
        new_rule(side, "n-1", related=related("merged-from", "r-2", "r-3"))
        side.rule(2)["status"] = "deprecated"
        drop(side, 3)

    changes = compare(change)
    assert told(changes) == [("status", "r-2", True), ("merged", "n-1", True)]
    merged = changes[1]
    assert merged.others == ("r-2", "r-3")
    assert "number 2" in merged.before
    assert "number 3" in merged.before
    assert merged.after == "Something new."


def test_a_split_shows_the_words_of_all_its_parts(compare):
    """The old text against the new ones, and against what is left of the old one."""
    (split,) = compare(CASES["split, the old one goes on"][0])
    assert split.others == ("n-1",)
    assert split.after == "Rule number 2 says what counts as fraud.\nSomething new."


def test_a_rename_is_compared_with_what_it_was(compare):
    """The wording of a rule under a new id is shown against that under the old one."""
    changes = {change.kind: change for change in compare(CASES["replaced"][0])}
    assert (changes["renamed"].before, changes["renamed"].after) == ("r-2", "n-1")
    assert changes["reworded"].before == "Rule number 2 says what counts as fraud."


def test_values_stand_beside_each_change(compare):
    """Before and after are what the YAML says, ready for JSON; texts are compared word by word."""
    changes = {
        change.kind: change
        for change in compare(
            put(1, labels=["other"], instruction="Rule number 1 says what is fraud.", priority=-2)
        )
    }
    assert (changes["relabelled"].before, changes["relabelled"].after) == (["fraud"], ["other"])
    assert (changes["reprioritised"].before, changes["reprioritised"].after) == (0, -2)
    assert [(piece.op, piece.text) for piece in changes["reworded"].wording] == [
        ("same", "Rule number 1 says what"),
        ("removed", " counts as"),
        ("added", " is"),
        ("same", " fraud."),
    ]


def test_relabelled_examples_say_what_they_were(compare):
    """A changed gold label is shown by id, before and after."""
    (change,) = compare(CASES["example relabelled"][0])
    assert (change.before, change.after) == ({"t-1": "fraud"}, {"t-1": "other"})


def test_labels_are_told_one_by_one(compare):
    """A label that comes, goes or is described anew is a change of its own."""

    def change(side):
        side.book["task"]["labels"] = {"fraud": "theft", "scam": "a trick"}

    found = {
        change.field: (change.before, change.after)
        for change in compare(change)
        if change.kind == "task"
    }
    assert found == {
        "fraud": ("money somebody took", "theft"),
        "other": ("everything else", None),
        "scam": (None, "a trick"),
    }


def test_the_fewest_moves_are_told(compare):
    """Of four rules of which two change places, two have moved; the others stay."""
    moved = [change.name for change in compare(swap)]
    assert len(moved) == 2
    assert (
        compare(lambda side: side.book["rules"].append(side.book["rules"].pop(0)))[0].name == "r-1"
    )


def test_a_place_in_the_file_is_nothing_to_the_student_where_priority_decides(compare):
    """Rules of different priority are shown in the same order wherever they stand."""

    def ranked(side):
        for number in range(1, 5):
            side.rule(number)["priority"] = number

    assert {change.reaches for change in compare(swap, both=ranked)} == {False}


def test_a_draft_reaches_nobody(compare):
    """Whatever changes in a rule that is not active on either side stays between people."""

    def draft(side):
        side.rule(1)["status"] = "draft"

    (change,) = compare(put(1, instruction="Other words."), both=draft)
    assert (change.kind, change.reaches) == ("reworded", False)


def test_without_rendered_prompts_all_that_may_be_shown_counts(sides):
    """A side that does not render leaves open which examples are shown."""
    (base, head), _ = sides(
        lambda side: side.rows["train"][3].update(text="Other"), template="shown.j2"
    )
    (change,) = compare_revisions(base, head)
    assert change.reaches


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("{% for r in rules %}{{ r.title }}{% endfor %}", True),
        ("{% for r in rules %}{{ r['title'] }}{% endfor %}", True),
        ("{% set f = 'title' %}{{ rules | map(attribute=f) | join }}", True),
        ("{{ rules | map(attribute=other) | join }}", True),
        ("{% for r in rules %}{{ r[other] }}{% endfor %}", True),
        ("{% include 'inner.j2' %}", True),
        ("{% for r in rules", True),
        ("{% for r in rules %}{{ r.instruction }}{% endfor %} title", False),
    ],
)
def test_what_a_template_says_is_read_from_its_text(text, shows, sides):
    """Names as texts, computed names, included and broken templates are not overlooked."""
    (_, head), _ = sides()
    templates = {"plain.j2": text, "inner.j2": "{{ r.title }}", "user.j2": "{{ text }}"}
    assert shown_by(dataclasses.replace(head, templates=templates), None).says("title") is shows


def test_changes_are_grouped_by_rule(compare):
    """All that happened to one rule stands together."""
    grouped = by_rule(compare(CASES["several at once"][0]))
    assert [change.kind for change in grouped["r-1"]] == ["relabelled", "reworded", "metadata"]


def test_for_which_inputs_a_rule_is_shown_reaches_the_student(compare):
    """A rule that moves from the system prompt to some user messages is another prompt."""

    def show_rules(side):
        side.templates["user.j2"] += "{% for rule in rules %}{{ rule.instruction }}{% endfor %}"

    (change,) = compare(put(1, when={"text": ["card"]}), both=show_rules)
    assert told([change]) == [("rescoped", "r-1", True)]
    assert (change.field, change.before, change.after) == ("when", {}, {"text": ["card"]})


def test_a_changed_list_of_phrases_is_told_by_what_came_and_went():
    """Field by field; a long list is cut, and says how many more there are."""
    many = [f"word{number}" for number in range(30)]
    change = Change(
        kind="rescoped", subject="rule", name="r-1", reaches=True, field="when",
        before={"text": ["card", "pin"], "topic": ["x"]}, after={"text": ["pin", *many], "form": ["y"]},
    )  # fmt: skip
    said = tell(change).sentence
    assert said.startswith("shown when: text + word0, word1, ")
    assert "word19 and 10 more - card; topic - x; form + y" in said
    swapped = dataclasses.replace(change, before={"text": ["a", "b"]}, after={"text": ["b", "a"]})
    assert tell(swapped).sentence == "shown when: text in another order"
