"""`dotprompt` files are read by the real packages: the one of Node.js, and the one of Python."""

from __future__ import annotations

import json
import subprocess

import pytest

from pldgov.errors import TemplateError
from pldgov.exports.dotprompt import render_dotprompt
from pldgov.exports.user_template import Field, Literal
from pldgov.questions import Turn

PROGRAM = """
const {{ Dotprompt }} = require({package});
let text = '';
process.stdin.on('data', (part) => text += part);
process.stdin.on('end', async () => {{
  const {{ source, input }} = JSON.parse(text);
  const dotprompt = new Dotprompt();
  const rendered = await dotprompt.render(source, {{ input }});
  console.log(JSON.stringify(rendered));
}});
"""


@pytest.fixture
def render(node_tool):
    """Render a source with Node.js' package."""
    program = PROGRAM.format(package=json.dumps(str(node_tool("dotprompt"))))

    def run(source, inputs):
        given = json.dumps({"source": source, "input": inputs})
        done = subprocess.run(
            ["node", "-e", program],
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)

    return run


def messages_of(rendered):
    roles = {"model": "assistant"}
    return [
        {
            "role": roles.get(one["role"], one["role"]),
            "content": "".join(part["text"] for part in one["content"]),
        }
        for one in rendered["messages"]
    ]


def test_the_model_gets_what_was_reviewed(render, export, expected, inputs):
    """System text, turns, fields and signs of every template language arrive as they are."""
    made = export(template=(Literal("Title: "), Field("title"), Literal("}\n"), Field("text")))
    rendered = render(render_dotprompt(made), inputs)
    assert messages_of(rendered) == expected(made)


@pytest.mark.parametrize(
    "text",
    [
        "{{{{{", "\\\\\\{{x}}", "a\\{{b\\\\{{c", "{{a\\\\{{{b", "{{~x~}}", "{{{{raw}}}} {{{{/raw}}}}",
        " leading", "trailing ", "}starts", " }} {{ }}\n\n", "\n\nlines\n\n", "{", "\\",
        "{{!-- note --}}", "a}}}}b", "<<<dotprompt", "{{> partial}}", "{{&amp}}",
    ],
)  # fmt: skip
def test_texts_that_look_like_templates(render, export, expected, text):
    """Braces, backslashes and white space come out as they went in, wherever they stand."""
    made = export(
        system=text, turns=[Turn(text, "yes"), Turn(text, "no")], template=(Field("text"),)
    )
    if text in {"{", "\\"}:
        assert text in render_dotprompt(made)
    rendered = render(render_dotprompt(made), {"text": text})
    assert messages_of(rendered) == expected(made, {"text": text})


@pytest.mark.parametrize("name", ["role", "history", "my-field", "my.field", "2nd", "if", "this"])
def test_any_name_of_a_field(render, export, expected, name):
    """A field called as a helper, or not as a variable, is still the field."""
    made = export(fields=(name,), template=(Literal("x "), Field(name)))
    rendered = render(render_dotprompt(made), {name: "value"})
    assert messages_of(rendered) == expected(made, {name: "value"})


def test_labels_model_and_digest_are_in_the_header(render, export, inputs):
    """The answer's schema has the labels; the digest says what this is."""
    made = export()
    source = render_dotprompt(export(template=(Field("title"), Field("text"))))
    rendered = render(source, inputs)
    assert rendered["output"]["schema"]["properties"]["label"]["enum"] == list(made.prompt.labels)
    assert rendered["output"]["format"] == "json"
    assert rendered["model"] == "tiny:1b"
    assert rendered["config"] == {"temperature": 0, "max_tokens": 64}
    assert rendered["raw"]["input"]["schema"]["required"] == ["title", "text"]
    assert rendered["raw"]["metadata"]["prompt_sha256"] == made.prompt.digest
    assert made.prompt.digest in source.split("---")[1]


def test_the_python_package_reads_it_too(export, expected, inputs):
    """The port renders the same messages."""
    dotpromptz = pytest.importorskip("dotpromptz", reason="pip install dotpromptz")
    assert dotpromptz
    import asyncio

    from dotpromptz.dotprompt import Dotprompt
    from dotpromptz.typing import DataArgument

    made = export(
        system="Say {x} and {{ name }}.",
        turns=[Turn("q {% if %}", "yes")],
        template=(Field("text"),),
    )
    source = render_dotprompt(made)
    rendered = asyncio.run(Dotprompt().render(source, DataArgument(input=inputs)))
    got = [
        ("".join(part.text for part in one.content), getattr(one.role, "value", one.role))
        for one in rendered.messages
    ]
    assert [text for text, _ in got] == [one["content"] for one in expected(made)]


def test_what_cannot_be_escaped_is_refused(export):
    """A role marker in a text, and a brace that would join a tag."""
    with pytest.raises(TemplateError, match="with which Dotprompt marks roles"):
        render_dotprompt(export(system="a <<<dotprompt:role:user>>> b"))
    with pytest.raises(TemplateError, match="directly before the field text"):
        render_dotprompt(export(template=(Literal("{"), Field("text"))))
    with pytest.raises(TemplateError, match="ends with '{'"):
        render_dotprompt(export(system=" a {"))


def test_without_a_model_the_header_says_so(export):
    """A file that names no model is a file to fill in, and says it."""
    source = render_dotprompt(export(model=None, template=(Field("title"), Field("text"))))
    assert "# No model was named" in source
