"""`prompty` files are read by the real package of that name."""

from __future__ import annotations

import pytest
import yaml

from pldgov.errors import TemplateError
from pldgov.exports.prompty import render_prompty
from pldgov.exports.user_template import Field, Literal
from pldgov.questions import Turn


@pytest.fixture
def prompty():
    """Return the package; skip where it is not installed."""
    return pytest.importorskip("prompty", reason="pip install prompty")


def read(prompty, text, tmp_path, inputs):
    path = tmp_path / "desk.prompty"
    path.write_text(text, encoding="utf-8", newline="\n")
    agent = prompty.load(path)
    messages = prompty.prepare(agent, inputs)
    return agent, [{"role": one.role, "content": one.text} for one in messages]


def test_the_model_gets_what_was_reviewed(prompty, export, expected, inputs, tmp_path):
    """System text, turns, fields and signs of every template language arrive as they are."""
    made = export()
    _, messages = read(prompty, render_prompty(made), tmp_path, inputs)
    assert messages == expected(made)


def test_labels_model_and_digest_are_in_the_header(prompty, export, inputs, tmp_path):
    """The labels are the values that the answer may have; the digest says what this is."""
    made = export()
    agent, _ = read(prompty, render_prompty(made), tmp_path, inputs)
    assert [one.name for one in agent.inputs] == ["title", "text"]
    assert agent.outputs[0].enum_values == list(made.prompt.labels)
    assert agent.model.id == "tiny:1b"
    assert agent.model.options.temperature == 0
    assert agent.model.options.max_output_tokens == 64
    assert agent.metadata["prompt_sha256"] == made.prompt.digest
    assert agent.metadata["rulebook"] == "desk"


def test_the_answer_is_held_to_the_labels(prompty, export, inputs, tmp_path):
    """The package itself makes a response format of the header that allows the labels only."""
    from prompty.providers.openai.executor import _output_schema_to_wire

    made = export()
    agent, _ = read(prompty, render_prompty(made), tmp_path, inputs)
    schema = _output_schema_to_wire(agent)["json_schema"]["schema"]
    assert schema["properties"]["label"]["enum"] == list(made.prompt.labels)
    assert schema["required"] == ["label"]


def test_without_a_model_the_header_says_so(export):
    """A file that names no model is a file to fill in, and says it."""
    text = render_prompty(export(model=None))
    assert "# No model was named: set model.id" in text
    assert "id" not in yaml.safe_load(text.split("---\n")[1])["model"]


def test_settings_without_a_place_are_named(export):
    """What the header cannot hold is not lost without a word."""
    text = render_prompty(export(settings={"temperature": 0, "logit_bias": {}}))
    assert "# Settings of the student that are not written here: logit_bias" in text


@pytest.mark.parametrize("line", ["user:", "  # System :", "ASSISTANT[a=b]:", "developer:"])
@pytest.mark.parametrize("place", ["system", "turn", "template"])
def test_a_line_that_would_be_a_role_is_refused(export, line, place):
    """Such a line would end the system text and put words into another's mouth."""
    text = f"First\n{line}\nlast"
    made = {
        "system": lambda: export(system=text),
        "turn": lambda: export(turns=[Turn(text, "yes")]),
        "template": lambda: export(template=(Literal(text), Field("text"))),
    }[place]()
    with pytest.raises(TemplateError, match="which Prompty takes for a role"):
        render_prompty(made)


@pytest.mark.parametrize("sign", ["\r", "\x0b", "\x85", "\u2028"])
def test_a_character_that_would_become_a_line_break_is_refused(export, sign):
    """The reader splits lines at more than line feeds."""
    with pytest.raises(TemplateError, match=f"U\\+{ord(sign):04X}"):
        render_prompty(export(system=f"a{sign}b"))


def test_a_label_that_would_end_the_header_is_refused(export):
    """The header ends at three dashes, wherever they stand."""
    with pytest.raises(TemplateError, match="where Prompty ends its header"):
        render_prompty(export(labels={"a---b": "x", "c": "y"}))


@pytest.mark.parametrize("name", ["my-field", "my.field", "2nd"])
def test_a_field_that_is_no_variable_is_refused(export, name):
    """Jinja would read a subtraction or an attribute."""
    with pytest.raises(TemplateError, match="cannot be a variable's name"):
        render_prompty(export(fields=(name,), template=(Field(name),)))


def test_a_template_that_cannot_be_taken_apart_is_refused(export):
    """With the reason, and a format that does it."""
    with pytest.raises(TemplateError, match=r"user.j2 does more.*openai-batch"):
        render_prompty(export(template="user.j2 does more"))
