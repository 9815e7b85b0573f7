"""A rulebook as a collector: ``lint``, ``render``, ``macro_f1`` and ``label[...]`` items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import pytest

from pldgov.errors import (
    BudgetError,
    ExamplesAbsentError,
    PldgovError,
    ProviderError,
    RulebookError,
    StudentAbsentError,
    UnjudgedError,
)
from pldgov.pytest_items.facts import (
    Finding,
    broken_facts,
    finding_of,
    flip_lines,
    gate_facts,
    gate_properties,
)
from pldgov.pytest_items.shared import SHARED
from pldgov.pytest_items.undecided import FACTS, leave_undecided

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from _pytest._code.code import TerminalRepr

    from pldgov.pytest_items.shared import Shared
    from pldgov.results import GateReport

_NO_VERDICT = (UnjudgedError, ProviderError, BudgetError)
"""Errors that say nothing about the rulebook."""


class Failed(Exception):  # noqa: N818  (no error: the item's own word)
    """An item failed: ``summary`` says why in one line, the message shows all that is told."""

    def __init__(self, message: str, *, summary: str, line: int) -> None:
        self.summary = summary
        self.line = line
        super().__init__(message)


class RulebookFile(pytest.File):
    """One rulebook.yaml."""

    def collect(self) -> Iterator[pytest.Item]:
        """Make the items; a rulebook that cannot be read has no labels to make items of.

        Settings that do not fit are an error of collection: nothing could be judged with them.
        """
        try:
            place = self.config.stash[SHARED].judging.place(self.path)
            document = place.workspace.load(place.path, splits=()).document
        except PldgovError as error:
            raise self.CollectError(str(error)) from error
        for kind in (LintItem, RenderItem, GateItem):
            yield kind.from_parent(self, name=kind.title, line=0)
        for label in document.rulebook.labels if document.rulebook else ():
            line, _ = document.position(("task", "labels", label))
            yield LabelItem.from_parent(self, label=label, line=line - 1)


class RulebookItem(pytest.Item):
    """One thing that is asked of a rulebook."""

    title: ClassVar[str]

    def __init__(self, *, line: int, **given: Any) -> None:
        super().__init__(**given)
        self._line = line

    @property
    def shared(self) -> Shared:
        """What all items of this process share."""
        return self.config.stash[SHARED]

    def reportinfo(self) -> tuple[os.PathLike[str], int, str]:
        """Return file, line (from 0) and the item's name."""
        return self.path, self._line, self.name

    def runtest(self) -> None:
        """Check, and turn errors that say nothing about the rulebook into "undecided"."""
        try:
            self.check()
        except ExamplesAbsentError as error:
            leave_undecided(self, _one_line(error), by_design=True)
        except StudentAbsentError as error:
            leave_undecided(self, _one_line(error), by_design=error.by_design)
        except _NO_VERDICT as error:
            leave_undecided(self, _one_line(error))
        except RulebookError as error:
            self.fail(_broken(error))
        except PldgovError as error:
            self.fail(*str(error).splitlines())

    def check(self) -> None:
        """Return if all is well; else ``fail``, be left undecided or raise ``PldgovError``."""
        raise NotImplementedError

    def fail(self, summary: str, *details: str, line: int = 1) -> NoReturn:
        """Fail with one line, and further ones that are shown below it."""
        message = "\n".join((f"{self.nodeid}: {summary}", *details))
        raise Failed(message, summary=summary, line=line) from None

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **options: Any
    ) -> str | TerminalRepr:
        """Return the failure in one line; only a bug in pldgov is worth a traceback."""
        failed = excinfo.value
        if not isinstance(failed, Failed):
            return super().repr_failure(excinfo, *args, **options)
        shown = excinfo.getrepr(style="value")
        if shown.reprcrash is not None:
            # What `--tb=line`, the short summary and JUnit show.
            shown.reprcrash.path = str(self.path)
            shown.reprcrash.lineno = failed.line
            shown.reprcrash.message = failed.summary
        return shown


