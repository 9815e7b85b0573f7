"""``pldgov render``: stdout is the prompt and nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pldgov.cli.output import output_option, student_option, write_result
from pldgov.errors import UsageError
from pldgov.prompt import PromptBuilder, count_prompt_tokens, render_within_budget
from pldgov.workflows.rendering import PromptFormat, format_prompt, manifest
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from pldgov.ports import Student
    from pldgov.prompt import RenderedPrompt
    from pldgov.rulebook.loading import Revision

_file = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("rulebook")
@output_option
@click.option("--format", "format_", type=click.Choice(("text", "messages", "json")))
@click.option("--at", metavar="REF", help="Render the rulebook as it stood at a git revision.")
@click.option("--check", is_flag=True, help="Fail when the file of -o is stale; write nothing.")
@click.option("--manifest", "manifest_file", type=_file, help="Write what went into the prompt.")
@student_option
def command(
    rulebook: str,
    output: Path | None,
    format_: PromptFormat | None,
    at: str | None,
    check: bool,
    manifest_file: Path | None,
    student: str | None,
) -> int:
    """Render RULEBOOK into the prompt that is deployed.

    Exit code 1 when --check finds the committed file stale.
    """
    workspace = Workspace.around((rulebook,))
    revision = _load(workspace, rulebook, at)
    # Only a tight budget or a manifest needs it.
    opened = cache(lambda: _student(workspace, revision, student, at))
    rendered = _render(workspace, revision, opened)
    text = format_prompt(rendered.prompt, format=format_)
    if check:
        return _check(text, output)
    write_result(text, output)
    if manifest_file:
        facts = _facts(workspace, revision, rendered, opened(), at)
        write_result(manifest(revision, rendered, **facts), manifest_file)
    return 0


def _load(workspace: Workspace, rulebook: str, at: str | None) -> Revision:
    if at is None:
        return workspace.load(workspace.find_one(rulebook), splits=("train",))
    path = _path_in_history(workspace, rulebook)
    with workspace.repository() as repository:
        return workspace.load(path, source=repository.tree(at), splits=("train",))


def _student(workspace: Workspace, revision: Revision, name: str | None, at: str | None) -> Student:
    """Open the student; the present lock says nothing of a rulebook as it stood ``at`` a commit."""
    student = workspace.student(name)
    if at is None:
        workspace.require_locked(revision.path, student)
    return student


def _path_in_history(workspace: Workspace, rulebook: str) -> str:
    """Return the rulebook's path, also when it is no longer in the working tree."""
    try:
        return workspace.find_one(rulebook)
    except UsageError:
        if rulebook.endswith(".yaml"):
            return rulebook
        return f"{workspace.config.rulebooks}/{rulebook.strip('/').split('/')[-1]}/rulebook.yaml"


def _render(
    workspace: Workspace, revision: Revision, student: Callable[[], Student]
) -> RenderedPrompt:
    builder = PromptBuilder(
        revision.rulebook,
        templates=revision.templates,
        train=lambda: revision.split("train"),
        folder=workspace.config.templates,
    )
    rendered = render_within_budget(
        builder, revision.rulebook, count_tokens=lambda text: student().count_tokens(text)
    )
    if rendered.trimmed:
        click.echo(f"trimmed to the budget, not shown: {', '.join(rendered.trimmed)}", err=True)
    return rendered


def _check(text: str, output: Path | None) -> int:
    if output is None:
        raise UsageError("--check needs the committed file", hint="name it with -o FILE")
    committed = output.read_bytes() if output.exists() else None
    if committed == text.encode():
        return 0
    state = "does not exist" if committed is None else "is stale"
    click.echo(f"{output}: {state} (run pldgov render without --check)", err=True)
    return 1


def _facts(
    workspace: Workspace,
    revision: Revision,
    rendered: RenderedPrompt,
    student: Student,
    at: str | None,
) -> dict[str, Any]:
    """Return the part of the manifest that lies outside the rulebook: git, tokens, calibration."""
    from pldgov.errors import ProviderError, UnjudgedError
    from pldgov.evidence import recorded_calibration

    try:
        count = count_prompt_tokens(rendered.prompt, student.count_tokens)
    except ProviderError:
        count = None  # the tokenizer is not on this machine; the manifest then says null
    facts: dict[str, Any] = {
        "commit": None,
        "dirty": None,
        "tokens": None if count is None else {"student": student.card.name, "count": count},
        "calibration": None,
    }
    evidence = f"{revision.folder}/evidence/{student.card.name}.json"
    if workspace.tree.exists(evidence):
        facts["calibration"] = recorded_calibration(
            workspace.tree.read(evidence).decode("utf-8", "replace"),
            path=evidence,
            prompt=rendered.prompt.digest,
            student=student.card.fingerprint,
        )
    try:
        with workspace.repository() as repository:
            facts["commit"] = repository.tree(at).commit.hexsha if at else repository.head
            paths = [revision.folder, workspace.config.templates]
            facts["dirty"] = False if at else repository.is_dirty(paths)
    except UnjudgedError:
        if at:
            raise
    return facts
