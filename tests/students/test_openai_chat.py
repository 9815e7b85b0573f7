"""The chat student against a scripted endpoint: what it sends, reads, and says when it fails."""

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest

from pldgov.errors import DataError, ProviderError
from pldgov.questions import Prompt, Turn
from pldgov.students import open_student
from pldgov.students.openai_chat import label_schema, read_label

KEY = "sk-test-1234567890abcdef"


@pytest.fixture
def student(endpoint, tmp_path):
    """Open the chat student on the scripted endpoint; short waits, no schema unless asked for."""

    def make(**options):
        base = {"kind": "openai", "model": "m", "base_url": endpoint.url, "structured": "none"}
        return open_student("mine", base | options, root=tmp_path)

    return make


def sleepless(reply):
    """Ask for the shortest wait before a retry."""
    return type(reply)(reply.body, reply.status, {"retry-after-ms": "1"}, reply.delay)


def test_openai_request_is_prompt_turns_and_input(endpoint, student, prompt, queries):
    """The messages are the prompt's and then the input; decoding is greedy unless told."""
    shown = Prompt(prompt.system, prompt.labels, prompt.user_template, (Turn("u", "beta"),))
    list(student(seed=7, extra_body={"top_k": 1}).answer(shown, queries(1)))
    (request,) = endpoint.received
    assert request.path == "/v1/chat/completions"
    assert request.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Answer alpha or beta."},
            {"role": "user", "content": "u"},
            {"role": "assistant", "content": "beta"},
            {"role": "user", "content": "q0"},
        ],
        "temperature": 0.0,
        "max_tokens": 64,
        "seed": 7,
        "top_k": 1,
    }


def test_openai_temperature_can_be_left_out(endpoint, student, prompt, queries):
    """Models that refuse a temperature, and the newer name of max_tokens, can be served."""
    options = {"temperature": "unset", "max_tokens_field": "max_completion_tokens"}
    list(student(**options).answer(prompt, queries(1)))
    assert endpoint.received[0].body.keys() == {"model", "messages", "max_completion_tokens"}


def test_openai_answers_belong_to_their_inputs(endpoint, student, prompt, queries):
    """Whatever the order of replies, each index is yielded once, with its own answer."""

    def script(request):
        number = int(request.user[1:])
        label = ("alpha", "beta")[number % 2]
        return endpoint.chat(label, usage=(number, 1), delay=0.02 * (number % 3))

    endpoint.script = script
    answers = dict(student(concurrency=8).answer(prompt, queries(40)))
    assert sorted(answers) == list(range(40))
    for index, answer in answers.items():
        assert answer.label == ("alpha", "beta")[index % 2]
        assert (answer.tokens_in, answer.tokens_out) == (index, 1)
        assert answer.seconds >= 0.02 * (index % 3)


def test_openai_first_request_goes_alone_then_up_to_the_limit(endpoint, student, prompt, queries):
    """One request until the first reply, then never more than ``concurrency``."""
    seen = []

    def script(request):
        seen.append(endpoint.in_flight)
        return endpoint.chat("alpha", delay=0.2 if request.number == 0 else 0.05)

    endpoint.script = script
    start = time.perf_counter()
    first = next(student(concurrency=5).answer(prompt, queries(30)))
    assert first[0] == 0
    assert time.perf_counter() - start > 0.2
    answers = list(student(concurrency=5).answer(prompt, queries(30)))
    assert len(answers) == 30
    assert seen[0] == 1
    assert endpoint.most_in_flight == 5


def test_openai_closing_the_generator_stops_the_requests(endpoint, student, prompt, queries):
    """A reader that stops early leaves nothing in flight and thousands unsent."""
    endpoint.script = lambda request: endpoint.chat("alpha", delay=0.02)
    answers = student(concurrency=4).answer(prompt, queries(5000))
    for _ in range(3):
        next(answers)
    answers.close()
    sent = len(endpoint.received)
    assert sent < 40
    time.sleep(0.1)
    assert len(endpoint.received) == sent


def test_openai_slow_reader_holds_the_requests_back(endpoint, student, prompt, queries):
    """Answers nobody has taken do not pile up without end."""
    answers = student(concurrency=4).answer(prompt, queries(2000))
    next(answers)
    time.sleep(1.0)
    assert len(endpoint.received) < 40
    answers.close()


