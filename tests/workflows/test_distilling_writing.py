"""Splicing rules into a rulebook's text, recorded replies, settings and recorded decisions."""

import json

import pytest
import yaml

from pldgov.archive import line_of
from pldgov.distill.model import TeacherReply
from pldgov.errors import UsageError
from pldgov.rulebook.document import parse_document
from pldgov.rulebook.editing import set_value
from pldgov.rulebook.model import Citation, Provenance, Review, Rule, Teacher
from pldgov.workflows.distilling.recording import Recording
from pldgov.workflows.distilling.settings import (
    DistillSettings,
    merge_settings,
    read_settings,
    settings_text,
)
from pldgov.workflows.distilling.writing import splice_rules, written_replies

HEAD = """\
schema: pldgov.rulebook/v1
name: toy  # the name
title: Toy
owner: desk
task: {instruction: Name it., labels: {a: first, b: second}}
examples: {train: train.jsonl, gate: gate.jsonl}
prompt: {template: plain.j2}
rules:
"""
OURS = """\
  # About us.
  - id: ours
    title: Ours   # odd   spacing
    instruction: >-
      Ours is
      a.
    provenance: {origin: hand-written}
"""


def rule(id_, said="It is a."):
    return Rule(
        id=id_,
        title=id_,
        status="active",
        labels=("a",),
        instruction=said,
        owner="desk",
        provenance=Provenance(
            origin="distilled",
            teacher=Teacher(model="t", mode="batch"),
            examples=(Citation(id="e-1", sha256="0" * 64),),
        ),
    )


def splice(text, people, *wanted):
    standing = parse_document(text.encode(), path="r.yaml").rulebook.rules
    new = splice_rules(text, standing, people=people, wanted=wanted)
    return new, [r.id for r in parse_document(new.encode(), path="r.yaml").rulebook.rules]


def test_rules_go_into_an_empty_list():
    """A rulebook without rules gets them in order, and its other lines stay."""
    new, ids = splice(HEAD.rstrip("\n") + " []\n", [], rule("x"), rule("y"))
    assert ids == ["x", "y"]
    assert new.startswith(HEAD)


def test_people_come_first_and_keep_every_byte():
    """Distilled rules follow those of people, whose lines and comments are untouched."""
    new, ids = splice(HEAD + OURS, ["ours"], rule("x"))
    assert ids == ["ours", "x"]
    assert new.startswith(HEAD + OURS)


@pytest.mark.parametrize(
    ("before", "after"),
    [("xyz", "xyz"), ("xyz", "zyx"), ("xyz", "yz"), ("xyz", "wxyz"), ("xyz", "q"), ("x", "xyz")],
)
def test_any_order_follows_any_other_and_doing_it_again_changes_nothing(before, after):
    """From each rule set the next one comes out exactly, and a second splice is idle."""
    first, _ = splice(HEAD + OURS, ["ours"], *map(rule, before))
    second, ids = splice(first, ["ours"], *map(rule, after))
    assert ids == ["ours", *after]
    assert splice(second, ["ours"], *map(rule, after))[0] == second
    assert second.startswith(HEAD + OURS)


def test_a_distilled_rule_before_one_of_people_moves_behind_it():
    """The order on paper is the order that was measured."""
    text = HEAD + OURS
    mixed, _ = splice(text, ["ours"], rule("x"))
    lines = mixed.split("  # About us.\n")
    body = (
        lines[1].split("\n\n")
        if "\n\n" in lines[1]
        else [OURS.split("\n", 1)[1], lines[1][len(OURS) - 14 :]]
    )
    swapped = lines[0] + body[1].strip("\n") + "\n  # About us.\n" + body[0].rstrip("\n") + "\n"
    new, ids = splice(swapped, ["ours"], rule("x"))
    assert ids == ["ours", "x"]
    assert "# About us." in new


