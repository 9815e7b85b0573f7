"""One run, several readers: ``--also FORMAT=FILE`` beside ``--format``, and where paths count from.

Formats that a forge reads name files from the root of the repository, whatever folder the
governance repository is in.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import write_result
from pldgov.errors import NoBaseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.workspace import Workspace

FORGE_FORMATS = frozenset({"github", "sarif", "junit", "gitlab"})


def also_option(formats: Sequence[str]) -> Callable[..., Callable[..., object]]:
    """Return the option ``--also``; its value is a tuple of (format, file)."""
    return click.option(
        "--also",
        multiple=True,
        metavar="FORMAT=FILE",
        callback=lambda _context, _option, given: tuple(_read(one, formats) for one in given),
        help="Also write another format into a file; may be repeated.",
    )


def write_formats(
    render: Callable[[str], str],
    format_: str,
    output: Path | None,
    *,
    also: Sequence[tuple[str, Path]],
) -> None:
    """Write a result in each format to its file; what goes to stdout or -o comes last."""
    for other, path in also:
        write_result(render(other), path)
    write_result(render(format_), output)


def repository_prefix(workspace: Workspace) -> str:
    """Return the governance repository's folder inside the git repository: "" or ``folder/``."""
    try:
        with workspace.repository() as repository:
            return repository.log.prefix
    except NoBaseError:
        return ""


def _read(given: str, formats: Sequence[str]) -> tuple[str, Path]:
    format_, _, path = given.partition("=")
    if format_ not in formats or not path:
        raise UsageError(
            f"{given!r} is not a format and a file",
            where="--also",
            hint=f"for instance {formats[-1]}=FILE; formats are {', '.join(formats)}",
        )
    return format_, Path(path)
