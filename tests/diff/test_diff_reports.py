"""What the reports of a diff say, and in which order."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

import pytest

from pldgov.changes import Change, Piece
from pldgov.diff_report import (
    Concern,
    DiffReport,
    FlippedExample,
    PromptFacts,
    RulebookDiff,
    Trouble,
)
from pldgov.problems import Problem
from pldgov.report.change_words import headline, shorten, tell
from pldgov.report.diff_html import render_diff_html
from pldgov.report.diff_json import render_diff_json
from pldgov.report.diff_markdown import render_diff_markdown, sections
from pldgov.report.diff_text import render_diff_text
from pldgov.results import (
    ComparabilityKey,
    Difference,
    Flip,
    GateReport,
    Interval,
    LabelVerdict,
    Outcome,
    StudentCard,
    Verdict,
)

HOSTILE = "</td><script>x</script>|`**\n\x1b[31m\u202e@team"


def change(kind, name="r-1", **values):
    return Change(kind, "rule", name, reaches=values.pop("reaches", True), **values)


def measured():
    difference = Difference(0.8, 0.7, Interval(-0.2, -0.01), 0.05, 0.01, 0.02)
    flip = Flip("g-1", "fraud", "fraud", "other")
    return GateReport(
        rulebook="desk",
        path="rulebooks/desk/rulebook.yaml",
        student=StudentCard("tiny", "fake", "tiny-model", "2026"),
        verdict=Verdict(
            Outcome.REGRESSED,
            "It fell.",
            macro_f1=difference,
            labels=(LabelVerdict("fraud", Outcome.REGRESSED, difference, "fell"),),
            flips=(flip,),
        ),
        exit_code=1,
        key=ComparabilityKey("s", "mode=x", "jinja2 3.1", ("fraud", "other"), "0" * 64),
        texts={"g-1": HOSTILE},
    ), (FlippedExample(flip, HOSTILE, (Concern("r-1", "nearest", 0.4),)),)


def report(**values):
    gate, flips = measured()
    full = {
        "name": "desk",
        "state": "changed",
        "base_path": "rulebooks/desk/rulebook.yaml",
        "head_path": "rulebooks/desk/rulebook.yaml",
        "changes": (
            change("reworded", field="instruction", title=HOSTILE, wording=(
                Piece("same", "Keep"), Piece("removed", " old"), Piece("added", " new"),
            )),
            Change("gate-policy", "gate", "max_drop", False, before=0.02, after=0.1),
        ),
        "base": PromptFacts("a" * 64, 2, tokens=40, yearly_tokens=1000, yearly_cost=2.0),
        "head": PromptFacts("b" * 64, 2, tokens=50, yearly_tokens=1200, yearly_cost=2.5),
        "gate": gate,
        "flips": flips,
    }  # fmt: skip
    return DiffReport("main@1", "working tree", (RulebookDiff(**{**full, **values}),), volume=10)


def test_the_sections_of_a_comment_come_in_the_order_of_reading():
    """Verdict, labels, rules, what is around them, flips, cost, key: each can be left out."""
    (diff,) = report().rulebooks
    found = sections(diff, volume=10)
    assert [one.name for one in found] == [
        "verdict", "labels", "rules", "around", "flips", "cost", "key",
    ]  # fmt: skip
    texts = {one.name: one.text for one in found}
    assert texts["verdict"].startswith("### REGRESSED: desk\n\nIt fell.\n")
    assert "0.700" in texts["verdict"]
    assert texts["labels"].count("\n") == 2
    assert "Keep <del>old</del> <ins>new</ins>" in texts["rules"]
    assert texts["flips"].startswith("<details><summary>Flipped examples: 1 broken")
    assert texts["flips"].endswith("</details>")
    assert "2.00" in texts["cost"]
    assert "1,200" in texts["cost"]
    bare = sections(RulebookDiff("desk", "unreadable", troubles=(Trouble("head", "broken"),)))
    assert [one.name for one in bare] == ["verdict"]
    assert "broken" in bare[0].text


@pytest.mark.parametrize("render", [render_diff_text, render_diff_markdown, render_diff_html])
def test_untrusted_text_is_shown_and_does_nothing(render):
    """In a title, a flipped text and every message."""
    hostile = report(
        name=HOSTILE, unmeasured=HOSTILE, troubles=(Trouble("head", HOSTILE),), notes=(HOSTILE,)
    )
    text = render(hostile)
    assert "\x1b" not in text
    assert "\u202e" not in text
    if render is not render_diff_text:
        assert "<script" not in text
        assert "</td><" not in text.replace("</td></tr>", "")


@pytest.mark.parametrize(
    "render", [render_diff_text, render_diff_markdown, render_diff_html, render_diff_json]
)
def test_new_findings_of_lint_stand_in_every_format(render):
    """Each with its severity and message, and text of strangers does nothing."""
    found = (
        Problem("rulebooks/desk/rulebook.yaml", 9, 1, "x", f"Odd {HOSTILE}", severity="warning"),
        Problem("rulebooks/desk/rulebook.yaml", 4, 1, "y", "It leaks.", severity="error"),
    )
    text = render(report(problems=found))
    assert "It leaks." in text
    assert "Odd" in text
    if render is not render_diff_json:
        assert "1 new error and 1 new warning" in text
        assert text.index("It leaks.") < text.index("Odd")
        assert "\x1b" not in text
    if render is render_diff_html:
        assert "<script" not in text


def test_json_is_versioned_and_whole():
    """Every change, figure and flip, unrounded, once."""
    value = json.loads(render_diff_json(report()))
    assert value["schema"] == "pldgov.diff/v1"
    (book,) = value["rulebooks"]
    assert book["effect"] == "altered"
    assert book["changes"][0]["wording"][1] == {"op": "removed", "text": " old"}
    assert book["gate"]["verdict"]["macro_f1"]["base"] == 0.8
    assert "flips" not in book["gate"]["verdict"]
    assert book["flips"][0]["text"] == HOSTILE
    assert book["flips"][0]["concerns"] == [{"rule": "r-1", "how": "nearest", "score": 0.4}]


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("metadata", "metadata"), "metadata only"),
        (("provenance",), "provenance only"),
        (("reworded", "metadata"), "reworded, metadata"),
    ],
)
def test_the_headline_of_a_rule(kinds, said):
    """A rule of which nothing else changed says so."""
    assert headline([change(kind) for kind in kinds]) == said


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (change("relabelled", before=["a", "b"], after=[]), "labels: a, b -> none"),
        (change("moved", before=4, after=1), "moved from place 4 to 1"),
        (change("renamed", before="r-0", after="r-1", others=("r-0",)), "renamed from r-0"),
        (change("split", others=("a", "b")), "split into a, b"),
        (change("merged", others=("a", "b")), "merged from a, b"),
        (change("status", field="status", before="draft", after="active"), "status: draft -> active"),
        (change("metadata", field="owner", before=None, after="x"), "owner: none -> x"),
        (
            change("approval", before=None, after={"by": "Ada", "on": "2026-11-24", "digest": ""}),
            "approval: none -> by Ada on 2026-11-24",
        ),
        (
            change(
                "provenance",
                before={"origin": "distilled", "examples": [
                    {"id": "t-1", "sha256": None, "role": "support"},
                    {"id": "t-2", "sha256": None, "role": "support"},
                ]},
                after={"origin": "edited", "examples": [
                    {"id": "t-2", "sha256": "0", "role": "support"},
                    {"id": "t-3", "sha256": None, "role": "counter"},
                ]},
            ),
            "provenance: origin distilled -> edited; cites also t-3; no longer cites t-1; "
            "pins anew t-2",
        ),
        (
            Change("task", "task", "labels", True, field="fraud", before=None, after="theft"),
            "task.labels.fraud: none -> theft",
        ),
        (
            Change("examples-relabelled", "examples", "gate", False, before={"g-1": "a"},
                   after={"g-1": "b"}, others=("g-1",)),
            "gate split: 1 example relabelled (g-1: a -> b)",
        ),
        (
            Change("examples-added", "examples", "train", False, others=tuple("abcdefg")),
            "train split: 7 examples added (a, b, c, d, e and 2 more)",
        ),
        (
            Change("renamed", "rulebook", "path", False, before="a", after="b"),
            "path renamed from a to b",
        ),
        (
            Change("layout", "rulebook", "x/rulebook.yaml", False, field="line endings"),
            "line endings of x/rulebook.yaml, nothing else",
        ),
    ],
)  # fmt: skip
def test_each_change_is_a_sentence(told, said):
    """Read without the YAML beside it."""
    assert tell(told).sentence == said


def test_long_unchanged_text_is_left_out():
    """What stands near a changed word stays; a changed text itself is cut only when endless."""
    far = "x " * 500
    pieces = shorten((Piece("same", far), Piece("added", "new"), Piece("same", far)))
    assert [len(one.text) < 100 for one in pieces] == [True, True, True]
    assert "[…]" in pieces[0].text
    (long,) = shorten((Piece("added", "y" * 100_000),))
    assert len(long.text) < 2_000


def test_nothing_changed_is_said_too():
    """An empty report would look like a failure."""
    same = RulebookDiff("desk", "unchanged", "a", "a")
    assert "1 rulebook unchanged" in render_diff_text(DiffReport("a", "b", (same,)))
    assert "neither side holds a rulebook" in render_diff_text(DiffReport("a", "b", ()))
    assert "Neither side" in render_diff_markdown(DiffReport("a", "b", ()))


def test_the_page_allows_its_own_style_and_nothing_else():
    """The policy's digest is that of the style as the browser reads it; there is no script."""
    page = render_diff_html(report())
    style = re.search("<style>(.*)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = html.unescape(re.search('Content-Security-Policy" content="(.*?)"', page)[1])
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"<script|\son\w+=|\sstyle=|https?://", page)
