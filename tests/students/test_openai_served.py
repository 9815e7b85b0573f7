"""The chat student against the real ``transformers serve`` with SmolLM2, on loopback."""

import re

import openai
import pytest

from pldgov.errors import ProviderError
from pldgov.questions import Prompt, Query, Turn
from pldgov.students import open_student

pytestmark = pytest.mark.slow

LABELS = {"sports": "About sports.", "cooking": "About food."}
TURNS = (
    Turn("The team scored twice and won the match.", "sports"),
    Turn("Boil the pasta and add the sauce.", "cooking"),
    Turn("The goalkeeper saved a penalty.", "sports"),
    Turn("Bake the bread for forty minutes.", "cooking"),
)
PROMPT = Prompt("Answer with one word: sports or cooking.", LABELS, "{{ text }}", TURNS)
QUERIES = (
    Query("e-1", "1" * 64, "The striker kicked the ball into the net."),
    Query("e-2", "2" * 64, "Fry the onions in butter, then add salt."),
    Query("e-3", "3" * 64, "The players trained for the final match."),
)


@pytest.fixture
def student(transformers_server, tmp_path):
    """Open the chat student on the real server."""

    def make(**options):
        base = {
            "kind": "openai",
            "model": transformers_server.model,
            "base_url": transformers_server.url,
            "max_tokens": 8,
            "timeout": 120,
        }
        return open_student("local", base | options, root=tmp_path)

    return make


def test_openai_served_answers_follow_the_exemplars(transformers_server, student):
    """Real answers: labels read from text, tokens counted, the same again in another order."""
    asked = student(structured="none", concurrency=2)
    answers = dict(asked.answer(PROMPT, QUERIES))
    assert [answers[i].label for i in range(3)] == ["sports", "cooking", "sports"]
    for answer in answers.values():
        assert answer.tokens_in > 60
        assert 1 <= answer.tokens_out <= 8
        assert answer.seconds > 0
    again = dict(student(structured="none", concurrency=1).answer(PROMPT, QUERIES[::-1]))
    assert [again[2 - i].raw for i in range(3)] == [answers[i].raw for i in range(3)]


def test_openai_served_schema_is_given_up_aloud(student, caplog):
    """This server takes no heed of response_format: auto finds out, says so, and reads text."""
    answers = dict(student(structured="auto").answer(PROMPT, QUERIES))
    assert [answers[i].label for i in range(3)] == ["sports", "cooking", "sports"]
    assert "ignores response_format" in caplog.text


def test_openai_served_model_id_is_checked(transformers_server, student):
    """What the server calls its model can be pinned, and anything else is refused."""
    served = _served_model(transformers_server)
    assert served.startswith(transformers_server.model)
    pinned = student(structured="none", served_model=served)
    assert len(list(pinned.answer(PROMPT, QUERIES[:1]))) == 1
    said = f"answered as '{re.escape(served)}', but served_model says 'another'"
    with pytest.raises(ProviderError, match=said):
        list(student(structured="none", served_model="another").answer(PROMPT, QUERIES[:1]))


def _served_model(server):
    """Ask the server itself: before 5.24 it appended ``@main`` to the name it was started with."""
    client = openai.OpenAI(base_url=server.url, api_key="none")
    messages = [{"role": "user", "content": "Say yes."}]
    return client.chat.completions.create(model=server.model, messages=messages, max_tokens=1).model


def test_openai_served_wrong_model_is_refused(student):
    """A model that the server does not serve is an error with the server's own words."""
    with pytest.raises(ProviderError, match="Server is pinned to"):
        list(student(model="another/model", max_retries=0).answer(PROMPT, QUERIES[:1]))
