"""What the students behind an endpoint have in common: how they are asked, and how they stop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Generic

from pldgov.endpoint.connection import ServedModel, connect
from pldgov.endpoint.dispatch import dispatch
from pldgov.endpoint.options import read_key
from pldgov.students.endpoint import Endpoint, place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from pldgov.endpoint.connection import Connection
    from pldgov.endpoint.dispatch import Ask
    from pldgov.questions import Prompt, Query
    from pldgov.results import Answer, StudentCard


class RemoteStudent(ABC, Generic[Endpoint]):
    """A student behind an endpoint; a kind adds its card and how it asks one query.

    Making one, and its card, opens no connection and needs neither key nor openai package.
    ``seconds`` of an answer is the time from request to reply, waits for retries included;
    requests overlap, so the sum over all answers is more than the time on the wall.
    """

    def __init__(self, name: str, options: Endpoint) -> None:
        self.name = name
        self.options = options
        self.budget = options.budget(place(name))
        self.served = ServedModel(options.base_url, options.served_model)

    @property
    @abstractmethod
    def card(self) -> StudentCard:
        """Who answers."""

    @abstractmethod
    async def ask(self, connection: Connection, prompt: Prompt, query: Query) -> Answer:
        """Ask one query over an open connection."""

    def check(self, prompt: Prompt) -> None:
        """Raise ``UsageError`` when this kind cannot be asked under ``prompt``."""

    def answer(self, prompt: Prompt, queries: Sequence[Query]) -> Iterator[tuple[int, Answer]]:
        """Yield answers as they come, up to ``concurrency`` requests at a time.

        The budget holds over all calls of one student. See ``pldgov.ports.Student``.
        """
        if not queries:
            return
        self.check(prompt)
        self.budget.check_enforceable()
        key = read_key(self.options, where=place(self.name))

        @asynccontextmanager
        async def open_ask() -> AsyncIterator[Ask[Query, Answer]]:
            opened = connect(
                place(self.name), self.options, key=key, budget=self.budget, served=self.served
            )
            async with opened as connection:
                yield partial(self.ask, connection, prompt)

        yield from dispatch(
            open_ask,
            queries,
            concurrency=self.options.concurrency,
            has_room=self.budget.has_room,
        )

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002  (the port's signature)
        """Return None: the tokenizer is the server's."""
        return None

    @property
    def served_id(self) -> str | None:
        """The model id that replies reported, or must report; None before the first reply."""
        return self.served.seen or self.options.served_model

    def expect_served(self, model: str | None, *, pinned_by: str, hint: str) -> None:
        """Demand that replies report ``model``; None: what the ``served_model`` option says."""
        if model is not None:
            self.served.expect(model, pinned_by=pinned_by, hint=hint)
            return
        seen = self.served.seen
        self.served = ServedModel(self.options.base_url, self.options.served_model)
        self.served.seen = seen

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """Return what so many tokens cost, None where the settings name no price."""
        caps = self.budget.caps
        if caps.price_input is None or caps.price_output is None:
            return None
        return caps.cost_of(tokens_in, tokens_out)

    def close(self) -> None:
        """Do nothing: a connection lives as long as one call of ``answer``."""


def about(query: Query) -> str:
    """Return what messages about a query call it."""
    return f"example {query.example_id!r}"
