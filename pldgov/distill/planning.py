"""What a step will take, told before it is spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pldgov.fingerprint import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pldgov.distill.model import Phase, TeacherRequest, Usage

BYTES_PER_TOKEN: Final = 4
"""English text under today's tokenizers: between 4 and 5 bytes a token."""

ANSWER_TOKENS: Final[Mapping[Phase, int]] = {"extract": 220, "synthesize": 900, "resolve": 1200}
"""Tokens of an answer where no earlier ones are recorded; for extraction, of each example."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the requests that have no recorded reply are expected to take.

    Tokens are estimates: of the input by its bytes, of the answers by those recorded so far
    (``measured``) or by rule of thumb. Answers that are sent back cost again and are not in it.
    ``cost`` is None where no price is known. ``recorded`` counts replies that need no call.
    """

    phase: Phase
    requests: int
    recorded: int
    tokens_in: int
    tokens_out: int
    measured: bool
    cost: float | None


def plan_requests(
    phase: Phase,
    requests: Sequence[TeacherRequest],
    *,
    recorded: Usage,
    price: Callable[[int, int], float | None],
) -> Plan:
    """Return what ``requests`` are expected to take; ``price`` is the teacher's."""
    tokens_in = sum(map(input_tokens, requests))
    measured = recorded.tokens_out > 0
    if measured:
        tokens_out = -(-recorded.tokens_out * len(requests) // recorded.calls)
    else:
        units = sum(len(one.about) if phase == "extract" else 1 for one in requests)
        tokens_out = units * ANSWER_TOKENS[phase]
    return Plan(
        phase=phase,
        requests=len(requests),
        recorded=recorded.calls,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        measured=measured,
        cost=price(tokens_in, tokens_out),
    )


def input_tokens(request: TeacherRequest) -> int:
    """Return about how many tokens a request has, its schema included."""
    texts = [message["content"] for message in request.messages]
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return -(-(size + len(canonical_json(dict(request.schema)))) // BYTES_PER_TOKEN)
