"""Reading a rulebook's bytes: what is kept, what is reported, and where."""

from __future__ import annotations

import datetime as dt
import gc

import pytest

from pldgov.rulebook.document import MAX_BYTES, Document, parse_document


def read(text: str | bytes) -> Document:
    return parse_document(text.encode() if isinstance(text, str) else text, path="rb.yaml")


def only(document: Document):
    assert len(document.problems) == 1, [str(problem) for problem in document.problems]
    return document.problems[0]


def test_a_valid_file_becomes_a_rulebook(valid_text):
    """A valid text gives its rules in the order of the file, and no problem."""
    document = read(valid_text)
    assert document.problems == ()
    assert document.complete
    assert [rule.id for rule in document.rulebook.rules] == ["r-01", "r-02"]
    assert document.rule_rows == (0, 1)
    assert document.text == valid_text


def test_texts_stay_as_written(valid_text):
    """Ids, labels and variables that look like numbers or booleans stay text; dates are read."""
    rulebook = read(valid_text).rulebook
    rule = rulebook.rules[0]
    assert rule.provenance.examples[0].id == "452415e071"
    assert rulebook.labels == ("cards", "no")
    assert rulebook.rules[1].labels == ("no",)
    assert rulebook.prompt.variables == {"greeting": "yes"}
    assert rule.priority == 10
    assert rule.created == dt.date(2026, 1, 31)
    assert rulebook.gate.max_drop == 0.05


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("17", 17),
        ("-3", -3),
        ("007", "007"),
        ("1" * 19, "1" * 19),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.5e3", 1500.0),
        ("1e-3", 0.001),
        ("1E+3", 1000.0),
        ("452415e071", "452415e071"),
        ("1e5", "1e5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("0x1F", "0x1F"),
        ("2026-01-01", "2026-01-01"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("~", None),
        ("", None),
        ("'true'", "true"),
        ('"5"', "5"),
        ("!!str 5", "5"),
    ],
)
def test_metadata_gets_core_types(valid_text, written, meant):
    """Under metadata, of the rulebook or of a rule, plain scalars get YAML 1.2's narrow types."""
    text = valid_text.replace("reviewed: true, ", f"nested: [{{x: {written} }}], ")
    text = text.replace("    priority: 10\n", f"    metadata:\n      x: {written}\n")
    rulebook = read(text).rulebook
    assert rulebook.metadata["nested"] == [{"x": meant}]
    assert rulebook.rules[0].metadata == {"x": meant}


def test_only_the_model_s_metadata_is_typed(valid_text):
    """A label or variable that is called metadata stays text."""
    text = valid_text.replace("greeting: yes", "metadata: true")
    assert read(text).rulebook.prompt.variables == {"metadata": "true"}


STRUCTURE = [
    # (what is replaced, by what, place, code, part of message, hint)
    ("title: Cards\n", "titel: Cards\n", "24:5", "unknown-key", '"titel" in rule "r-01"', "title"),
    ("owner: ops@example.org\n", "", "3:1", "missing-key", 'the rulebook lacks "owner"', None),
    ("  labels:\n    cards: About", "  lables:\n    cards: About", "9:3", "unknown-key", '"lables" in "task"', "labels"),
    ("status: active\n    labels: [cards]", "status: actve\n    labels: [cards]", "25:13", "bad-value", "draft, active or deprecated", "active"),
    ("priority: 10", "priority: high", "30:15", "wrong-type", 'a whole number, not "high"', None),
    ("priority: 10", "priority: 1e1", "30:15", "wrong-type", "a whole number", None),
    ("priority: 10", "priority: [1]", "30:15", "wrong-type", "not a list", None),
    ("title: Cards", "title:", "24:5", "wrong-type", '"title" of rule "r-01" is empty', None),
    ("title: Cards", "title: ''", "24:12", "bad-value", "must not be empty", None),
    ("created: 2026-01-31", "created: 31.1.2026", "31:14", "wrong-type", "a date such as", None),
    ("created: 2026-01-31", "created: 0", "31:14", "wrong-type", "a date such as", None),
    ("created: 2026-01-31", "created: 2026-02-31", "31:14", "wrong-type", "a date such as", None),
    ("sha256: 801b8850", "sha256: 801B8850", "35:36", "bad-value", "64 lower-case hexadecimal", None),
    ("role: counter", "role: contra", "37:17", "bad-value", "support or counter", None),
    ("max_drop: 0.05", "max_drop: 5", "17:13", "bad-value", "at most 1", None),
    ("max_drop: 0.05", "max_drop: .nan", "17:13", "wrong-type", "a number", None),
    ("max_drop: 0.05", "max_drop: nan", "17:13", "bad-value", "at most 1", None),
    ("name: desk", "name: Desk", "4:7", "bad-value", "lower-case letters", None),
    ("rulebook/v1", "rulebook/v2", "3:9", "bad-value", "pldgov.rulebook/v1", None),
    ("labels: [no]", "labels: no", "42:13", "wrong-type", "must be a list", None),
    ("labels: [no]", "labels: [~]", "42:14", "wrong-type", '"labels[0]" of rule "r-02" is empty', None),
    ("  - id: r-02   # trailing comment\n    title", "  - title", "39:5", "missing-key", 'rule 2 lacks "id"', None),
    ("    title: Nobody\n", "    title: Nobody\n    title: No\n", "41:5", "duplicate-key", "first in line 40", None),
    ("    title: Nobody\n", "    <<: {a: b}\n    title: Nobody\n", "40:5", "merge-key", "not supported", None),
    ("    title: Nobody\n", "    ~: x\n    title: Nobody\n", "40:5", "key-not-text", "means nothing", None),
    ("    title: Nobody\n", "    [a]: x\n    title: Nobody\n", "40:5", "key-not-text", "must be a text", None),
    ("    title: Nobody\n", "    title: !!int 5\n", "40:12", "tag", "!!int", None),
    ("    title: Nobody\n", "    title: !secret x\n", "40:12", "tag", "!secret", None),
    ("rules:\n", "rules: {a: b}\nold:\n", "21:8", "wrong-type", '"rules" must be a list', None),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "place", "code", "said", "hint"), STRUCTURE)
