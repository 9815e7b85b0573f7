"""A scripted endpoint on loopback, for whoever asks over HTTP.

Tests get it through the fixture ``endpoint`` (tests/conftest.py).
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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
