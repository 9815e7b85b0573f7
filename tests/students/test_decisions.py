"""The decisions student against a scripted endpoint: both dialects, request and reply."""

from math import inf, nan

import pytest
from openai import OpenAI
from openai.types import Decision
from openai.types.decision_create_params import DecisionCreateParams
from pydantic import ConfigDict, TypeAdapter, with_config

from pldgov.errors import DataError, ProviderError, UsageError
from pldgov.questions import Prompt, Turn
from pldgov.results import Answer
from pldgov.students import open_student

USAGE = {
    "input_tokens": 40,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 40,
}


@pytest.fixture
def student(endpoint, tmp_path):
    """Open the decisions student on the scripted endpoint."""

    def make(**options):
        base = {"kind": "decisions", "model": "d", "base_url": endpoint.url, "max_retries": 0}
        return open_student("judge", base | options, root=tmp_path)

    return make


@pytest.fixture
def with_turns(prompt):
    """Return the prompt with one exemplar shown as turns."""
    turns = (Turn("an input", "beta"),)
    return Prompt(prompt.system, prompt.labels, prompt.user_template, turns)


def decision(answer):
    """Return a reply of OpenAI's Decisions API, checked against the package's own type."""
    body = {"model": "d", "answers": [answer], "usage": USAGE}
    Decision.model_validate(body, strict=True)
    return body


def choice(probabilities):
    """Return an answer to a choice question in OpenAI's dialect."""
    best = max(probabilities, key=probabilities.get)
    options = [{"value": value, "probability": each} for value, each in probabilities.items()]
    return {
        "type": "choice",
        "name": "label",
        "choice": best,
        "confidence": probabilities[best],
        "probabilities": options,
    }


def system_one(answer):
    """Return a reply of the System One API, its answers by the question's name."""
    answers = {} if answer is None else {"label": answer}
    return {"model": "d", "answers": answers, "usage": {"input_tokens": 40, "output_tokens": 0}}


def weighed(probabilities):
    """Return an answer to a choice question in System One's dialect."""
    best = max(probabilities, key=probabilities.get)
    return {
        "type": "choice",
        "choice": best,
        "confidence": probabilities[best],
        "probabilities": probabilities,
    }


def reply_in(dialect, probabilities):
    """Return a reply in a dialect that gives these probabilities."""
    if dialect == "openai":
        return decision(choice(probabilities))
    return system_one(weighed(probabilities))