def test_structure_is_checked_with_positions(valid_text, old, new, place, code, said, hint):
    """Each fault of structure is reported at its line and column, with its code and a hint."""
    assert old in valid_text
    problems = read(valid_text.replace(old, new, 1)).problems
    found = {problem.place.removeprefix("rb.yaml:"): problem for problem in problems}
    assert place in found, [str(problem) for problem in problems]
    assert found[place].code == code
    assert said in found[place].message
    if hint:
        assert found[place].hint == f'did you mean "{hint}"?'


def test_all_problems_are_reported_at_once(valid_text):
    """Several faults, of syntax level and of the model, come sorted by place in one reading."""
    text = valid_text.replace("owner: ops@example.org\n", "owner: x\nowner: y\n")
    text = text.replace("title: Cards", "titel: Cards").replace("priority: 10", "priority: high")
    problems = read(text).problems
    assert [problem.code for problem in problems] == [
        "duplicate-key", "missing-key", "unknown-key", "wrong-type",
    ]  # fmt: skip
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    assert [problem.rule_id for problem in problems] == [None, "r-01", "r-01", "r-01"]


def test_what_is_valid_survives_what_is_not(valid_text):
    """A rule with a fault is left out of the rulebook, and the rows of the others are kept."""
    document = read(valid_text.replace("title: Cards\n", "title:\n"))
    assert [rule.id for rule in document.rulebook.rules] == ["r-02"]
    assert document.rule_rows == (1,)
    assert not document.complete
    assert document.rule_position(0) == (39, 9)


def test_an_unknown_key_costs_only_itself(valid_text):
    """A rule with one key too many still takes part in further checks."""
    document = read(valid_text.replace("    priority: 10\n", "    prio: 10\n"))
    assert [rule.id for rule in document.rulebook.rules] == ["r-01", "r-02"]


@pytest.mark.parametrize("line", ["title: Desk routing\n", "owner: ops@example.org\n", "name: desk\n", "  instruction: Route the message.\n", "  template: plain.j2\n", "schema: pldgov.rulebook/v1\n"])  # fmt: skip
def test_a_missing_text_does_not_hide_the_rest(valid_text, line):
    """Without a title, owner or the like there is still a rulebook to check, and one problem."""
    document = read(valid_text.replace(line, "", 1))
    assert only(document).code == "missing-key"
    assert len(document.rulebook.rules) == 2


def test_too_little_left_is_no_rulebook(valid_text):
    """Without a task there is no rulebook."""
    text = valid_text.replace("task:\n", "tisk:\n")
    document = read(text)
    assert document.rulebook is None
    assert {problem.code for problem in document.problems} == {"unknown-key", "missing-key"}


BROKEN = [
    (b"", "empty-file", 1, 1, "empty"),
    (b"# only a comment\n", "empty-file", 1, 1, "empty"),
    (b"- a\n- b\n", "wrong-type", 1, 1, "mapping"),
    (b"just text\n", "wrong-type", 1, 1, "mapping"),
    (b"a: b\n\tc: d\n", "tab-indent", 2, 1, "tab"),
    (b"a:\n\tb: c\n", "tab-indent", 2, 1, "tab"),
    (b"a: b\nc: d: e\n", "yaml-syntax", 2, 5, "colon"),
    (b"a: 'x\nb: c\n", "yaml-syntax", 1, 4, "never closed"),
    (b"a: [1,\nb: c\n", "yaml-syntax", 1, 4, "not closed"),
    (b"a: {b: c\n", "yaml-syntax", 1, 4, "not closed"),
    (b"a: @x\n", "yaml-syntax", 1, 4, '"@"'),
    (b"a: *x\n", "yaml-syntax", 1, 4, "alias"),
    (b"a: |\n  text\nmore\nb: c\n", "yaml-syntax", 3, 1, "neither"),
    (b"a:\n  - b\n c: d\n", "yaml-syntax", 3, 2, "indentation"),
    (b'a: "\\q"\n', "yaml-syntax", 1, 5, "backslash"),
    (b"a: b\n---\nc: d\n", "several-documents", 2, 1, "second"),
    (b"a: b\n<<<<<<< HEAD\nc: d\n=======\nc: e\n>>>>>>> topic\n", "conflict-marker", 2, 1, "conflict"),
    (b"a: \x00\n", "control-character", 1, 4, "U+0000"),
    (b"a: b\nc: x\x1b[0m\n", "control-character", 2, 5, "U+001B"),
    (b"\xff\xfea\x00", "not-utf8", 1, 1, "UTF-16"),
    ("a: b\nä: ".encode() + b"\xe4\n", "not-utf8", 2, 4, "0xE4 at offset 9"),
    (b"%YAML 3.0\n---\na: b\n", "yaml-syntax", 1, 1, "incompatible"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "code", "line", "column", "said"), BROKEN)
