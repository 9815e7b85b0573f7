"""The command line: a table of verbs, each loaded only when it is called.

One boundary turns errors into messages and exit codes: 0 fine, 1 the gate failed or lint found
errors, 2 usage, configuration, rulebook or template, 3 no verdict, 4 provider or budget,
70 a bug in pldgov, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Pydantic looks through every installed package for plugins; pldgov uses none, and a face that
# starts in a fifth of a second has no time for it.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import click

from pldgov import __version__
from pldgov.errors import PldgovError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

VERBS: Mapping[str, str] = {
    # verb: its one-line help, here so that `pldgov --help` loads none of them
    "init": "Scaffold a governance repository.",
    "import": "Make a rulebook of an existing prompt or playbook.",
    "quickstart": "See the whole job done in a temporary repository.",
    "distill": "Make a rulebook from labelled examples and a teacher.",
    "lint": "Report every problem of rulebooks and their examples.",
    "fmt": "Format rulebooks; pin the digests of cited examples.",
    "render": "Render a rulebook into the prompt that is deployed.",
    "eval": "Measure a student's macro-F1 under a rulebook.",
    "gate": "Judge a change against its base.",
    "explain": "Say what each rule does to the student's answers.",
    "approve": "Write into rules who approved them, and on what verdict.",
    "owners": "Print a CODEOWNERS fragment.",
    "log": "Tell the life of a rulebook or a rule, commit by commit.",
    "blame": "Say which prompt was live, and who stands behind its rules.",
    "report": "Write a rulebook as a page or audit pack; show a distillation.",
    "diff": "Tell what changed between two revisions, rule by rule.",
    "comment": "Tell on a pull request what its change of rules does.",
    "bless": "Commit a measurement as evidence.",
    "lock": "Pin who answers for a rulebook; --check asks whether that still holds.",
    "compare": "Judge several students under one rulebook.",
    "data": "Import, split and check labelled examples.",
    "cache": "Look after the stored answers of students.",
    "schema": "Print the JSON Schema of rulebooks.",
    "doctor": "Check this installation and its settings.",
}
INTERRUPTED = 130
BUG = 70


class VerbGroup(click.Group):
    """A group that imports the module of a verb only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of a newcomer's path."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one verb."""
        del ctx
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"pldgov.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without loading them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; a misspelt one is answered with the nearest."""
        from pldgov.suggest import did_you_mean

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            advice = did_you_mean(args[0], VERBS)
            message = f"{error.message} ({advice})" if advice else error.message
            raise click.UsageError(message, ctx) from error

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Run, and leave with the exit code that the outcome stands for."""
        extra["standalone_mode"] = False
        sys.exit(_run(lambda: click.Group.main(self, args, **extra)))


def _run(call: Callable[[], Any]) -> int:
    try:
        code = call()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _say("interrupted; what was answered so far is kept", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except PldgovError as error:
        return _say(f"error: {error}", error.exit_code)
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001  (the one boundary: whatever is left is a bug)
        return _report_bug(error)
    return code if isinstance(code, int) else 0


def _say(message: str, code: int) -> int:
    click.echo(message, err=True)
    return code


def _report_bug(error: Exception) -> int:
    from traceback import print_exception

    print_exception(error)
    return _say(
        f"This is a bug in pldgov {__version__}. Please report it with the text above and the "
        "command that you ran.",
        BUG,
    )


@click.group(cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pldgov")
@click.option("-v", "--verbose", count=True, help="Say more on stderr (-vv: everything).")
@click.option("-q", "--quiet", is_flag=True, help="Say only errors on stderr.")
def cli(verbose: int, quiet: bool) -> None:
    """Governance for distilled prompts: reviewable rulebooks, gated on the student's macro-F1."""
    if quiet or verbose:  # warnings reach stderr without any set-up
        import logging

        level = logging.ERROR if quiet else logging.WARNING - 10 * min(verbose, 2)
        logging.basicConfig(level=level, format="%(name)s: %(message)s", stream=sys.stderr)


def main() -> None:
    """Run the command line."""
    # What a verb imports and reads are objects that stay: to look for cycles among them after
    # every 700 is a tenth of a short run.
    gc.set_threshold(100_000, 50, 50)
    cli(prog_name="pldgov")
