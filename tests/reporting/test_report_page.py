"""The page as text: what it says, what it never holds, and that it is always the same."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pldgov.dossier import Point
from pldgov.report.page.chart import BOTTOM, HEIGHT, TOP, draw
from pldgov.report.page.rendering import example_anchor, link, rule_anchor, script_json
from pldgov.report.visible import visible


def test_the_same_inputs_give_the_same_bytes(taught, report, tmp_path):
    """Nothing in the page tells when or where it was made."""
    for name in ("one", "two"):
        assert report(taught, "desk", "-o", tmp_path / name).exit_code == 0
    first, second = ((tmp_path / name / "index.html").read_bytes() for name in ("one", "two"))
    assert first == second
    assert str(tmp_path).encode() not in first


def test_its_policy_names_its_own_style_and_script_and_nothing_else(taught, page_of):
    """The digests in the policy are those of what stands in the page."""
    text = page_of(taught).read_text()
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    for element, source in (("style", "style-src"), ("script", "script-src")):
        (inside,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{source} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_it_loads_nothing(taught, page_of):
    """There is no address to load from, no inline handler and no inline style."""
    text = page_of(taught).read_text()
    assert not re.search(r"\b(?:src|srcset|action|style|on[a-z]+)=", re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL))  # fmt: skip
    assert "innerHTML" not in text
    assert "eval(" not in text


def test_it_tells_what_is_known(taught, page_of):
    """Figures, rules, citations, reasoning, history and ledger are all there."""
    text = page_of(taught).read_text()
    for said in (
        "0.975",  # macro-F1 of the evidence
        "If somebody took the money, the label is fraud.",
        "not approved",
        'href="#example-train-i-t-00"',
        "Reasoning about t-00.",
        'href="#rule-i-r-01"',
        "student: other, right",
        "student: fraud, wrong",
        "Bless: second",
        "first measurement",
        "rulebooks/desk/evidence/recorded.json",
        "pldgov explain desk --save",
    ):
        assert said in text, said


def test_steps_between_measurements_are_judged(blessed, page_of):
    """Macro-F1 over time says of each step what the gate would have said."""
    text = page_of(blessed).read_text()
    over_time = text[text.index('id="over-time"') : text.index("What the labels mean")]
    assert ">PASS</span>" in over_time
    assert over_time.count('class="mark"') == 2


def test_evidence_of_another_prompt_is_not_passed_off_as_the_present_one(blessed, page_of):
    """Once a rule is reworded the figures are those of before, and the page says so."""
    assert "of another prompt" not in page_of(blessed).read_text()
    blessed.write_rulebook(rule="Something else entirely.")
    assert "The figures are of another prompt" in page_of(blessed).read_text()


def test_evidence_that_was_edited_is_called_so(blessed, page_of):
    """A macro-F1 that does not follow from the committed decisions is no macro-F1."""
    path = blessed.root / "rulebooks/desk/evidence/recorded.json"
    found = json.loads(path.read_text())
    found["scorecard"]["macro_f1"] = 0.999
    path.write_text(json.dumps(found))
    assert "the file was edited" in page_of(blessed).read_text()


def test_without_evidence_it_says_how_to_get_it(governance_repo, page_of):
    """A rulebook that nobody measured still has a page."""
    text = page_of(governance_repo()).read_text()
    assert "not measured" in text
    assert "pldgov bless commits it" in text


def test_without_git_it_says_what_the_files_say(taught, page_of):
    """Outside a repository there is no history, and all the rest."""
    import shutil

    shutil.rmtree(taught.root / ".git")
    text = page_of(taught).read_text()
    assert "No commit holds this rulebook yet." in text
    assert "0.975" in text


def test_effects_of_rules_are_shown_while_they_hold(taught, page_of, monkeypatch):
    """What `explain --save` recorded is shown, and left out once the prompt is another."""
    from click.testing import CliRunner

    from pldgov.cli import cli
    from pldgov.workflows.sides import builder_of
    from pldgov.workspace import Workspace

    monkeypatch.chdir(taught.root)
    workspace = Workspace.around()
    revision = workspace.load(taught.path)
    answers_file = taught.root / "recordings/desk.jsonl"
    rows = [json.loads(line) for line in answers_file.read_text().splitlines()]
    now = builder_of(revision).build().prompt.digest
    known = [row for row in rows if row["prompt"] == now]
    for rule in revision.rulebook.active_rules:
        rest = [one for one in revision.rulebook.active_rules if one is not rule]
        digest = builder_of(revision).build(rest).prompt.digest
        rows += [{**row, "prompt": digest} for row in known]
    answers_file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    saved = CliRunner().invoke(cli, ["explain", "desk", "--save"])
    assert saved.exit_code == 0, saved.output
    assert "+0.0 points (+0.0 to +0.0), 0 answers changed: inert" in page_of(taught).read_text()
    taught.write_rulebook(rule="Something else entirely.")
    text = page_of(taught).read_text()
    assert "0 answers changed" not in text
    assert "of another prompt or student, and left out" in text


def test_texts_that_may_not_be_spread_are_left_out(taught, page_of):
    """Examples that are kept out of git stay out of the page, unless asked for."""
    text = (taught.root / "rulebooks/desk/examples/gate.jsonl").read_text()
    secret = json.loads(text.splitlines()[0])["text"]
    files = {split: f"examples/{split}.jsonl" for split in ("train", "validation", "gate")}
    assert secret in page_of(taught).read_text()
    assert secret not in page_of(taught, "--no-texts").read_text()
    taught.write_rulebook(examples={**files, "obtain": "ask the archive"})
    withheld = page_of(taught).read_text()
    assert secret not in withheld
    assert "Text left out." in withheld
    assert secret in page_of(taught, "--texts").read_text()


def test_examples_that_are_not_here_do_not_stop_it(taught, page_of):
    """Without the examples rules, figures and history are shown, and how to get the rest."""
    files = {split: f"examples/{split}.jsonl" for split in ("train", "validation", "gate")}
    taught.write_rulebook(examples={**files, "obtain": "ask the archive"})
    for file in (taught.root / "rulebooks/desk/examples").iterdir():
        file.unlink()
    text = page_of(taught).read_text()
    assert "ask the archive" in text
    assert ">not here</span>" in text


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("evidence/ledger.jsonl", '{"on": "2026-11-24"}\n'),
        ("evidence/ledger.jsonl", "[]\n"),
        ("evidence/recorded.json", '{"schema": "pldgov.evidence/v1"}'),
        ("evidence/recorded.explain.json", "{}"),
        ("teacher/extract.jsonl", "not JSON\n"),
    ],
)
def test_a_damaged_file_is_named(taught, report, tmp_path, file, content):
    """What cannot be read is an error with its place, never a page with a gap."""
    taught.write(f"rulebooks/desk/{file}", content)
    result = report(taught, "desk", "-o", tmp_path / "page")
    assert result.exit_code == 2
    assert f"rulebooks/desk/{file}" in result.output
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("desc", "-o", "out"), 2, 'did you mean "desk"?'),
        (("desk",), 2, "--output"),
        (("desk", "-o", "pyproject.toml"), 2, "is a file"),
        (("desk", "-o", "out", "--base", "nowhere"), 3, "git knows no revision 'nowhere'"),
        (("desk", "-o", "out", "--base", "main..main"), 2, "names one revision"),
        (("desk", "-o", "out", "--student", "nobody"), 2, "there is no student 'nobody'"),
    ],
)
def test_wrong_use_is_explained(blessed, report, arguments, code, said):
    """Each wrong use says what is wrong, and leaves with the code for it."""
    result = report(blessed, *arguments)
    assert (result.exit_code, said in result.output) == (code, True), result.output


def test_the_report_of_a_distillation_keeps_its_name(blessed, report):
    """`report distill` is still a report of its own, and the page can be named too."""
    assert "no distillation is recorded" in report(blessed, "distill", "desk").output
    assert report(blessed, "page", "desk", "-o", "out").exit_code == 0


def test_two_revisions_stand_side_by_side(edited, page_of):
    """Reworded and added rules, the verdict and the flipped examples are told."""
    text = page_of(edited, "--base", "main").read_text()
    changes = text[text.index('id="changes"') : text.index('id="rules"')]
    assert "<del>somebody</del>" in changes.replace(" </del>", "</del>").replace("<del> ", "<del>")
    assert "A lost card is other." in changes
    assert "REGRESSED" in changes
    assert 'href="#example-gate-i-g-03"' in changes
    assert 'href="#rule-i-r-01"' in changes
    order = [changes.index(f"<h3>{name}") for name in ("What the", "Changed rules", "Flipped")]
    assert order == sorted(order)
    overview = text[: text.index('id="changes"')]
    assert "REGRESSED" in overview
    assert re.search(r"macro-F1 \d\.\d{3} before, \d\.\d{3} now", overview)
    assert "2 rules changed" in overview


def test_a_label_that_lost_its_rule_and_other_provenance_are_told(edited, page_of):
    """Lint's new findings stand among the changes; citations are lines, not code."""
    book = yaml.safe_load(edited.rulebook.read_text())
    book["rules"][1]["labels"] = ["fraud"]
    cited = book["rules"][1]["provenance"]["examples"]
    book["rules"][1]["provenance"]["examples"] = [*cited, {"id": "t-09", "role": "counter"}]
    edited.rulebook.write_text(yaml.safe_dump(book, sort_keys=False))
    text = page_of(edited, "--base", "main").read_text()
    changes = text[text.index('id="changes"') : text.index('id="rules"')]
    assert "no active rule argues for the label &#34;other&#34;" in changes
    assert "- t-09, role counter" in changes
    assert "{&#34;id&#34;" not in changes