def test_openai_ctrl_c_keeps_the_answers_so_far(endpoint, tmp_path):
    """An interrupt between two answers ends the process at once, with those that came."""
    program = f"""
import _thread, signal, threading, time
from pathlib import Path
from pldgov.students import open_student
from pldgov.questions import Prompt, Query
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
options = dict(kind="openai", model="m", base_url={endpoint.url!r}, structured="none", timeout=30)
student = open_student("mine", options, root=Path("."))
prompt = Prompt("s", {{"alpha": "a", "beta": "b"}}, "t")
queries = [Query(str(i), str(i), str(i)) for i in range(100)]
got = []
try:
    for index, answer in student.answer(prompt, queries):
        got.append(index)
        if len(got) == 5:
            threading.Timer(0.3, _thread.interrupt_main).start()
except KeyboardInterrupt:
    print("interrupted", len(got))
"""
    endpoint.script = lambda request: endpoint.chat("alpha", delay=0 if request.number < 5 else 30)
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "interrupted 5\n"
    assert time.perf_counter() - start < 30
    assert done.stderr == ""


def test_openai_works_inside_a_running_event_loop(endpoint, student, prompt, queries):
    """A notebook, which runs a loop of its own, can use the student."""

    async def notebook():
        return list(student().answer(prompt, queries(3)))

    assert len(asyncio.run(notebook())) == 3


def test_openai_needs_no_package_for_its_card():
    """Importing the student and reading its card loads no openai."""
    program = """
import sys
from pathlib import Path
from pldgov.students import open_student
card = open_student("x", {"kind": "openai", "model": "m"}, root=Path(".")).card
assert card.snapshot == "m"
assert not {"openai", "httpx2", "aiohttp", "numpy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_openai_card_pins_what_changes_answers(student):
    """Speed, address and price are not part of the fingerprint; model and decoding are."""
    card = student().card
    same = student(concurrency=64, timeout=5, max_retries=0, base_url="http://localhost:1/v1")
    assert same.card.fingerprint == card.fingerprint
    changes = ({"served_model": "m-2026"}, {"max_tokens": 9}, {"seed": 1}, {"temperature": 0.5})
    others = {student(**change).card.fingerprint for change in changes}
    assert len(others) == 4
    assert card.fingerprint not in others


def test_openai_works_without_aiohttp(endpoint):
    """The faster transport is an extra: without it the package's own one is used."""
    program = f"""
import sys
sys.modules["aiohttp"] = None
from pathlib import Path
from pldgov.students import open_student
from pldgov.questions import Prompt, Query
options = dict(kind="openai", model="m", base_url={endpoint.url!r}, structured="none")
student = open_student("mine", options, root=Path("."))
prompt = Prompt("s", {{"alpha": "a", "beta": "b"}}, "t")
queries = [Query(str(i), str(i), str(i)) for i in range(20)]
print(len(dict(student.answer(prompt, queries))))
assert "httpcore2" in sys.modules or "httpx2" in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("20\n", "")


def test_openai_without_the_package_names_the_extra(endpoint):
    """Without openai the card is there all the same, and asking says what to install."""
    program = f"""
import sys
sys.modules["openai"] = None
from pathlib import Path
from pldgov.errors import ProviderError
from pldgov.students import open_student
from pldgov.questions import Prompt, Query
options = dict(kind="openai", model="m", base_url={endpoint.url!r})
student = open_student("mine", options, root=Path("."))
assert student.card.fingerprint
try:
    list(student.answer(Prompt("s", {{"a": "a"}}, "t"), [Query("1", "1", "1")]))
except ProviderError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert "pip install 'pldgov[openai]'" in done.stdout
    assert endpoint.received == []


class TestLabels:
    """From replies to labels."""

    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("alpha", "alpha"),
            (" Beta.\n", "beta"),
            ('{"label": "beta"}', "beta"),
            ('{"label": "gamma"}', None),
            ('["alpha"]', "alpha"),
            ("neither", None),
            ("", None),
            (None, None),
            ([{"type": "text"}], None),
        ],
    )
    def test_openai_bad_answer_is_data(self, endpoint, student, prompt, queries, text, label):
        """A text that names no label is an answer without one, and is kept."""
        endpoint.script = lambda request: endpoint.chat(text)
        ((_, answer),) = student().answer(prompt, queries(1))
        assert answer.label == label
        assert answer.raw == (text if isinstance(text, str) else "")

    def test_openai_refusals_are_data(self, endpoint, student, prompt, queries):
        """A refusal, a filtered reply and a filtered request are answers without a label."""
        replies = [
            endpoint.chat("alpha", refusal="I will not say alpha"),
            endpoint.chat("alpha", finish="content_filter"),
            endpoint.chat(None, finish="content_filter"),
            endpoint.error(400, "filtered", code="content_filter"),
        ]
        endpoint.script = lambda request: replies[int(request.user[1:])]
        answers = dict(student().answer(prompt, queries(4)))
        said = ["I will not say alpha", "alpha", "content_filter", "filtered"]
        assert [answers[i].label for i in range(4)] == [None] * 4
        assert [answers[i].raw for i in range(4)] == said

    def test_openai_cut_answer_is_told_once(self, endpoint, student, prompt, queries, caplog):
        """An answer cut off before its label warns that max_tokens is too small."""
        endpoint.script = lambda request: endpoint.chat("let me think", finish="length")
        list(student(max_tokens=3).answer(prompt, queries(3)))
        assert caplog.text.count("cut off at max_tokens = 3") == 1

    def test_openai_label_with_quotes_survives_json(self):
        """A label that JSON must escape is read back exactly."""
        label = 'not "sure"\\ – ünïcode'
        assert read_label(json.dumps({"label": label}), [label, "x"]) == label


