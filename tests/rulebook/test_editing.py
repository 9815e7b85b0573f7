"""Edits change what was asked for and leave every other byte alone."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pldgov.errors import UsageError
from pldgov.rulebook.document import parse_document
from pldgov.rulebook.editing import (
    delete_value,
    insert_rule,
    pin_citations,
    remove_rule,
    replace_rule,
    set_value,
)

VALID = Path(__file__).with_name("valid.yaml").read_text("utf-8")
SHA = "e5" * 32
NEW = {
    "id": "r-09",
    "title": "New",
    "status": "active",
    "labels": ["cards", "no"],
    "instruction": "A long text that says one thing. " * 6 + "End.",
    "created": "2026-02-03",
    "metadata": {"a": 1, "b": "1", "c": [True, "true", None], "d": 1.5, "e": "452415e071"},
    "provenance": {
        "origin": "hand-written",
        "examples": [{"id": "1e5", "sha256": SHA, "role": "support"}],
    },
}
QUIET = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXTS = st.text(
    st.one_of(
        st.sampled_from(list(" \n\t:#-'\"{}[],&*!|>%@`\\0e5~")), st.characters(codec="utf-8")
    ),
    min_size=1,
    max_size=60,
)


def rulebook(text: str):
    document = parse_document(text.encode(), path="x")
    assert document.problems == (), [str(problem) for problem in document.problems]
    return document.rulebook


def changed_lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """Return the lines that only the old and only the new text has."""
    before, after = old.splitlines(True), new.splitlines(True)
    gone, come = [], []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            gone += before[a:b]
            come += after[c:d]
    return gone, come


SCALARS = [
    (("title",), "New title", "title: New title\n"),
    (("title",), "a: b # c", "title: 'a: b # c'\n"),
    (("title",), "452415e071", "title: '452415e071'\n"),
    (("title",), "no", "title: 'no'\n"),
    (("title",), "", "title: ''\n"),
    (("task", "labels", "no"), "x", '    "no": x   # a label that YAML 1.1 reads as false\n'),
    (("prompt", "variables", "greeting"), "a, b", "  variables: {greeting: 'a, b'}\n"),
    (("gate", "labels", "cards", "max_drop"), 0.25, "    cards: {min: 0.5, max_drop: 0.25}\n"),
    (("rules", 0, "priority"), 7, "    priority: 7\n"),
    (("metadata", "reviewed"), False, "metadata: {reviewed: false, version: 1.5, digest: 452415e071}\n"),
    (("rules", 1, "id"), "r-3", "  - id: r-3   # trailing comment\n"),
]  # fmt: skip


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("loc", "value", "line"), SCALARS)
def test_setting_a_scalar_changes_its_line_only(loc, value, line, newline):
    """One line changes, keeping its comment, its neighbours and the file's line ends."""
    text = VALID.replace("\n", newline)
    gone, come = changed_lines(text, set_value(text, loc, value))
    assert come == [line.replace("\n", newline)]
    assert len(gone) == 1


def test_setting_a_new_key_adds_its_line_only():
    """A new key comes last in its mapping, before the blank line and comments that follow."""
    gone, come = changed_lines(VALID, set_value(VALID, ("rules", 0, "owner"), "me"))
    assert (gone, come) == ([], ["    owner: me\n"])
    text = set_value(VALID, ("rules", 0, "owner"), "me")
    assert "role: counter\n    owner: me\n\n  - id: r-02" in text


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_setting_a_block_text_replaces_it_whole(newline):
    """A text of several lines is written as a literal block in the place of the old one."""
    text = VALID.replace("\n", newline)
    result = set_value(text, ("rules", 0, "instruction"), "One.\n\nTwo.\n")
    gone, come = changed_lines(text, result)
    assert [line.rstrip("\r\n") for line in come] == [
        "    instruction: |",
        "      One.",
        "",
        "      Two.",
    ]
    assert len(gone) == 3
    assert result.count("\n") == result.count(newline)
    assert rulebook(result).rules[0].instruction == "One.\n\nTwo.\n"


