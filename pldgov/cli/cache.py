"""``pldgov cache``: look after the stored answers of students."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pldgov.cli.output import output_option, write_result
from pldgov.config import load_config
from pldgov.errors import DataError, StorageError
from pldgov.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.store import ImportCounts, StoreInfo

SHOWN_CONFLICTS = 10
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _store_path(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path:
    return value or load_config().store_path


def _age(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Any:
    """Read ``30d``, ``12h``, ``90m`` or ``2w``."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,6})([mhdw])", value.strip())
    if not match:
        raise click.BadParameter("give a number and m, h, d or w, for instance 30d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


store_option = click.option(
    "--store",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_store_path,
    help="The store's file; default: store in [tool.pldgov], PLDGOV_STORE.",
)
prompt_option = click.option("--prompt", metavar="DIGEST", help="Only this prompt (or beginning).")
student_option = click.option(
    "--student", metavar="FINGERPRINT", help="Only this student (or beginning)."
)


@click.group()
def command() -> None:
    """Look after the stored answers of students."""


@command.command()
@store_option
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text")
def info(path: Path, form: str) -> None:
    """Say what the store holds."""
    if not path.exists():
        raise _missing(path)
    with Store(path) as store:
        found = store.info()
    write_result(_as_json(found) if form == "json" else _as_text(found), None)


@command.command()
@store_option
@prompt_option
@student_option
@click.option("--older-than", metavar="AGE", callback=_age, help="For instance 30d, 12h or 2w.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear(
    path: Path, prompt: str | None, student: str | None, older_than: timedelta | None, yes: bool
) -> None:
    """Remove stored answers: all of them, or those that fit every filter."""
    if not path.exists():
        raise _missing(path)
    if yes or _confirmed(f"Remove answers from {path}?"):
        with Store(path) as store:
            removed = store.clear(prompt=prompt, student=student, older_than=older_than)
        click.echo(f"removed {removed:,} answers from {path}")


@command.command()
@store_option
@prompt_option
@student_option
@output_option
def export(path: Path, prompt: str | None, student: str | None, output: Path | None) -> None:
    """Write stored answers as JSON Lines that can be committed, sorted by key."""
    if not path.exists():
        raise _missing(path)
    stream = io.StringIO()
    with Store(path) as store:
        count = store.export(stream, prompt=prompt, student=student)
    write_result(stream.getvalue(), output)
    if output:
        click.echo(f"exported {count:,} answers to {output}", err=True)


@command.command("import")
@store_option
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--replace", is_flag=True, help="On a conflict keep the imported answer.")
def import_(path: Path, files: tuple[Path, ...], replace: bool) -> None:
    """Read JSON Lines that `pldgov cache export` wrote; each file is imported wholly or not."""
    with Store(path) as store:
        for file in files:
            counts = store.import_(_lines(file), name=str(file), replace=replace)
            _report(file, counts)


def _lines(file: Path) -> Sequence[str]:
    try:
        return file.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise DataError("the file is not UTF-8", where=str(file)) from error
    except OSError as error:
        raise StorageError(error.strerror or str(error), where=str(file)) from error


def _report(file: Path, counts: ImportCounts) -> None:
    click.echo(f"{file}: {counts.added:,} answers added, {counts.unchanged:,} known before")
    if not counts.conflicts:
        return
    kept = "were replaced" if counts.replaced else "were kept, --replace takes the file's"
    number = len(counts.conflicts)
    click.echo(f"warning: {number:,} answers differ from stored ones, which {kept}:", err=True)
    for key in counts.conflicts[:SHOWN_CONFLICTS]:
        click.echo(f"  {key}", err=True)
    if number > SHOWN_CONFLICTS:
        click.echo(f"  and {number - SHOWN_CONFLICTS:,} more", err=True)


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is here to be asked: add --yes to remove answers")
    return click.confirm(question)


def _missing(path: Path) -> StorageError:
    return StorageError(
        "there is no store yet",
        where=str(path),
        hint="pldgov eval and pldgov gate make one, pldgov cache import fills one",
    )


def _as_json(found: StoreInfo) -> str:
    return json.dumps({**asdict(found), "path": str(found.path)}, indent=2, default=str) + "\n"


def _as_text(found: StoreInfo) -> str:
    lines = [
        f"{found.path}: {found.size / 1e6:.1f} MB",
        f"{found.answers:,} answers to {found.prompts:,} prompts by {found.students:,} students",
    ]
    if found.oldest and found.newest:
        lines.append(f"stored from {found.oldest:%Y-%m-%d %H:%M} to {found.newest:%Y-%m-%d %H:%M}")
    return "".join(f"{line}\n" for line in lines)