class TestSchema:
    """Structured choice, where the server offers it."""

    def test_openai_schema_lists_the_labels(self, endpoint, student, prompt, queries, caplog):
        """A server that heeds the schema gets it with every request, and nothing is logged."""
        endpoint.script = lambda request: endpoint.chat('{"label": "beta"}')
        answers = dict(student(structured="auto").answer(prompt, queries(3)))
        assert {answer.label for answer in answers.values()} == {"beta"}
        expected = label_schema(["alpha", "beta"])
        assert [each.body["response_format"] for each in endpoint.received] == [expected] * 3
        enum = expected["json_schema"]["schema"]["properties"]["label"]["enum"]
        assert enum == ["alpha", "beta"]
        assert caplog.text == ""

    @pytest.mark.parametrize("status", [400, 422])
    def test_openai_refused_schema_is_dropped_aloud(
        self, endpoint, student, prompt, queries, caplog, status
    ):
        """The setting auto asks again without the schema, once, and says so."""

        def script(request):
            if "response_format" in request.body:
                return endpoint.error(status, "response_format is not supported")
            return endpoint.chat("alpha")

        endpoint.script = script
        asked = student(structured="auto")
        assert len(list(asked.answer(prompt, queries(5)))) == 5
        assert len(list(asked.answer(prompt, queries(5)))) == 5
        assert len(endpoint.received) == 11
        assert caplog.text.count("refuses (response_format is not supported)") == 1

    def test_openai_ignored_schema_is_dropped_aloud(
        self, endpoint, student, prompt, queries, caplog
    ):
        """The setting auto notices from the first answer that the server took no heed, and says so."""
        list(student(structured="auto").answer(prompt, queries(4)))
        sent = ["response_format" in each.body for each in endpoint.received]
        assert sent == [True, False, False, False]
        assert caplog.text.count("ignores response_format") == 1

    def test_openai_demanded_schema_is_never_dropped(self, endpoint, student, prompt, queries):
        """json_schema means it: a refusal is an error."""
        endpoint.script = lambda request: endpoint.error(400, "response_format is not supported")
        with pytest.raises(ProviderError, match="response_format is not supported"):
            list(student(structured="json_schema").answer(prompt, queries(2)))
        assert len(endpoint.received) == 1

    def test_openai_other_errors_are_not_blamed_on_the_schema(
        self, endpoint, student, prompt, queries, caplog
    ):
        """A request that is wrong with and without schema is reported as it is."""
        endpoint.script = lambda request: endpoint.error(400, "temperature is not supported")
        with pytest.raises(ProviderError, match="temperature is not supported"):
            list(student(structured="auto").answer(prompt, queries(2)))
        assert caplog.text == ""


