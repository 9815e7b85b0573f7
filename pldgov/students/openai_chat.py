"""Students behind an OpenAI-compatible chat endpoint: kind ``openai``."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, JsonValue, field_validator

from pldgov.errors import UsageError
from pldgov.parsing import parse_label
from pldgov.results import Answer, StudentCard
from pldgov.students.connection import FILTERED, Rejection
from pldgov.students.endpoint import OPENAI_URL, EndpointOptions, parse_endpoint, place
from pldgov.students.remote import RemoteStudent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pldgov.results import Prompt, Query
    from pldgov.students.connection import Connection, Reply

log = logging.getLogger(__name__)

SCORE_OPTIONS: Final = ("calibration", "thresholds", "abstain_below")
OWN_FIELDS: Final = ("model", "messages", "stream", "n", "response_format")


class OpenAIOptions(EndpointOptions):
    """The options of kind ``openai``.

    ``structured``: whether the reply is held to a JSON schema with the labels as an enumeration;
    "auto" finds out with the first request. ``temperature`` "unset" sends none, for models that
    refuse it. ``extra_body`` goes into every request as it stands.
    """

    structured: Literal["auto", "json_schema", "none"] = "auto"
    temperature: Annotated[float, Field(ge=0, le=2)] | Literal["unset"] = 0.0
    max_tokens: int = Field(default=64, ge=1)
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
    def decoding(self) -> dict[str, Any]:
        """The settings that change answers; what is not sent is left out (TOML has no null)."""
        settings: dict[str, Any] = {
            "mode": "chat",
            "structured": self.structured,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
        }
        if self.seed is not None:
            settings["seed"] = self.seed
        return settings | ({"extra_body": self.extra_body} if self.extra_body else {})

    @property
    def request_fields(self) -> dict[str, Any]:
        """The fields that are the same in every request; OpenAI itself renamed max_tokens."""
        renamed = self.max_tokens_field == "auto" and self.base_url == OPENAI_URL
        limit = "max_completion_tokens" if renamed else self.max_tokens_field
        fields: dict[str, Any] = {
            "model": self.model,
            "max_tokens" if limit == "auto" else limit: self.max_tokens,
        }
        if self.temperature != "unset":
            fields["temperature"] = self.temperature
        if self.seed is not None:
            fields["seed"] = self.seed
        return fields | self.extra_body


class OpenAIStudent(RemoteStudent[OpenAIOptions]):
    """A chat model that answers with a label.

    A refusal, a filtered reply and a text that names no label are answers without a label.
    """

    def __init__(self, name: str, options: OpenAIOptions) -> None:
        super().__init__(name, options)
        self._fields = options.request_fields
        self._schema = options.structured != "none"
        self._settled = options.structured != "auto"
        self._told_of_cut = False

    @classmethod
    def from_options(
        cls,
        name: str,
        options: Mapping[str, Any],
        *,
        root: Path,  # noqa: ARG003  (the signature that every back-end shares)
    ) -> OpenAIStudent:
        """Return the student that ``[tool.pldgov.students.<name>]`` describes.

        Raises ``UsageError`` for a policy that needs scores, of which a chat endpoint gives none.
        """
        parsed = parse_endpoint(OpenAIOptions, name, options)
        for option in SCORE_OPTIONS:
            if getattr(parsed, option) != OpenAIOptions.model_fields[option].get_default(
                call_default_factory=True
            ):
                raise UsageError(
                    f"{option}: a chat endpoint gives no scores that it could apply to",
                    where=place(name),
                    hint='the kinds "decisions" and "transformers" give a score for every label',
                )
        return cls(name, parsed)

    @property
    def card(self) -> StudentCard:
        """Who answers: the model id is the snapshot, ``served_model`` where it is pinned."""
        return StudentCard(
            name=self.name,
            kind="openai",
            model=self.options.model,
            snapshot=self.options.snapshot,
            decoding=self.options.decoding,
            policy=self.options.policy,
        )

    async def ask(self, connection: Connection, prompt: Prompt, query: Query) -> Answer:
        """Ask one query; the first one settles whether the server takes a schema."""
        with_schema = self._schema
        reply = await connection.post("/chat/completions", self._body(prompt, query), query)
        if isinstance(reply, Rejection) and with_schema and not self._settled:
            reason = reply.message
            self._schema = False
            reply = await connection.post("/chat/completions", self._body(prompt, query), query)
            if not isinstance(reply, Rejection):
                self._give_up_schema(f"refuses ({reason})")
        if isinstance(reply, Rejection):
            if reply.code in FILTERED:
                return Answer(label=None, raw=reply.message)
            raise connection.refused(reply, query)
        return self._read(connection, reply, tuple(prompt.labels), query)

    def _body(self, prompt: Prompt, query: Query) -> dict[str, Any]:
        messages = [*prompt.messages, {"role": "user", "content": query.text}]
        body = {**self._fields, "messages": messages}
        if self._schema:
            body["response_format"] = label_schema(tuple(prompt.labels))
        return body

    def _read(
        self, connection: Connection, reply: Reply, labels: Sequence[str], query: Query
    ) -> Answer:
        choice = _first_choice(reply.body)
        if choice is None:
            raise connection.unusable("the reply holds no chat message", query)
        text, refused = _text_of(choice)
        if not self._settled and not refused:
            self._settle(text)
        label = None if refused else read_label(text, labels)
        if label is None and choice.get("finish_reason") == "length":
            self._tell_of_cut(query)
        tokens_in, tokens_out = reply.usage
        return Answer(
            label=label,
            raw=text,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            seconds=reply.seconds,
        )

    def _settle(self, text: str) -> None:
        """Find out from the first text whether the server heeds the schema."""
        self._settled = True
        if self._schema and text and not text.lstrip().startswith("{"):
            self._give_up_schema("ignores")

    def _give_up_schema(self, what: str) -> None:
        if not self._schema and self._settled:
            return
        self._schema, self._settled = False, True
        log.warning(
            "%s: the endpoint %s response_format; answers are read from plain text. Set"
            ' structured = "none" to settle it',
            place(self.name),
            what,
        )

    def _tell_of_cut(self, query: Query) -> None:
        if not self._told_of_cut:
            self._told_of_cut = True
            log.warning(
                "%s: example %r was cut off at max_tokens = %d before it named a label",
                place(self.name),
                query.example_id,
                self.options.max_tokens,
            )


def label_schema(labels: Sequence[str]) -> dict[str, Any]:
    """Return the ``response_format`` that allows one of ``labels`` and nothing else."""
    schema = {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": list(labels)}},
        "required": ["label"],
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": schema},
    }


def read_label(text: str, labels: Sequence[str]) -> str | None:
    """Return the label of a JSON answer, or the one that plain text names, else None."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, Mapping) and value.get("label") in labels:
        label: str = value["label"]
        return label
    return parse_label(text, labels)


def _first_choice(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the first choice if it holds a message, else None."""
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        return None
    choice: Mapping[str, Any] = choices[0]
    return choice if isinstance(choice.get("message"), Mapping) else None


def _text_of(choice: Mapping[str, Any]) -> tuple[str, bool]:
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
