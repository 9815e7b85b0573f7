"""What ``[tool.pldgov.teachers.<name>]`` says of a teacher behind an endpoint."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pldgov.endpoint.budget import Budget
from pldgov.endpoint.chat import ChatOptions

if TYPE_CHECKING:
    from pldgov.distill.model import TeacherRequest, Usage

_SHOWN_SUBJECTS = 3


class TeacherOptions(ChatOptions):
    """The options of the kinds ``openai`` and ``batch``; only the model must be named.

    Strong models think before they answer: no temperature is sent unless one is set, and a reply
    may take ten minutes.
    """

    kind: str
    temperature: Annotated[float, Field(ge=0, le=2)] | Literal["unset"] = "unset"
    timeout: float = Field(default=600.0, gt=0)

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """Return what so many tokens cost, None where a price is not set."""
        if self.price_input is None or self.price_output is None:
            return None
        return self.budget("").caps.cost_of(tokens_in, tokens_out)

    def remaining(self, spent: Usage, *, where: str) -> Budget:
        """Return the budget of a run that has ``spent`` something already."""
        caps = self.budget(where).caps
        return Budget(
            caps,
            where,
            requests=spent.calls,
            tokens=spent.tokens_in + spent.tokens_out,
            cost=spent.cost,
        )


def place(name: str) -> str:
    """Return the table of the configuration that describes the teacher ``name``."""
    return f"[tool.pldgov.teachers.{name}]"


def today() -> str:
    """Return the day in UTC, as ISO 8601."""
    return datetime.now(UTC).date().isoformat()


def subject(request: TeacherRequest) -> str:
    """Return what messages call a request."""
    shown = ", ".join(request.about[:_SHOWN_SUBJECTS])
    more = len(request.about) - _SHOWN_SUBJECTS
    further = f" and {more} more" if more > 0 else ""
    return f"request {request.digest[:12]} ({request.phase}: {shown}{further})"
