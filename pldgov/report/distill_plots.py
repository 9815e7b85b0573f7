"""The two plots of a distillation: macro-F1 over the rounds, and against the prompt's tokens."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from pldgov.errors import ProviderError

if TYPE_CHECKING:
    from pldgov.distill.summary import Summary

PlotFormat = Literal["svg", "png"]


def render_distill_plots(summary: Summary, *, format: PlotFormat) -> bytes:  # noqa: A002  (matplotlib's word)
    """Return both plots side by side; the same figures give the same file.

    Raises ``ProviderError`` when matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415  (an extra, and slow to import)
        from matplotlib.figure import Figure  # noqa: PLC0415  (the same)
    except ModuleNotFoundError as error:
        raise ProviderError(
            "plots need matplotlib", where="--plot", hint="pip install 'pldgov[plot]'"
        ) from error
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    _over_rounds(left, summary)
    _against_tokens(right, summary)
    figure.suptitle(f"{summary.rulebook}: macro-F1 on the validation split", fontsize="medium")
    stream = BytesIO()
    with mpl.rc_context({"svg.hashsalt": "pldgov"}):
        figure.savefig(stream, format=format, metadata={"Date": None} if format == "svg" else None)
    return stream.getvalue()


def _over_rounds(axes: Any, summary: Summary) -> None:
    """Draw the accepted macro-F1 after synthesis, each round and the choice, and what was tried."""
    rounds = summary.rounds
    start = rounds[0].before if rounds else summary.validation[0]
    line = [start, *(one.after for one in rounds), summary.validation[0]]
    names = ["synthesis", *(f"round {one.number}" for one in rounds), "pruned"]
    axes.plot(range(len(line)), line, marker="o", label="accepted")
    tried = [
        (index, each.alone)
        for index, one in enumerate(rounds, start=1)
        for each in one.operations
        if each.alone is not None
    ]
    if tried:
        axes.plot(*zip(*tried, strict=True), "x", color="0.5", label="one operation alone")
    axes.set_xticks(range(len(line)), names)
    axes.set(ylabel="macro-F1")
    axes.legend()


def _against_tokens(axes: Any, summary: Summary) -> None:
    points = [(one.size, one.macro_f1) for one in summary.candidates if one.macro_f1 is not None]
    if points:
        axes.plot(*zip(*points, strict=True), "o", alpha=0.5, label="candidates")
    axes.plot([summary.chosen.size], [summary.validation[0]], "*", markersize=14, label="chosen")
    axes.set(xlabel="tokens of the prompt", ylabel="macro-F1")
    axes.legend()
