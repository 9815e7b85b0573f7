"""The teacher that answers by files: what it writes, what it takes, what it tells."""

import json

import pytest

from pldgov.archive import JsonLinesArchive
from pldgov.distill.model import Step, Usage
from pldgov.errors import BudgetError
from pldgov.workflows.consulting import consult

OPTIONS = {"kind": "batch", "model": "strong-1"}


@pytest.fixture
def teacher(open_one):
    """Open the batch teacher anew, as each process does."""
    return lambda *, spent=None, **options: open_one(OPTIONS | options, spent=spent or Usage())


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def kinds(teacher):
    return [finding.kind for finding in teacher.findings]


def write(folder, name, *rows):
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    (folder / name).write_text(text, encoding="utf-8")


def plain(request, content="said", **more):
    return {"custom_id": request.digest, "content": content, **more}


def completion(request, content="said", *, status=200, error=None, **body):
    message = {"role": "assistant", "content": content}
    body = {"model": "strong-1-2026", "created": 1_790_000_000, "choices": [{"message": message}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3}} | body  # fmt: skip
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": request.digest, "response": response, "error": error}


def test_batch_writes_the_openai_format(folder, teacher, make_requests):
    """Each request is a line with its digest as id and the body that an endpoint would get."""
    requests = make_requests(2)
    one = teacher()
    assert list(one.answer(requests)) == []
    (path,) = folder.iterdir()
    assert path.name == "requests-extract-1.jsonl"
    assert lines(path)[1] == {
        "custom_id": requests[1].digest,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "strong-1",
            "messages": list(requests[1].messages),
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": requests[1].schema},
            },
        },
    }
    (finding,) = one.findings
    assert finding.kind == "awaiting"
    assert finding.about == (str(path),)
    assert finding.message == f"2 answers are awaited, in {folder / 'answers*.jsonl'}"


def test_batch_writes_each_request_once(folder, teacher, make_requests):
    """Run again, nothing is written twice; new requests go to a file of their own."""
    list(teacher().answer(make_requests(2)))
    before = (folder / "requests-extract-1.jsonl").read_bytes()
    list(teacher().answer(make_requests(3)))
    list(teacher().answer(make_requests(3) + make_requests(1, start=9, phase="synthesize")))
    assert (folder / "requests-extract-1.jsonl").read_bytes() == before
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "requests-extract-1.jsonl", "requests-extract-2.jsonl", "requests-synthesize-3.jsonl",
    ]  # fmt: skip
    assert len(lines(folder / "requests-extract-2.jsonl")) == 1


def test_batch_takes_both_kinds_of_answers(folder, teacher, make_requests):
    """OpenAI's output lines and plain ones are taken, text or JSON, with model and day."""
    requests = make_requests(4)
    list(teacher().answer(requests))
    write(
        folder, "answers.jsonl",
        completion(requests[0]),
        plain(requests[1], {"x": "ü"}),
        plain(requests[2], "text", model="other", date="2026-01-02"),
    )  # fmt: skip
    one = teacher(price_input=1e6, price_output=1e6)
    replies = list(one.answer(requests))
    assert [(r.content, r.model, r.mode) for r in replies] == [
        ("said", "strong-1-2026", "batch"), ('{"x": "ü"}', "strong-1", "batch"),
        ("text", "other", "batch"),
    ]  # fmt: skip
    assert replies[0].date == "2026-09-21"
    assert (replies[0].tokens_in, replies[0].tokens_out, replies[0].cost) == (7, 3, 10.0)
    assert replies[2].date == "2026-01-02"
    assert one.findings[-1].message.startswith("1 answers are awaited")


def test_batch_tells_of_answers_to_nothing_and_second_ones(folder, teacher, make_requests):
    """An answer to no request, a repeated one and a differing one are told; the first counts."""
    requests = make_requests(2)
    stranger = make_requests(1, start=99)[0]
    list(teacher().answer(requests))
    write(folder, "answers-1.jsonl", plain(stranger), plain(requests[0]), plain(requests[0]))
    write(folder, "answers-2.jsonl", plain(requests[0], "else"), plain(requests[1]))
    one = teacher()
    replies = {reply.request: reply.content for reply in one.answer(requests)}
    assert replies == {requests[0].digest: "said", requests[1].digest: "said"}
    assert kinds(one) == ["unknown-answer", "duplicate", "conflict"]
    assert one.findings[0].about == (f"{folder / 'answers-1.jsonl'}:1",)