class TestTrouble:
    """Rate limits, slow servers, broken replies."""

    def test_openai_storm_of_429_loses_nothing(self, endpoint, student, prompt, queries):
        """Every request is refused twice and asked again until it is answered."""
        seen = Counter()

        def script(request):
            seen[request.user] += 1
            refused = sleepless(endpoint.error(429, "slow down"))
            return refused if seen[request.user] < 3 else endpoint.chat("alpha")

        endpoint.script = script
        answers = dict(student(concurrency=16).answer(prompt, queries(50)))
        assert len(answers) == 50
        assert set(seen.values()) == {3}

    @pytest.mark.parametrize("header", [("retry-after-ms", "700"), ("retry-after", "0.7")])
    def test_openai_waits_as_long_as_the_server_asks(
        self, endpoint, student, prompt, queries, header
    ):
        """Retry-After, in seconds or milliseconds, is obeyed (unasked, the wait is below 0.5)."""
        times = []

        def script(request):
            times.append(time.monotonic())
            refused = endpoint.error(429, headers=dict([header]))
            return refused if len(times) == 1 else endpoint.chat("alpha")

        endpoint.script = script
        ((_, answer),) = student().answer(prompt, queries(1))
        assert times[1] - times[0] >= 0.7
        assert answer.seconds >= 0.7

    def test_openai_does_not_wait_for_hours(self, endpoint, student, prompt, queries):
        """A server that asks for more than two minutes ends the run, and the error says so."""
        endpoint.script = lambda request: endpoint.error(429, headers={"retry-after": "7200"})
        with pytest.raises(ProviderError, match="HTTP 429, which asks to wait 7200 s"):
            list(student().answer(prompt, queries(1)))
        assert len(endpoint.received) == 1

    def test_openai_failure_names_the_example_and_keeps_answers(
        self, endpoint, student, prompt, queries
    ):
        """An example that fails after its retries ends the run; what came before was yielded."""

        def script(request):
            broken = sleepless(endpoint.error(500, "overloaded"))
            return broken if request.user == "q6" else endpoint.chat("alpha")

        endpoint.script = script
        got = []
        with pytest.raises(ProviderError) as caught:
            got.extend(student(max_retries=2, concurrency=1).answer(prompt, queries(9)))
        assert [index for index, _ in got] == [0, 1, 2, 3, 4, 5]
        assert str(caught.value).startswith(
            f"{endpoint.url}: example 'e-6': HTTP 500 after 2 retries: overloaded"
        )

    def test_openai_error_yields_what_has_arrived(self, endpoint, student, prompt, queries):
        """Answers that came while another request was failing are not thrown away."""

        def script(request):
            if request.user == "q1":
                return endpoint.error(400, "bad", delay=1.0)
            return endpoint.chat("alpha")

        endpoint.script = script
        got = []
        with pytest.raises(ProviderError, match="bad"):
            got.extend(student(concurrency=4).answer(prompt, queries(4)))
        assert sorted(index for index, _ in got) == [0, 2, 3]

    def test_openai_slow_answer_times_out(self, endpoint, student, prompt, queries):
        """No reply within ``timeout`` is an error with the example and the setting."""
        endpoint.script = lambda request: endpoint.chat("alpha", delay=1)
        with pytest.raises(ProviderError, match=r"'e-0': no answer .*timeout = 0\.1 seconds"):
            list(student(timeout=0.1, max_retries=0).answer(prompt, queries(1)))

    def test_openai_server_that_is_not_there(self, endpoint, student, prompt, queries):
        """A refused connection names the address and asks whether the server is up."""
        asked = student(base_url="http://127.0.0.1:9/v1", max_retries=0)
        with pytest.raises(ProviderError, match=r"127\.0\.0\.1:9/v1: .*is the server up"):
            list(asked.answer(prompt, queries(1)))

    def test_openai_wrong_model_says_what_to_check(self, endpoint, student, prompt, queries):
        """A 404 asks about the model and the address, and is not tried again."""
        endpoint.script = lambda request: endpoint.error(404, "no such model")
        with pytest.raises(
            ProviderError,
            match=r"no such model \(.*/v1, and serve /chat/completions and model 'm'\?",
        ):
            list(student().answer(prompt, queries(3)))
        assert len(endpoint.received) == 1

    @pytest.mark.parametrize(
        "error",
        [
            {"message": "too many tokens", "code": "context_length_exceeded"},
            {"message": "This model's maximum context length is 128 tokens", "code": 400},
        ],
    )
    def test_openai_input_too_long_is_about_the_example(
        self, endpoint, student, prompt, queries, error
    ):
        """What does not fit the context is an error of the data, with the example's id."""
        endpoint.script = lambda request: endpoint.json({"error": error}, status=400)
        with pytest.raises(DataError, match=r"example 'e-0': .*too long"):
            list(student().answer(prompt, queries(1)))

    def test_openai_text_that_cannot_be_sent(self, endpoint, student, prompt, queries):
        """Half a surrogate pair is an error of the data, with the example's id."""
        broken = replace(queries(1)[0], text="half \ud83d")
        with pytest.raises(DataError, match=r"example 'e-0': .*surrogate"):
            list(student().answer(prompt, [broken]))

    @pytest.mark.parametrize(
        "reply",
        [
            {"body": b"<html>hello</html>", "headers": {"content-type": "text/html"}},
            {"body": b'{"choices": [', "headers": {}},
            {"body": b"\xff\xfe", "headers": {}},
            {"body": b""},
            {"body": []},
            {"body": None},
            {"body": {}},
            {"body": {"choices": []}},
            {"body": {"choices": [None]}},
            {"body": {"choices": [{"message": "alpha"}]}},
            {"body": {"error": {"message": "with status 200"}}},
        ],
    )
    def test_openai_malformed_reply_is_an_error(self, endpoint, student, prompt, queries, reply):
        """A reply that is no chat completion names address and example, never a traceback."""
        endpoint.script = lambda request: endpoint.json(**reply)
        with pytest.raises(ProviderError, match=r"/v1: example 'e-0': the reply"):
            list(student().answer(prompt, queries(1)))

    def test_openai_model_may_not_change(self, endpoint, student, prompt, queries):
        """Two model ids in one run are an error, and the first is the one that counts."""
        endpoint.script = lambda request: endpoint.chat("alpha", model=f"m-{request.number // 3}")
        got = []
        with pytest.raises(ProviderError, match=r"answered as 'm-1', but earlier .* 'm-0'"):
            got.extend(student(concurrency=1).answer(prompt, queries(9)))
        assert len(got) == 3

    @pytest.mark.parametrize("served", ["m-1", None])
    def test_openai_pinned_model_is_checked(self, endpoint, student, prompt, queries, served):
        """With served_model, another id, or none, is an error from the first reply on."""
        endpoint.script = lambda request: endpoint.chat("alpha", model=served)
        with pytest.raises(ProviderError, match="served_model says 'm-2'"):
            list(student(served_model="m-2").answer(prompt, queries(1)))

    def test_openai_unpinned_server_may_name_no_model(self, endpoint, student, prompt, queries):
        """A server that reports no model id can be used as long as none is pinned."""
        endpoint.script = lambda request: endpoint.chat("alpha", model=None)
        assert len(list(student().answer(prompt, queries(3)))) == 3


