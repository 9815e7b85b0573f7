"""Many requests at once, answers one by one: an event loop in a thread behind a plain generator."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pldgov.errors import BudgetError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Any

Query = TypeVar("Query")
Answer = TypeVar("Answer")

if TYPE_CHECKING:
    Ask = Callable[[Query], Coroutine[Any, Any, Answer]]
    OpenAsk = Callable[[], AbstractAsyncContextManager[Ask[Query, Answer]]]

POLL_SECONDS: Final = 0.5
"""How long a wait may ignore Ctrl-C on Windows, where a blocked queue cannot be interrupted."""


def dispatch(
    open_ask: OpenAsk[Query, Answer],
    queries: Sequence[Query],
    *,
    concurrency: int,
    has_room: Callable[[int], bool] = lambda _in_flight: True,
) -> Iterator[tuple[int, Answer]]:
    """Yield ``(index, answer)`` as answers come; at most ``concurrency`` requests are in flight.

    ``open_ask`` opens the connection and gives the coroutine that asks one query; it is entered
    and left in the loop's own thread. The first query goes alone: what it teaches (the server's
    abilities, a wrong key, a filled prompt cache) serves all others. ``has_room(in_flight)`` is
    asked before each request; it may say no, or raise ``BudgetError``, after which what is in
    flight is still waited for and yielded. Any other error cancels what is in flight; answers
    that had arrived by then are yielded before it is raised. Closing the generator, Ctrl-C
    among the reasons, cancels everything and closes the connection.
    """
    work = _Work(open_ask, queries, concurrency, has_room)
    work.start()
    try:
        while (item := work.next_item()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        work.stop()


class _Work(Generic[Query, Answer]):
    """The thread, its event loop, and the queue between it and the generator."""

    def __init__(
        self,
        open_ask: OpenAsk[Query, Answer],
        queries: Sequence[Query],
        concurrency: int,
        has_room: Callable[[int], bool],
    ) -> None:
        self._open_ask = open_ask
        self._queries = queries
        self._concurrency = concurrency
        self._has_room = has_room
        self._outbox: SimpleQueue[tuple[int, Answer] | BaseException | None] = SimpleQueue()
        self._ready = threading.Event()
        self._main: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._thread = threading.Thread(target=self._run, name="pldgov-requests", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def next_item(self) -> tuple[int, Answer] | BaseException | None:
        """Wait for an answer or an error; None marks the end."""
        while True:
            with suppress(Empty):
                return self._outbox.get(timeout=POLL_SECONDS)

    def stop(self) -> None:
        """Cancel what still runs and wait until the connection is closed."""
        self._ready.wait()
        if self._main is not None:
            loop, task = self._main
            with suppress(RuntimeError):  # the loop has ended by itself
                loop.call_soon_threadsafe(task.cancel)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._answer_all())
        except BaseException as error:  # noqa: BLE001  (raised again by the generator)
            self._outbox.put(error)
        finally:
            self._ready.set()
            self._outbox.put(None)

    async def _answer_all(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._main = (asyncio.get_running_loop(), task)
        self._ready.set()
        async with self._open_ask() as ask:
            await _Flight(ask, self._concurrency, self._has_room, self._outbox).send(self._queries)


class _Flight(Generic[Query, Answer]):
    """The requests that are under way."""

    def __init__(
        self,
        ask: Ask[Query, Answer],
        concurrency: int,
        has_room: Callable[[int], bool],
        outbox: SimpleQueue[tuple[int, Answer] | BaseException | None],
    ) -> None:
        self._ask = ask
        self._concurrency = concurrency
        self._has_room = has_room
        self._outbox = outbox
        self._indices: dict[asyncio.Task[Answer], int] = {}
        self._finished: asyncio.Queue[asyncio.Task[Answer]] = asyncio.Queue()
        self._limit = 1

    async def send(self, queries: Sequence[Query]) -> None:
        """Send every query as soon as there is room, and hand over every answer."""
        try:
            for index, query in enumerate(queries):
                await self._wait_for_room()
                task = asyncio.create_task(self._ask(query))
                self._indices[task] = index
                task.add_done_callback(self._finished.put_nowait)
            await self._drain()
        except BudgetError:
            await self._drain(BudgetError)
            raise
        finally:
            await self._abandon()

    async def _wait_for_room(self) -> None:
        while not (len(self._indices) < self._limit and self._has_room(len(self._indices))):
            self._hand_over(await self._finished.get())
            self._limit = self._concurrency
        # A reader that is slower than the endpoint must not let answers pile up. It sits in
        # another thread: to be told by it would cost a wake-up for every answer.
        while self._outbox.qsize() > 4 * self._concurrency:  # noqa: ASYNC110  (see above)
            await asyncio.sleep(0.01)

    async def _drain(self, *forgiven: type[Exception]) -> None:
        while self._indices:
            with suppress(*forgiven):
                self._hand_over(await self._finished.get())

    def _hand_over(self, task: asyncio.Task[Answer]) -> None:
        index = self._indices.pop(task)
        self._outbox.put((index, task.result()))

    async def _abandon(self) -> None:
        """Hand over what has arrived already, cancel the rest."""
        for task, index in self._indices.items():
            if task.done() and not task.cancelled() and task.exception() is None:
                self._outbox.put((index, task.result()))
            task.cancel()
        await asyncio.gather(*self._indices, return_exceptions=True)