def test_approvals_of_rules_that_stay_stay():
    """A run leaves an approval where it is, and takes it from a rule that it puts to rest."""
    review = Review(by="Ann", on="2026-03-01", digest="1" * 64, verdict="PASS")
    text, _ = splice(HEAD + OURS, ["ours"], rule("x"), rule("y"))
    for row in (1, 2):
        text = set_value(text, ("rules", row, "review"), review.model_dump())
    retired = rule("y").model_copy(update={"status": "deprecated"})
    new, _ = splice(text, ["ours"], rule("x", "Reworded."), retired)
    _, kept, gone = parse_document(new.encode(), path="r.yaml").rulebook.rules
    assert (kept.review, kept.instruction) == (review, "Reworded.")
    assert (gone.review, gone.status) == (None, "deprecated")
    assert splice(text, ["ours"], rule("x"), rule("y"))[0] == text


def reply(request, content="{}"):
    return TeacherReply(request * 64, content, "t", "batch", "2026-01-31")


def test_replies_are_added_to_what_is_recorded():
    """Lines that stand stay; only replies that no file holds are added, each to its phase."""
    standing = {"extract.jsonl": line_of(reply("a")), "old.jsonl": line_of(reply("b"))}
    used = [
        ("extract", reply("a")),
        ("extract", reply("b")),
        ("extract", reply("c")),
        ("resolve", reply("d")),
    ]
    files = written_replies(used, standing)
    assert files == {
        "extract.jsonl": line_of(reply("a")) + line_of(reply("c")),
        "resolve.jsonl": line_of(reply("d")),
    }


def test_settings_survive_the_file():
    """What is written is read again as the same settings, with the same digest."""
    given = {"student": "s", "examples": 9, "exemplars": [[2, 1]], "stratify": ["hypothesis"]}
    known = {"plain.j2": "", "turns.j2": ""}
    settings = merge_settings([("x", given)], known_templates=known, first="turns.j2")
    assert settings.templates == ("turns.j2", "plain.j2")
    again = merge_settings(
        [("y", read_settings(settings_text(settings), path="y"))],
        known_templates=known,
        first="plain.j2",
    )
    assert again == settings
    assert again.digest == settings.digest
    assert DistillSettings(student="s", run="mine").digest == DistillSettings(student="s").digest


@pytest.mark.parametrize("text", ["- a", "a: [", "3"])
def test_a_settings_file_that_is_none_is_told(text):
    """Anything but a mapping is refused with the file's name."""
    with pytest.raises(UsageError, match="distill.yaml"):
        read_settings(text, path="distill.yaml")
    assert read_settings("", path="distill.yaml") == {}
    assert yaml.safe_load(settings_text(DistillSettings(student="s")))["student"] == "s"


def test_records_last_and_a_torn_line_is_computed_again(tmp_path):
    """A record outlives its process; a line that a kill cut off is as if it were not there."""
    path = tmp_path / "run" / "recording.jsonl"
    first = Recording(path)
    assert first.memo("tokens", "one", lambda: 1) == 1
    first.memo("tokens", "two", lambda: 2)
    first.close()
    path.write_bytes(path.read_bytes()[:-5])
    second = Recording(path)
    assert second.memo("tokens", "one", lambda: 99) == 1
    assert second.memo("tokens", "two", lambda: 3) == 3
    second.close()
    assert Recording(path).get("tokens", "two") == 3


def test_only_used_records_are_committed_in_the_order_of_use(tmp_path):
    """What an earlier run recorded and this one does not need is left out."""
    committed = tmp_path / "distill.jsonl"
    rows = [{"kind": "tokens", "key": key, "value": 1} for key in "abc"]
    committed.write_text("".join(json.dumps(row) + "\n" for row in rows))
    recording = Recording(tmp_path / "recording.jsonl", committed=[committed])
    recording.memo("tokens", "c", lambda: 0)
    recording.memo("tokens", "new", lambda: 7)
    recording.memo("tokens", "a", lambda: 0)
    recording.close()
    keys = [json.loads(line)["key"] for line in recording.text().splitlines()]
    assert keys == ["c", "new", "a"]
