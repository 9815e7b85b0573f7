"""Formatting gives one layout, keeps meaning and comments, and is refused otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pldgov.errors import UsageError
from pldgov.rulebook.document import parse_document
from pldgov.rulebook.formatting import format_text

VALID = Path(__file__).with_name("valid.yaml").read_text("utf-8")

UGLY = """\
# about
schema:   pldgov.rulebook/v1
rules:
# c0
- id:   452415e071   # c1
  references:
  - 1_000
  # c2
  - 0x1F
  - 'q'
  - "d"
  - 2026-1-1
  - 1e5
  rationale: one
    two
  owner: ~
  instruction: |   # c3
         kept  \n
         as is
  title: >-
    folded
    text


- id: no

# the end
\n\n"""
TIDY = """\
# about
schema: pldgov.rulebook/v1
rules:
# c0
  - id: 452415e071   # c1
    references:
      - 1_000
  # c2
      - 0x1F
      - 'q'
      - "d"
      - 2026-1-1
      - 1e5
    rationale: one two
    owner:
    instruction: |   # c3
      kept  \n
      as is
    title: >-
      folded
      text


  - id: no

# the end
"""


def test_a_formatted_file_stays():
    """What is laid out already comes back byte for byte."""
    assert format_text(VALID) == VALID


def test_one_layout():
    """Indentation and spacing change; quotes, block texts, comments and odd scalars do not."""
    assert format_text(UGLY) == TIDY
    assert format_text(TIDY) == TIDY


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_become_lf(end):
    """CRLF and CR become LF; a byte order mark goes."""
    assert format_text("\N{ZERO WIDTH NO-BREAK SPACE}" + VALID.replace("\n", end)) == VALID


def test_a_document_start_stays():
    """A leading --- stays, with the comments above and below it."""
    for head in ("---\n", "# a\n---\n", "# a\n\n---\n# b\n"):
        assert format_text(head + VALID) == head + VALID


def test_the_end_of_a_kept_text_stays():
    """Blank lines at the end go, but not those that a |+ text holds."""
    assert format_text("a: x\n\n\n") == "a: x\n"
    kept = format_text("a: |+\n  x\n\n\n")
    assert kept.startswith("a: |+\n  x\n\n\n")


def test_the_modeline_is_added_once():
    """The schema is named in the first line if no line names one."""
    assert (
        format_text("a: x\n", schema="../s.json")
        == "# yaml-language-server: $schema=../s.json\na: x\n"
    )
    named = "# yaml-language-server: $schema=x\na: x\n"
    assert format_text(named, schema="../s.json") == named


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [\n", "line 2, column 1"),
        ("- a\n", "not a mapping"),
        ("", "not a mapping"),
        ("a: 1\na: 2\n", "second time"),
        ("a: {b: 1,\n  # note\n  c: 2}\n", "comment '# note'"),
        ("a: !x y\n", "tag"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(text, said):
    """A text that is broken, or whose comments would move, raises an error that says so."""
    with pytest.raises(UsageError, match=said):
        format_text(text)


PIECES = st.sampled_from(
    ["a: 1", "  b: x", "  c:", "- d", "  - e: 'f'", "# note", "  # deep", "g: |", "  text", "    # in text",
     "", "   ", "h: {i: j}  # after", "k: [l, m]", "n: ~", '  o: "p"', "q: >-", "  r", "s: &t u", "v: *t", "---", "\t"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, max_size=14))
def test_formatting_is_stable_or_refused(lines):
    """Any text is refused, or formatted to one that says the same and stays when formatted."""
    text = "\n".join(lines)
    try:
        once = format_text(text)
    except UsageError:
        return
    assert format_text(once) == once
    assert once.endswith("\n")
    comments = [line.strip() for line in lines if line.strip().startswith("#")]
    assert all(comment in once for comment in comments)


def test_formatting_does_not_change_what_the_rulebook_says():
    """The rulebook read from a formatted text equals the one read before."""
    text = VALID.replace("status: active", "status:   active").replace("labels: [", "labels:   [ ")
    before = parse_document(text.encode(), path="x").rulebook
    assert parse_document(format_text(text).encode(), path="x").rulebook == before
