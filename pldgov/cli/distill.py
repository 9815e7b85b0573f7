"""``pldgov distill``: from labelled examples and a teacher to a rulebook."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from pldgov.cli.output import offline_option, progress_bar, student_option
from pldgov.errors import UsageError
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pldgov.distill.model import Phase, Usage
    from pldgov.distill.planning import Plan
    from pldgov.ports import Progress, Teacher
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.distilling.journey import Finished, Openers
    from pldgov.workflows.distilling.settings import DistillSettings
    from pldgov.workflows.measure import Answering

CLUSTERS = ("auto", "dbscan", "hdbscan", "kmeans", "per-label")
SETTINGS = (  # the flags that are settings, by the names that these have in distill.yaml
    "examples",
    "examples_per_request",
    "candidates",
    "rounds",
    "embedder",
    "clusters",
    "outliers",
    "seed",
    "max_student_calls",
    "run",
    "student",
)
TEACHER_KEYS = ("teacher", "extract_teacher", "synthesize_teacher", "resolve_teacher")


@click.command()
@click.argument("rulebook")
@click.option("--teacher", help="Teacher by name; see [tool.pldgov.teachers].")
@click.option("--extract-teacher", help="Another one for extraction.")
@click.option("--synthesize-teacher", help="Another one for synthesis.")
@click.option("--resolve-teacher", help="Another one for resolution.")
@student_option
@click.option("--examples", type=int, metavar="N", help="Training examples to extract from.")
@click.option("--examples-per-request", type=int, metavar="K", help="Examples of one request.")
@click.option("--candidates", type=int, metavar="N", help="Rule sets drawn of each clustering.")
@click.option("--rounds", type=int, metavar="N", help="Rounds of resolution, at most.")
@click.option("--embedder", help="Embedder by name: tfidf, student, or a configured one.")
@click.option("--clusters", type=click.Choice(CLUSTERS), help="auto: the student decides.")
@click.option("--outliers/--no-outliers", default=None, help="Ask about lone instructions, too.")
@click.option("--seed", type=int, help="Of samples and clusters.")
@click.option("--max-student-calls", type=int, metavar="N", help="Of all candidates together.")
@click.option("--run", metavar="ID", help="The run's id (default: made from the inputs).")
@click.option("--dry-run", is_flag=True, help="Say what would be asked next, and what it costs.")
@click.option("--check", is_flag=True, help="Write nothing: does the run give this rulebook?")
@click.option("--submit", is_flag=True, help="Send the files of a batch teacher to its API.")
@offline_option
def command(rulebook: str, dry_run: bool, check: bool, submit: bool, **flags: Any) -> int:
    """Distil RULEBOOK: extract, cluster, synthesize, resolve, prune, choose, and write it.

    Run it again to go on: what was answered is never asked for twice. A rule whose origin is
    edited, hand-written or imported stays as it is. Exit code 1: --check found a difference.
    """
    from pldgov.cli.distilling import echo_finished

    workspace = Workspace.around((rulebook,))
    done = _distill(workspace, rulebook, flags, dry_run=dry_run, check=check, submit=submit)
    return echo_finished(done)


def _distill(
    workspace: Workspace,
    rulebook: str,
    flags: Mapping[str, Any],
    *,
    dry_run: bool,
    check: bool,
    submit: bool,
) -> Finished:
    from pldgov.workflows.distilling.journey import distill

    path = workspace.find_one(rulebook)
    revision = workspace.load(path)
    settings, names = _settings(workspace, revision, flags)
    offline = flags["offline"] or workspace.config.offline
    with ExitStack() as stack:
        progress = stack.enter_context(progress_bar())
        openers = _openers(
            workspace,
            settings,
            names=names,
            submit=submit,
            ask=_asking(stack, workspace, path, settings, offline=offline, progress=progress),
            progress=progress,
        )
        return distill(
            revision,
            settings,
            openers,
            root=workspace.config.root,
            check=check,
            dry_run=dry_run,
            recorded=offline,
        )


def _settings(
    workspace: Workspace, revision: Revision, flags: Mapping[str, Any]
) -> tuple[DistillSettings, dict[Phase, str]]:
    """Return the settings, and the name of each phase's teacher."""
    from pldgov.workflows.distilling.settings import FILE_NAME, merge_settings, read_settings

    config = dict(workspace.config.distill)
    teachers = {key: flags[key] or config.pop(key, None) for key in TEACHER_KEYS}
    for key in TEACHER_KEYS:
        config.pop(key, None)
    beside = f"{revision.folder}/{FILE_NAME}"
    recorded = {}
    if workspace.tree.exists(beside):
        text = workspace.tree.read(beside).decode("utf-8", "replace")
        recorded = read_settings(text, path=beside)
    given = {name: flags[name] for name in SETTINGS if flags[name] is not None}
    settings = merge_settings(
        (
            ("student", {"student": workspace.choosing.name(revision.path)}),
            ("[tool.pldgov.distill]", config),
            (beside, recorded),
            ("the command line", given),
        ),
        known_templates=revision.templates,
        first=revision.rulebook.prompt.template,
    )
    fallback = teachers["teacher"] or _only_teacher(workspace)
    phases: tuple[Phase, ...] = ("extract", "synthesize", "resolve")
    return settings, {phase: teachers[f"{phase}_teacher"] or fallback for phase in phases}


def _only_teacher(workspace: Workspace) -> str:
    """Return the one configured teacher, else the one that gives what is recorded."""
    configured = sorted(workspace.config.teachers)
    if len(configured) > 1:
        raise UsageError(
            "several teachers are configured", where="--teacher", hint=", ".join(configured)
        )
    return configured[0] if configured else "replay"


def _asking(
    stack: ExitStack,
    workspace: Workspace,
    path: str,
    settings: DistillSettings,
    *,
    offline: bool,
    progress: Progress,
) -> Callable[[], Answering]:
    """Return what opens the student and its store, once, when it is first needed."""

    @cache
    def ask() -> Answering:
        return stack.enter_context(
            workspace.answering(
                (path,), student=settings.student, offline=offline, progress=progress
            )
        )

    return ask


def _openers(
    workspace: Workspace,
    settings: DistillSettings,
    *,
    names: Mapping[Phase, str],
    submit: bool,
    ask: Callable[[], Answering],
    progress: Progress,
) -> Openers:
    from pldgov.fingerprint import digest_value
    from pldgov.workflows.distilling.journey import Openers

    def teacher(phase: Phase, folder: Path, spent: Usage) -> Teacher:
        return workspace.teacher(names[phase], folder=folder, spent=spent, submit=submit)

    options = dict(workspace.embedder_options(settings.embedder))
    return Openers(
        teacher=teacher,
        embedder=lambda: workspace.embedder(settings.embedder),
        embedder_key=digest_value([settings.embedder, options]),
        ask=ask,
        progress=progress,
        plan=lambda plan: click.echo("\n".join(_plan_lines(plan)), err=True),
    )


def _plan_lines(plan: Plan) -> Iterator[str]:
    cost = "" if plan.cost is None else f", about {plan.cost:.2f} in money"
    basis = f" (measured on {plan.recorded} answers)" if plan.measured else ""
    yield (
        f"{plan.phase}: {plan.requests} requests, about {plan.tokens_in} tokens in and "
        f"{plan.tokens_out} out{cost}{basis}"
    )
