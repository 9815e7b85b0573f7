"""``pldgov fmt``: one layout for every rulebook, and pinned examples."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

import click

from pldgov.errors import PldgovError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--pin", is_flag=True, help="Write the sha256 of cited examples, nothing else.")
def command(paths: tuple[str, ...], check: bool, diff: bool, pin: bool) -> int:
    """Format the rulebooks at PATHS (files, folders or names; default: all).

    Comments stay where they are and the meaning stays what it is; a file for which that cannot
    be kept is left alone, with exit code 2.
    """
    workspace = Workspace.around(paths)
    failed = changed = 0
    for path in workspace.find(paths):
        try:
            changed += _rewrite(workspace, path, write=not (check or diff), diff=diff, pin=pin)
        except PldgovError as error:
            failed = max(failed, error.exit_code)
            click.echo(f"error: {error}", err=True)
    return failed or int(check and changed > 0)


def _rewrite(workspace: Workspace, path: str, *, write: bool, diff: bool, pin: bool) -> bool:
    """Rewrite one file, or say what would be; tell whether it changes."""
    from pldgov.files import write_atomically

    old, new = _versions(workspace, path, pin=pin)
    if old == new:
        return False
    if diff:
        click.echo("".join(_diff(old, new, path)), nl=False)
    elif write:
        write_atomically(workspace.config.root / path, new)
        click.echo(f"{path}: {'pinned' if pin else 'formatted'}", err=True)
    else:
        click.echo(f"{path}: would be {'pinned' if pin else 'formatted'}", err=True)
    return True


def _versions(workspace: Workspace, path: str, *, pin: bool) -> tuple[bytes, bytes]:
    from pldgov.workflows import rewriting

    if pin:
        return rewriting.pin(workspace.tree, workspace.load(path, splits=("train",)))
    return rewriting.reformat(workspace.tree, path)


def _diff(old: bytes, new: bytes, path: str) -> Iterator[str]:
    before, after = (data.decode("utf-8", "replace").splitlines(True) for data in (old, new))
    for line in unified_diff(before, after, path, f"{path} (formatted)"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
