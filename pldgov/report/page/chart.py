"""The chart of macro-F1 over the commits: places in an SVG, which the template draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.dossier import Point

WIDTH: Final = 720
HEIGHT: Final = 220
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 14, 34
_MOST_DATES: Final = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """One measurement: its place, the ends of its interval, and the point it stands for."""

    x: float
    y: float
    low: float | None
    high: float | None
    point: Point


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: its place and what stands beside it."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """The chart of one student's measurements, oldest to the left; lengths in SVG units."""

    marks: tuple[Mark, ...]
    line: str
    days: tuple[Tick, ...]
    levels: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def draw(points: Sequence[Point]) -> Chart | None:
    """Return the chart of one student's points, oldest first; None without any.

    Commits stand at equal distances: what matters is what each one did, not how long it took.
    """
    if not points:
        return None
    low, high = _span(points)

    def place(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    marks = tuple(
        Mark(
            x=_across(number, len(points)),
            y=place(point.macro_f1),
            low=None if point.low is None else place(point.low),
            high=None if point.high is None else place(point.high),
            point=point,
        )
        for number, point in enumerate(points)
    )
    return Chart(
        marks=marks,
        line=" ".join(f"{mark.x},{mark.y}" for mark in marks) if len(marks) > 1 else "",
        days=_days(marks),
        levels=tuple(Tick(place(level), f"{level:.1f}") for level in _levels(low, high)),
    )


def _span(points: Sequence[Point]) -> tuple[float, float]:
    """Return the least and the highest value of the axis, in whole tenths."""
    values = [one for p in points for one in (p.macro_f1, p.low, p.high) if one is not None]
    low = max(0.0, int(min(values) * 10) / 10)
    high = min(1.0, -int(-max(values) * 10 // 1) / 10)
    return (low, high) if high - low >= 0.2 else (max(0.0, high - 0.2), max(high, 0.2))  # noqa: PLR2004


def _levels(low: float, high: float) -> tuple[float, ...]:
    steps = round((high - low) * 10)
    every = 1 if steps <= 5 else 2  # noqa: PLR2004  (five lines are enough to read by)
    return tuple(round(low + step / 10, 1) for step in range(0, steps + 1, every))


def _across(number: int, count: int) -> float:
    room = WIDTH - LEFT - RIGHT - 60
    if count == 1:
        return round(LEFT + 30 + room / 2, 1)
    return round(LEFT + 30 + room * number / (count - 1), 1)


def _days(marks: Sequence[Mark]) -> tuple[Tick, ...]:
    step = -(-len(marks) // _MOST_DATES)
    return tuple(Tick(mark.x, mark.point.on) for mark in marks[::step])
