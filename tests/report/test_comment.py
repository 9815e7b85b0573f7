"""What a pull-request comment says, in which order, and what is left of it where room is short."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pldgov.changes import Change, Piece
from pldgov.comment_report import CommentReport, NoVerdict, RulebookNews
from pldgov.diff_report import Concern, FlippedExample, PromptFacts, RulebookDiff, Trouble
from pldgov.errors import UsageError
from pldgov.problems import Problem
from pldgov.report.comment.fitting import Part, fit, utf8_bytes, utf16_units
from pldgov.report.comment.marker import comment_marker
from pldgov.report.comment.render import COMMENT_ROOM, link_target, render_comment
from pldgov.results import (
    ComparabilityKey,
    Difference,
    Flip,
    GateReport,
    Interval,
    LabelVerdict,
    Outcome,
    Scorecard,
    StudentCard,
    Verdict,
)
from pldgov.student_lock import PartChange, StudentChange

MARKER = comment_marker()
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ELEMENTS = {
    "h2", "h3", "h4", "p", "ul", "li", "strong", "em", "blockquote", "table", "thead", "tbody", "tr",
    "th", "td", "details", "summary", "sub", "del", "ins", "span", "a", "code",
}  # fmt: skip
HOSTILE = (
    f"</td></details>{MARKER}--> <script>x</script> | `` ``` ~~~ @team #12 GH-9 https://evil.example "
    "[a](javascript:x) ![i](https://evil.example/i.png) <!-- $x$ $$ :tada: \u202e\x1b[31m\n\n# H\n- l"
)


def measured(
    outcome=Outcome.REGRESSED, *, name="desk", flips=3, labels=2, text="A text.", code=None
):
    difference = Difference(0.8, 0.7, Interval(-0.2, -0.01), 0.05, 0.01, 0.02)
    found = tuple(Flip(f"g-{i}", "fraud", "fraud", "other") for i in range(flips))
    return GateReport(
        rulebook=name,
        path=f"rulebooks/{name}/rulebook.yaml",
        student=StudentCard("tiny", "fake", "tiny-model", "2026"),
        verdict=Verdict(
            outcome,
            "macro-F1 fell by 10.0 points",
            macro_f1=difference,
            labels=tuple(
                LabelVerdict(f"label-{i}" if i else text, outcome, difference, "fell")
                for i in range(labels)
            ),
            flips=found,
            notes=(f"Note: {text}",),
        ),
        exit_code={Outcome.PASS: 0, Outcome.REGRESSED: 1}.get(outcome, 3) if code is None else code,
        key=ComparabilityKey("s", "mode=x", "jinja2 3.1", ("fraud", "other"), "0" * 64),
        scorecard=Scorecard(40, 0.7, 0.7, (), (), 0, 0, 0, interval=Interval(0.6, 0.8)),
    )


def news(name="desk", gate=None, *, text="A text.", rules=1, students=(), upgrades=(), **values):
    gate = gate if gate is not None else measured(name=name, text=text)
    judged = gate if isinstance(gate, GateReport) else None
    changes = tuple(
        Change("reworded", "rule", f"r-{i}", True, "instruction", title=text, wording=(
            Piece("same", "Keep"), Piece("removed", " " + text), Piece("added", " new"),
        )) for i in range(rules)
    )  # fmt: skip
    full = {
        "state": "changed",
        "base_path": f"rulebooks/{name}/rulebook.yaml",
        "head_path": f"rulebooks/{name}/rulebook.yaml",
        "changes": (*changes, Change("gate-policy", "gate", "max_drop", False, before=0.02, after=text)),
        "base": PromptFacts("a" * 64, 2, tokens=40, yearly_tokens=1000, yearly_cost=2.0),
        "head": PromptFacts("b" * 64, 2, tokens=50, yearly_tokens=1200, yearly_cost=2.5),
        "gate": judged,
        "flips": tuple(
            FlippedExample(flip, text, (Concern("r-0", "nearest", 0.4),))
            for flip in (judged.verdict.flips if judged else ())
        ),
        **values,
    }  # fmt: skip
    return RulebookNews(RulebookDiff(name, **full), gate, students, upgrades)


def unchanged(name, outcome=Outcome.PASS, *, code=0):
    gate = measured(outcome, name=name, flips=0, code=code)
    return RulebookNews(
        RulebookDiff(name, "unchanged", base_path="x", head_path="x", gate=gate), gate
    )


def report(*books, **values):
    return CommentReport("main@c80f0208d", "commit 9cc19c3be", books or (news(),), **values)


def render(*books, **values):
    return render_comment(report(*books), marker=MARKER, **values)


def page_of(markdown):
    """Return the HTML; every element is one that belongs here, and all are closed in order."""
    page = MARKDOWN.render(markdown)
    open_ones = []
    for closing, name in re.findall(r"<(/?)([A-Za-z][A-Za-z0-9]*)[^<>]*>", page):
        assert name in ELEMENTS, name
        if closing:
            assert open_ones.pop() == name
        else:
            open_ones.append(name)
    assert open_ones == []
    return page


# -- what it says -------------------------------------------------------------------------------


def test_the_order_of_reading():
    """Marker, verdict, what happened, figures, labels, rules, flips, cost, key, words."""
    text = render_comment(report(volume=1000), marker=MARKER)
    order = [
        MARKER, "## Rules check: not passed", "Do not merge it as it is", "*rulebook*",
        "| rulebook | verdict | test texts", "### REGRESSED: desk", "macro-F1 fell by 10.0 points",
        "| label | F1 before", "#### Changed rules (1)", "Keep <del>A text.</del> <ins>new</ins>",
        "#### What else changed", "<details><summary>Flipped examples: 3 broken",
        "at 1,000 examples a year", "Compared like with like", "What the words mean",
    ]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert (
        "| desk | **REGRESSED** | 40 | 0.800 | 0.700 (0.600 to 0.800) | -10.0 (-20.0 to -1.0) | 3 / 0 | 1 |"
        in text
    )
    assert text.startswith(f"{MARKER}\n")
    page_of(text)


@pytest.mark.parametrize(
    ("books", "title", "said"),
    [
        ((news(gate=measured(Outcome.PASS)),), "passed", "answers no worse than the policy allows"),
        ((unchanged("desk"),), "passed", "**No rulebook changed.**"),
        (
            (news(head=PromptFacts("a" * 64, 2), gate=measured(Outcome.PASS, flips=0)),),
            "passed", "**Nothing that the model reads has changed**",
        ),
        ((RulebookNews(RulebookDiff("old", "deleted")),), "passed", "No check guards them any more"),
        ((news(gate=measured(Outcome.INCONCLUSIVE)),), "no verdict", "This is not a pass."),
        ((news(gate=measured(Outcome.NO_BASELINE)),), "no verdict", "desk (NO&#95;BASELINE)"),
        ((news(gate=NoVerdict("no answers", 3)),), "no verdict", "desk (NOT&#95;MEASURED)"),
        ((news(gate=NoVerdict("it is down", 4), unmeasured="it is down"),), "no verdict", "Not measured: it"),
        ((news(gate=NoVerdict("x.yaml:3: bad", 2)),), "could not run", "met an error in desk"),
        ((news(gate=measured(Outcome.INCONCLUSIVE, code=0)),), "passed", "(allowed by the policy)"),
        ((news(gate=measured(Outcome.INCONCLUSIVE, code=1)),), "not passed", "(refused by the policy)"),
    ],
)  # fmt: skip
def test_each_end_has_its_words(books, title, said):
    """The title follows the gate's exit code, and a reviewer is told what follows."""
    text = render(*books)
    assert f"## Rules check: {title}\n" in text
    assert said.replace("&#95;", "_") in text.replace("&#95;", "_")
    page_of(text)


