"""Students that answer a typed question with a probability for every label: kind ``decisions``.

Such a model generates nothing. Two dialects: OpenAI's Decisions API (``POST /decisions``, as
``client.decisions.create`` of the openai package sends it) and System One (``POST /systemone``,
served by ``transformers serve``, llama.cpp's server, vLLM and gateways).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import isclose
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from pldgov.endpoint.connection import FILTERED, Rejection
from pldgov.errors import UsageError
from pldgov.results import Answer, StudentCard
from pldgov.students.endpoint import EndpointOptions, parse_endpoint, place
from pldgov.students.remote import RemoteStudent, about

if TYPE_CHECKING:
    from pathlib import Path

    from pldgov.endpoint.connection import Connection, Reply
    from pldgov.questions import Prompt, Query

QUESTION: Final = "Which label does the policy give to this input?"
NAME: Final = "label"
"""The name of the one question in every request."""

REFUSED: Final = "refusal"


class DecisionsOptions(EndpointOptions):
    """The options of kind ``decisions``.

    ``question`` is asked beside the rules, where the dialect has a place for both. ``rules_in``
    (System One only) puts the rendered rules into the question's instructions, or into the state
    before the input: servers read the state first, so that they can keep one long rulebook.
    """

    dialect: Literal["openai", "systemone"] = "openai"
    question: str = Field(default=QUESTION, min_length=1)
    rules_in: Literal["instructions", "state"] = "instructions"


class DecisionsStudent(RemoteStudent[DecisionsOptions]):
    """A decision model: its label is the most probable one, the first of equals.

    A refusal is an answer without a label.
    """

    def __init__(self, name: str, options: DecisionsOptions) -> None:
        super().__init__(name, options)
        self._dialect: Dialect = (
            OpenAIDialect(options) if options.dialect == "openai" else SystemOneDialect(options)
        )

    @classmethod
    def from_options(
        cls,
        name: str,
        options: Mapping[str, Any],
        *,
        root: Path,  # noqa: ARG003  (the signature that every back-end shares)
    ) -> DecisionsStudent:
        """Return the student that ``[tool.pldgov.students.<name>]`` describes."""
        return cls(name, parse_endpoint(DecisionsOptions, name, options))

    @property
    def card(self) -> StudentCard:
        """Who answers: the model id is the snapshot, ``served_model`` where it is pinned."""
        return StudentCard(
            name=self.name,
            kind="decisions",
            model=self.options.model,
            snapshot=self.options.snapshot,
            decoding={"mode": "decisions", **self._dialect.decoding},
            policy=self.options.policy,
        )

    def check(self, prompt: Prompt) -> None:
        """Raise ``UsageError`` when the dialect has no place for the prompt's turns."""
        if prompt.turns and not self._dialect.takes_turns:
            raise UsageError(
                f"the prompt shows {len(prompt.turns)} exemplars as chat turns, for which the"
                f" dialect {self.options.dialect!r} has no place",
                where=place(self.name),
                hint="use a template that shows them in the system text, or none",
            )

    async def ask(self, connection: Connection, prompt: Prompt, query: Query) -> Answer:
        """Ask one query."""
        body = {"model": self.options.model, **self._dialect.body(prompt, query)}
        reply = await connection.post(self._dialect.path, body, about(query))
        if not isinstance(reply, Rejection):
            return self._read(connection, reply, prompt, query)
        if reply.code in FILTERED:
            return Answer(label=None, raw=reply.message)
        raise connection.refused(reply, about(query))

    def _read(self, connection: Connection, reply: Reply, prompt: Prompt, query: Query) -> Answer:
        found = self._dialect.probabilities(reply.body)
        scores = None
        if found is None:
            raise connection.unusable("the reply holds no decision", about(query))
        if found != REFUSED:
            scores = {label: _number(found.get(label)) for label in prompt.labels}
            if not isclose(sum(scores.values()), 1, abs_tol=0.01):
                raise connection.unusable(
                    f"the reply's probabilities are not one a label and 1 in all: {dict(found)}",
                    about(query),
                )
        return Answer(
            label=None if scores is None else max(scores, key=scores.__getitem__),
            scores=scores,
            score_kind=None if scores is None else "probability",
            raw=REFUSED if scores is None else None,
            tokens_in=reply.usage[0],
            tokens_out=reply.usage[1],
            seconds=reply.seconds,
        )