@QUIET
@given(value=TEXTS, loc=st.sampled_from([loc for loc, *_ in SCALARS[:1]] + [("rules", 0, "instruction"), ("rules", 1, "instruction"), ("rules", 1, "rationale"), ("prompt", "variables", "greeting")]))  # fmt: skip
def test_any_text_can_be_set(value, loc):
    """Whatever text is set reads back as it was, and every rule keeps the rest."""
    assume("\ufeff" not in value)
    result = set_value(VALID, loc, value)
    document = parse_document(result.encode(), path="x")
    read = document.rulebook
    for part in loc:
        read = read[part] if isinstance(read, (dict, tuple)) else getattr(read, part)
    assert read == value
    others = [
        line for line in VALID.splitlines() if line.startswith(("schema", "  - id", "metadata"))
    ]
    assert all(line in result.splitlines() for line in others)


def test_pinning_touches_nothing_else():
    """Citations get their digest in flow and block style; all other lines stay."""
    gone, come = changed_lines(
        VALID, pin_citations(VALID, {"e-2": SHA, "452415e071": "0" * 64, "x": SHA})
    )
    assert come == [
        f"        - {{id: 452415e071, sha256: '{'0' * 64}'}}\n",
        f"          sha256: {SHA}\n",
    ]
    assert len(gone) == 1
    done = pin_citations(VALID, {"e-2": SHA})
    assert pin_citations(done, {"e-2": SHA}) == done


def test_pinning_adds_to_a_short_citation():
    """A citation in brackets without hash gets it after its id."""
    text = VALID.replace(
        "        - id: e-2\n          role: counter\n", "        - {id: e-2, role: counter} # why\n"
    )
    assert f"        - {{id: e-2, sha256: {SHA}, role: counter}} # why\n" in pin_citations(
        text, {"e-2": SHA}
    )


def test_a_removed_rule_takes_its_comments_along():
    """The rule's lines, the comment directly above and the blank line after it go; no other."""
    result = remove_rule(VALID, "r-01")
    gone, come = changed_lines(VALID, result)
    assert come == []
    assert gone[0] == "  # The first rule is about cards.\n"
    assert "rules:\n  - id: r-02   # trailing comment\n" in result
    assert [rule.id for rule in rulebook(result).rules] == ["r-02"]


def test_the_last_rule_goes_with_the_blank_line_before_it():
    """What follows the rules stays where it is, comments that belong to it included."""
    text = VALID + "    # inner note\n\n# about the description\ndescription: x\n"
    result = remove_rule(text, "r-02")
    assert result.endswith("          role: counter\n\n# about the description\ndescription: x\n")
    assert "inner note" not in result


def test_a_comment_set_apart_stays():
    """A heading that a blank line sets apart from the rule below does not go with it."""
    text = VALID.replace("  # The first rule", "  # Part one\n\n  # The first rule")
    assert "rules:\n  # Part one\n\n  - id: r-02" in remove_rule(text, "r-01")


def test_removing_every_rule_leaves_an_empty_list():
    """Without rules the list is empty, and a rule can be put back."""
    empty = remove_rule(remove_rule(VALID, "r-01"), "r-02")
    assert empty.endswith("\nrules: []\n")
    assert [rule.id for rule in rulebook(insert_rule(empty, NEW)).rules] == ["r-09"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("after", "order"), [(None, ["r-01", "r-02", "r-09"]), ("r-01", ["r-01", "r-09", "r-02"])]
)
def test_an_inserted_rule_adds_lines_only(after, order, newline):
    """A new rule comes where it was asked for, set off like the others; no old line changes."""
    text = VALID.replace("\n", newline)
    result = insert_rule(text, NEW, after=after)
    gone, come = changed_lines(text, result)
    assert gone == []
    assert all(line.endswith(newline) for line in come)
    rules = rulebook(result).rules
    assert [rule.id for rule in rules] == order
    new = next(rule for rule in rules if rule.id == "r-09")
    assert new.instruction == NEW["instruction"]
    assert new.metadata == NEW["metadata"]
    assert new.labels == ("cards", "no")
    assert new.provenance.examples[0].id == "1e5"


def test_insert_without_final_newline():
    """A file that does not end with a newline gets its new rule on lines of its own."""
    result = insert_rule(VALID.rstrip("\n"), NEW)
    assert [rule.id for rule in rulebook(result).rules] == ["r-01", "r-02", "r-09"]


