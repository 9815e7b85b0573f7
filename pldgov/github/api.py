"""Requests to GitHub's REST API: retried where that is safe, and never a word about the token."""

from __future__ import annotations

import json
import re
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urljoin, urlsplit

from urllib3 import PoolManager, ProxyManager, make_headers
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from pldgov import __version__
from pldgov.errors import ProviderError
from pldgov.github.limits import Patience, seconds_to_wait

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from urllib3 import BaseHTTPResponse

TRIES: Final = 4
"""Of a request that may be made twice, and at rate limits."""
_MOST_REDIRECTS = 3
_MOST_PAGES = 1_000
_SECONDS = 30.0
_REDIRECTS = (301, 302, 307, 308)
_SERVER_ERROR = 500
_NEXT = re.compile(r'<([^<>]+)>[^<>,]*;\s*rel="?next"?')
_MOST_SAID = 300
_JSON = "application/json"


class RefusedError(ProviderError):
    """GitHub will not do it (exit code 4): no permission (403), no such thing (404), and so on."""

    def __init__(self, status: int, message: str, *, where: str, hint: str | None = None) -> None:
        self.status = status
        super().__init__(message, where=where, hint=hint)


class UncertainError(ProviderError):
    """Nobody can tell whether the request was carried out (exit code 4)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What GitHub answered: the value of the JSON body, and headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    value: Any

    @property
    def message(self) -> str:
        """What GitHub says of an error."""
        said = self.value.get("message") if isinstance(self.value, dict) else None
        return str(said) if said else f"status {self.status}"


class GitHubApi:
    """The API at ``address`` (see ``address.api_address``), asked with ``token``.

    A GET or a PATCH is tried again after a server error or a lost connection; a POST is not, but
    raises ``UncertainError``. Rate limits are waited for as long as ``patience`` lasts. Redirects
    are followed on the same host only. Everything that fails for good raises ``ProviderError``.
    """

    def __init__(self, address: str, *, token: str, patience: Patience | None = None) -> None:
        self.address = address
        self.patience = patience or Patience()
        self._token = token
        self._pool = _pool(address)
        self._headers = {
            "authorization": f"Bearer {token}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
            "user-agent": f"pldgov/{__version__}",
        }

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def get(self, path: str) -> Any:
        """Return the value at a path, which begins with a slash."""
        return self._ask("GET", f"{self.address}{path}").value

    def pages(self, path: str) -> Iterator[Any]:
        """Yield the items of all pages of a list."""
        url, seen = f"{self.address}{path}", set[str]()
        while url not in seen and len(seen) < _MOST_PAGES:
            seen.add(url)
            reply = self._ask("GET", url)
            if not isinstance(reply.value, list):
                raise self._failed("did not answer with a list, as GitHub's API does")
            yield from reply.value
            found = _NEXT.search(reply.headers.get("link", ""))
            if found is None:
                return
            url = self._here(found[1])

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make something; raises ``UncertainError`` where it may or may not have been made."""
        return self._ask("POST", f"{self.address}{path}", body).value

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change something."""
        return self._ask("PATCH", f"{self.address}{path}", body).value

    def _ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Reply:
        """Ask until there is an answer, or no sense in asking again."""
        for attempt in range(TRIES):
            try:
                reply = self._once(method, url, body)
            except UncertainError:
                if method == "POST" or attempt == TRIES - 1:
                    raise
                self.patience.wait(2.0**attempt, why="GitHub does not answer")
                continue
            wait = seconds_to_wait(
                reply.status,
                reply.headers,
                reply.message,
                now=self.patience.clock(),
                attempt=attempt,
            )
            if wait is None:
                return self._checked(reply)
            self.patience.wait(wait, why="GitHub's rate limit is reached")
        raise self._failed("GitHub's rate limit is reached, however long one waits")

    def _once(self, method: str, url: str, body: Mapping[str, Any] | None) -> Reply:
        """Make one request; raises ``UncertainError`` where no answer says what became of it."""
        for _ in range(_MOST_REDIRECTS + 1):
            reply = self._send(method, url, body)
            target = reply.headers.get("location")
            if reply.status not in _REDIRECTS or target is None:
                break
            url = self._redirected(url, target)
        if reply.status >= _SERVER_ERROR:
            raise UncertainError(
                f"the server failed (status {reply.status}): {self._clean(reply.message)}",
                where=self.address,
            )
        return reply

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None) -> Reply:
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers if data is None else {**self._headers, "content-type": _JSON}
        try:
            response = self._pool.request(
                method, url, body=data, headers=headers, redirect=False, retries=False,
                timeout=_SECONDS,
            )  # fmt: skip
        except HTTPError as error:
            said = self._clean(f"{type(error).__name__}: {error}")
            raise UncertainError(f"no answer ({said})", where=self.address) from None
        return self._read(response)

    def _read(self, response: BaseHTTPResponse) -> Reply:
        headers = {name.lower(): value for name, value in response.headers.items()}
        try:
            value = json.loads(response.data) if response.data else None
        except ValueError:
            if response.status < _REDIRECTS[0]:
                said = "the answer is not JSON: something other than GitHub's API answers here"
                raise self._failed(said) from None
            value = None
        return Reply(response.status, headers, value)

    def _checked(self, reply: Reply) -> Reply:
        if reply.status < _REDIRECTS[0]:
            return reply
        said = self._clean(reply.message)
        raise RefusedError(reply.status, f"status {reply.status}: {said}", where=self.address)

    def _redirected(self, url: str, target: str) -> str:
        target = urljoin(url, target)
        if _origin(target) != _origin(self.address):
            raise self._failed("redirects to another host, which is not to get the token")
        return target

    def _here(self, url: str) -> str:
        """Return a link of the API as one to the host that the token is for."""
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{_origin(self.address)}{parts.path}{query}"

    def _failed(self, message: str) -> ProviderError:
        return ProviderError(message, where=self.address)

    def _clean(self, text: str) -> str:
        """Return what a host says on one line, cut, and without the token if it repeats it."""
        flat = " ".join(text.replace(self._token, "***").split())
        return flat if len(flat) <= _MOST_SAID else f"{flat[:_MOST_SAID]}…"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _pool(address: str) -> PoolManager:
    """Return connections to a host, through the proxy that the environment names for it."""
    parts = urlsplit(address)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(parts.hostname or ""):
        return PoolManager()
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    login = parse_url(proxy).auth
    headers = make_headers(proxy_basic_auth=unquote(login)) if login else None
    return ProxyManager(proxy, proxy_headers=headers)
