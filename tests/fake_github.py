"""GitHub's issue comments on loopback: pages, limits, refusals, failures, all as GitHub does them.

Tests get it through the fixture ``github`` (tests/conftest.py)::

    github.comments                       # what stands on the pull request, in order
    github.script.append(github.fails())  # what becomes of the next requests, one each
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"
BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}
PERSON = {"login": "mallory", "id": 7, "type": "User"}
PULL = "/repos/octo/rules/issues/5/comments"


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Event:
    """What becomes of a request instead of an answer; ``carried_out``: only the answer is lost.

    ``on`` is the method of the request that it waits for, "" for any. Status 0 drops the
    connection.
    """

    status: int
    on: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    carried_out: bool = False


class FakeGitHub:
    """A real HTTP server that holds the comments of one pull request, octo/rules#5."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.comments: list[dict[str, Any]] = []
        self.script: deque[Event] = deque()
        self.me: dict[str, Any] | None = None  # whom the token belongs to; None: it may not ask
        self.writer = BOT
        self.page_size = 100
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/v3"

    def add(self, body: str, user: dict[str, Any] = BOT) -> dict[str, Any]:
        """Put a comment on the pull request."""
        number = 1000 + len(self.comments)
        comment = {
            "id": number,
            "body": body,
            "user": user,
            "html_url": f"https://github.example/octo/rules/pull/5#issuecomment-{number}",
        }
        self.comments.append(comment)
        return comment

    def methods(self) -> list[str]:
        """Return the methods of all requests so far, those about the token left out."""
        return [one.method for one in self.asked if not one.path.endswith("/user")]

    @staticmethod
    def fails(status: int = 502, **values) -> Event:
        """Return a server's error, as a proxy words it."""
        return Event(status, body=b"<html>Bad gateway</html>", **values)

    @staticmethod
    def answers(body, **values) -> Event:
        """Return an answer that is none of the fake's own."""
        return Event(200, body=body, **values)

    @staticmethod
    def drops(**values) -> Event:
        """Return a connection that ends without an answer."""
        return Event(0, **values)

    @staticmethod
    def refuses(
        status: int = 403, message: str = "Resource not accessible by integration", **values
    ):
        """Return what a token without the permission hears."""
        return Event(status, body={"message": message}, **values)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # -- the API --------------------------------------------------------------------------------

    def _answer(self, asked: Asked) -> tuple[int, dict[str, str], Any]:
        path = urlsplit(asked.path)
        place = path.path.removeprefix("/api/v3")
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {}, {"message": "Bad credentials"}
        if place == "/user":
            refused = {"message": "Resource not accessible by integration"}
            return (403, {}, refused) if self.me is None else (200, {}, self.me)
        if place == PULL and asked.method == "GET":
            return self._page(parse_qs(path.query))
        if place == PULL and asked.method == "POST":
            return 201, {}, self.add(asked.body["body"], self.writer)
        found = re.fullmatch(r"/repos/octo/rules/issues/comments/(\d+)", place)
        for comment in self.comments if found and asked.method == "PATCH" else ():
            if comment["id"] == int(found[1]):
                comment["body"] = asked.body["body"]
                return 200, {}, comment
        return 404, {}, {"message": "Not Found"}

    def _page(self, query: dict[str, list[str]]) -> tuple[int, dict[str, str], Any]:
        number, size = int(query.get("page", ["1"])[0]), self.page_size
        shown = self.comments[(number - 1) * size : number * size]
        links = []
        if number * size < len(self.comments):
            links = [f'<{self.url}{PULL}?page={number + 1}>; rel="next"']
        if number > 1:
            links = [f'<{self.url}{PULL}?page={number - 1}>; rel="prev"', *links]
        return 200, {"link": ", ".join(links)} if links else {}, shown

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        github = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                data = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, json.loads(data) if data else None)
                with github._lock:
                    github.asked.append(asked)
                    event = github._event(asked)
                    answer = github._answer(asked) if event is None or event.carried_out else None
                if event is not None and event.status == 0:
                    self.close_connection = True
                    return
                if event is not None:
                    answer = (event.status, event.headers, event.body)
                status, headers, value = answer
                data = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                for name, text in {**headers, "content-length": str(len(data))}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = _serve  # noqa: N815  (the names that the server looks for)

            def log_message(self, *_) -> None:
                pass

        return Handler

    def _event(self, asked: Asked) -> Event | None:
        """Return what is due for this request."""
        if asked.path.endswith("/user") or not self.script:
            return None
        if self.script[0].on not in ("", asked.method):
            return None
        return self.script.popleft()
