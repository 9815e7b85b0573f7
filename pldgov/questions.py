"""What a student is asked: prompts, turns and queries, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pldgov.fingerprint import digest_value

if TYPE_CHECKING:
    from collections.abc import Mapping

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier exchange shown to the student: a user message and the label answered."""

    user: str
    assistant: str
    example_id: str | None = None
    rule_id: str | None = None


@dataclass(frozen=True)
class Prompt:
    """All that a student gets besides the input: what is reviewed is what is shipped.

    ``labels`` maps each label to its description, in the rulebook's order; a decision model
    gets them as options, a chat model finds them in ``system``. ``user_template`` is the source
    of the user template, which is part of the digest though each message is rendered elsewhere;
    ``scoped_rules`` counts the rules that it chooses from, by what the input says.
    """

    system: str
    labels: Mapping[str, str]
    user_template: str
    turns: tuple[Turn, ...] = ()
    scoped_rules: int = 0

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that reaches the student, and nothing else."""
        return digest_value(
            {
                "system": self.system,
                "turns": [[turn.user, turn.assistant] for turn in self.turns],
                "user_template": self.user_template,
                "labels": [list(item) for item in self.labels.items()],
            }
        )

    @property
    def messages(self) -> tuple[Message, ...]:
        """System message and turns, as a chat endpoint takes them, without the input."""
        shown: list[Message] = [{"role": "system", "content": self.system}]
        for turn in self.turns:
            shown.append({"role": "user", "content": turn.user})
            shown.append({"role": "assistant", "content": turn.assistant})
        return tuple(shown)


@dataclass(frozen=True, slots=True)
class Query:
    """One input for a student: the rendered user message and where it came from.

    ``sha256`` is the example's input digest, by which the answer is stored.
    """

    example_id: str
    sha256: str
    text: str
