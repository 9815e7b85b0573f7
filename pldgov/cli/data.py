"""``pldgov data``: import, split and check labelled examples."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import output_option, write_result
from pldgov.data.importing import DATA_SETS
from pldgov.workflows.preparing import check_source, import_file, split_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pldgov.data.importing.contract_nli import Premise
    from pldgov.dataset import SplitName
    from pldgov.workflows.preparing import Contents, Prepared

_folder = click.Path(file_okay=False, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_reports = click.Choice(("text", "json"))

out_option = click.option("--out", type=_folder, required=True, help="Folder to write to.")
force_option = click.option("--force", is_flag=True, help="Replace files that exist.")
report_option = click.option("--format", "report", type=_reports, default="text")
inputs_option = click.option(
    "--inputs",
    default="text",
    show_default=True,
    callback=lambda _context, _parameter, value: tuple(
        part.strip() for part in value.split(",") if part.strip()
    ),
    help="Input fields of the task, separated by commas.",
)


@click.group()
def command() -> None:
    """Import, split and check labelled examples."""


@command.command("import")
@click.argument("file", type=_file)
@click.option("--format", "name", type=click.Choice(list(DATA_SETS)), required=True)
@out_option
@click.option(
    "--premise",
    type=click.Choice(("spans", "document")),
    help="contract-nli: the evidence (default) or the whole contract.",
)
@click.option("--report", type=_reports, default="text", help="How to print what was written.")
@force_option
def import_(
    file: Path, name: str, out: Path, premise: Premise | None, report: str, force: bool
) -> int:
    """Read the official FILE of a public data set into OUT/<name of FILE>.jsonl."""
    with _working(f"reading {file.name}"):
        done = import_file(file, name=name, out=out, premise=premise, force=force)
    return _print(done, report, "wrote")


@command.command()
@click.argument("source", metavar="FILE")
@out_option
@inputs_option
@click.option("--train", type=float, help="Fraction of the examples; the rest if not given.")
@click.option("--validation", default=0.2, show_default=True, help="Fraction; 0 for no such split.")
@click.option("--gate", default=0.2, show_default=True, help="Fraction of the examples.")
@click.option("--seed", default=0, show_default=True, help="Another seed, another split.")
@report_option
@force_option
def split(
    *,
    source: str,
    out: Path,
    inputs: Sequence[str],
    train: float | None,
    validation: float,
    gate: float,
    seed: int,
    report: str,
    force: bool,
) -> int:
    """Deal the examples of FILE out to OUT/train.jsonl, validation.jsonl and gate.jsonl.

    No group and no near-equal texts cross a split, and labels keep their shares. FILE is .jsonl,
    .csv, .parquet or hf:<dataset>[@revision][:config][#split].
    """
    fractions = _fractions(train, validation, gate)
    with _working(f"splitting {source}"):
        done = split_source(
            source, inputs=inputs, out=out, fractions=fractions, seed=seed, force=force
        )
    return _print(done, report, "wrote")


@command.command()
@click.argument("source", metavar="FILE")
@inputs_option
@report_option
@output_option
def check(source: str, inputs: Sequence[str], report: str, output: Path | None) -> int:
    """Report every problem of FILE, and count its examples by label and group.

    FILE is .jsonl, .csv, .parquet or hf:<dataset>[@revision][:config][#split]. Exit code 1
    when there is an error.
    """
    with _working(f"reading {source}"):
        done = check_source(source, inputs=inputs)
    return _print(done, report, "found", output)


def _fractions(train: float | None, validation: float, gate: float) -> Mapping[SplitName, float]:
    rest = round(1 - validation - gate, 9)
    wanted: dict[SplitName, float] = {
        "train": rest if train is None else train,
        "validation": validation,
        "gate": gate,
    }
    return {name: share for name, share in wanted.items() if share or name != "validation"}


@contextmanager
def _working(what: str) -> Iterator[None]:
    """Show on a terminal's stderr that something is going on."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def _print(done: Prepared, report: str, verb: str, output: Path | None = None) -> int:
    text = _as_json(done) if report == "json" else _as_text(done, verb)
    write_result(text, output)
    return int(done.has_errors)


def _as_json(done: Prepared) -> str:
    return f"{json.dumps(asdict(done), indent=2, ensure_ascii=False)}\n"


def _as_text(done: Prepared, verb: str) -> str:
    marks = {"error": "", "warning": "warning: "}
    lines = [f"{marks[problem.severity]}{problem}" for problem in done.problems]
    for contents in done.files:
        lines += _describe(contents, verb)
    lines += [f"{name}: {text}" for name, text in done.notes.items()]
    lines += [f"warning: {warning}" for warning in done.warnings]
    return "".join(f"{line}\n" for line in lines)


def _describe(contents: Contents, verb: str) -> Iterator[str]:
    about = []
    if contents.groups:
        about.append(f"{_count(contents.groups, 'group')}, the largest of {contents.largest_group}")
    if contents.ungrouped:
        about.append(f"{_count(contents.ungrouped, 'example')} without a group")
    found = f"{verb} {_count(contents.examples, 'example')} in {contents.path}"
    yield f"{found} ({'; '.join(about)})" if about else found
    width = max((len(label) for label in contents.labels), default=0)
    for label, count in contents.labels.items():
        yield f"  {label:<{width}}  {count:>7,}  {count / contents.examples:>6.1%}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