class TestOpenAIDialect:
    """OpenAI's Decisions API, as far as it can be checked without its server."""

    def test_decisions_request(self, endpoint, student, with_turns, queries):
        """Rules as developer message, turns, input; one choice question; the digest as key."""
        endpoint.script = lambda _: endpoint.json(decision(choice({"alpha": 0.3, "beta": 0.7})))
        list(student().answer(with_turns, queries(1)))
        (request,) = endpoint.received
        assert request.path == "/v1/decisions"
        assert request.body == {
            "model": "d",
            "input": [
                {"type": "message", "role": "developer", "content": "Answer alpha or beta."},
                {"type": "message", "role": "user", "content": "an input"},
                {"type": "message", "role": "assistant", "content": "beta"},
                {"type": "message", "role": "user", "content": "q0"},
            ],
            "questions": [
                {
                    "type": "choice",
                    "name": "label",
                    "instructions": "Which label does the policy give to this input?",
                    "choices": [
                        {"value": "alpha", "description": "The first one."},
                        {"value": "beta", "description": "The second one."},
                    ],
                }
            ],
            "prompt_cache_key": with_turns.digest,
        }

    def test_decisions_request_fits_the_package(self, endpoint, student, with_turns, queries):
        """What is sent is what ``client.decisions.create`` sends, and fits its types."""
        endpoint.script = lambda _: endpoint.json(decision(choice({"alpha": 0.3, "beta": 0.7})))
        list(student().answer(with_turns, queries(1)))
        ours = endpoint.received[0]
        adapter = TypeAdapter(with_config(ConfigDict(extra="forbid"))(DecisionCreateParams))
        checked = adapter.validate_python(ours.body)
        assert [list(item) for item in checked["questions"]]
        assert [item["role"] for item in checked["input"]]
        with OpenAI(base_url=endpoint.url, api_key="none", max_retries=0) as client:
            client.decisions.create(**ours.body)
        theirs = endpoint.received[1]
        assert (theirs.path, theirs.body) == (ours.path, ours.body)
        for name in ("content-type", "accept"):
            assert theirs.headers[name] == ours.headers[name]

    def test_decisions_refusal_is_data(self, endpoint, student, prompt, queries):
        """A question that the model declines is an answer without a label."""
        refusal = decision({"type": "refusal", "name": "label"})
        endpoint.script = lambda _: endpoint.json(refusal)
        ((_, answer),) = student().answer(prompt, queries(1))
        assert (answer.label, answer.scores, answer.raw) == (None, None, "refusal")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"answers": None},
            {"answers": []},
            {"answers": ["alpha"]},
            {"answers": [{"type": "predicate", "probability": 0.5}]},
            {"answers": [{"type": "choice", "probabilities": ["alpha"]}]},
            {"answers": [{"type": "choice", "probabilities": []}]},
        ],
    )
    def test_decisions_reply_without_decision_is_an_error(
        self, endpoint, student, prompt, queries, body
    ):
        """A reply that answers something else names address and example."""
        endpoint.script = lambda _: endpoint.json(body)
        with pytest.raises(ProviderError, match=r"/v1: example 'e-0': the reply"):
            list(student().answer(prompt, queries(1)))


class TestSystemOneDialect:
    """The System One API; the real server is in test_decisions_served.py."""

    @pytest.fixture(autouse=True)
    def replies(self, endpoint):
        """Answer every request."""
        body = system_one(weighed({"alpha": 0.3, "beta": 0.7}))
        endpoint.script = lambda _: endpoint.json(body)

    def test_decisions_system_one_request(self, endpoint, student, prompt, queries):
        """The input is the state, the rules are the instructions, the labels the criteria."""
        list(student(dialect="systemone").answer(prompt, queries(1)))
        (request,) = endpoint.received
        assert request.path == "/v1/systemone"
        assert request.body == {
            "model": "d",
            "state": "q0",
            "questions": {
                "label": {
                    "type": "choice",
                    "instructions": "Answer alpha or beta.",
                    "criteria": {"alpha": "The first one.", "beta": "The second one."},
                }
            },
        }

    def test_decisions_rules_can_go_first(self, endpoint, student, prompt, queries):
        """With the rules in the state, requests share their beginning, and the question is asked."""
        asked = student(dialect="systemone", rules_in="state", question="Which?")
        list(asked.answer(prompt, queries(1)))
        (request,) = endpoint.received
        assert request.body["state"] == {"policy": "Answer alpha or beta.", "input": "q0"}
        assert request.body["questions"]["label"]["instructions"] == "Which?"

    def test_decisions_system_one_takes_no_turns(self, endpoint, student, with_turns, queries):
        """A prompt with turns is refused before any request, with the way out."""
        with pytest.raises(UsageError, match=r"1 exemplars as chat turns.*use a template"):
            list(student(dialect="systemone").answer(with_turns, queries(1)))
        assert endpoint.received == []

    def test_decisions_question_left_out_is_refused(self, endpoint, student, prompt, queries):
        """An answer that is missing from a good reply is an answer without a label."""
        endpoint.script = lambda _: endpoint.json(system_one(None))
        ((_, answer),) = student(dialect="systemone").answer(prompt, queries(1))
        assert (answer.label, answer.raw) == (None, "refusal")

    @pytest.mark.parametrize("answer", ["alpha", {"type": "noul", "noul": 0.5}, []])
    def test_decisions_other_answer_is_an_error(self, endpoint, student, prompt, queries, answer):
        """An answer to another type of question is no decision."""
        endpoint.script = lambda _: endpoint.json(system_one(answer))
        with pytest.raises(ProviderError, match="holds no decision"):
            list(student(dialect="systemone").answer(prompt, queries(1)))


