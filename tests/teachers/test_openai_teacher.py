"""The chat teacher against a scripted endpoint: what it sends, records, and says when it fails."""

import datetime as dt

import pytest

from pldgov.archive import JsonLinesArchive
from pldgov.distill.model import Step, Usage
from pldgov.errors import BudgetError, DataError, ProviderError, UsageError
from pldgov.workflows.consulting import consult


@pytest.fixture
def teacher(endpoint, open_one):
    """Open the chat teacher on the scripted endpoint."""

    def make(*, spent=None, **options):
        base = {"kind": "openai", "model": "m", "base_url": endpoint.url, "max_retries": 2}
        return open_one(base | options, spent=spent or Usage())

    return make


def test_teacher_request_is_messages_and_schema(endpoint, teacher, make_requests):
    """A request holds the messages and its JSON schema; nothing that a strong model refuses."""
    endpoint.script = lambda request: endpoint.chat('{"x": "y"}')
    (request,) = make_requests(1)
    list(teacher().answer([request]))
    (received,) = endpoint.received
    assert received.body == {
        "model": "m",
        "messages": list(request.messages),
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": request.schema},
        },
    }


def test_teacher_reply_says_who_when_and_what_it_took(endpoint, teacher, make_requests):
    """A reply has the digest, the model that answered, the day, tokens and money."""
    endpoint.script = lambda request: endpoint.chat('{"x": "y"}', model="m-2026", usage=(1000, 50))
    (request,) = make_requests(1)
    before = dt.datetime.now(dt.UTC).date().isoformat()
    (reply,) = teacher(price_input=2.0, price_output=10.0).answer([request])
    assert (reply.request, reply.content, reply.model, reply.mode) == (
        request.digest, '{"x": "y"}', "m-2026", "openai",
    )  # fmt: skip
    assert (reply.tokens_in, reply.tokens_out) == (1000, 50)
    assert reply.cost == pytest.approx(0.0025)
    assert before <= reply.date <= dt.datetime.now(dt.UTC).date().isoformat()


def test_teacher_yields_replies_as_they_come(endpoint, teacher, make_requests):
    """A slow reply holds up no other one; each names its own request."""

    def script(request):
        slow = request.user == "ask 1"
        return endpoint.chat(f'{{"x": "{request.user}"}}', delay=0.5 if slow else 0.0)

    endpoint.script = script
    requests = make_requests(5)
    replies = list(teacher().answer(requests))
    assert replies[-1].request == requests[1].digest
    said = {reply.request: reply.content for reply in replies}
    assert said == {r.digest: f'{{"x": "ask {n}"}}' for n, r in enumerate(requests)}


def test_teacher_works_without_schema(endpoint, teacher, make_requests, caplog):
    """An endpoint that refuses schemas is asked without one, and this is told once."""

    def script(request):
        if "response_format" in request.body:
            return endpoint.error(400, "no response_format here")
        return endpoint.chat('{"x": "y"}')

    endpoint.script = script
    assert len(list(teacher().answer(make_requests(3)))) == 3
    assert caplog.text.count("[tool.pldgov.teachers.t]: the endpoint refuses") == 1


def test_teacher_refusal_and_cut_are_replies(endpoint, teacher, make_requests, caplog):
    """A refusal, a filtered request and a reply that is cut off are recorded as what they are."""

    def script(request):
        return {
            "ask 0": endpoint.chat('{"x": "half', finish="length"),
            "ask 1": endpoint.chat("", refusal="I cannot help with that."),
            "ask 2": endpoint.error(400, "blocked", code="content_filter"),
        }[request.user]

    endpoint.script = script
    requests = make_requests(3)
    said = {reply.request: reply.content for reply in teacher(concurrency=1).answer(requests)}
    assert list(said.values()) == ['{"x": "half', "I cannot help with that.", "blocked"]
    assert "ask" not in caplog.text
    assert "cut off; raise max_tokens" in caplog.text


def test_teacher_names_the_request_that_failed(endpoint, teacher, make_requests):
    """A dead endpoint is an error that says what was asked, after the retries."""
    endpoint.script = lambda request: endpoint.error(500, "boom", headers={"retry-after-ms": "1"})
    with pytest.raises(ProviderError, match=r"\(extract: e-0\): HTTP 500 after 2 retries: boom"):
        list(teacher().answer(make_requests(1)))


def test_teacher_that_is_too_slow_is_an_error(endpoint, teacher, make_requests):
    """A reply that does not come in time ends the run and names the setting."""
    endpoint.script = lambda request: endpoint.chat("late", delay=1.0)
    with pytest.raises(ProviderError, match=r"is timeout = 0\.05 seconds enough"):
        list(teacher(timeout=0.05, max_retries=0).answer(make_requests(1)))


def test_teacher_says_what_to_do_about_a_long_request(endpoint, teacher, make_requests):
    """A request beyond the model's context hints at fewer examples a request."""
    endpoint.script = lambda request: endpoint.error(400, "context_length_exceeded")
    with pytest.raises(DataError, match="fewer examples"):
        list(teacher(structured="none").answer(make_requests(1)))


def test_teacher_keeps_caps_over_the_whole_run(endpoint, teacher, make_requests):
    """What the run has spent before counts; replies before the cap are still yielded."""
    endpoint.script = lambda request: endpoint.chat("{}")
    replies = teacher(max_requests=5, spent=Usage(3), concurrency=1).answer(make_requests(4))
    got = [next(replies), next(replies)]
    with pytest.raises(BudgetError, match=r"max_requests \(so far: 5 requests"):
        next(replies)
    assert len(got) == 2


def test_teacher_resumes_without_asking_twice(endpoint, teacher, make_requests, tmp_path):
    """An endpoint that dies midway costs nothing: the next run asks for the rest only."""
    dead = True

    def script(request):
        if dead and request.user == "ask 3":
            return endpoint.error(400, "down")
        return endpoint.chat("{}")

    endpoint.script = script
    requests = make_requests(6)

    def phase(archive):
        missing = tuple(r for r in requests if archive.get(r.digest) is None)
        return Step((), missing)

    path = tmp_path / "replies.jsonl"
    options = {"concurrency": 1, "structured": "none"}
    with JsonLinesArchive(path) as archive, pytest.raises(ProviderError):
        consult(lambda: phase(archive), teacher=teacher(**options), archive=archive)
    dead = False
    with JsonLinesArchive(path) as archive:
        done = consult(lambda: phase(archive), teacher=teacher(**options), archive=archive)
        assert (done.step.done, done.calls) == (True, 3)
    asked = [received.user for received in endpoint.received]
    assert sorted(asked) == sorted([f"ask {n}" for n in range(6)] + ["ask 3"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "openai"}, "model: field required"),
        ({"kind": "openai", "model": "m", "api_key": "sk-1"}, "must not stand in the config"),
        ({"kind": "openai", "model": "m", "max_token": 3}, 'unknown option .*"max_tokens"'),
        ({"kind": "opena", "model": "m"}, 'did you mean "openai"'),
        ({}, "one of openai, batch, replay"),
    ],
)
def test_teacher_settings_are_read_strictly(open_one, options, said):
    """An unfit table is refused with its name and what is meant."""
    with pytest.raises(UsageError, match=said) as caught:
        open_one(options)
    assert caught.value.where == "[tool.pldgov.teachers.t]"
    assert "sk-1" not in str(caught.value)


def test_only_batches_are_submitted(open_one):
    """Submitting is for the kind that writes files."""
    with pytest.raises(UsageError, match="nothing to submit"):
        open_one({"kind": "openai", "model": "m"}, submit=True)
