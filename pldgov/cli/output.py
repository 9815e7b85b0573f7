"""How every verb prints: results to stdout or a file, progress to a terminal's stderr only."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pldgov.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pldgov.ports import Progress

PlotFormat = Literal["svg", "png"]

output_option = click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file."
)
student_option = click.option("--student", help="Student by name; see [tool.pldgov.students].")
offline_option = click.option(
    "--offline", is_flag=True, help="Never ask a student; recorded answers only."
)


def write_result(text: str, output: Path | None) -> None:
    """Put a result, which ends with a newline, into the file or on stdout."""
    if output is None:
        click.echo(text, nl=False)
        return
    from pldgov.files import write_atomically

    write_atomically(output, text.encode())


def render_as(table: Mapping[str, str], format_: str, value: object) -> str:
    """Return ``value`` in one of a table's formats; ``module:function`` is loaded only now."""
    module, _, name = table[format_].partition(":")
    render: Callable[[object], str] = getattr(import_module(module), name)
    return render(value)


def write_plot(path: Path, render: Callable[..., bytes]) -> None:
    """Draw into a file whose suffix says how; raises ``UsageError`` for another suffix."""
    formats: dict[str, PlotFormat] = {".svg": "svg", ".png": "png"}
    if path.suffix not in formats:
        raise UsageError("a plot is written as .svg or .png", where=str(path))
    from pldgov.files import write_atomically

    write_atomically(path, render(format=formats[path.suffix]))


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show how far the student has come; on no terminal, say each stage once in a line."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, int] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]

        yield show


class _Lines:
    """Progress for logs: nothing while it runs, a line a minute, so that CI sees life."""

    _every_seconds = 60.0

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if time.monotonic() - self._said_at > self._every_seconds:
            click.echo(f"{stage}: {done} of {total}", err=True)
            self._said_at = time.monotonic()