class LintItem(RulebookItem):
    """What the checks find: errors fail, warnings are told in the summary."""

    title = "lint"

    def check(self) -> None:
        """Fail with a line for each error, and keep the warnings for the summary."""
        problems = self.shared.judging.lint(self.path)
        warnings = [str(problem) for problem in problems if problem.severity == "warning"]
        if warnings:
            self.stash[FACTS] = {"warnings": [_flat(warning) for warning in warnings]}
        errors = [problem for problem in problems if problem.severity == "error"]
        if len(errors) == 1:
            self.fail(_flat(str(errors[0])), line=errors[0].line)
        if errors:
            lines = [_flat(str(problem)) for problem in errors]
            self.fail(f"{len(errors)} errors in the rulebook:", *lines, line=errors[0].line)


class RenderItem(RulebookItem):
    """The prompt renders, within its budget."""

    title = "render"

    def check(self) -> None:
        """Render, and say what a budget trimmed."""
        rendered = self.shared.judging.render(self.path)
        self.user_properties.append(("head_prompt", rendered.prompt.digest))
        if rendered.trimmed:
            trimmed = f"the token budget leaves out the rules {', '.join(rendered.trimmed)}"
            self.stash[FACTS] = {"warnings": [f"{self.nodeid}: {trimmed}"]}


class GateItem(RulebookItem):
    """The gate's word on the whole rulebook."""

    title = "macro_f1"

    def check(self) -> None:
        """Fail, pass or stay undecided as the verdict and the rulebook's policy say."""
        try:
            report = self.shared.judging.gate(self.path)
        except PldgovError as error:
            self._tell(broken_facts(_one_line(error), undecided=isinstance(error, _NO_VERDICT)))
            raise
        self._tell(gate_facts(report))
        finding = self.find(report)
        self.user_properties += gate_properties(report, finding)
        if finding.state == "fail":
            self.fail(f"{finding.outcome} {finding.reason}", *self.details(report))
        if finding.state == "undecided":
            leave_undecided(
                self,
                f"{finding.outcome} {finding.reason}",
                blocks=report.exit_code != 0,
                by_design=report.absent_by_design,
            )

    def find(self, report: GateReport) -> Finding:
        """Return what this item has to say of the verdict."""
        return finding_of(report)

    def details(self, report: GateReport) -> tuple[str, ...]:
        """Return some flipped examples, if more than the line is wanted."""
        return flip_lines(report) if self.config.get_verbosity() > 0 else ()

    def _tell(self, facts: dict[str, Any]) -> None:
        """Give the verdict to the summary, once a process: all items of a rulebook share it."""
        told = self.parent.stash.setdefault(_TOLD, self.name) if self.parent else self.name
        if told == self.name:
            self.stash[FACTS] = {
                "rulebook": self.parent.nodeid if self.parent else self.nodeid,
                "worker": self.shared.worker,
                **facts,
            }


class LabelItem(GateItem):
    """The gate's word on one label."""

    def __init__(self, *, label: str, line: int, **given: Any) -> None:
        shown = label if label.isprintable() else label.encode("unicode_escape").decode("ascii")
        super().__init__(line=line, name=f"label[{shown}]", **given)
        self.label = label

    def find(self, report: GateReport) -> Finding:
        """Return what the gate says of this label."""
        return finding_of(report, label=self.label)

    def details(self, report: GateReport) -> tuple[str, ...]:
        """Return some flipped examples that this label has part in, if more is wanted."""
        return flip_lines(report, label=self.label) if self.config.get_verbosity() > 0 else ()


_TOLD: pytest.StashKey[str] = pytest.StashKey()


def _broken(error: RulebookError) -> str:
    """Say in one line that the rulebook has errors: the lint item lists them."""
    count = len(error.problems)
    if not count:
        return "the rulebook cannot be read"
    first = _flat(str(error.problems[0]))
    return first if count == 1 else f"the rulebook has {count} errors, the first: {first}"


def _one_line(error: PldgovError) -> str:
    return _broken(error) if isinstance(error, RulebookError) else _flat(str(error))


def _flat(text: str) -> str:
    return " ".join(text.split())
