"""Chat completions: the fields of a request, JSON-schema answers where offered, the text back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, JsonValue, field_validator

from pldgov.endpoint.connection import FILTERED, SHORTEN, Rejection
from pldgov.endpoint.options import OPENAI_URL, EndpointOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.endpoint.connection import Connection, Reply
    from pldgov.questions import Message

log = logging.getLogger(__name__)

PATH: Final = "/chat/completions"
OWN_FIELDS: Final = ("model", "messages", "stream", "n", "response_format")


class ChatOptions(EndpointOptions):
    """The options of every kind that asks a chat endpoint.

    ``structured``: whether the reply is held to a JSON schema; "auto" finds out with the first
    request. ``temperature`` "unset" sends none, for models that refuse it. ``max_tokens`` None
    sends no limit. ``extra_body`` goes into every request as it stands.
    """

    structured: Literal["auto", "json_schema", "none"] = "auto"
    temperature: Annotated[float, Field(ge=0, le=2)] | Literal["unset"] = 0.0
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens_field: Literal["auto", "max_tokens", "max_completion_tokens"] = "auto"
    seed: int | None = None
    extra_body: dict[str, JsonValue] = Field(default_factory=dict)

    @field_validator("extra_body")
    @classmethod
    def _leaves_own_fields_alone(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        taken = [name for name in OWN_FIELDS if name in value]
        if taken:
            raise ValueError(f"pldgov sets {', '.join(taken)} itself")
        return value

    @property
    def request_fields(self) -> dict[str, Any]:
        """The fields that are the same in every request; OpenAI itself renamed max_tokens."""
        fields: dict[str, Any] = {"model": self.model}
        if self.max_tokens is not None:
            fields[self._limit_field] = self.max_tokens
        if self.temperature != "unset":
            fields["temperature"] = self.temperature
        if self.seed is not None:
            fields["seed"] = self.seed
        return fields | self.extra_body

    @property
    def _limit_field(self) -> str:
        if self.max_tokens_field != "auto":
            return self.max_tokens_field
        return "max_completion_tokens" if self.base_url == OPENAI_URL else "max_tokens"


@dataclass(frozen=True, slots=True)
class Said:
    """What a chat model said.

    ``refused``: it declined, or the endpoint filtered the reply; ``cut``: it ran into the limit
    on tokens. ``model`` is the id that the reply reports.
    """

    text: str
    refused: bool = False
    cut: bool = False
    model: str | None = None
    usage: tuple[int, int] = (0, 0)
    seconds: float = 0.0


class Chat:
    """Asks a chat endpoint, and remembers whether it takes a JSON schema.

    ``too_long`` is what to do about a request beyond the model's context.
    """

    def __init__(self, options: ChatOptions, *, place: str, too_long: str = SHORTEN) -> None:
        self._fields = options.request_fields
        self._place = place
        self._too_long = too_long
        self.schema = options.structured != "none"
        self.settled = options.structured != "auto"

    async def ask(
        self,
        connection: Connection,
        messages: Sequence[Message],
        *,
        response_format: Mapping[str, Any],
        about: str,
    ) -> Said:
        """Ask once; the first request settles whether the server takes ``response_format``.

        Raises what ``Connection.post`` raises, and for a request that the endpoint calls wrong.
        A filtered request is an answer: a refusal.
        """
        with_schema = self.schema
        reply = await connection.post(PATH, self._body(messages, response_format), about)
        if isinstance(reply, Rejection) and with_schema and not self.settled:
            reason = reply.message
            self.schema = False
            reply = await connection.post(PATH, self._body(messages, response_format), about)
            if not isinstance(reply, Rejection):
                self._give_up_schema(f"refuses ({reason})")
        if isinstance(reply, Rejection):
            if reply.code in FILTERED:
                return Said(reply.message, refused=True)
            raise connection.refused(reply, about, too_long=self._too_long)
        return self._read(connection, reply, about)

    def _body(
        self, messages: Sequence[Message], response_format: Mapping[str, Any]
    ) -> dict[str, Any]:
        body = {**self._fields, "messages": list(messages)}
        return {**body, "response_format": response_format} if self.schema else body

    def _read(self, connection: Connection, reply: Reply, about: str) -> Said:
        choice = first_choice(reply.body)
        if choice is None:
            raise connection.unusable("the reply holds no chat message", about)
        text, refused = text_of(choice)
        if not self.settled and not refused:
            self._settle(text)
        model = reply.body.get("model")
        return Said(
            text,
            refused=refused,
            cut=choice.get("finish_reason") == "length",
            model=model if isinstance(model, str) and model else None,
            usage=reply.usage,
            seconds=reply.seconds,
        )

    def _settle(self, text: str) -> None:
        """Find out from the first text whether the server heeds the schema."""
        self.settled = True
        if self.schema and text and not text.lstrip().startswith("{"):
            self._give_up_schema("ignores")

    def _give_up_schema(self, what: str) -> None:
        if not self.schema and self.settled:
            return
        self.schema, self.settled = False, True
        log.warning(
            "%s: the endpoint %s response_format; answers are read from plain text. Set"
            ' structured = "none" to settle it',
            self._place,
            what,
        )


def json_schema_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``response_format`` that holds an answer to ``schema``."""
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)},
    }


def first_choice(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the first choice of a chat completion if it holds a message, else None."""
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        return None
    choice: Mapping[str, Any] = choices[0]
    return choice if isinstance(choice.get("message"), Mapping) else None


def text_of(choice: Mapping[str, Any]) -> tuple[str, bool]:
    """Return what was said, and whether it is a refusal or was filtered."""
    message = choice["message"]
    content = message.get("content")
    text = content if isinstance(content, str) else ""
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return refusal, True
    if choice.get("finish_reason") == "content_filter":
        return text or "content_filter", True
    return text, False
