"""``pldgov init``: a governance repository that passes lint and gate as it stands."""

from __future__ import annotations

from pathlib import Path

import click

from pldgov.errors import UsageError
from pldgov.files import write_atomically
from pldgov.scaffolding import EXAMPLE, scaffold_files


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def command(folder: Path, force: bool) -> None:
    """Scaffold a governance repository in FOLDER (default: here).

    It holds an example rulebook with its data and evidence, templates, a workflow for pull
    requests, a pre-commit configuration and a hint for CODEOWNERS.
    """
    files = tuple(scaffold_files())
    if not force:
        _refuse_overwriting(folder, [path for path, _ in files])
    for path, content in files:
        write_atomically(folder / path, content)
    click.echo(
        f"{len(files)} files written to {folder}/. Next: git init, commit, then\n"
        f"  pldgov lint && pldgov gate\n"
        f"  pldgov render {EXAMPLE}"
    )


def _refuse_overwriting(folder: Path, paths: list[str]) -> None:
    there = [path for path in paths if (folder / path).exists()]
    if there:
        more = f" and {len(there) - 3} more" if len(there) > 3 else ""  # noqa: PLR2004
        raise UsageError(
            f"{', '.join(there[:3])}{more} would be overwritten",
            where=str(folder),
            hint="choose an empty folder, or --force",
        )
