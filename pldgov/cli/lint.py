"""``pldgov lint``: every problem of rulebooks and their examples, at once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import click

from pldgov.cli.formats import FORGE_FORMATS, also_option, repository_prefix, write_formats
from pldgov.cli.output import output_option, write_result
from pldgov.problems import Problem
from pldgov.rulebook.checks import CHECKS, select_checks
from pldgov.rulebook.checks.places import NAME_CLASH, clashing_rulebooks
from pldgov.rulebook.document import DOCUMENT_CODES, garbage_collector_paused
from pldgov.rulebook.loading import find_rulebooks
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


_FORMATS = ("text", "json", "github", "sarif", "junit", "gitlab")


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="text")
@click.option("--select", multiple=True, metavar="CODES", help="Run only these checks.")
@click.option("--ignore", multiple=True, metavar="CODES", help="Leave these checks out.")
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
@click.option("--list", "list_", is_flag=True, help="List all checks and stop.")
@output_option
@also_option(_FORMATS)
def command(
    paths: tuple[str, ...],
    format_: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    strict: bool,
    list_: bool,
    output: Path | None,
    also: Sequence[tuple[str, Path]],
) -> int:
    """Report every problem of the rulebooks at PATHS (files, folders or names; default: all).

    CODES are names of checks, separated by commas. Exit code 1 when there are errors; warnings
    alone give 0.
    """
    if list_:
        write_result("".join(_list_checks()), output)
        return 0
    selected = select_checks(select=_codes(select), ignore=_codes(ignore))
    workspace = Workspace.around(paths)
    found = workspace.find(paths)
    with garbage_collector_paused():
        problems = _lint(workspace, found, selected)
    if NAME_CLASH in selected:
        problems += _clashes(workspace, found)
    if strict:
        problems = [replace(problem, severity="error") for problem in problems]
    write_formats(partial(_render, workspace, problems, found), format_, output, also=also)
    return int(any(problem.severity == "error" for problem in problems))


def _lint(workspace: Workspace, paths: Sequence[str], selected: frozenset[str]) -> list[Problem]:
    return [problem for path in paths for problem in workspace.lint(path, selected=selected)]


def _clashes(workspace: Workspace, paths: Sequence[str]) -> list[Problem]:
    """Return the clashes of these rulebooks with any other of the workspace."""
    every = tuple(
        sorted({*find_rulebooks(workspace.tree, under=workspace.config.rulebooks), *paths})
    )
    clashes = clashing_rulebooks(every)
    return [Problem(path, 1, 1, NAME_CLASH, *clashes[path]) for path in paths if path in clashes]


def _codes(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(code.strip() for part in given for code in part.split(",") if code.strip())


def _list_checks() -> Iterator[str]:
    for code, one in CHECKS.items():
        yield f"{code:24}{one.severity:9}{one.description}\n"
    for code, description in DOCUMENT_CODES.items():
        yield f"{code:24}{'error':9}{description} (always reported)\n"


def _render(
    workspace: Workspace, problems: Sequence[Problem], paths: Sequence[str], format_: str
) -> str:
    prefix = repository_prefix(workspace) if format_ in FORGE_FORMATS else ""
    placed = [replace(problem, path=f"{prefix}{problem.path}") for problem in problems]
    return _renderer(format_)(placed, paths=[f"{prefix}{path}" for path in paths])


def _renderer(format_: str) -> Callable[..., str]:
    module = import_module(f"pldgov.report.lint_{format_}")
    render: Callable[..., str] = getattr(module, f"render_lint_{format_}")
    if format_ == "sarif":
        descriptions = {code: one.description for code, one in CHECKS.items()}
        return partial(render, descriptions=descriptions | DOCUMENT_CODES)
    return render
