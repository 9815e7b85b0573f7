"""When to ask GitHub again: what its headers say about rate limits, within a patience."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pldgov.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECONDARY_SECONDS = 60.0
"""GitHub asks for at least a minute where a limit is met and no header says how long."""
_LIMITED = (403, 429)
_NOT_A_LIMIT = "not accessible"


@dataclass
class Patience:
    """How many seconds may be waited in all, and how many have been."""

    most: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    waited: float = field(default=0.0, init=False)

    def wait(self, seconds: float, *, why: str) -> None:
        """Sleep; raises ``ProviderError`` where that would be longer than there is patience for."""
        seconds = max(seconds, 0.0)
        if self.waited + seconds > self.most:
            raise ProviderError(
                f"{why}: it would take {seconds:.0f} more seconds, and "
                f"{self.most:.0f} in all are waited at most",
                hint="try later, or raise --max-wait",
            )
        self.waited += seconds
        self.sleep(seconds)


def seconds_to_wait(
    status: int, headers: Mapping[str, str], message: str, *, now: float, attempt: int
) -> float | None:
    """Return how long a reply asks to wait, None where it is about no rate limit.

    ``attempt`` counts from 0; where GitHub names no time the wait doubles with each.
    """
    if status not in _LIMITED or not _is_limit(status, headers, message):
        return None
    asked = _retry_after(headers.get("retry-after"), now=now)
    if asked is not None:
        return asked
    if headers.get("x-ratelimit-remaining") == "0":
        reset = _number(headers.get("x-ratelimit-reset"))
        if reset is not None:
            return max(reset - now, 0.0) + 1  # clocks differ, and the reset is a whole second
    return float(SECONDARY_SECONDS * 2**attempt)


def _is_limit(status: int, headers: Mapping[str, str], message: str) -> bool:
    said = message.lower()
    if status == _LIMITED[1] or "retry-after" in headers or "rate limit" in said or "abuse" in said:
        return True
    return headers.get("x-ratelimit-remaining") == "0" and _NOT_A_LIMIT not in said


def _retry_after(value: str | None, *, now: float) -> float | None:
    """Return the seconds of a ``Retry-After``, which is a number or a date."""
    number = _number(value)
    if number is not None or value is None:
        return number
    try:
        return max(parsedate_to_datetime(value).timestamp() - now, 0.0)
    except (ValueError, TypeError):
        return None


def _number(value: str | None) -> float | None:
    return float(value) if value is not None and value.strip().isdecimal() else None
