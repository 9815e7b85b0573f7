"""The reliability plot: how often the student is right where it says how sure it is."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal

from pldgov.errors import ProviderError, UsageError

if TYPE_CHECKING:
    from pldgov.results import EvalReport

PlotFormat = Literal["svg", "png"]


def render_reliability_plot(report: EvalReport, *, format: PlotFormat) -> bytes:  # noqa: A002  (matplotlib's word)
    """Return the plot of the rulebook's probabilities; the diagonal would be perfect.

    Raises ``UsageError`` when the student gives no probabilities, ``ProviderError`` when
    matplotlib is not installed.
    """
    scorecard = report.candidates[0].scorecard
    if scorecard.probabilities is None:
        raise UsageError(
            f"student {report.student.name!r} gives no probabilities to plot", where="--plot"
        )
    try:
        import matplotlib as mpl  # noqa: PLC0415  (an extra, and slow to import)
        from matplotlib.figure import Figure  # noqa: PLC0415  (the same)
    except ModuleNotFoundError as error:
        raise ProviderError(
            "plots need matplotlib", where="--plot", hint="pip install 'pldgov[plot]'"
        ) from error
    bins = [row for row in scorecard.probabilities.reliability if row[2]]
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot((0, 1), (0, 1), color="0.6", linestyle="--", label="perfect")
    axes.plot([row[0] for row in bins], [row[1] for row in bins], marker="o", label="measured")
    for confidence, share, count in bins:
        axes.annotate(str(count), (confidence, share), (4, -12), textcoords="offset points")
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="mean probability of the chosen label",
        ylabel="share of these answers that is right",
        title=f"{report.rulebook}, {report.split} split: expected calibration error "
        f"{scorecard.probabilities.calibration_error:.3f}",
    )
    axes.title.set_fontsize("medium")
    axes.legend(loc="upper left")
    stream = BytesIO()
    with mpl.rc_context({"svg.hashsalt": "pldgov"}):  # the same figures give the same file
        figure.savefig(stream, format=format, metadata={"Date": None} if format == "svg" else None)
    return stream.getvalue()