class TestKey:
    """The key comes from the environment, and goes nowhere but into one header."""

    @pytest.fixture
    def keyed(self, student, monkeypatch):
        """Open a student whose key is in the environment."""
        monkeypatch.setenv("MY_KEY", KEY)
        return lambda **options: student(api_key_env="MY_KEY", **options)

    def test_openai_key_is_sent(self, endpoint, keyed, prompt, queries):
        """The endpoint gets the key of the named variable."""
        list(keyed().answer(prompt, queries(1)))
        assert endpoint.received[0].headers["authorization"] == f"Bearer {KEY}"

    def test_openai_key_of_another_service_stays_here(
        self, endpoint, student, prompt, queries, monkeypatch
    ):
        """A server on this machine is not given OPENAI_API_KEY unless the options say so."""
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        list(student().answer(prompt, queries(1)))
        assert KEY not in str(endpoint.received[0].headers)

    @pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 413, 429, 500, 503])
    def test_openai_key_is_in_no_error_and_no_log(
        self, endpoint, keyed, prompt, queries, caplog, status
    ):
        """A server that repeats the key in its error cannot make it visible."""
        body = {"error": {"message": f"bad key {KEY}", "code": KEY}}
        endpoint.script = lambda request: sleepless(endpoint.json(body, status=status))
        with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError) as caught:
            list(keyed(max_retries=1).answer(prompt, queries(1)))
        shown = str(caught.value) + repr(caught.value.__cause__) + caplog.text
        assert "openai" in caplog.text
        assert KEY not in shown

    def test_openai_refused_key_names_the_variable(self, endpoint, keyed, prompt, queries):
        """A 401 says which variable to check, and nothing is tried again."""
        endpoint.script = lambda request: endpoint.error(401, "who are you")
        with pytest.raises(ProviderError, match=r"check the key in the .* variable MY_KEY"):
            list(keyed().answer(prompt, queries(9)))
        assert len(endpoint.received) == 1

    def test_openai_missing_key_is_told_before_any_request(self, tmp_path, prompt, queries):
        """Without the variable no connection is tried, and replay is named as the way out."""
        options = {"kind": "openai", "model": "m", "api_key_env": "PLDGOV_TEST_NO_SUCH_KEY"}
        student = open_student("mine", options, root=tmp_path)
        with pytest.raises(ProviderError, match=r"PLDGOV_TEST_NO_SUCH_KEY is not set .*replay"):
            list(student.answer(prompt, queries(1)))

    def test_openai_proxy_is_not_asked_for_this_machine(
        self, student, prompt, queries, monkeypatch
    ):
        """A proxy in the environment does not stand between the student and loopback."""
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        assert len(list(student(max_retries=0).answer(prompt, queries(1)))) == 1