def test_the_worst_rulebook_decides_and_stands_first():
    """An error over a regression over doubt over a pass."""
    passed, doubt = (
        news(name, gate=measured(outcome, name=name))
        for name, outcome in (("one", Outcome.PASS), ("two", Outcome.INCONCLUSIVE))
    )
    worse, broken = news("three"), news("four", gate=NoVerdict("broken", 2))
    text = render(passed, doubt, worse, broken)
    names = re.findall(r"^\| (\w+) \| \*\*", text, re.MULTILINE)
    assert names == ["four", "three", "two", "one"]
    assert "could not run" in text
    assert "Not passed either: three (REGRESSED), two (INCONCLUSIVE)." in text
    assert re.findall(r"^### \S+ (\w+)", text, re.MULTILINE) == names


def test_unchanged_rulebooks_take_a_line():
    """Unless the gate has something to say of one: floors can fail with an unchanged rulebook."""
    text = render(news(), unchanged("same"), unchanged("alike"))
    assert "2 rulebooks unchanged, passed." in text
    assert "### PASS: same" not in text
    assert "### REGRESSED: same" in render(unchanged("same", Outcome.REGRESSED, code=1))


def test_a_side_that_cannot_be_read_is_told():
    """With its place, on both sides."""
    broken = news(
        gate=NoVerdict("rulebooks/desk/rulebook.yaml:3:1: not YAML", 2),
        state="unreadable", changes=(), troubles=(Trouble("head", "rulebooks/desk/rulebook.yaml:3:1: not YAML"),),
    )  # fmt: skip
    text = render(broken)
    assert "### ERROR: desk" in text
    assert "after the change: rulebooks/desk/rulebook.yaml:3:1: not YAML" in text


