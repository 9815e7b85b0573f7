"""Prompts and playbooks are read as their authors meant them, and copied word for word."""

from __future__ import annotations

import pytest

from pldgov.errors import DataError, UsageError
from pldgov.importing.labels import label_named, label_of_heading
from pldgov.importing.markdown import read_markdown
from pldgov.importing.playbook import is_playbook, read_playbook
from pldgov.importing.rulebook import Wanted, import_rulebook
from pldgov.rulebook.document import parse_document
from pldgov.rulebook.formatting import format_text

LABELS = ("fraud", "dispute", "credit_card")


def texts(source: str, labels=LABELS) -> list[str]:
    return [rule.text for rule in read_markdown(source, labels=labels).rules]


@pytest.mark.parametrize(
    ("source", "rules"),
    [
        ("1. One\n2. Two\n", ["One", "Two"]),
        ("1) One\n2) Two", ["One", "Two"]),
        ("Rules:\n- One\n- Two", ["One", "Two"]),
        ("* One\n\n* Two", ["One", "Two"]),
        ("1. One\n   goes on\n2. Two", ["One\ngoes on", "Two"]),
        ("1. One\ngoes on\n2. Two", ["One\ngoes on", "Two"]),
        ("- One\n  - for instance\n  - or this\n- Two", ["One\n- for instance\n- or this", "Two"]),
        ("1. One\n\n   Second paragraph.\n2. Two", ["One\n\nSecond paragraph.", "Two"]),
        ("1. One\n\nSecond paragraph.\n\n2. Two\n\nAfter.", ["One\n\nSecond paragraph.", "Two"]),
        ("1. One\n\n```\n1. no rule\n```\n\n2. Two", ["One\n\n```\n1. no rule\n```", "Two"]),
        ("1. One\n\n# Other\n\n2. Two", ["One", "Two"]),
        ("<rules>\n1. One\n2. Two\n</rules>\n", ["One", "Two"]),
        ("    1. One\n    2. Two", ["One", "Two"]),
        ("Say.\n\n    1. One\n       more\n\n    2. Two\n\nAfter", ["One\nmore", "Two"]),
        ("\tRules:\n\t- One\n\t  - in it\n\t- Two", ["One\n- in it", "Two"]),
        ("1. One:\n  - a\n  - b\n2. Two:\n- c\n\n- d", ["One:\n  - a\n  - b", "Two:\n- c\n\n- d"]),
        ("1. One\n\n- a\n\n2. Two", ["One", "a", "Two"]),
        ("- **Bold**: `code` and <b>tags</b> & \\* signs", ["**Bold**: `code` and <b>tags</b> & \\* signs"]),
        ("9. Nine\n10. Ten\n    more", ["Nine", "Ten\nmore"]),
        ("- \n- One", ["One"]),
        ("1. [x]: http://example.org", ["[x]: http://example.org"]),
        ("```\n1. no rule\n```\n", []),
        ("No list at all. 1. this is none", []),
    ],
)  # fmt: skip
def test_items_of_lists_are_rules(source, rules):
    """Each item once, without its marker, its lines as they are written."""
    assert texts(source) == rules


def test_places_sections_and_numbers_are_kept():
    """A rule knows its line in the file, the heading above it and its number."""
    found = read_markdown("# Policy\n\nSay.\n\n## Money\n\n3. One\n4. Two\n", labels=LABELS)
    assert [(rule.line, dict(rule.facts)) for rule in found.rules] == [
        (7, {"section": "Money", "number": 3}),
        (8, {"section": "Money", "number": 4}),
    ]
    assert (found.title, found.task) == ("Policy", "Say.")


def test_the_list_of_labels_is_no_list_of_rules():
    """A list that describes the labels gives their descriptions."""
    source = (
        "Say.\n\nLabels:\n- fraud: It was stolen.\n- **dispute** - It came late.\n\nRules:\n- One"
    )
    found = read_markdown(source, labels=LABELS)
    assert found.labels == {"fraud": "It was stolen.", "dispute": "It came late."}
    assert [rule.text for rule in found.rules] == ["One"]
    assert found.task == "Say."
    unknown = read_markdown(source.replace("**dispute** -", "dispute:"), labels=())
    assert list(unknown.labels) == ["fraud", "dispute"]
    below = read_markdown(
        "## Labels\n\n- a: A.\n- b: B.\n\n## Rules\n\n- c: C.\n- d: D.\n", labels=()
    )
    assert (list(below.labels), len(below.rules)) == (["a", "b"], 2)


def test_a_list_that_only_looks_like_labels_stays_rules():
    """An item that describes no label makes the list one of rules."""
    assert texts("- fraud: always.\n- When in doubt: dispute.\n") == [
        "fraud: always.",
        "When in doubt: dispute.",
    ]


def test_headings_that_are_labels_label_their_rules():
    """What stands below a label's heading argues for it, whatever else it names."""
    source = "Say.\n\n## Fraud\nIt was stolen.\n\n- Not a dispute.\n\n## Other\n- a\n"
    found = read_markdown(source, labels=LABELS)
    assert [rule.labels for rule in found.rules] == [("fraud",), ()]
    assert found.labels == {"fraud": "It was stolen."}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The label is fraud.", ("fraud",)),
        ("FRAUD, and fraud again", ("fraud",)),
        ("It is a dispute, not fraud", ()),
        ("Nothing", ()),
        ("defrauded and fraudulent", ()),
        ("anti-fraud team", ()),
        ("a credit card or credit-card", ("credit_card",)),
    ],
)
def test_a_rule_names_exactly_one_label_or_none(text, label):
    """As a word of its own; several are left to people."""
    assert label_named(text, LABELS) == label


