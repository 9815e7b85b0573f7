"""Submitting to a live batch API: a loopback server that keeps files and batches as OpenAI does."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pldgov.errors import ProviderError

KEY = "sk-test-0123456789"


class FakeBatchApi:
    """Files and batches; a batch ends at the ``looks``-th look, with ``answer`` for each line."""

    def __init__(self):
        self.files, self.batches, self.created = {}, {}, 0
        self.looks = 2
        self.answer = lambda line: (200, line["body"]["messages"][-1]["content"])
        self.status = "completed"
        self.fail_after_create = False
        self.calls = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.reply(*api.get(self.path))

            def do_POST(self):
                data = self.rfile.read(int(self.headers["content-length"]))
                self.reply(*api.post(self.path, data))

            def reply(self, status, body):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def post(self, path, data):
        self.calls.append(f"POST {path}")
        if path == "/v1/files":
            content = re.search(
                rb'filename="requests[^\r]*\r\n(?:[^\r]+\r\n)*\r\n(.*?)\r\n--', data, re.DOTALL
            )
            return 200, self.keep(content[1])
        wanted = json.loads(data)
        assert wanted["endpoint"] == "/v1/chat/completions"
        self.created += 1
        id_ = f"batch_{self.created}"
        self.batches[id_] = {"id": id_, "object": "batch", "created_at": 1, "status": "in_progress",
                             "looks": 0, **wanted}  # fmt: skip
        if self.fail_after_create:
            return 500, {"error": {"message": f"lost, key {KEY}"}}
        return 200, self.batches[id_]

    def get(self, path):
        self.calls.append(f"GET {path}")
        if path.startswith("/v1/batches?"):
            return 200, {"object": "list", "data": list(self.batches.values()), "has_more": False}
        if path.startswith("/v1/batches/"):
            return 200, self.look(self.batches[path.rsplit("/", 1)[1]])
        return 200, self.files[path.split("/")[3]]

    def keep(self, content):
        id_ = f"file-{len(self.files)}"
        self.files[id_] = content
        return {"id": id_, "object": "file", "bytes": len(content), "created_at": 1,
                "filename": "f", "purpose": "batch", "status": "processed"}  # fmt: skip

    def look(self, batch):
        batch["looks"] += 1
        if batch["looks"] >= self.looks and batch["status"] == "in_progress":
            batch["status"] = self.status
            if self.status == "failed":
                batch["errors"] = {"data": [{"code": "bad", "message": "no such model"}]}
                return batch
            good, bad = [], []
            for line in self.files[batch["input_file_id"]].splitlines():
                request = json.loads(line)
                status, text = self.answer(request)
                (good if status == 200 else bad).append(self.line(request, status, text))
            batch["output_file_id"] = self.keep(b"".join(good))["id"] if good else None
            batch["error_file_id"] = self.keep(b"".join(bad))["id"] if bad else None
        return batch

    def line(self, request, status, text):
        body = {"model": "strong-1-2026", "created": 1_790_000_000,
                "choices": [{"message": {"content": text}}]}  # fmt: skip
        if status != 200:
            body = {"error": {"message": text}}
        response = {"status_code": status, "body": body}
        row = {"custom_id": request["custom_id"], "response": response, "error": None}
        return json.dumps(row).encode() + b"\n"


@pytest.fixture
def api():
    server = FakeBatchApi()
    yield server
    server.close()


@pytest.fixture
def teacher(api, open_one):
    """Open the batch teacher, which submits to the fake API."""

    def make(**options):
        base = {"kind": "batch", "model": "strong-1", "base_url": api.url, "poll_seconds": 0.01,
                "max_retries": 1}  # fmt: skip
        return open_one(base | options, submit=True)

    return make


def test_submission_uploads_waits_and_downloads(api, teacher, folder, make_requests):
    """A file is uploaded, its batch looked at until it ends, and its answers are the replies."""
    requests = make_requests(3)
    replies = list(teacher().answer(requests))
    assert [(reply.content, reply.model) for reply in replies] == [
        (f"ask {n}", "strong-1-2026") for n in range(3)
    ]
    assert (folder / "answers-extract-1.jsonl").exists()
    assert json.loads((folder / "batches.json").read_text()) == {
        "requests-extract-1.jsonl": {"id": "batch_1", "status": "completed"}
    }


def test_submission_goes_on_in_the_next_run(api, teacher, make_requests):
    """A run that does not wait long enough ends; the next one looks again and pays nothing."""
    api.looks = 3
    requests = make_requests(2)
    one = teacher(max_wait=0)
    assert list(one.answer(requests)) == []
    assert one.findings[-1].kind == "awaiting"
    assert list(teacher(max_wait=0).answer(requests)) == []
    assert len(list(teacher(max_wait=0).answer(requests))) == 2
    assert api.created == 1


def test_submission_finds_a_batch_that_was_not_noted(api, teacher, make_requests):
    """A batch whose creation was never confirmed is found by its metadata, not made again."""
    api.fail_after_create = True
    with pytest.raises(ProviderError, match="lost"):
        list(teacher().answer(make_requests(2)))
    api.fail_after_create = False
    assert len(list(teacher().answer(make_requests(2)))) == 2
    assert api.created == 1


def test_submission_sends_only_what_is_still_asked(api, teacher, open_one, folder, make_requests):
    """Requests that were answered by hand are not submitted."""
    requests = make_requests(2)
    list(open_one({"kind": "batch", "model": "strong-1"}).answer(requests))
    line = json.dumps({"custom_id": requests[0].digest, "content": "by hand"})
    (folder / "answers.jsonl").write_text(line + "\n")
    replies = [reply.content for reply in teacher().answer(requests)]
    assert replies == ["by hand", "ask 1"]
    assert api.files["file-0"].count(b"custom_id") == 1


def test_submission_writes_failed_lines_anew(api, teacher, folder, make_requests):
    """A line that failed is told; the next call submits it in a batch of its own."""
    requests = make_requests(2)
    api.answer = lambda line: (500, "boom") if "ask 1" in str(line) else (200, "fine")
    one = teacher()
    assert [reply.content for reply in one.answer(requests)] == ["fine"]
    assert "failed-answer" in [finding.kind for finding in one.findings]
    api.answer = lambda line: (200, "now")
    assert [reply.content for reply in teacher().answer(requests[1:])] == ["now"]
    assert api.created == 2
    assert (folder / "answers-extract-2.jsonl").read_text().count("custom_id") == 1


def test_submission_tells_why_a_batch_failed(api, teacher, make_requests):
    """A batch that is refused is an error with the API's reason; then its requests go out anew."""
    api.status = "failed"
    with pytest.raises(ProviderError, match=r"requests-extract-1\.jsonl failed: no such model"):
        list(teacher().answer(make_requests(2)))
    api.status = "completed"
    assert len(list(teacher(model="strong-2").answer(make_requests(2)))) == 2
    assert api.created == 2


