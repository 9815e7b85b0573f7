"""User templates are taken apart where that is the whole truth, and else refused with the reason."""

from __future__ import annotations

import pytest

from pldgov.dataset import Example
from pldgov.exports.user_template import Field, Literal, take_apart
from pldgov.prompt import PromptBuilder
from pldgov.rulebook.document import parse_document

BOOK = """\
schema: pldgov.rulebook/v1
name: desk
title: Desk
owner: me
task:
  instruction: Say.
  inputs: [{fields}]
  labels: {{a: A, b: B}}
examples: {{train: t.jsonl, gate: g.jsonl}}
prompt: {{template: plain.j2}}
rules: []
"""


def apart(source, *, fields=("text",), **others):
    document = parse_document(BOOK.format(fields=", ".join(fields)).encode(), path="r.yaml")
    templates = {"plain.j2": "x", "user.j2": source, **others}
    builder = PromptBuilder(document.rulebook, templates=templates, train=tuple)
    sources = {"user.j2": source, **others}
    return take_apart(
        sources, fields=fields, render=lambda inputs: builder.user_text(Example("", inputs, ""))
    )


FIELDS = (
    "{% for name, value in inputs.items() %}\n{{ name | capitalize }}: {{ value }}\n{% endfor %}"
)


@pytest.mark.parametrize(
    ("source", "fields", "pieces"),
    [
        ("{{ text }}\n", ("text",), (Field("text"),)),
        ("{# note #}A {{ text }}!{{ text }}", ("text",), (Literal("A "), Field("text"), Literal("!"), Field("text"))),
        (FIELDS, ("a", "b"), (Literal("A: "), Field("a"), Literal("\nB: "), Field("b"))),
        ("{{ a ~ ' / ' ~ b }}", ("a", "b"), (Field("a"), Literal(" / "), Field("b"))),
        ("{{ inputs['my-field'] }}", ("my-field",), (Field("my-field"),)),
    ],
)  # fmt: skip
def test_words_and_fields(source, fields, pieces):
    """What prints fields between fixed words is those words and fields."""
    assert apart(source, fields=fields) == pieces


def test_what_it_includes_counts():
    """An included template is part of it, for good and bad."""
    source = '{% include "part.j2" %}'
    assert apart(source, **{"part.j2": "T: {{ text }}"}) == (Literal("T: "), Field("text"))
    refused = apart(source, **{"part.j2": "{% if text %}{{ text }}{% endif %}"})
    assert refused == "part.j2 does more than print fields (line 1: If)"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{% if text %}{{ text }}{% endif %}", "line 1: If"),
        ("{{ text | upper }}", "it does not print text|it changes"),
        ("{{ text | capitalize }}", "it does not print text|it changes"),
        ("{{ text | truncate(200) }}", "Filter"),
        ("{{ text | trim }}", "Filter"),
        ("{{ text | tojson }}", "Filter"),
        ("{{ text.strip() }}", "Call"),
        ("{{ text[:10] }}", "Slice"),
        ("{{ text if text else 'none' }}", "CondExpr"),
        ("{% for c in text if c != 'x' %}{{ c }}{% endfor %}", "loop with conditions"),
        ("{% for c in text %}{{ c }} {% endfor %}", "it changes"),
        ("{% set x = text %}{{ x }}", "Assign"),
    ],
)
def test_what_depends_on_the_value_is_refused(source, reason):
    """A template that looks at a value has no pieces, and the reason is told."""
    import re

    said = apart(source)
    assert isinstance(said, str), said
    assert re.search(reason, said), said