@pytest.mark.parametrize("dialect", ["openai", "systemone"])
class TestBothDialects:
    """What does not depend on the dialect."""

    def test_decisions_probabilities_are_kept(self, endpoint, student, prompt, queries, dialect):
        """Every label has its probability, in the prompt's order; the label is the likeliest."""
        body = reply_in(dialect, {"beta": 0.7, "alpha": 0.3})
        endpoint.script = lambda _: endpoint.json(body)
        ((_, answer),) = student(dialect=dialect).answer(prompt, queries(1))
        assert answer == Answer(
            "beta",
            scores={"alpha": 0.3, "beta": 0.7},
            score_kind="probability",
            tokens_in=40,
            seconds=answer.seconds,
        )
        assert list(answer.scores) == ["alpha", "beta"]
        assert answer.seconds > 0

    def test_decisions_tie_goes_to_the_first_label(
        self, endpoint, student, prompt, queries, dialect
    ):
        """Equal probabilities give the label that the rulebook lists first."""
        endpoint.script = lambda _: endpoint.json(reply_in(dialect, {"beta": 0.5, "alpha": 0.5}))
        ((_, answer),) = student(dialect=dialect).answer(prompt, queries(1))
        assert answer.label == "alpha"

    @pytest.mark.parametrize(
        "probabilities",
        [
            {"alpha": 1.0},
            {"alpha": 0.6, "gamma": 0.4},
            {"alpha": 0.2, "beta": 0.2},
            {"alpha": -0.5, "beta": 1.5},
            {"alpha": nan, "beta": 0.5},
            {"alpha": inf, "beta": 0.5},
        ],
    )
    def test_decisions_probabilities_must_be_some(
        self, endpoint, student, prompt, queries, dialect, probabilities
    ):
        """Missing, foreign, negative or not finite: nothing is made up, the reply is an error."""
        endpoint.script = lambda _: endpoint.json(reply_in(dialect, probabilities))
        with pytest.raises(ProviderError, match=r"example 'e-0': .*1 in all"):
            list(student(dialect=dialect).answer(prompt, queries(1)))

    def test_decisions_errors_are_the_endpoints(self, endpoint, student, prompt, queries, dialect):
        """Too many labels, a text too long, no such route: each as with the chat student."""
        asked = student(dialect=dialect)
        endpoint.script = lambda _: endpoint.json({"detail": "at most 1 options"}, status=422)
        with pytest.raises(ProviderError, match=r"refused \(HTTP 422\): at most 1 options"):
            list(asked.answer(prompt, queries(1)))
        endpoint.script = lambda _: endpoint.error(400, "x", code="context_length_exceeded")
        with pytest.raises(DataError, match="example 'e-0'"):
            list(asked.answer(prompt, queries(1)))
        endpoint.script = lambda _: endpoint.json({"detail": "Not Found"}, status=404)
        with pytest.raises(ProviderError, match=rf"serve {asked._dialect.path} and model 'd'"):
            list(asked.answer(prompt, queries(1)))
        endpoint.script = lambda _: endpoint.error(400, "filtered", code="content_filter")
        ((_, answer),) = asked.answer(prompt, queries(1))
        assert (answer.label, answer.raw) == (None, "filtered")


def test_decisions_card_tells_dialects_and_questions_apart(student):
    """Whatever the model reads beside the prompt is part of the fingerprint."""
    options = (
        {},
        {"question": "Which?"},
        {"dialect": "systemone"},
        {"dialect": "systemone", "rules_in": "state"},
        {"dialect": "systemone", "rules_in": "state", "question": "Which?"},
        {"served_model": "d-2"},
    )
    assert len({student(**each).card.fingerprint for each in options}) == len(options)
    unread = student(dialect="systemone", question="Which?").card
    assert unread.fingerprint == student(dialect="systemone").card.fingerprint
    assert unread.kind == "decisions"
