"""What every export is made of: the prompt, how its input is put in, and where it comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pldgov.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.exports.user_template import Pieces
    from pldgov.questions import Message, Prompt


@dataclass(frozen=True)
class Asked:
    """One input as the student is asked about it; ``example`` is where it comes from, if known."""

    id: str
    text: str
    example: Example | None = None


@dataclass(frozen=True)
class Export:
    """A rendered prompt on its way into another tool's format.

    ``settings`` are the fields of a chat request besides model and messages (temperature, a limit
    on tokens), ``response_format`` the one that allows the labels only, None where the student
    answers in plain text; ``schema`` is the JSON Schema in it, always there. ``pieces`` is the user
    template as text and fields, or the sentence that says why it cannot be taken apart. ``asked``
    are the inputs of a data file. ``base_url`` is set where the student is behind an endpoint.
    """

    prompt: Prompt
    rulebook: str
    title: str
    fields: tuple[str, ...]
    pieces: Pieces | str
    schema: Mapping[str, Any]
    response_format: Mapping[str, Any] | None = None
    model: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    base_url: str | None = None
    asked: Sequence[Asked] = ()

    @property
    def trace(self) -> tuple[str, ...]:
        """Two lines for a comment: what the file is made of."""
        return (
            f"Rendered by pldgov from the rulebook {self.rulebook}; do not edit.",
            f"prompt sha256:{self.prompt.digest}",
        )

    @property
    def tag(self) -> str:
        """Rulebook and digest in at most 64 characters, for fields that hold no more."""
        return f"{self.rulebook[:47]}@{self.prompt.digest[:16]}"

    @property
    def title_line(self) -> str:
        """The title as one line of printable characters."""
        return json.dumps(self.title, ensure_ascii=not self.title.isprintable())[1:-1]

    def user_pieces(self, *, format: str) -> Pieces:  # noqa: A002  (the option's name)
        """Return the user template's pieces; raises ``TemplateError`` when it has none."""
        if isinstance(self.pieces, str):
            raise TemplateError(
                f"the user template cannot be written in this format: {self.pieces}",
                where=f"--format {format}",
                hint="print the fields as they are, or use openai-batch, which pldgov renders",
            )
        return self.pieces

    def messages(self, asked: Asked) -> list[Message]:
        """Return all messages of a request about one input."""
        return [*self.prompt.messages, {"role": "user", "content": asked.text}]
