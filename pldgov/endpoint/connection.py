"""One open connection to an OpenAI-compatible endpoint: requests out, JSON in, clear errors.

Requests go through the openai package, which brings authentication, time-outs and retries: it
tries again after a time-out, a lost connection and the statuses 408, 409, 429 and 5xx, and waits
as long as ``retry-after-ms`` or ``Retry-After`` ask, up to 120 s; a server that asks for more is
not tried again. They go through its ``post``, not ``chat.completions.create``: that one walks
through every message again to rename fields, which takes ten times the processor time for a
prompt with forty turns (``benchmarks/endpoint_throughput.py``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pldgov.backends import missing_package
from pldgov.endpoint.options import NO_KEY
from pldgov.errors import DataError, ProviderError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx2
    from openai import APIConnectionError, APIStatusError, AsyncOpenAI

    from pldgov.endpoint.budget import Budget
    from pldgov.endpoint.options import EndpointOptions

TOO_LONG: Final = ("context_length_exceeded", "context length", "context size", "context window")
FILTERED: Final = ("content_filter", "content_policy_violation")
"""Codes of a rejection that is the model's answer to this input: data, not an error."""

SHORTEN: Final = "shorten the input, or bound the prompt with budget_tokens in the rulebook"

SHOWN_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON object that the endpoint answered, and what it took.

    ``usage`` is ``(input, output)`` tokens, zeros when the endpoint reports none; ``seconds``
    include the waits for retries.
    """

    body: Mapping[str, Any]
    usage: tuple[int, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Rejection:
    """A request that the endpoint calls wrong (HTTP 400 or 422), and its reason."""

    status: int
    code: str
    message: str


@dataclass
class Connection:
    """Sends requests within one event loop; opened by ``connect``.

    ``place`` is the table of the configuration that describes the endpoint.
    """

    client: AsyncOpenAI
    place: str
    options: EndpointOptions
    key: str
    budget: Budget
    served: ServedModel

    async def post(self, path: str, body: Mapping[str, Any], about: str) -> Reply | Rejection:
        """Send one request, book what it cost, and check who answered.

        Raises ``ProviderError`` (naming the endpoint, and with ``about`` what was asked) when
        there is no usable reply, ``DataError`` for a text that cannot be sent, and
        ``BudgetError`` from the budget.
        """
        from openai import APIConnectionError, APIStatusError  # noqa: PLC0415  (takes 0.7 s)

        start = time.perf_counter()
        try:
            content = await self.client.post(path, body=body, cast_to=object)
        except APIStatusError as error:
            return self._rejection(error, path, about)
        except APIConnectionError as error:
            self._unreachable(error, about)
        except UnicodeEncodeError as error:
            raise DataError(
                "the text holds half a surrogate pair, which UTF-8 cannot carry",
                where=about,
            ) from error
        except ValueError:  # a body that says it is JSON and is not
            content = None
        seconds = time.perf_counter() - start
        if not isinstance(content, Mapping):
            raise self.unusable("the reply is no JSON object", about)
        self.served.check(content.get("model"))
        usage = usage_of(content.get("usage"))
        self.budget.spend(usage)
        return Reply(content, usage or (0, 0), seconds)

    def unusable(self, what: str, about: str) -> ProviderError:
        """Return the error for a reply that breaks the protocol."""
        return ProviderError(
            f"{about}: {self._clean(what)}",
            where=self.options.base_url,
            hint="is this the right base_url? It usually ends in /v1",
        )

    def refused(
        self, rejection: Rejection, about: str, *, too_long: str = SHORTEN
    ) -> ProviderError | DataError:
        """Return the error for a request that the endpoint calls wrong.

        ``too_long`` is what to do about one beyond the model's context.
        """
        said = f"{rejection.code} {rejection.message}".lower()
        if any(mark in said for mark in TOO_LONG):
            return DataError(
                f"prompt and input are too long for {self.options.model}: {rejection.message}",
                where=about,
                hint=too_long,
            )
        return ProviderError(
            f"{about} was refused (HTTP {rejection.status}): {rejection.message}",
            where=self.options.base_url,
            hint=f"see the options of {self.place}",
        )

    def _rejection(self, error: APIStatusError, path: str, about: str) -> Rejection:
        status, message = error.status_code, self._said(error)
        if status in (400, 413, 422):
            return Rejection(status, error.code or "", message)
        hints = {
            401: f"check the key in the environment variable {self.options.api_key_env}",
            403: f"check the key in the environment variable {self.options.api_key_env}",
            404: f"does base_url end in /v1, and serve {path} and model {self.options.model!r}?",
            429: "lower concurrency, or wait; answers that were stored are not asked for again",
        }
        raise ProviderError(
            f"{about}: HTTP {status}{_tried(error.response)}: {message}",
            where=self.options.base_url,
            hint=hints.get(status, "the next run goes on from the answers stored so far"),
        ) from None

    def _unreachable(self, error: APIConnectionError, about: str) -> NoReturn:
        cause = error.__cause__ or error
        reason = self._clean(f"{type(cause).__name__}: {cause}".rstrip(": "))
        raise ProviderError(
            f"{about}: no answer{_tried(error)} ({reason})",
            where=self.options.base_url,
            hint=f"is the server up, and is timeout = {self.options.timeout:g} seconds enough?",
        ) from None

    def _said(self, error: APIStatusError) -> str:
        """Return what the endpoint says, whichever of the usual shapes it has."""
        said: Any = error.body
        for part in ("error", "message", "detail"):
            if isinstance(said, Mapping) and part in said:
                said = said[part]
        return self._clean(str(said or error.message))

    def _clean(self, text: str) -> str:
        """Drop the key, should the endpoint repeat it, and everything past a few lines."""
        if self.key != NO_KEY:
            text = text.replace(self.key, "[key]")
        return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ..."


@dataclass
class ServedModel:
    """The model id that replies report: one measurement is of one model.

    ``expected`` is the ``served_model`` option, or what ``pinned_by`` names instead; without it
    the first reply decides, for as long as the student or teacher lives. ``hint`` is what to do
    about another one.
    """

    where: str
    expected: str | None = None
    seen: str | None = field(default=None, init=False)
    pinned_by: str = "served_model"
    hint: str = "answers of two models are no measurement; set served_model to the one meant"

    def expect(self, model: str, *, pinned_by: str, hint: str) -> None:
        """Demand ``model`` of every further reply."""
        self.expected, self.pinned_by, self.hint = model, pinned_by, hint

    def check(self, reported: object) -> None:
        """Raise ``ProviderError`` when the model that answered is not the one before, or pinned."""
        wanted = self.expected or self.seen
        served = reported if isinstance(reported, str) and reported else None
        if wanted is not None and served != wanted:
            pinned = f"{self.pinned_by} says" if self.expected else "earlier answers came from"
            raise ProviderError(
                f"the endpoint answered as {served!r}, but {pinned} {wanted!r}",
                where=self.where,
                hint=self.hint,
            )
        self.seen = served


@asynccontextmanager
async def connect(
    place: str, options: EndpointOptions, *, key: str, budget: Budget, served: ServedModel
) -> AsyncIterator[Connection]:
    """Open a connection as the table ``place`` of the configuration says; close it with the block.

    The aiohttp transport, which takes half the processor time, is used where it is installed.
    """
    try:
        import openai  # noqa: PLC0415  (takes 0.7 s)
    except ModuleNotFoundError as error:
        raise missing_package(error, extra="openai", where=place) from error

    async def count(_request: object) -> None:
        budget.count_request()

    settings: dict[str, Any] = {
        # A proxy for the outside world is no way to a server on this machine.
        "trust_env": not options.is_loopback,
        "event_hooks": {"request": [count]},
    }
    try:
        transport = openai.DefaultAioHttpClient(**settings)
    except RuntimeError:  # the package's word for: aiohttp is not installed
        transport = openai.DefaultAsyncHttpxClient(**settings)
    client = openai.AsyncOpenAI(
        base_url=options.base_url,
        api_key=key,
        timeout=options.timeout,
        max_retries=options.max_retries,
        http_client=transport,
    )
    async with client:
        yield Connection(client, place, options, key, budget, served)


def usage_of(reported: object) -> tuple[int, int] | None:
    """Return ``(input, output)`` tokens under either pair of names, None without a report."""
    if not isinstance(reported, Mapping):
        return None
    for names in (("prompt_tokens", "completion_tokens"), ("input_tokens", "output_tokens")):
        values = [reported.get(name) for name in names]
        if isinstance(values[0], int):
            return values[0], values[1] if isinstance(values[1], int) else 0
    return None


def _tried(sent: APIConnectionError | httpx2.Response) -> str:
    """Return how often the openai package tried again, and the wait that the server asked for."""
    retries = sent.request.headers.get("x-stainless-retry-count", "0")
    headers = getattr(sent, "headers", {})
    wait = headers.get("retry-after")
    asked = f", which asks to wait {wait} s" if wait and wait.isdecimal() else ""
    return ("" if retries == "0" else f" after {retries} retries") + asked
