"""Requests and batches are what the openai package's own types ask for."""

from __future__ import annotations

import json

import pytest
from pydantic import TypeAdapter

from pldgov.errors import UsageError
from pldgov.exports.openai_chat import MOST_LINES, render_openai_batch, render_openai_request


@pytest.fixture(scope="module")
def parameters():
    """Return a validator of the parameters of a chat completion."""
    params = pytest.importorskip("openai.types.chat.completion_create_params")
    return TypeAdapter(params.CompletionCreateParamsNonStreaming)


def strict(parameters, body):
    """Validate a body, and that no field of it is unknown to the package."""
    params = pytest.importorskip("openai.types.chat.completion_create_params")
    known = params.CompletionCreateParamsNonStreaming.__annotations__
    assert set(body) <= {*known, *params.CompletionCreateParamsBase.__annotations__}
    parameters.validate_python(body)
    return body


def test_a_request_is_what_the_package_sends(parameters, export, asked):
    """Model, messages with turns, the labels as an enumeration, the settings."""
    made = export(asked=[asked()])
    body = strict(parameters, json.loads(render_openai_request(made)))
    assert body["model"] == "tiny:1b"
    assert body["messages"] == [
        *made.prompt.messages,
        {"role": "user", "content": "the user message"},
    ]
    schema = body["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["properties"]["label"]["enum"] == list(made.prompt.labels)
    assert (body["temperature"], body["max_tokens"]) == (0, 64)


def test_a_request_tells_which_prompt_it_is(export, asked):
    """In the one field that reaches no model, is allowed without storing, and fits."""
    made = export(asked=[asked()], rulebook="a-" * 45)
    key = json.loads(render_openai_request(made))["prompt_cache_key"]
    assert key.endswith(f"@{made.prompt.digest[:16]}")
    assert key.startswith("a-a-")
    assert len(key) == 64


def test_a_student_of_plain_text_gets_no_schema(export, asked):
    """The request asks as the student was measured."""
    assert "response_format" not in json.loads(
        render_openai_request(export(asked=[asked()], response_format=None))
    )


def test_a_batch_has_a_request_for_each_example(parameters, export, asked):
    """In order, each with an id of its own that leads to rulebook, prompt and example."""
    made = export(asked=[asked("g-1"), asked("g:2")])
    lines = [json.loads(line) for line in render_openai_batch(made).splitlines()]
    digest = made.prompt.digest[:12]
    assert [line["custom_id"] for line in lines] == [f"desk:{digest}:g-1", f"desk:{digest}:g:2"]
    for line in lines:
        assert set(line) == {"custom_id", "method", "url", "body"}
        assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
        strict(parameters, line["body"])
        assert line["body"]["messages"][:-1] == list(made.prompt.messages)


@pytest.mark.parametrize("count", [0, 2])
def test_a_request_is_about_one_input(export, asked, count):
    """None and several are refused with what to do."""
    with pytest.raises(UsageError, match="--input FIELD=TEXT"):
        render_openai_request(export(asked=[asked()] * count))


def test_a_batch_needs_data_and_fits_a_file(export, asked):
    """Nothing, and more than the API takes in one file, are refused."""
    with pytest.raises(UsageError, match="--data FILE or --split"):
        render_openai_batch(export())
    small = export(system="x", turns=(), asked=[asked()] * (MOST_LINES + 1))
    with pytest.raises(UsageError, match="50,001 requests"):
        render_openai_batch(small)


@pytest.mark.parametrize("render", [render_openai_batch, render_openai_request])
def test_a_request_names_a_model(export, asked, render):
    """Without one there is nobody to ask."""
    with pytest.raises(UsageError, match="--model"):
        render(export(asked=[asked()], model=None))