def test_longer_labels_come_before_their_parts():
    """In "loan fraud" no label "fraud" is named where "loan fraud" is one."""
    assert label_named("It is loan fraud.", ("fraud", "loan fraud")) == ("loan fraud",)
    assert label_of_heading("**Loan fraud**:", ("fraud", "loan-fraud")) == "loan-fraud"


PLAYBOOK = """\
## STRATEGIES & INSIGHTS
[shr-00001] helpful=3 harmful=0 :: A stolen card is fraud.
- [shr-00002] helpful=0  harmful=2 :: Ask for the date,
  and for the place.

## DISPUTE
[Err_7] helpful=1 harmful=1 :: The shop did not deliver: not fraud.

## FORMULAS
"""


def test_a_playbook_is_read_with_its_counters():
    """Ids, sections, counters, and lines that go on."""
    assert is_playbook(PLAYBOOK)
    assert not is_playbook("- helpful=3 harmful=0 :: no id")
    found = read_playbook(PLAYBOOK, labels=LABELS)
    assert [(rule.id, rule.text, rule.line, rule.labels) for rule in found.rules] == [
        ("shr-00001", "A stolen card is fraud.", 2, ("fraud",)),
        ("shr-00002", "Ask for the date,\nand for the place.", 3, ()),
        ("Err_7", "The shop did not deliver: not fraud.", 7, ("dispute",)),
    ]
    assert found.rules[1].facts == {
        "id": "shr-00002",
        "section": "STRATEGIES & INSIGHTS",
        "helpful": 0,
        "harmful": 2,
    }


def make(source, **more):
    labels = {"fraud": "Stolen.", "dispute": ""}
    wanted = Wanted(**{"name": "desk", "labels": labels} | more)
    return import_rulebook(source, wanted, source="old.md", sha256="0" * 64)


def rules_of(made):
    return parse_document(made.text.encode(), path="r.yaml").rulebook.rules


def test_the_rulebook_is_of_drafts_with_their_source():
    """Status, origin, reference, and what the source says of each rule."""
    made = make(PLAYBOOK)
    first, second, third = rules_of(made)
    assert [rule.id for rule in (first, second, third)] == ["shr-00001", "shr-00002", "err_7"]
    assert {rule.status for rule in (first, second, third)} == {"draft"}
    assert first.provenance.origin == "imported"
    assert first.references == ("old.md:2",)
    assert second.metadata["imported"]["harmful"] == 2
    assert made.harmful == ("shr-00002",)
    assert made.unlabelled == ("shr-00002",)
    assert made.undescribed == ("dispute",)
    assert made.without_owner


def test_the_text_is_formatted_as_fmt_does():
    """A first `pldgov fmt` changes nothing."""
    for source in (PLAYBOOK, "# T\n\nSay: it.\n\n- yes\n- 1e5\n- a: b # c\n-  'q' \"r\"\n"):
        text = make(source).text
        assert format_text(text) == text


def test_ids_are_unique_and_fit():
    """Ids of the source that are no identifiers, or come twice, are made so."""
    line = "[{}] helpful=0 harmful=0 :: x\n"
    source = "".join(line.format(id_) for id_ in ("A b/c", "a-b-c", "???", "x" * 99))
    ids = [rule.id for rule in rules_of(make(source))]
    assert ids == ["a-b-c", "a-b-c-2", "r-03", "x" * 90]


def test_hostile_texts_stay_texts():
    """YAML, control characters and markers in a rule are its text, and nothing else."""
    hostile = [
        "a: b\n  status: active",
        "yes",
        "- x",
        "%TAG",
        "\x07bell \x1b[2J",
        "a # b",
        "'",
        "&a *b",
        "--- !!x",
    ]
    source = "".join(f"1. {text}\n" for text in hostile).replace("\n  status", "\n   status")
    got = [rule.instruction for rule in rules_of(make(source))]
    assert got[0] == "a: b\nstatus: active"
    assert got[4] == "\x07bell \x1b[2J"
    assert {rule.status for rule in rules_of(make(source))} == {"draft"}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("**Stolen cards.** They are fraud.", "Stolen cards"),
        ("Short rule", "Short rule"),
        ("First sentence here. Second one.", "First sentence here"),
        ("word " * 40, "word word word word word word word word word word word word ..."),
        ("x" * 100, "x" * 60 + " ..."),
    ],
)
def test_titles_are_short(text, title):
    """A lead in bold, else the first sentence, cut at a word."""
    assert rules_of(make(f"- {text}"))[0].title == title


def test_labels_are_needed():
    """A prompt that does not list them needs --labels; one label is no choice."""
    with pytest.raises(UsageError, match="--labels fraud,other"):
        make("- a", labels={})
    with pytest.raises(UsageError, match="not 1"):
        make("- a", labels={"x": "y"})
    listed = make("Labels:\n- a: A.\n- b: B.\n\n1. Rule\n", labels={})
    assert listed.undescribed == ()
    assert len(listed.rules) == 1


@pytest.mark.parametrize("source", ["", "Just text.", "\n\n", '[{"role": "system"}]'])
def test_a_text_without_rules_is_refused(source):
    """With what a rule looks like."""
    with pytest.raises(DataError, match=r"old.md: no numbered or bulleted rule.*ACE playbook"):
        make(source)


def test_a_big_prompt_is_read_in_seconds():
    """Five megabytes of rules."""
    import time

    source = "".join(
        f"{n}. Rule {n} says that it is fraud. {'word ' * 100}\n" for n in range(1, 10_000)
    )
    started = time.perf_counter()
    found = read_markdown(source, labels=LABELS)
    assert time.perf_counter() - started < 30
    assert len(found.rules) == 9_999
