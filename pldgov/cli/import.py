"""``pldgov import``: an existing prompt or playbook as a rulebook of drafts."""  # noqa: N999  (the verb's name)

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file.")
@click.option("--name", help="The rulebook's name (default: the folder of -o, else the file's).")
@click.option(
    "--labels",
    multiple=True,
    metavar="LABELS",
    help='The labels, with commas; or LABEL="what it is", once for each.',
)
@click.option("--title", help="For people.")
@click.option("--owner", help="Who answers for the rulebook.")
@click.option("--task", help="What the student decides (default: the prompt's first paragraphs).")
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
def command(
    file: Path,
    output: Path | None,
    name: str | None,
    labels: tuple[str, ...],
    force: bool,
    **said: str | None,
) -> int:
    """Make a rulebook of the rules in FILE.

    FILE is a prompt whose rules are numbered or bulleted (Markdown or text), or an ACE playbook.
    Every rule becomes a draft with its place in FILE as reference.
    """
    from pldgov.importing.rulebook import Wanted
    from pldgov.workflows.importing import import_prompt, left_to_do

    workspace = Workspace.around()
    chosen = name or (output.absolute().parent.name if output else file.stem.lower())
    root = workspace.config.root
    target = output or root / workspace.config.rulebooks / chosen / "rulebook.yaml"
    made = import_prompt(
        file.read_bytes(),
        Wanted(chosen, _labels(labels), **said),
        source=_source(file, root),
        output=target,
        force=force,
    )
    shown = os.path.relpath(target)
    labelled = len(made.rules) - len(made.unlabelled)
    click.echo(f"{shown}: {len(made.rules)} rules as drafts, {labelled} with a label")
    click.echo("to do:")
    folder = root / workspace.config.templates
    templates = all((folder / one).is_file() for one in ("plain.j2", "user.j2"))
    for sentence in left_to_do(made, templates=templates):
        click.echo(f"- {sentence}")
    click.echo(f"pldgov lint {os.path.dirname(shown) or '.'} tells what is left.")  # noqa: PTH120  (a text)
    return 0


def _labels(given: Sequence[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for one in given:
        name, equals, described = one.partition("=")
        for label in (name,) if equals else one.split(","):
            if not label.strip():
                raise UsageError("a label has no name", where=f"--labels {one}")
            labels[label.strip()] = described.strip()
    return labels


def _source(file: Path, root: Path) -> str:
    """Return what references call the file: its path below the root, else its name."""
    try:
        return file.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return file.name