def test_what_cannot_be_read_is_one_clear_problem(data, code, line, column, said):
    """A file that is no YAML mapping gives one problem that points at the fault."""
    document = read(data)
    problem = only(document)
    assert (problem.code, problem.line, problem.column) == (code, line, column)
    assert said in problem.message
    assert document.rulebook is None
    assert document.position(("rules", 0)) == (1, 1)


def test_alias_is_a_copy(valid_text):
    """An anchor may be referred to."""
    text = valid_text.replace("labels: [cards]", "labels: &l [cards]").replace("[no]", "*l")
    assert read(text).rulebook.rules[1].labels == ("cards",)


def test_exploding_aliases_are_stopped(valid_text):
    """A file whose aliases multiply it a billion times is refused at once."""
    layers = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    layers += [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    text = valid_text.replace("metadata: {", "metadata:\n  " + "\n  ".join(layers) + "\nx: {")
    assert only(read(text)).code == "alias-expansion"


def test_an_anchor_in_itself_is_stopped(valid_text):
    """A value that contains itself is refused."""
    problem = only(read(valid_text.replace("metadata: {", "metadata: &m {self: *m, ")))
    assert problem.code == "too-deep"
    assert "contains itself" in problem.message


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * 100_000, "a: " + "{b: " * 50_000, "- " * 100_000 + "x", "[" * 600 + "]" * 600],
)
def test_deep_nesting_is_stopped(text):
    """Nesting that would overflow the stack is refused."""
    assert only(read(text)).code == "too-deep"


def test_many_brackets_are_no_nesting(valid_text):
    """A text with many brackets in it is read as it is."""
    text = valid_text.replace("Route the message.", "'" + "[" * 1000 + "'")
    assert read(text).problems == ()


@pytest.mark.parametrize(
    "level", ["[it's, '] ', ", '["]", ', "{a: '}', b: ", '{"{": [ "x", ', "[ # ]\n", "{'': {[ "]
)
def test_brackets_in_texts_hide_no_nesting(level):
    """Closing brackets in quotes, after apostrophes or in comments do not pass for real ones."""
    assert only(read(level * 20_000)).code in ("too-deep", "yaml-syntax")


def test_a_huge_file_is_refused():
    """A file beyond the bound is not parsed."""
    assert only(read(b"#" * (MAX_BYTES + 1))).code == "too-large"


def test_a_byte_order_mark_is_accepted(valid_text):
    """A UTF-8 byte order mark changes neither content nor positions."""
    document = read("\N{ZERO WIDTH NO-BREAK SPACE}" + valid_text)
    assert document.problems == ()
    assert document.position(("name",)) == read(valid_text).position(("name",))


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_do_not_move_positions(valid_text, end):
    """CRLF and CR files give the same values at the same places as LF files."""
    text = valid_text.replace("priority: 10", "priority: high")
    other = read(text.replace("\n", end))
    assert other.problems == read(text).problems
    assert other.rulebook == read(text).rulebook


def test_unicode_line_breaks_are_no_lines(valid_text):
    """U+2028, a line break to YAML 1.1 and to no editor, does not shift line numbers."""
    text = valid_text.replace("About a card.", '"About \N{LINE SEPARATOR} a card."')
    assert read(text.replace("priority: 10", "priority: high")).problems[0].line == 30


def test_positions_fall_back_to_the_parent(valid_text):
    """A loc that does not exist points at its nearest parent's key, a block value at its key."""
    document = read(valid_text)
    assert document.position(("task", "inputs")) == (7, 1)
    assert document.position(("task",)) == (7, 1)
    assert document.position(("rules", 0, "labels")) == (26, 13)
    assert document.position(("rules", 0, "labels"), at_key=True) == (26, 5)
    assert document.position(("rules", 99)) == (21, 1)
    assert document.position(("rules", 0, "provenance", "examples", 1, "role")) == (37, 17)
    assert document.position(()) == (3, 1)


def test_the_garbage_collector_is_left_as_it_was(valid_text):
    """Reading leaves the collector on when it was on, also after a fault."""
    assert gc.isenabled()
    read(valid_text)
    read(b"a: [")
    assert gc.isenabled()
