"""``pldgov render``: stdout is the prompt and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from pldgov.cli.output import output_option, student_option, write_result
from pldgov.dataset import SPLIT_NAMES
from pldgov.errors import UsageError
from pldgov.prompt import PromptBuilder, render_within_budget
from pldgov.workflows.rendering import format_prompt, manifest, student_facts
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.dataset import Example, SplitName
    from pldgov.ports import Student
    from pldgov.prompt import RenderedPrompt
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.rendering import PromptFormat

PLAIN_FORMATS = ("text", "messages", "json")
TOOL_FORMATS = ("openai-request", "openai-batch", "ollama", "prompty", "dotprompt", "promptfoo")
"""What ``pldgov.workflows.exporting`` writes, which is loaded only for these."""

_file = click.Path(dir_okay=False, path_type=Path)
_input = click.Path(dir_okay=False, exists=True, path_type=Path)


@click.command()
@click.argument("rulebook")
@output_option
@click.option("--format", type=click.Choice((*PLAIN_FORMATS, *TOOL_FORMATS)))
@click.option("--model", metavar="NAME", help="The model that a file for another tool names.")
@click.option("--data", type=_input, help="Examples for openai-batch or promptfoo.")
@click.option("--split", type=click.Choice(SPLIT_NAMES), help="A split of the rulebook instead.")
@click.option("--input", "inputs", multiple=True, metavar="FIELD=TEXT", help="For openai-request.")
@click.option("--at", metavar="REF", help="Render the rulebook as it stood at a git revision.")
@click.option("--check", is_flag=True, help="Fail when the file of -o is stale; write nothing.")
@click.option("--manifest", "manifest_file", type=_file, help="Write what went into the prompt.")
@student_option
def command(
    rulebook: str,
    output: Path | None,
    at: str | None,
    check: bool,
    manifest_file: Path | None,
    student: str | None,
    **options: Any,
) -> int:
    """Render RULEBOOK into the prompt that is deployed, or into another tool's file.

    Exit code 1 when --check finds the committed file stale.
    """
    wanted = _Wanted(**options)
    workspace = Workspace.around((rulebook,))
    revision = _load(workspace, rulebook, at, splits=wanted.splits)
    # Only a tight budget or a manifest needs it.
    opened = cache(lambda: _student(workspace, revision, student, at))
    builder = _builder(workspace, revision)
    rendered = _render(builder, revision, opened)
    text = _text(revision, rendered, builder, opened, wanted)
    if check:
        return _check(text, output)
    write_result(text, output)
    if manifest_file:
        facts = _facts(workspace, revision, rendered, opened(), at)
        write_result(manifest(revision, rendered, **facts), manifest_file)
    return 0


@dataclass(frozen=True)
class _Wanted:
    """What the options of a file for another tool ask; refused for what would not use them."""

    format: str | None
    model: str | None
    data: Path | None
    split: SplitName | None
    inputs: tuple[str, ...]

    def __post_init__(self) -> None:
        with_data = self.format in {"openai-batch", "promptfoo"}
        self._refuse("--model", self.model, self.format in TOOL_FORMATS)
        self._refuse("--data", self.data, with_data)
        self._refuse("--split", self.split, with_data)
        self._refuse("--input", self.inputs, self.format == "openai-request")
        if self.data and self.split:
            raise UsageError("--data and --split are two places for examples", hint="name one")

    def _refuse(self, option: str, given: object, used: bool) -> None:
        if given and not used:
            chosen = self.format or "the default"
            raise UsageError(f"--format {chosen} does not use it", where=option)

    @property
    def splits(self) -> tuple[SplitName, ...]:
        """The splits to read: train for exemplars, and what the file holds."""
        return tuple(dict.fromkeys(("train", *((self.chosen_split,) if self.chosen_split else ()))))

    @property
    def chosen_split(self) -> SplitName | None:
        """The split whose examples the file holds; promptfoo's tests are the gate's unless said."""
        return self.split or ("gate" if self.format == "promptfoo" and not self.data else None)


def _load(
    workspace: Workspace, rulebook: str, at: str | None, *, splits: Sequence[SplitName]
) -> Revision:
    if at is None:
        return workspace.load(workspace.find_one(rulebook), splits=splits)
    path = _path_in_history(workspace, rulebook)
    with workspace.repository() as repository:
        return workspace.load(path, source=repository.tree(at), splits=splits)


def _student(workspace: Workspace, revision: Revision, name: str | None, at: str | None) -> Student:
    """Open the student; the present lock says nothing of a rulebook as it stood ``at`` a commit."""
    student = workspace.student(name, path=revision.path)
    if at is None:
        workspace.require_locked(revision.path, student)
    return workspace.pinned(revision.path, student)


def _path_in_history(workspace: Workspace, rulebook: str) -> str:
    """Return the rulebook's path, also when it is no longer in the working tree."""
    try:
        return workspace.find_one(rulebook)
    except UsageError:
        if rulebook.endswith(".yaml"):
            return rulebook
        return f"{workspace.config.rulebooks}/{rulebook.strip('/').split('/')[-1]}/rulebook.yaml"


def _builder(workspace: Workspace, revision: Revision) -> PromptBuilder:
    return PromptBuilder(
        revision.rulebook,
        templates=revision.templates,
        train=lambda: revision.split("train"),
        folder=workspace.config.templates,
    )


def _render(
    builder: PromptBuilder, revision: Revision, student: Callable[[], Student]
) -> RenderedPrompt:
    rendered = render_within_budget(
        builder, revision.rulebook, count_tokens=lambda text: student().count_tokens(text)
    )
    if rendered.trimmed:
        click.echo(f"trimmed to the budget, not shown: {', '.join(rendered.trimmed)}", err=True)
    return rendered


def _text(
    revision: Revision,
    rendered: RenderedPrompt,
    builder: PromptBuilder,
    student: Callable[[], Student],
    wanted: _Wanted,
) -> str:
    if wanted.format not in TOOL_FORMATS:
        return format_prompt(rendered.prompt, format=cast("PromptFormat | None", wanted.format))
    from pldgov.endpoint.chat import ChatOptions
    from pldgov.workflows.exporting import export_prompt

    options = getattr(student(), "options", None)
    return export_prompt(
        revision,
        rendered,
        builder,
        format=wanted.format,
        options=options if isinstance(options, ChatOptions) else None,
        model=wanted.model,
        examples=_examples(revision, wanted),
    )


def _examples(revision: Revision, wanted: _Wanted) -> Sequence[Example]:
    from pldgov.workflows.exporting import LABELLED, read_data, read_input

    inputs = revision.rulebook.task.inputs
    if wanted.data:
        return read_data(
            wanted.data.read_bytes(),
            path=str(wanted.data),
            inputs=inputs,
            labelled=wanted.format in LABELLED,
        )
    if wanted.inputs:
        return (read_input(wanted.inputs, inputs=inputs),)
    return revision.split(wanted.chosen_split) if wanted.chosen_split else ()


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
    from pldgov.errors import UnjudgedError

    facts: dict[str, Any] = {
        "commit": None,
        "dirty": None,
        **student_facts(revision, rendered, student=student, tree=workspace.tree),
    }
    try:
        with workspace.repository() as repository:
            facts["commit"] = repository.tree(at).commit.hexsha if at else repository.head
            paths = [revision.folder, workspace.config.templates]
            facts["dirty"] = False if at else repository.is_dirty(paths)
    except UnjudgedError:
        if at:
            raise
    return facts
