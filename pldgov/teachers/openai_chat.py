"""Teachers behind an OpenAI-compatible chat endpoint: kind ``openai``."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pldgov.distill.model import TeacherReply, Usage
from pldgov.endpoint.chat import Chat, json_schema_format
from pldgov.endpoint.connection import ServedModel, connect
from pldgov.endpoint.dispatch import dispatch
from pldgov.endpoint.options import parse_endpoint, read_key
from pldgov.teachers.options import TeacherOptions, place, subject, today

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

    from pldgov.distill.model import Finding, TeacherRequest
    from pldgov.endpoint.chat import Said
    from pldgov.endpoint.connection import Connection
    from pldgov.endpoint.dispatch import Ask

log = logging.getLogger(__name__)

TOO_LONG: Final = "ask about fewer examples, or instructions, in one request"


class OpenAITeacher:
    """A chat model that answers at once, held to the request's JSON schema where it can be.

    A refusal, a filtered reply and one that is cut off are replies like any other: what is wrong
    with them is found, and told, where they are read.
    """

    findings: tuple[Finding, ...] = ()

    def __init__(self, name: str, options: TeacherOptions, *, spent: Usage) -> None:
        self.name = name
        self.options = options
        self.budget = options.remaining(spent, where=place(name))
        self._served = ServedModel(options.base_url, options.served_model)
        self._chat = Chat(options, place=place(name), too_long=TOO_LONG)
        self._told_of_cut = False

    @classmethod
    def from_options(
        cls,
        name: str,
        options: Mapping[str, Any],
        *,
        root: Path,  # noqa: ARG003  (the signature that every back-end shares)
        folder: Path,  # noqa: ARG003  (the same)
        spent: Usage,
    ) -> OpenAITeacher:
        """Return the teacher that ``[tool.pldgov.teachers.<name>]`` describes."""
        return cls(name, parse_endpoint(TeacherOptions, options, where=place(name)), spent=spent)

    def answer(self, requests: Sequence[TeacherRequest]) -> Iterator[TeacherReply]:
        """Yield replies as they come, up to ``concurrency`` requests at a time.

        The budget holds over the whole run. See ``pldgov.ports.Teacher``.
        """
        if not requests:
            return
        self.budget.check_enforceable()
        where = place(self.name)
        key = read_key(self.options, where=where)

        @asynccontextmanager
        async def open_ask() -> AsyncIterator[Ask[TeacherRequest, TeacherReply]]:
            opened = connect(where, self.options, key=key, budget=self.budget, served=self._served)
            async with opened as connection:
                yield partial(self._ask, connection)

        replies = dispatch(
            open_ask,
            requests,
            concurrency=self.options.concurrency,
            has_room=self.budget.has_room,
        )
        for _, reply in replies:
            yield reply

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """Return what so many tokens cost, None where the settings name no price."""
        return self.options.price(tokens_in, tokens_out)

    def close(self) -> None:
        """Do nothing: a connection lives as long as one call of ``answer``."""

    async def _ask(self, connection: Connection, request: TeacherRequest) -> TeacherReply:
        said = await self._chat.ask(
            connection,
            request.messages,
            response_format=json_schema_format(request.schema),
            about=subject(request),
        )
        if said.cut:
            self._tell_of_cut(request)
        return self._reply(request, said)

    def _reply(self, request: TeacherRequest, said: Said) -> TeacherReply:
        tokens_in, tokens_out = said.usage
        return TeacherReply(
            request=request.digest,
            content=said.text,
            model=said.model or self.options.snapshot,
            mode="openai",
            date=today(),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost=self.options.price(tokens_in, tokens_out) or 0.0,
        )

    def _tell_of_cut(self, request: TeacherRequest) -> None:
        if not self._told_of_cut:
            self._told_of_cut = True
            log.warning(
                "%s: the reply to %s was cut off; raise max_tokens",
                place(self.name),
                subject(request),
            )
