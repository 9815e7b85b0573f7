"""``pldgov doctor``: what is installed, what is found, and what to do about the rest."""

from __future__ import annotations

import platform
import sys
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING

import click

from pldgov import __version__
from pldgov.errors import PldgovError, StudentAbsentError, UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXTRAS = {
    # extra: (packages it brings, what for)
    "transformers": (("torch", "transformers", "accelerate", "gguf"), "local students"),
    "openai": (("openai",), "students behind an endpoint"),
    "parquet": (("pyarrow",), "examples in Parquet"),
    "datasets": (("datasets",), "examples from hf:<dataset>"),
    "plot": (("matplotlib",), "plots"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``level`` is ok, missing (optional) or wrong."""

    level: str
    what: str
    advice: str = ""


@click.command()
@click.option("--student", help="The student to look at; default: the configured one.")
def command(student: str | None) -> int:
    """Check this installation and its settings; exit code 2 when something is wrong."""
    findings = [*_installation(), *_settings(student)]
    for finding in findings:
        advice = f"  ({finding.advice})" if finding.advice else ""
        click.echo(f"{finding.level:8}{finding.what}{advice}")
    return 2 if any(finding.level == "wrong" for finding in findings) else 0


def _installation() -> Iterator[Finding]:
    yield Finding("ok", f"pldgov {__version__}, Python {platform.python_version()}, {sys.platform}")
    for extra, (packages, purpose) in EXTRAS.items():
        versions = {package: _version(package) for package in packages}
        lacking = [package for package, version in versions.items() if version is None]
        if lacking:
            advice = f"pip install 'pldgov[{extra}]'"
            yield Finding("missing", f"{purpose}: {', '.join(lacking)} not installed", advice)
        else:
            listed = ", ".join(f"{name} {version}" for name, version in versions.items())
            yield Finding("ok", f"{purpose}: {listed}")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _settings(student: str | None) -> Iterator[Finding]:
    try:
        workspace = Workspace.around()
    except PldgovError as error:
        yield Finding("wrong", str(error))
        return
    config = workspace.config
    if config.declared:
        yield Finding("ok", f"settings: {config.root / 'pyproject.toml'}")
    else:
        yield Finding("missing", "settings: no [tool.pldgov] in any pyproject.toml", "pldgov init")
    for check in (_rulebooks, _history, _store):
        yield _guarded(check, workspace)
    yield from _students(workspace, student)


def _guarded(check: Callable[[Workspace], Finding], workspace: Workspace) -> Finding:
    try:
        return check(workspace)
    except PldgovError as error:
        return Finding("wrong", str(error))


def _rulebooks(workspace: Workspace) -> Finding:
    return Finding("ok", f"rulebooks: {', '.join(workspace.find())}")


def _history(workspace: Workspace) -> Finding:
    with workspace.repository() as repository:
        return Finding("ok", f"git: changes are compared with {repository.merge_base().name}")


def _store(workspace: Workspace) -> Finding:
    with workspace.store():
        return Finding("ok", f"store: {workspace.config.store_path}")


def _students(workspace: Workspace, name: str | None) -> Iterator[Finding]:
    """Look at the default student, and at those that single rulebooks have."""
    try:
        groups = workspace.choosing.groups(workspace.find(), name)
    except UsageError as error:
        groups = {}
        if workspace.config.student_of and not name:
            yield Finding("wrong", str(error))
    default = name or workspace.config.student
    for each in dict.fromkeys((default, *groups)):
        of = "" if each == default else f" ({', '.join(map(_folder, groups[each]))})"
        yield _guarded(partial(_student, name=each, of=of), workspace)


def _folder(path: str) -> str:
    return path.split("/")[-2]


def _student(workspace: Workspace, *, name: str, of: str) -> Finding:
    with closing(workspace.student(name)) as opened:
        try:
            tokens = opened.count_tokens("hello")
            card = opened.card
        except StudentAbsentError as error:
            if not error.by_design:
                raise
            message = f"{error.where}: {error.message}"
            return Finding("missing", f"student {name}{of}: {message}", error.hint or "")
    counted = "tokens unknown" if tokens is None else "tokenizer found"
    return Finding(
        "ok", f"student {card.name}{of}: {card.kind}, {card.model}, {card.snapshot[:20]}, {counted}"
    )