def test_insert_then_remove_is_nothing():
    """Removing what was inserted gives the old bytes back."""
    for after in (None, "r-01"):
        assert remove_rule(insert_rule(VALID, NEW, after=after), "r-09") == VALID


def test_replacing_a_rule_keeps_what_stays():
    """Only the keys whose value changes are written; the comments of the others stay."""
    rule = {
        "id": "r-02", "title": "Nobody", "status": "deprecated", "labels": ["no"],
        "instruction": "Anything else: nobody's desk.\n\nEven: this.\n", "priority": 3,
        "provenance": {"origin": "hand-written"},
    }  # fmt: skip
    gone, come = changed_lines(VALID, replace_rule(VALID, "r-02", rule))
    assert gone == [
        "    status: active\n",
        "    lint_exclude:\n",
        "      no-supporting-example: it is what remains\n",
    ]
    assert come == ["    status: deprecated\n", "    priority: 3\n"]


def test_deleting_from_brackets_takes_one_comma():
    """A key in brackets goes with one comma, first, last and in between."""
    keys = {
        "reviewed": "{version: 1.5, digest: 452415e071}",
        "version": "{reviewed: true, digest: 452415e071}",
        "digest": "{reviewed: true, version: 1.5}",
    }
    for key, left in keys.items():
        assert f"metadata: {left}\n" in delete_value(VALID, ("metadata", key))


def test_literal_comments_are_content():
    """Lines that look like comments inside a literal text move with their rule."""
    text = VALID.replace("      Even: this.\n", "      # not a comment\n")
    result = insert_rule(text, NEW, after="r-02")
    assert "      # not a comment\n    lint_exclude" in result
    text = insert_rule(VALID, {"id": "r-05", "title": "t", "instruction": "a\n# b\n"}, after="r-01")
    assert "# b" not in remove_rule(text, "r-05")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda: remove_rule(VALID, "r-20"), 'no rule is called "r-20".*did you mean "r-02"'),
        (lambda: remove_rule(VALID.replace("r-02", "r-01"), "r-01"), "several rules"),
        (lambda: remove_rule("a: [", "x"), "cannot be edited"),
        (lambda: set_value(VALID, ("nope", "x"), "y"), "there is no mapping at nope"),
        (lambda: delete_value(VALID, ("prompt", "nope")), "there is no prompt.nope"),
        (lambda: remove_rule("rules: [{id: a}, {id: b}]\n", "a"), "in brackets"),
        (lambda: remove_rule("x: &x {id: a}\nrules:\n  - *x\n  - *x\n", "a"), "several rules"),
        (lambda: remove_rule("x: &x {id: a}\nrules:\n  - id: b\n  - *x\n", "a"), "aliases"),
        (lambda: set_value("a: 1\na: 2\n", ("a",), "3"), "second time"),
    ],
)
def test_what_cannot_be_edited_is_refused(edit, said):
    """An edit that cannot be made exactly raises an error that says why."""
    with pytest.raises(UsageError) as caught:
        edit()
    assert __import__("re").search(said, str(caught.value).replace("\n", " "))


@QUIET
@given(data=st.data())
def test_edits_in_any_order_keep_the_other_lines(data):
    """After any series of edits, what was not edited still stands, line by line."""
    text, ids = VALID, ["r-01", "r-02"]
    for number in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(["insert", "remove", "set"]))
        if kind == "insert":
            new_id = f"n-{number}"
            after = data.draw(st.sampled_from([None, *ids]))
            text = insert_rule(text, {**NEW, "id": new_id}, after=after)
            ids.insert(len(ids) if after is None else ids.index(after) + 1, new_id)
        elif ids and kind == "remove":
            gone = data.draw(st.sampled_from(ids))
            text = remove_rule(text, gone)
            ids.remove(gone)
        elif ids:
            text = set_value(text, ("rules", 0, "priority"), number)
        assert [rule.id for rule in rulebook(text).rules] == ids
    head = VALID[: VALID.index("rules:\n")]
    assert text.startswith(head)


def test_a_byte_order_mark_stays():
    """An edit keeps the byte order mark that the text had."""
    mark = "\N{ZERO WIDTH NO-BREAK SPACE}"
    assert set_value(mark + VALID, ("title",), "x") == mark + set_value(VALID, ("title",), "x")
