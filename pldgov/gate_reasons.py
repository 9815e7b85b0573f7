"""The gate's sentences: plain words with the figures that decided, for whoever signs off.

F1 differences are shown in points (hundredths of F1). A figure and the limit that it is held
against are shown with as many decimals as it takes to tell them apart.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pldgov.results import Outcome

if TYPE_CHECKING:
    from pldgov.results import Difference, Interval

MOST_DECIMALS = 15


def macro_reason(
    outcome: Outcome,
    difference: Difference,
    *,
    n: int,
    flips: int,
    margin: float,
    needed: int | None,
) -> str:
    """Say what macro-F1 did over ``n`` examples, and what follows under ``margin``."""
    if not flips:
        same = f"all {n} answers are the same as the base's"
        return f"{same}: macro-F1 stays at {difference.head:.3f}"
    moved, allowed = f"macro-F1 {movement(difference, margin)}", points(margin, difference, margin)
    if outcome is Outcome.PASS:
        return f"{moved}: a drop of more than the {allowed} points allowed is ruled out"
    if outcome is Outcome.REGRESSED:
        return f"{moved}, more than the {allowed} points allowed"
    return f"{moved}: {_doubt(difference, n, margin, needed)}"


def label_reason(outcome: Outcome, difference: Difference, *, margin: float) -> str:
    """Say what one label's F1 did, and what follows under its ``margin``."""
    if difference.standard_error == 0 and difference.delta == 0:
        return f"F1 stays at {difference.head:.3f}"
    moved, allowed = f"F1 {movement(difference, margin)}", points(margin, difference, margin)
    if outcome is Outcome.REGRESSED:
        return f"{moved}, more than the {allowed} points allowed"
    if outcome is Outcome.PASS:
        return f"{moved}: within the {allowed} points allowed"
    return f"{moved}: whether it is within the {allowed} points allowed is open"


def movement(difference: Difference, margin: float) -> str:
    """Return for instance ``fell by 7.9 points (95 % interval -12.1 to -3.8)``."""
    decimals = _decimals_for(difference, margin)
    interval = interval_in_points(difference.interval, decimals)
    if difference.delta == 0:
        return f"is unchanged ({interval})"
    verb = "fell" if difference.delta < 0 else "rose"
    return f"{verb} by {100 * abs(difference.delta):.{decimals}f} points ({interval})"


def points(value: float, difference: Difference, margin: float) -> str:
    """Return ``value`` in points, with the decimals that this difference needs."""
    return f"{100 * value:.{_decimals_for(difference, margin)}f}"


def interval_in_points(interval: Interval, decimals: int = 1) -> str:
    """Return for instance ``95 % interval -12.1 to -3.8``."""
    low, high = (f"{100 * end:+.{decimals}f}" for end in (interval.low, interval.high))
    return f"{100 * interval.confidence:.10g} % interval {low} to {high}"


def apart(value: float, limit: float, *, decimals: int = 3) -> tuple[str, str]:
    """Return both figures with the fewest decimals, from ``decimals`` on, that tell them apart."""
    for digits in range(decimals, MOST_DECIMALS):
        shown = f"{value:.{digits}f}", f"{limit:.{digits}f}"
        if shown[0] != shown[1]:
            return shown
    return repr(value), repr(limit)


def share(part: int, whole: int) -> str:
    """Return for instance ``12.5 % (25 of 200)``."""
    return f"{100 * part / whole:.1f} % ({part} of {whole})"


def readable_count(count: int) -> str:
    """Return ``count`` rounded up to two significant digits, with thousands apart."""
    unit = 10 ** max(0, math.floor(math.log10(count)) - 1)
    return f"{math.ceil(count / unit) * unit:,}"


def _doubt(difference: Difference, n: int, margin: float, needed: int | None) -> str:
    allowed = points(margin, difference, margin)
    if difference.standard_error == 0:
        return "one independent example a label cannot tell an effect from chance"
    enough = f"about {readable_count(needed)} would decide" if needed else "nor would more decide"
    if difference.delta < -margin:
        drop = f"more than the {allowed} points allowed"
        return f"{drop}, but {n} examples cannot tell it from chance; {enough}"
    return f"{n} examples cannot rule out a drop of more than the {allowed} points; {enough}"


def _decimals_for(difference: Difference, margin: float) -> int:
    """Return how many decimals keep every figure of the sentence on its side of its limit."""
    pairs = [
        (100 * abs(difference.delta), 100 * margin),
        (100 * difference.interval.low, -100 * margin),
        (100 * difference.interval.high, 0.0),
    ]
    for decimals in range(1, 6):
        if all(
            f"{value:.{decimals}f}" != f"{limit:.{decimals}f}"
            for value, limit in pairs
            if not math.isclose(value, limit, abs_tol=1e-9)
        ):
            return decimals
    return 6