def test_another_student_is_shown_like_a_change_of_rules():
    """What changed in it, and the verdict on it, or that there is none."""
    old, new = (StudentCard("ours", "openai", model, model) for model in ("m-1", "m-2"))
    change = StudentChange("ours", old, new, (PartChange("model", "m-1", "m-2"),))
    text = render(news(students=(change,)))
    assert "#### Another student answers" in text
    assert "| model | m-1 | m-2 |" in text
    assert "**Not judged.**" in text
    judged = render(news(students=(change,), upgrades=(measured(Outcome.PASS, name="desk"),)))
    assert "#### PASS: desk" in judged
    assert "another model, answers for desk (not judged).**" in text
    assert "another model, answers for desk (PASS).**" in judged
    assert "Not judged" not in judged
    page_of(judged)
    alone = render(RulebookNews(unchanged("desk").diff, measured(Outcome.PASS), (change,)))
    assert "#### Another student answers" in alone
    assert "its answers are what they were" not in alone
    assert "No rulebook changed" not in alone


# -- untrusted text -----------------------------------------------------------------------------


def test_hostile_text_stays_in_its_place():
    """In names, labels, titles, rules, examples, notes, messages and commits."""
    change = StudentChange(HOSTILE, None, None, (PartChange(HOSTILE, HOSTILE, HOSTILE),))
    books = (
        news(HOSTILE, text=HOSTILE, students=(change,), upgrades=(measured(text=HOSTILE, name=HOSTILE),)),
        news(gate=NoVerdict(HOSTILE, 2), troubles=(Trouble("head", HOSTILE),), notes=(HOSTILE,), text=HOSTILE),
    )  # fmt: skip
    text = render_comment(CommentReport(HOSTILE, HOSTILE, books, notes=(HOSTILE,)), marker=MARKER)
    assert text.count(MARKER) == 1
    page = page_of(text)
    assert "javascript:" not in re.sub(r">[^<]*<", "><", page)
    assert "<img" not in page
    assert "<a " not in page
    shown = html.unescape(re.sub(r"<!--.*?-->", "", page))
    assert not re.search(r"@team|#12\b|GH-9|https?://|:tada:", shown)
    assert not {"\u202e", "\x1b"} & set(text)
    assert page.count("<details>") == text.count("<details>")


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60), st.integers(4_000, 30_000))
def test_any_text_in_any_room(text, room):
    """Balanced, in one piece, with one marker; and never longer than asked."""
    books = [news(f"book-{i}", text=text + HOSTILE, rules=4) for i in range(4)]
    found = render(*books, room=room)
    page_of(found)
    assert found.count("<!--") == found.count("-->") == 1
    assert utf16_units(found) <= max(room, 12_000)


# -- cutting ------------------------------------------------------------------------------------


def test_five_megabytes_in_every_field_fit():
    """Quickly, in characters, in UTF-16 and in bytes."""
    huge = "\N{PILE OF POO}<>|" * 1_250_000
    books = [
        news(f"book-{i}", text=huge, rules=15, gate=measured(flips=500, text=huge))
        for i in range(3)
    ]
    text = render(*books)
    assert len(text) <= utf16_units(text) <= COMMENT_ROOM
    assert utf8_bytes(text) <= 3 * COMMENT_ROOM < 262_144
    page_of(text)


def test_what_is_cut_first():
    """Flipped examples, then rule texts, then chapters; verdicts and figures stay."""
    books = [
        news(f"book-{i}", gate=measured(flips=100, name=f"book-{i}"), rules=30) for i in range(3)
    ]
    whole = utf16_units(render(*books, room=None))
    rooms = {share: render(*books, room=int(whole * share)) for share in (0.9, 0.4, 0.2, 0.12)}
    for text in rooms.values():
        assert "Shortened: too long for a comment" in text
        assert re.findall(r"^\| book-(\d)", text, re.MULTILINE) == ["0", "1", "2"]
        assert "What the words mean" in text
    flips, rules, chapters = (
        [len(re.findall(what, text, re.MULTILINE)) for text in rooms.values()]
        for what in (r"^\| broken \|", "<del>", "^### REGRESSED")
    )
    assert flips == sorted(flips, reverse=True)
    assert (flips[0] > 100, rules[0], chapters[0]) == (True, 90, 3)
    assert (flips[1], rules[1] > 0, chapters[1]) == (0, True, 3)
    assert (rules[2], chapters[2]) == (0, 3)
    assert 0 < chapters[3] < 3
    assert "They stand in the full report" in rooms[0.2]


def test_a_cut_text_says_where_the_rest_is():
    """In the run whose summary has more, or wherever one was told."""
    books = [news(gate=measured(flips=100), text="x" * 300)]
    url = "https://github.example/octo/rules/actions/runs/7"
    text = render(*books, room=8_000, full_report=url)
    assert f"[the full report]({url})" in text
    assert f'<a href="{url}">the full report</a>' in page_of(text)
    assert "in the job summary" in render(*books, room=8_000)
    assert "Shortened" not in render(*books, full_report=url)