def test_submission_of_an_expired_batch_keeps_what_was_answered(api, teacher, make_requests):
    """Of an expired batch the answers are used, and the rest is asked anew."""
    api.status = "expired"
    api.answer = lambda line: (500, "expired") if "ask 1" in str(line) else (200, "fine")
    assert len(list(teacher().answer(make_requests(2)))) == 1
    api.status, api.answer = "completed", lambda line: (200, "late")
    replies = [reply.content for reply in teacher().answer(make_requests(2)[1:])]
    assert replies == ["late"]


def test_submission_shows_no_key(api, teacher, make_requests, monkeypatch):
    """What the API says is shown without the key, even if it repeats it."""
    monkeypatch.setenv("MY_KEY", KEY)
    api.fail_after_create = True
    with pytest.raises(ProviderError, match=r"key \[key\]") as caught:
        list(teacher(api_key_env="MY_KEY").answer(make_requests(1)))
    assert KEY not in str(caught.value)


def test_submission_to_nobody_is_an_error(open_one, make_requests, folder):
    """An API that cannot be reached ends the run; what was written stays."""
    options = {"kind": "batch", "model": "m", "base_url": "http://127.0.0.1:9/v1", "max_retries": 0}
    with pytest.raises(ProviderError, match="the batch API failed"):
        list(open_one(options, submit=True).answer(make_requests(1)))
    assert (folder / "requests-extract-1.jsonl").exists()
