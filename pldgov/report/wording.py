"""How figures are written, the same in every report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.results import Difference, Interval, Scorecard, StudentCard

_SHORT = 12


def fraction(value: float) -> str:
    """Return an F1 or a rate as 0.123."""
    return f"{value:.3f}"


def points(value: float) -> str:
    """Return a difference of fractions in points, signed: -7.9."""
    return f"{100 * value:+.1f}"


def interval(value: Interval | None) -> str:
    """Return ``0.512 to 0.634``, nothing for no interval."""
    return f"{value.low:.3f} to {value.high:.3f}" if value else ""


def difference(value: Difference) -> str:
    """Return ``0.571 -> 0.498, -7.3 points (95 % interval -11.9 to -2.8)``."""
    span = value.interval
    return (
        f"{value.base:.3f} -> {value.head:.3f}, {points(value.delta)} points "
        f"({100 * span.confidence:.0f} % interval {points(span.low)} to {points(span.high)})"
    )


def digest(value: str | None) -> str:
    """Return the beginning of a digest, as people compare them."""
    return value[:_SHORT] if value else "-"


def student(card: StudentCard) -> str:
    """Return the student's name with what pins it."""
    same = card.snapshot == card.model
    snapshot = "" if same else f", {card.snapshot[:_SHORT]}"
    calibrated = ", calibrated" if card.policy.calibration != "none" else ""
    return f"{card.name} ({card.kind}, {card.model}{snapshot}{calibrated})"


def speed(scorecard: Scorecard) -> str:
    """Return seconds an example and examples a second, as measured when they were answered."""
    if not scorecard.seconds:
        return "-"
    each = scorecard.seconds / scorecard.n
    return f"{each:.3f} s per example, {1 / each:.1f} examples per second"


def answer(label: str | None) -> str:
    """Return a label, or what stands for none."""
    return label if label is not None else "(no label)"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of aligned columns: the first to the left, figures to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