def test_the_full_report_is_linked_wherever_there_is_one():
    """In a whole comment too, once; a run is named only where its summary has more."""
    url = "https://github.example/octo/rules/actions/runs/7/artifacts/8"
    assert render(full_report=url).count(f"[The full report]({url})") == 1
    cut_off = render(news(text="x" * 300, rules=90), room=6_000, full_report=url)
    assert "Shortened" in cut_off
    assert f"[The full report]({url})" in cut_off
    assert url not in render(run=url)
    assert url in render(news(text="x" * 300, rules=90), room=6_000, run=url)


def test_both_sides_have_their_interval():
    """The base's own where it was measured, nothing in its place where it was not."""
    gate = replace(measured(), base_interval=Interval(0.71, 0.88))
    assert "| 0.800 (0.710 to 0.880) | 0.700 (0.600 to 0.800) |" in render(news(gate=gate))
    assert "| 0.800 | 0.700 (0.600 to 0.800) |" in render()


def test_new_findings_of_lint_are_told_errors_first():
    """With their place and the word explained; hostile messages do nothing, and few suffice."""
    found = (
        Problem("rulebooks/desk/rulebook.yaml", 9, 1, "x", HOSTILE, severity="warning"),
        Problem("rulebooks/desk/rulebook.yaml", 4, 1, "y", "It leaks.", severity="error"),
    )
    text = render(news(problems=found))
    page = page_of(text)
    assert "Lint: 1 new error and 1 new warning" in text
    assert text.index("error: It leaks. (rulebook.yaml, line 4)") < text.index("warning: ")
    assert "<script>" not in page
    assert "**lint**" in text
    assert "**lint**" not in render()
    many = tuple(replace(found[0], line=line) for line in range(1, 400))
    text = render(news(problems=many))
    assert "399 new warnings" in text
    assert "and 379 more; " in text
    short = render(news(problems=many), room=7_000)
    assert "399 new warnings" in short
    assert "line 12" not in short


def test_a_thousand_labels_and_a_thousand_rulebooks():
    """Tables are cut at the very end, to what lost most."""
    text = render(news(gate=measured(labels=3_000)))
    assert utf16_units(text) <= COMMENT_ROOM
    assert "more labels" in text
    text = render(*(news(f"book-{i}") for i in range(1_000)))
    assert utf16_units(text) <= COMMENT_ROOM
    assert "more rulebooks" in text


parts = st.lists(
    st.lists(
        st.builds(
            Part,
            st.sampled_from(["a", "b"]),
            st.lists(st.text("xyz", min_size=1, max_size=50), min_size=1, max_size=3).map(
                lambda found: tuple(sorted(found, key=len, reverse=True))
            ),
        ),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=5,
)


@given(parts, st.integers(0, 600))
def test_fitting(chapters, room):
    """Within the room unless the first chapter alone is too large; whole where it fits."""
    steps = [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    fitted = fit(chapters, steps=steps, room=room)
    least = sum(len(part.versions[-1]) + 2 for part in chapters[0])
    assert len(fitted.text) <= max(room, least)
    whole = "\n\n".join(part.versions[0] for chapter in chapters for part in chapter) + "\n"
    if len(whole) + 1 <= room:
        assert (fitted.text, fitted.is_cut) == (whole, False)
    elif not fitted.is_cut:
        assert fitted.text == whole


def test_sizes():
    """Beyond the basic plane a character takes two units and four bytes."""
    assert (utf16_units("a\U0001f600"), utf8_bytes("a\U0001f600")) == (3, 5)


# -- marker and link ----------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=200).filter(str.strip))
def test_no_key_ends_the_marker(key):
    """It is one HTML comment on one line, whatever the key holds."""
    marker = comment_marker(key)
    assert re.fullmatch(r"<!-- pldgov-comment: [\w.~%/-]+ -->", marker)
    assert MARKDOWN.render(f"{marker}\n\nText") == f"{marker}\n<p>Text</p>\n"


def test_keys_are_told_apart():
    """Also where one begins like the other."""
    assert not comment_marker("team/a b").startswith(comment_marker("team/a"))
    assert comment_marker("a b") != comment_marker("a%20b")
    for wrong in ("", " ", "x" * 201):
        with pytest.raises(UsageError, match="1 to 200"):
            comment_marker(wrong)


@pytest.mark.parametrize("url", [
    "javascript:alert(1)", "https://x.example/a)b", "https://x.example/a b", "https://x.example/<x>",
    "x.example", "https://x.example/\u202e", "https://x.example\n",
])  # fmt: skip
def test_no_address_that_ends_its_link(url):
    """It is refused where it is given."""
    with pytest.raises(UsageError, match="artifact-url"):
        link_target(url)