class Dialect(ABC):
    """How a prompt and an input are put, and where the probabilities stand in the reply."""

    path: str
    takes_turns: bool

    def __init__(self, options: DecisionsOptions) -> None:
        self.options = options

    @property
    @abstractmethod
    def decoding(self) -> dict[str, Any]:
        """What of the options changes answers."""

    @abstractmethod
    def body(self, prompt: Prompt, query: Query) -> dict[str, Any]:
        """Return the request without its model."""

    @abstractmethod
    def probabilities(
        self, body: Mapping[str, Any]
    ) -> Mapping[str, Any] | Literal["refusal"] | None:
        """Return the reply's probability of each label, ``REFUSED``, or None for no decision."""


class OpenAIDialect(Dialect):
    """Developer message, turns, user message; one choice question; the prompt as cache key."""

    path = "/decisions"
    takes_turns = True

    @property
    def decoding(self) -> dict[str, Any]:
        """The question is read by the model, and not part of the prompt's digest."""
        return {"dialect": "openai", "question": self.options.question}

    def body(self, prompt: Prompt, query: Query) -> dict[str, Any]:
        """Return the request as ``client.decisions.create`` would send it."""
        system, *turns = prompt.messages
        messages = [
            {**system, "role": "developer"},
            *turns,
            {"role": "user", "content": query.text},
        ]
        question = {
            "type": "choice",
            "name": NAME,
            "instructions": self.options.question,
            "choices": [
                {"value": label, "description": description}
                for label, description in prompt.labels.items()
            ],
        }
        return {
            "input": [{"type": "message", **message} for message in messages],
            "questions": [question],
            "prompt_cache_key": prompt.digest,
        }

    def probabilities(
        self, body: Mapping[str, Any]
    ) -> Mapping[str, Any] | Literal["refusal"] | None:
        """Return the probabilities of the first answer; there is one question."""
        answers = body.get("answers")
        answer = answers[0] if isinstance(answers, list) and answers else None
        if not isinstance(answer, Mapping):
            return None
        if answer.get("type") == REFUSED:
            return REFUSED
        options = answer.get("probabilities")
        if not isinstance(options, list) or not all(isinstance(each, Mapping) for each in options):
            return None
        return {str(each.get("value")): each.get("probability") for each in options}


class SystemOneDialect(Dialect):
    """State and one choice question, whose criteria are the labels with their descriptions."""

    path = "/systemone"
    takes_turns = False

    @property
    def decoding(self) -> dict[str, Any]:
        """The question is asked only where the rules are not the instructions themselves."""
        question = {"question": self.options.question} if self._rules_in_state else {}
        return {"dialect": "systemone", "rules_in": self.options.rules_in, **question}

    def body(self, prompt: Prompt, query: Query) -> dict[str, Any]:
        """Return the request as the System One API defines it."""
        state: Any = query.text
        instructions = prompt.system
        if self._rules_in_state:
            state = {"policy": prompt.system, "input": query.text}
            instructions = self.options.question
        question = {
            "type": "choice",
            "instructions": instructions,
            "criteria": dict(prompt.labels),
        }
        return {"state": state, "questions": {NAME: question}}

    def probabilities(
        self, body: Mapping[str, Any]
    ) -> Mapping[str, Any] | Literal["refusal"] | None:
        """Return the answer's probabilities; a question left out of the answers is refused."""
        answers = body.get("answers")
        if not isinstance(answers, Mapping):
            return None
        answer = answers.get(NAME)
        if answer is None:
            return REFUSED
        options = answer.get("probabilities") if isinstance(answer, Mapping) else None
        return options if isinstance(options, Mapping) else None

    @property
    def _rules_in_state(self) -> bool:
        return self.options.rules_in == "state"


def _number(value: object) -> float:
    """Return a probability as a number, NaN for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= 1 else float("nan")  # type: ignore[operator, arg-type]
