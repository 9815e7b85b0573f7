"""``pldgov quickstart``: the whole job, done for real in a temporary repository."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pldgov.workflows.demonstration import EDITS, RULEBOOK, apply_edit, without_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import git


@click.command()
@click.option("--keep", is_flag=True, help="Keep the repository, to look around in it.")
def command(keep: bool) -> None:
    """Show the whole job on the embedded student: no key, no server, no GPU.

    A repository is made in a temporary folder; its rulebook is distilled from recorded replies of
    a teacher and measured, a harmful edit is stopped by the gate, and a harmless one passes without
    a student call.
    """
    started = time.monotonic()
    with _repository(keep=keep) as folder:
        _show(folder)
    click.secho(f"\nDone in {time.monotonic() - started:.0f} s.", bold=True)
    click.echo(
        "Next: `pldgov init my-policies` gives you this repository to keep; docs/students.md says "
        "how to point it at your own student."
    )


def _show(folder: Path) -> None:
    _say("1. A repository with labelled examples, templates, and a rulebook without any rule yet.")
    _run(["init", "."])
    without_rules(folder)
    repository = _first_commit(folder)
    _say(
        "2. Distillation: a strong model said what decides each of 60 training examples, what\n"
        "   rules each cluster of that makes, and by which words one sees that a rule applies.\n"
        "   Its replies are recorded beside the rulebook, and so are the student's answers on the\n"
        "   validation split, by which the run chose. Only the gate split is asked about here,\n"
        "   once, to report on it."
    )
    _run(["distill", "desk-routing", "--teacher", "replay"])
    repository.git.add("-A")
    repository.git.commit("-qm", "Distil the rules")
    _show_rules()
    _say("3. Every problem would be listed here with its line; there is none.")
    _run(["lint"])
    _say("4. The prompt that is deployed: task, labels, cited examples as turns; rules at the end.")
    _run(["render", "desk-routing", "-o", "prompt.json", "--manifest", "manifest.json"])
    _show_prompt(folder)
    _say(
        "5. Does it help? The embedded student, on the gate split, with and without the rulebook.\n"
        "   (SmolLM2-135M is a weak classifier and this an easy task: it follows a short rule\n"
        "   right after the message. Harder tasks need a larger student.)"
    )
    _run(["eval", "desk-routing", "--split", "gate", "--compare", "zero-shot"])
    for edit in EDITS:
        _say(edit.explanation)
        repository.git.checkout("-q", "-b", edit.branch, "main")
        apply_edit(folder, edit)
        _run(["fmt", "--pin"])
        repository.git.commit("-qam", edit.subject)
        click.echo(repository.git.show("--format=", "--unified=0", "--", "*.yaml", "*.jsonl"))
        _run(["gate", "desk-routing"], expected=edit.exit_code)
        click.secho(f"   {edit.conclusion}", fg="green")
    repository.close()


@contextmanager
def _repository(*, keep: bool) -> Iterator[Path]:
    """Work in a new folder, and leave nothing of it behind unless asked to."""
    folder = Path(tempfile.mkdtemp(prefix="pldgov-quickstart-"))
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)
        if keep:
            click.echo(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


_TURNS_SHOWN = 2


def _first_commit(folder: Path) -> git.Repo:
    import git

    # The blessed evidence would answer for the student; here it is asked for real.
    for path in (folder / RULEBOOK).parent.glob("evidence/smollm2*"):
        path.unlink()
    repository = git.Repo.init(folder, initial_branch="main")
    with repository.config_writer() as settings:
        settings.set_value("user", "name", "pldgov quickstart")
        settings.set_value("user", "email", "quickstart@example.org")
        settings.set_value("commit", "gpgsign", "false")
    repository.git.add("-A")
    repository.git.commit("-qm", "Start")
    return repository


def _show_rules() -> None:
    from pldgov.workspace import Workspace

    for rule in Workspace.around((RULEBOOK,)).load(RULEBOOK).rulebook.rules:
        cited = ", ".join(one.id for one in rule.provenance.examples) if rule.provenance else ""
        click.secho(f"   | {rule.title}: {rule.instruction.strip()}", dim=True)
        click.secho(f"   |     rests on {cited}", dim=True)


def _show_prompt(folder: Path) -> None:
    import json

    prompt = json.loads((folder / "prompt.json").read_text(encoding="utf-8"))
    shown = [prompt["system"]]
    for turn in prompt["turns"][:_TURNS_SHOWN]:
        shown += [f"[user] {turn['user']}", f"[assistant] {turn['assistant']}"]
    shown.append(f"... {len(prompt['turns']) - _TURNS_SHOWN} more exchanges, then the message with")
    shown.append("the rules that hold for it, which prompt.json chooses in Jinja")
    for line in "\n".join(shown).splitlines():
        click.secho(f"   | {line}", dim=True)


def _say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def _run(arguments: Sequence[str], *, expected: int = 0) -> None:
    """Run a verb as a user would, and stop when it ends otherwise than it must."""
    from pldgov.cli import cli

    click.secho(f"$ pldgov {' '.join(arguments)}", fg="cyan")
    try:
        cli.main(args=list(arguments), prog_name="pldgov")
        code = 0
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    if code != expected:
        click.secho(f"ended with exit code {code}, not {expected}; see pldgov doctor", fg="red")
        raise click.exceptions.Exit(1)
    click.secho(f"(exit code {code})", dim=True)
