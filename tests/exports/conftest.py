"""Exports of prompts that try every way to be misread, and the tools that read them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pldgov.dataset import Example
from pldgov.exports.model import Asked, Export
from pldgov.exports.user_template import Field, Literal
from pldgov.questions import Prompt, Turn
from pldgov.students.openai_chat import label_schema

HOSTILE = (
    'Say {{ name }}, {% raw %}, {# note #}, {{{x}}}, {{{{y}}}}, {{#if a}}b{{/if}} and {"a": {"b": 1}}.\n'
    "A quote \"\"\" within a line, '''too''', `code`, \\{{ and \\\\{{ and \\n.\n"
    "--- +++ ~~~ # no comment\n"
    "    indented, \ttabbed; ${env:HOME} $HOME %PATH% {{ env.HOME }} {{env.PATH}}\n"
    "FROM elsewhere\n"
    "Müller, 東京, \U0001f468\u200d\U0001f469? {% endraw %} {{!}} {{role 'user'}} {{history}}\n"
    "& < > &amp; <b>bold</b> * not: [a, list]"
).replace("\u200d", "")
LABELS = {
    "yes": "It is.",
    "no": "It is not.",
    "it's: {odd}": "A label with signs.",
    "12": "A number.",
}


@pytest.fixture
def export():
    """Make an export: two turns, two fields, four labels; keyword arguments replace parts."""

    def make(*, system=HOSTILE, turns=None, labels=LABELS, template=None, **more):
        if turns is None:
            turns = (Turn(HOSTILE, "yes"), Turn("}} plain {", "it's: {odd}"))
        prompt = Prompt(system, labels, "Title: {{ title }}\n{{ text }}\n", tuple(turns))
        pieces = (Literal("Title {: "), Field("title"), Literal("}\n"), Field("text"))
        response_format = label_schema(tuple(labels))
        given = {
            "prompt": prompt,
            "rulebook": "desk",
            "title": "Desk",
            "fields": ("title", "text"),
            "pieces": pieces if template is None else template,
            "schema": response_format["json_schema"]["schema"],
            "response_format": response_format,
            "model": "tiny:1b",
            "settings": {"temperature": 0, "max_tokens": 64},
        }
        return Export(**given | more)

    return make


INPUTS = {
    "title": "A {{ title }} with {% signs %}",
    "text": ' "quoted" {{path}} \\{{ \\n\nline 2',
}


def expected_messages(export: Export, inputs=None) -> list[dict[str, str]]:
    """Return what a model must get: the turns, and the input between the template's words."""
    inputs = INPUTS if inputs is None else inputs
    last = "".join(
        inputs[one.name] if isinstance(one, Field) else one.text for one in export.pieces
    )
    return [*export.prompt.messages, {"role": "user", "content": last}]


@pytest.fixture
def expected():
    """Return the function ``expected_messages``."""
    return expected_messages


@pytest.fixture
def inputs():
    """Return values of the fields, as hostile as the prompt."""
    return dict(INPUTS)


@pytest.fixture
def asked():
    """Make an input with a labelled example."""

    def make(id_="g-1", label="no", **inputs):
        example = Example(id_, {**INPUTS, **inputs}, label)
        return Asked(id_, "the user message", example)

    return make


@pytest.fixture(scope="session")
def node_tool():
    """Find a package of Node.js; skip, saying how to get it, where it is absent."""

    def find(package: str) -> Path:
        if shutil.which("node") is None:
            pytest.skip("Node.js is not installed")
        place = os.environ.get("NODE_TOOLS")
        folder = Path(place or Path.home() / ".cache/pldgov-node-tools") / "node_modules" / package
        if not folder.is_dir():
            pytest.skip(
                f"the npm package {package} is not here: run `npm install {package}` in a folder "
                "and set NODE_TOOLS to it"
            )
        return folder

    return find
