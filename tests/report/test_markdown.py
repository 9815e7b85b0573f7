"""Untrusted text in Markdown: shown as it is, and nothing else happens."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pldgov.report.markdown import escape, rows_of

APART = "\N{ZERO WIDTH SPACE}"
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])

SNIPPETS = (
    "@octocat", "@org/team", "#12", "GH-7", "owner/repo#3", "https://example.org/x", "www.example.org",
    "a@example.org", "**b**", "`code`", "```", "~~~", "<script>", "</details>", "<!--", "-->", "|",
    "[a](b)", "![a](b)", "[^1]", "- ", "1. ", "2) ", "# ", "> ", "---", "===", "&amp;", "&#64;", "\\",
    "$x$", ":tada:", "\u202e", "\u200b", "\x1b[31m", "\ud800", "\n", "\n\n    ", "\t", "_a_", "~~a~~",
)  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=5))).map("".join)


def shown(markdown: str) -> str:
    """Return the text that a browser shows for one paragraph of Markdown; it must be one."""
    (inner,) = re.fullmatch(r"<p>(.*)</p>\n", MARKDOWN.render(markdown), re.DOTALL).groups()
    assert re.sub(r"</?span>", "", inner).count("<") == 0, inner
    return html.unescape(re.sub(r"</?span>", "", inner))


def plain(text: str) -> str:
    """Return what is to be seen of a text without hidden characters."""
    return " ".join(text.split())


@given(texts.filter(lambda text: text.strip() and text.isprintable()))
def test_text_is_shown_as_it_is(text):
    """As one paragraph, wherever in it the special characters stand."""
    assert shown(escape(text)).replace(APART, "") == plain(text)


@given(texts.filter(plain))
def test_nothing_hidden_and_no_element_is_left(text):
    """Bidirectional controls, escapes and surrogates are spelt out, so that it is valid UTF-8."""
    seen = shown(escape(text))
    seen.encode("utf-8")
    assert "\x1b" not in seen
    assert "\u202e" not in seen
    assert "\n" not in escape(text)


@given(texts, texts)
def test_a_table_keeps_its_cells(first, second):
    """No text ends a cell or a row."""
    lines = rows_of(("a", "b"), [(escape(first), escape(second))])
    page = MARKDOWN.render("\n".join(lines))
    assert page.count("<td") == 2
    assert page.count("<tr") == 2


@given(texts)
def test_nothing_is_left_of_what_a_forge_makes_live(text):
    """Forges look for these in rendered text, where no escape protects."""
    seen = html.unescape(MARKDOWN.render(escape(text)))
    assert not re.search(r"@\w|#\d|GH-\d|://|www\.|:\d*[a-z_+-][\w+-]*:", seen, re.IGNORECASE)
    assert not re.search(r"\$", re.sub(r"<span>\$</span>", "", seen))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("rulebooks/desk/rulebook.yaml:14:5: broken",) * 2,
        ("macro-F1 fell by 2.0 points (95 % interval -4.1 to +0.2)",) * 2,
        ("g-00",) * 2,
        ("see @ops", "see &#64;&#8203;ops"),
        ("for $5", "for <span>$</span>5"),
    ],
)
def test_the_source_stays_legible(text, source):
    """Mail shows it: what does no harm is not escaped."""
    assert escape(text) == source
