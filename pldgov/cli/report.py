"""``pldgov report``: a rulebook as a page and as an audit pack; a distillation once more."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.cli.output import (
    output_option,
    progress_bar,
    render_as,
    student_option,
    write_plot,
    write_result,
)
from pldgov.errors import NoBaseError, UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from pldgov.diff_report import RulebookDiff
    from pldgov.distill.summary import Summary
    from pldgov.dossier import Dossier
    from pldgov.gitrepo import Repository
    from pldgov.ports import Student
    from pldgov.rulebook.loading import Revision

RUNS = ".pldgov/runs"
FORMATS = {
    "text": "pldgov.report.distill_text:render_distill_text",
    "json": "pldgov.report.distill_json:render_distill_json",
    "markdown": "pldgov.report.distill_markdown:render_distill_markdown",
}
PAGE = "index.html"


class PageByDefault(click.Group):
    """A group whose first argument may be a rulebook: then it is about the page."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name the page where no kind of report is named."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["page", *args]
        return super().parse_args(ctx, args)


@click.group(cls=PageByDefault)
def command() -> None:
    """Show a rulebook to people, or again what a distillation came to.

    `pldgov report RULEBOOK -o DIR` is short for `pldgov report page RULEBOOK -o DIR`.
    """


@command.command("page")
@click.argument("rulebook")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write into.",
)
@click.option("--base", metavar="REF", help="Also show what changed since this git revision.")
@click.option("--audit", is_flag=True, help="Write the audit pack: the folder, and DIR.zip.")
@click.option(
    "--texts/--no-texts",
    default=None,
    help="Show the texts of examples (default: unless examples.obtain keeps them out of git).",
)
@student_option
def page(
    rulebook: str,
    output: Path,
    base: str | None,
    audit: bool,
    texts: bool | None,
    student: str | None,
) -> None:
    """Write RULEBOOK as one page that a browser reads from the file.

    It holds rules, examples, the teacher's reasoning and the committed evidence, and asks no
    student. With --audit the folder also holds rulebook, prompt, manifest and tables.
    """
    from pldgov.workflows.reporting.packing import pack_files, write_pack, write_page

    workspace = Workspace.around((rulebook,))
    path = workspace.find_one(rulebook)
    revision = workspace.load(path)
    with ExitStack() as stack:
        opened = workspace.student(student, path=path)
        stack.callback(opened.close)
        opened = workspace.pinned(path, opened, nameless=True)
        repository = _repository(workspace, stack)
        dossier = _compile(workspace, revision, opened, repository, base=base, texts=texts)
        if audit:
            files = pack_files(dossier, revision, student=opened, tree=workspace.tree)
            written = write_pack(output, files)
        else:
            written = write_page(output / PAGE, dossier)
    click.echo(_told(dossier, written))


def _repository(workspace: Workspace, stack: ExitStack) -> Repository | None:
    try:
        return stack.enter_context(workspace.repository())
    except NoBaseError:
        return None


def _compile(
    workspace: Workspace,
    revision: Revision,
    student: Student,
    repository: Repository | None,
    *,
    base: str | None,
    texts: bool | None,
) -> Dossier:
    from pldgov.workflows.reporting.compiling import compile_dossier

    name, diff = None, None
    if base is not None:
        if repository is None:
            raise NoBaseError("not a git repository", where="--base", hint="leave it out")
        name, diff = _compare(workspace, revision, repository, base, student.card.name)
    return compile_dossier(
        revision,
        tree=workspace.tree,
        student=student,
        repository=repository,
        templates=workspace.config.templates,
        texts=texts,
        base=name,
        diff=diff,
    )


def _compare(
    workspace: Workspace, revision: Revision, repository: Repository, base: str, student: str
) -> tuple[str, RulebookDiff]:
    """Return the base's name and what changed since, by recorded answers only."""
    from pldgov.workflows.diffing import Differ, find_pairs
    from pldgov.workflows.prompt_facts import Meter
    from pldgov.workflows.revision_range import open_trees

    if ".." in base:
        raise UsageError("names one revision: head is the working tree", where="--base")
    trees = open_trees(base, repository, worktree=workspace.tree)
    under = sorted({workspace.config.rulebooks, revision.folder})
    pair = next(one for one in find_pairs(trees, under=under) if one.head == revision.path)
    with (
        progress_bar() as progress,
        workspace.answering(
            (revision.path,), student=student, offline=True, progress=progress, locked=False
        ) as answering,
    ):
        differ = Differ(
            trees=trees,
            load=lambda source, path: workspace.load(path, source=source),
            worktree=workspace.tree,
            templates=workspace.config.templates,
            approval=workspace.config.approval,
            answering=answering,
            meter=Meter(count_tokens=answering.student.count_tokens),
        )
        return trees.base.name, differ.compare(pair)


def _told(dossier: Dossier, written: Path) -> str:
    found = dossier.measurement
    figure = f"macro-F1 {found.scorecard.macro_f1:.3f} ({found.student['name']})" if found else ""
    rules, examples = len(dossier.rules), len(dossier.examples)
    said = (f"{rules} rules", f"{examples} examples", figure or "not measured")
    return f"{written}: {', '.join(said)}"


@command.command("distill")
@click.argument("run")
@click.option(
    "--format",
    "format_",
    type=click.Choice(tuple(FORMATS)),
    default="text",
    show_default=True,
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write both plots, side by side (.svg or .png).",
)
@output_option
def distill(run: str, format_: str, plot: Path | None, output: Path | None) -> None:
    """Show the report of RUN: the id of a run, its folder, or a rulebook with evidence of one."""
    summary = _read(Workspace.around((run,)), run)
    write_result(render_as(FORMATS, format_, summary), output)
    if plot:
        from pldgov.report.distill_plots import render_distill_plots

        write_plot(plot, partial(render_distill_plots, summary))


def _read(workspace: Workspace, run: str) -> Summary:
    import json

    from pldgov.distill.summary import summary_from_json

    path = _find(workspace, run)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError("is no report", where=str(path)) from error
    return summary_from_json(value if isinstance(value, dict) else {}, where=str(path))


def _find(workspace: Workspace, run: str) -> Path:
    """Return the report's file; raises ``UsageError`` where there is none."""
    root = workspace.config.root
    for path in (Path(run), Path(run) / "report.json", root / RUNS / run / "report.json"):
        if path.is_file() and path.suffix == ".json":
            return path
    known = sorted(path.parent.name for path in (root / RUNS).glob("*/report.json"))
    try:
        folder = (root / workspace.find_one(run)).parent
    except UsageError as error:
        hint = f"known are {', '.join(known)}" if known else "pldgov distill makes one"
        raise UsageError("there is no such run", where=run, hint=hint) from error
    path = folder / "evidence" / "distill.json"
    if not path.is_file():
        raise UsageError("no distillation is recorded", where=run, hint="pldgov distill")
    return path
