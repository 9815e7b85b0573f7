"""The plot of macro-F1 over the commits that brought evidence in."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Literal

from pldgov.errors import ProviderError, UsageError

if TYPE_CHECKING:
    from pldgov.history.model import Event, Life, Measured

PlotFormat = Literal["svg", "png"]
_MOST_TICKS = 12


def render_log_plot(life: Life, *, format: PlotFormat) -> bytes:  # noqa: A002  (matplotlib's word)
    """Return the plot: a line a student, oldest commit left, whiskers for the intervals.

    Raises ``UsageError`` when no commit holds evidence, ``ProviderError`` when matplotlib is not
    installed.
    """
    points = [(event, one) for event in reversed(life.events) for one in event.measured]
    if not points:
        raise UsageError(
            "no commit holds evidence to plot", where=life.path, hint="`pldgov bless` writes it"
        )
    try:
        import matplotlib as mpl  # noqa: PLC0415  (an extra, and slow to import)
        from matplotlib.figure import Figure  # noqa: PLC0415  (the same)
    except ModuleNotFoundError as error:
        raise ProviderError(
            "plots need matplotlib", where="--plot", hint="pip install 'pldgov[plot]'"
        ) from error
    commits = list(dict.fromkeys(event.commit.sha for event, _ in points))
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for student in sorted({one.student for _, one in points}):
        own = [(commits.index(e.commit.sha), one) for e, one in points if one.student == student]
        measured = [one for _, one in own]
        axes.errorbar(
            [place for place, _ in own],
            [one.macro_f1 for one in measured],
            yerr=_whiskers(measured),
            marker="o",
            capsize=3,
            label=student.replace("$", r"\$"),
        )
    step = -(-len(commits) // _MOST_TICKS)
    shown = range(0, len(commits), step)
    names = {event.commit.sha: _name(event) for event, _ in points}
    axes.set_xticks(list(shown), [names[commits[i]] for i in shown], rotation=30, ha="right")
    axes.set(ylabel="macro-F1 on the gate split", ylim=(0, 1.03), title=_title(life))
    axes.grid(axis="y", color="0.9")
    axes.legend(loc="lower right")
    stream = BytesIO()
    with mpl.rc_context({"svg.hashsalt": "pldgov"}):  # the same figures give the same file
        figure.savefig(stream, format=format, metadata={"Date": None} if format == "svg" else None)
    return stream.getvalue()


def _whiskers(measured: list[Measured]) -> tuple[list[float], list[float]]:
    """Return how far the intervals reach down and up; nothing where there is none."""
    down = [one.macro_f1 - (one.macro_f1 if one.low is None else one.low) for one in measured]
    up = [(one.macro_f1 if one.high is None else one.high) - one.macro_f1 for one in measured]
    return [max(0.0, size) for size in down], [max(0.0, size) for size in up]


def _name(event: Event) -> str:
    return f"{event.commit.authored:%Y-%m-%d} {event.commit.sha[:7]}"


def _title(life: Life) -> str:
    rule = f", rule {life.rule_ids[0]}" if life.rule_ids else ""
    return f"{life.path}{rule}".replace("$", r"\$")
