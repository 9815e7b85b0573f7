"""``pldgov owners``: who must review which rulebook, as the forge reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.formats import repository_prefix
from pldgov.cli.output import output_option, write_result
from pldgov.config import is_account
from pldgov.errors import UsageError
from pldgov.report.codeowners import missing_lines, render_codeowners
from pldgov.suggest import did_you_mean
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command()
@click.argument("rulebooks", nargs=-1)
@click.option(
    "--check",
    "codeowners",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="FILE",
    help="Write nothing; exit 1 when this CODEOWNERS file lacks a line.",
)
@output_option
def command(rulebooks: tuple[str, ...], codeowners: Path | None, output: Path | None) -> int:
    """Print a CODEOWNERS fragment: the folder of each of RULEBOOKS (default: all) and its owner.

    [tool.pldgov.owners] says which account an owner has; an owner that is an account or an
    address already needs no entry.
    """
    workspace = Workspace.around(rulebooks)
    fragment = render_codeowners(tuple(_folders(workspace, workspace.find(rulebooks))))
    if codeowners is None:
        write_result(fragment, output)
        return 0
    missing = missing_lines(fragment, codeowners.read_text(encoding="utf-8", errors="replace"))
    for line in missing:
        click.echo(f"{codeowners}: lacks the line: {line}", err=True)
    return int(bool(missing))


def _folders(workspace: Workspace, paths: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    prefix = repository_prefix(workspace)
    unknown = []
    for path in paths:
        owner = workspace.load(path, splits=()).rulebook.owner
        accounts = workspace.config.owners.get(owner) or ((owner,) if is_account(owner) else ())
        if not accounts:
            unknown.append(f'{path}: owner "{owner}"')
        yield f"{prefix}{path.rpartition('/')[0]}", accounts
    if unknown:
        known = workspace.config.owners
        name = unknown[0].split('"')[1]
        raise UsageError(
            f"no account is known for {len(unknown)} rulebook{'s' * (len(unknown) > 1)}:\n  "
            + "\n  ".join(unknown)
            + "\n",
            where=f"{workspace.config.root / 'pyproject.toml'}: [tool.pldgov.owners]",
            hint=did_you_mean(name, known) or 'add for instance "the owner" = "@org/team"',
        )