def test_a_base_without_the_rulebook_has_nothing_to_compare(blessed, page_of):
    """A rulebook that is new since the base is shown as a whole."""
    root = blessed.git("rev-list", "--max-parents=0", "HEAD")
    other = blessed.another("fresh")
    other.write_examples()
    other.write_rulebook()
    other.record()
    text = page_of(other, "--base", root).read_text()
    assert f"Changes since {root[:9]}" in text


# -- pieces ---------------------------------------------------------------------------------------


@given(st.text())
def test_visible_text_is_valid_and_in_order(text):
    """No control, no bidirectional mark and no lone surrogate is left."""
    seen = visible(text)
    seen.encode()
    assert not re.search("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", seen)  # fmt: skip
    assert text.isascii() is False or not text.isprintable() or seen == text


@given(st.recursive(st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_json_in_a_script_element_cannot_end_it(value):
    """What is embedded comes back as it was, and holds nothing that HTML would read."""
    text = str(script_json(value))
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value


@given(st.text(min_size=1), st.text(min_size=1))
def test_anchors_are_safe_and_tell_ids_apart(one, other):
    """Every id has an anchor of its own, whatever it is made of."""
    for anchor in (rule_anchor, example_anchor):
        assert re.fullmatch("[A-Za-z0-9._-]+", anchor(one))
        assert (anchor(one) == anchor(other)) is (one == other)


@pytest.mark.parametrize(
    ("text", "follows"),
    [
        ("https://example.org/policy?a=1#b", True),
        ("http://example.org", False),
        ("javascript:alert(1)", False),
        ("https://example.org\u202e/x", False),
        ("see https://example.org", False),
        ("https://user@example.org", False),
        ("data:text/html,x", False),
        ('https://example.org/"><b>', False),
    ],
)
def test_only_plain_addresses_become_links(text, follows):
    """A reference is a link only where it is nothing but an https address."""
    assert (link(text) is not None) is follows


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_every_mark_lies_in_the_chart(values):
    """The axis spans all points and intervals; better is higher."""
    points = [
        Point(
            "c" * 40,
            "2026-11-24",
            "A",
            "S",
            "s",
            value,
            9,
            "p",
            max(0, value - 0.1),
            min(1, value + 0.1),
        )
        for value in values
    ]
    chart = draw(points)
    for mark in chart.marks:
        assert TOP - 0.1 <= mark.high <= mark.y <= mark.low <= HEIGHT - BOTTOM + 0.1
    ordered = sorted(chart.marks, key=lambda mark: mark.point.macro_f1)
    assert [mark.y for mark in ordered] == sorted((mark.y for mark in ordered), reverse=True)
    assert draw([]) is None


def test_what_cannot_be_seen_is_spelt_out(governance_repo, page_of):
    """A rule that lint refuses is still shown, with every hidden character as its code."""
    repo = governance_repo()
    repo.write_rulebook(rule="Refuse\u202e all \u2066\u200bof it.", title="A\ufeff\u061c desk")
    text = page_of(repo).read_text()
    assert "Refuse⟨U+202E⟩ all ⟨U+2066⟩⟨U+200B⟩of it." in text
    assert "A⟨U+FEFF⟩⟨U+061C⟩ desk" in text
    assert not set("\u202e\u2066\u200b\ufeff\u061c") & set(text)


def test_lone_surrogates_do_not_stop_it(taught, page_of):
    """What JSON can hold and UTF-8 cannot is spelt out too."""
    path = taught.root / "rulebooks/desk/evidence/ledger.jsonl"
    path.write_text(path.read_text().replace('"first"', '"a \\ud800 b"'))
    assert "a ⟨U+D800⟩ b" in page_of(taught).read_text()
