"""Students behind an OpenAI-compatible chat endpoint: kind ``openai``."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from pldgov.endpoint.chat import Chat, ChatOptions, json_schema_format
from pldgov.errors import UsageError
from pldgov.parsing import after_reasoning, final_answer, parse_label
from pldgov.results import Answer, StudentCard
from pldgov.students.endpoint import EndpointOptions, parse_endpoint, place
from pldgov.students.remote import RemoteStudent, about

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pldgov.endpoint.connection import Connection
    from pldgov.questions import Prompt, Query

log = logging.getLogger(__name__)

SCORE_OPTIONS: Final = ("calibration", "thresholds", "abstain_below")


class OpenAIOptions(EndpointOptions, ChatOptions):
    """The options of kind ``openai``; the schema has the labels as an enumeration.

    ``answer`` "final" is for models that reason in the text of their reply: reasoning is dropped
    and the label read after the last ``answer_marker``, else from the last line.
    """

    max_tokens: Annotated[int, Field(ge=1)] = 64
    answer: Literal["whole", "final"] = "whole"
    answer_marker: str = Field(default="Answer:", min_length=1)

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
        if self.answer == "final":
            settings |= {"answer": "final", "answer_marker": self.answer_marker}
        return settings | ({"extra_body": self.extra_body} if self.extra_body else {})


class OpenAIStudent(RemoteStudent[OpenAIOptions]):
    """A chat model that answers with a label.

    A refusal, a filtered reply and a text that names no label are answers without a label.
    """

    def __init__(self, name: str, options: OpenAIOptions) -> None:
        super().__init__(name, options)
        self._chat = Chat(options, place=place(name))
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
        labels = tuple(prompt.labels)
        said = await self._chat.ask(
            connection,
            [*prompt.messages, {"role": "user", "content": query.text}],
            response_format=label_schema(labels),
            about=about(query),
        )
        label = None if said.refused else self._label(said.text, labels)
        if label is None and said.cut:
            self._tell_of_cut(query)
        tokens_in, tokens_out = said.usage
        return Answer(
            label=label,
            raw=said.text,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            seconds=said.seconds,
        )

    def _label(self, text: str, labels: Sequence[str]) -> str | None:
        if self.options.answer == "whole":
            return read_label(text, labels)
        return read_final_label(text, labels, marker=self.options.answer_marker)

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
    return json_schema_format(schema)


def read_label(text: str, labels: Sequence[str]) -> str | None:
    """Return the label of a JSON answer, or the one that plain text names, else None."""
    return _json_label(text, labels) or parse_label(text, labels)


def read_final_label(text: str, labels: Sequence[str], *, marker: str) -> str | None:
    """Return the label that stands after a model's reasoning, None where none or several do."""
    whole = _json_label(after_reasoning(text), labels)
    return whole or read_label(final_answer(text, marker=marker), labels)


def _json_label(text: str, labels: Sequence[str]) -> str | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    found = value.get("label") if isinstance(value, Mapping) else None
    return found if isinstance(found, str) and found in labels else None
