"""A rulebook read rule by rule is the rulebook read as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from pldgov.history.snapshots import SnapshotReader, split_rules
from pldgov.rulebook.document import parse_document

HERE = Path(__file__).resolve()
VALID = HERE.parent.parent.joinpath("rulebook", "valid.yaml").read_text("utf-8")
ROOT = HERE.parent.parent.parent


def same(text: str) -> bool:
    """Tell whether reading in pieces was possible; the result must be that of the whole."""
    snapshot = SnapshotReader().read(text.encode())
    whole = parse_document(text.encode(), path="x")
    if snapshot.problem is None:
        assert whole.rulebook is not None
        first = {rule.id: rule for rule in reversed(whole.rulebook.rules)}  # of equal ids
        assert snapshot.rules == first
        assert list(snapshot.rules) == list(dict.fromkeys(rule.id for rule in whole.rulebook.rules))
        assert (
            snapshot.rulebook.model_copy(update={"rules": whole.rulebook.rules}) == whole.rulebook
        )
    else:
        assert whole.problems
    return not snapshot.rulebook or snapshot.rulebook.rules == ()


@pytest.mark.parametrize("name", ["desk-routing", "bank-triage"])
def test_our_own_rulebooks(name):
    """Both examples are read in pieces."""
    assert same((ROOT / "rulebooks" / name / "rulebook.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("rules:\n", "rules: # all\n\n"),
        (
            "goes to the cards desk.",
            "goes to the cards desk.\n\n      - id: not a rule\n      rules: x",
        ),
        ("Even: this.", "- Even: this.\n        - and that"),
        ("    title: Cards\n", "    title: &name Cards\n    rationale: *name\n"),
        ("      origin: hand-written\n      examples", "      origin: edited\n      examples"),
        ("priority: 10", "metadata: {rules: [1, 2.5, true], digest: 452415e071}"),
    ],
    ids=["plain", "comment", "folded", "literal", "anchor within", "provenance", "metadata"],
)
def test_read_in_pieces(old, new):
    """These are cut into rules, with the same values as ever, whatever the line ends."""
    assert old in VALID
    text = VALID.replace(old, new, 1) if old else VALID
    assert same(text)
    assert same(text.replace("\n", "\r\n"))
    assert same("\N{ZERO WIDTH NO-BREAK SPACE}" + text)
    assert same(text + "description: after the rules\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    title: Nobody\n", "    title: *name\n"),
        ("    title: Nobody\n", '    title: "Nobody\n  - id: x"\n'),
        ("    labels: [no]\n", "    labels: [no,\n  - x]\n"),
        ("id: r-02", "id: r-01"),
        ("status: active", "status: actve"),
        ("    priority: 10\n", "    priority: 10\n    priority: 11\n"),
        ("rules:\n", "rules: []\nrules:\n"),
        ("# Why", "---\n# Why"),
        ("rules:\n", "rules:\n<<<<<<< ours\n"),
        ("  - id: r-02", "  -\n    id: r-02"),
        ("title: Desk routing\n", ""),
    ],
)
def test_what_cannot_be_cut_is_read_whole(old, new):
    """Aliases across rules, brackets and quotes over lines, and errors: never another meaning."""
    text = VALID.replace("title: Cards", "title: &name Cards", 1)
    assert old in text
    same(text.replace(old, new, 1))


def test_equal_texts_are_read_once():
    """Of two versions that differ in a rule the others are the same objects."""
    reader = SnapshotReader()
    one = reader.read(VALID.encode())
    two = reader.read(VALID.replace("title: Nobody", "title: No one").encode())
    assert one.rules["r-01"] is two.rules["r-01"]
    assert one.rules["r-02"] != two.rules["r-02"]
    assert one.rulebook is two.rulebook


def test_flow_lists_are_not_cut():
    """Rules in brackets are left to the whole reading."""
    assert split_rules("rules: [{id: a}]\n") is None
    assert split_rules("rules:\n  {}\n") is None
    assert split_rules("name: x\n") is None


def test_a_version_for_another_schema():
    """A key that this version does not know hides nothing of what it does."""
    snapshot = SnapshotReader().read(VALID.replace("priority: 10", "urgency: 10").encode())
    assert snapshot.problem is None
    assert set(snapshot.rules) == {"r-01", "r-02"}