def test_batch_passes_over_damaged_lines(folder, teacher, make_requests):
    """A line that is cut off or no answer is told with its place; the others are taken."""
    requests = make_requests(2)
    write(
        folder, "answers.jsonl",
        "nonsense\n", "[]\n", "\n", '{"custom_id": 3, "content": ""}\n',
        json.dumps(plain(requests[0], date="yesterday")) + "\n",
        json.dumps(completion(requests[0], choices=[])) + "\n",
        plain(requests[1]),
        json.dumps(plain(requests[0]))[:-9],
    )  # fmt: skip
    one = teacher()
    assert [reply.request for reply in one.answer(requests)] == [requests[1].digest]
    assert kinds(one) == ["damaged-line"] * 6 + ["awaiting"]
    assert one.findings[-2].about == (f"{folder / 'answers.jsonl'}:8",)


def test_batch_writes_failed_requests_anew_and_not_for_ever(folder, teacher, make_requests):
    """An error of the batch API is told, and its request written again, three times at most."""
    (request,) = make_requests(1)
    failed = completion(request, status=500, error={"code": "server_error", "message": "boom"})
    for tries in range(1, 5):
        one = teacher()
        assert list(one.answer([request])) == []
        assert len(list(folder.glob("requests-*"))) == min(tries, 3)
        write(folder, "answers.jsonl", *[failed] * tries)
    assert one.findings[0].message == "boom"
    assert "failed 3 times" in one.findings[-1].message
    write(folder, "answers.jsonl", *[failed] * 4, completion(request))
    assert len(list(teacher().answer([request]))) == 1


def test_batch_takes_a_filtered_request_as_a_reply(folder, teacher, make_requests):
    """A request that the provider's filter declines is answered: asking again would not help."""
    (request,) = make_requests(1)
    error = {"code": "content_filter", "message": "declined"}
    write(folder, "answers.jsonl", completion(request, status=400, error=error))
    assert [reply.content for reply in teacher().answer([request])] == ["declined"]


def test_batch_partial_answers_are_kept(folder, teacher, make_requests, tmp_path):
    """Answers that come in pieces over several runs are all used, each recorded once."""
    requests = make_requests(5)
    calls = []
    for upto in range(6):
        write(folder, "answers.jsonl", *(plain(request) for request in requests[:upto]))
        with JsonLinesArchive(tmp_path / "replies.jsonl") as archive:

            def phase(archive=archive):
                return Step((), tuple(r for r in requests if archive.get(r.digest) is None))

            done = consult(phase, teacher=teacher(), archive=archive)
            calls.append(done.calls)
    assert calls == [0, 1, 1, 1, 1, 1]
    assert done.step.done
    assert len(list(folder.glob("requests-*"))) == 1


def test_batch_old_answers_are_no_strangers(folder, teacher, make_requests):
    """Answers of an earlier phase may stay in the folder; they belong to this run."""
    earlier, later = make_requests(1), make_requests(1, start=5, phase="synthesize")
    list(teacher().answer(earlier))
    write(folder, "answers.jsonl", plain(earlier[0]))
    one = teacher()
    list(one.answer(later))
    assert kinds(one) == ["awaiting"]


def test_batch_keeps_a_cap_on_requests(folder, teacher, make_requests):
    """Nothing is written when the run would pass max_requests, earlier files counted."""
    list(teacher(max_requests=3).answer(make_requests(2)))
    with pytest.raises(BudgetError, match=r"2 more requests would pass max_requests"):
        list(teacher(max_requests=3).answer(make_requests(4)))
    assert len(list(folder.iterdir())) == 1


def test_batch_keeps_a_cap_on_money(folder, teacher, make_requests):
    """Money is reckoned before it is spent, with all that is awaited and the longest answers."""
    caps = {"max_cost": 1.0, "price_input": 0.0, "price_output": 100.0}
    with pytest.raises(BudgetError, match="set max_tokens"):
        list(teacher(**caps).answer(make_requests(1)))
    caps["max_tokens"] = 1000  # 0.1 an answer
    list(teacher(**caps).answer(make_requests(6)))
    with pytest.raises(BudgetError, match="11 requests could take"):
        list(teacher(**caps).answer(make_requests(11)))
    with pytest.raises(BudgetError, match="cost 0.9500"):
        list(teacher(**caps, spent=Usage(1, 0, 0, 0.95)).answer(make_requests(7)))


def test_batch_splits_files_at_the_limits_of_the_api(folder, teacher, make_requests, monkeypatch):
    """A file holds no more lines and bytes than the Batch API takes."""
    from pldgov.teachers import batch_files

    monkeypatch.setattr(batch_files, "MOST_LINES", 4)
    list(teacher().answer(make_requests(10)))
    sizes = [len(lines(path)) for path in sorted(folder.iterdir())]
    assert sizes == [4, 4, 2]
    monkeypatch.setattr(batch_files, "MOST_BYTES", 900)
    list(teacher().answer(make_requests(3, start=20)))
    assert max(path.stat().st_size for path in folder.iterdir()) < 4 * 900
    assert len(list(folder.iterdir())) == 6
