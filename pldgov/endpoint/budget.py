"""What a student or teacher may spend: requests, tokens and money, never more than was allowed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pldgov.errors import BudgetError

if TYPE_CHECKING:
    from collections.abc import Mapping

PER_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that may be spent, and what a million tokens cost; None where there is no cap.

    Prices and ``cost`` share one currency, whichever it is.
    """

    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None
    price_input: float | None = None
    price_output: float | None = None

    def cost_of(self, tokens_in: int, tokens_out: int) -> float:
        """Return the price of that many tokens; an unknown price counts as 0."""
        paid_in = tokens_in * (self.price_input or 0.0)
        return (paid_in + tokens_out * (self.price_output or 0.0)) / PER_MILLION


@dataclass(slots=True)
class Budget:
    """Caps and what is spent so far, over every call of one student or teacher.

    Requests are counted when they are sent, retries among them. What a request costs is known
    only afterwards, so each one in flight is reckoned as the dearest seen so far: a cap is
    passed only by a request that is dearer than every one before it.
    """

    caps: Caps
    where: str
    requests: int = 0
    tokens: int = 0
    cost: float = 0.0
    _largest: dict[str, float] = field(default_factory=lambda: {"tokens": 0, "cost": 0.0})

    def check_enforceable(self) -> None:
        """Raise ``BudgetError`` when money is capped and a price is unknown."""
        caps = self.caps
        if caps.cost is not None and (caps.price_input is None or caps.price_output is None):
            raise BudgetError(
                "max_cost cannot be kept without a price",
                where=self.where,
                hint="set price_input and price_output, per million tokens",
            )

    def has_room(self, in_flight: int) -> bool:
        """Tell whether one more request may be sent beside ``in_flight`` ones.

        Raises ``BudgetError`` when it may not and nothing is in flight, so that waiting is vain.
        """
        short = self._short_of(in_flight)
        if short is None:
            return True
        if in_flight == 0:
            raise self._spent(short)
        return False

    def count_request(self) -> None:
        """Count a request that is about to be sent; raises ``BudgetError`` for one too many."""
        if self.caps.requests is not None and self.requests >= self.caps.requests:
            raise self._spent("max_requests")
        self.requests += 1

    def spend(self, usage: tuple[int, int] | None) -> None:
        """Book the ``(input, output)`` tokens that an endpoint reports.

        Raises ``BudgetError`` when it reports none and tokens or money are capped.
        """
        if usage is None:
            if self.caps.tokens is not None or self.caps.cost is not None:
                raise BudgetError(
                    "a cap on tokens or money cannot be kept: the endpoint reports no usage",
                    where=self.where,
                    hint="cap max_requests instead",
                )
            return
        tokens, cost = sum(usage), self.caps.cost_of(*usage)
        self.tokens += tokens
        self.cost += cost
        self._largest["tokens"] = max(self._largest["tokens"], tokens)
        self._largest["cost"] = max(self._largest["cost"], cost)

    def _short_of(self, in_flight: int) -> str | None:
        """Return the option whose cap one more request would pass, None when all have room."""
        caps, sent = self.caps, in_flight + 1
        expected: Mapping[str, tuple[float, float | None]] = {
            "max_requests": (self.requests + 1, caps.requests),
            "max_tokens_total": (self.tokens + sent * self._largest["tokens"], caps.tokens),
            "max_cost": (self.cost + sent * self._largest["cost"], caps.cost),
        }
        for option, (total, cap) in expected.items():
            if cap is not None and total > cap:
                return option
        return None

    def _spent(self, option: str) -> BudgetError:
        money = f", cost {self.cost:.4f}" if self.caps.price_input is not None else ""
        return BudgetError(
            f"the next request would pass {option}"
            f" (so far: {self.requests} requests, {self.tokens} tokens{money})",
            where=self.where,
            hint=f"raise {option}; answers that were stored are not asked for again",
        )
