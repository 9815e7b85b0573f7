"""What the items of one process share: workspaces, an open student, one verdict a rulebook."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from pldgov.config import load_config
from pldgov.errors import UnjudgedError, UsageError
from pldgov.prompt import render_within_budget
from pldgov.workflows.gating import recorded_answers
from pldgov.workflows.measure import measure
from pldgov.workflows.sides import builder_of, side_of
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeVar

    from pldgov.ports import Student
    from pldgov.problems import Problem
    from pldgov.prompt import RenderedPrompt
    from pldgov.pytest_items.settings import Settings
    from pldgov.results import GateReport, Scorecard
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.measure import Answering

    Result = TypeVar("Result", GateReport, Scorecard)


@dataclass(frozen=True, slots=True)
class Place:
    """A rulebook's file: the workspace it belongs to, and its path there."""

    workspace: Workspace
    path: str

    @property
    def folder(self) -> str:
        """The rulebook's folder, relative to the workspace's root."""
        return self.path.rpartition("/")[0]

    def load(self) -> Revision:
        """Read the rulebook with its examples from the working tree."""
        return self.workspace.load(self.path)


@dataclass
class Judging:
    """Opens what is needed once, and remembers outcomes, errors included.

    An outcome is remembered with its error because every item of a rulebook asks for the same:
    a student that cannot be reached is tried once, not once for each label. One student at a time
    is held in memory; another one is freed first, and loaded again where it is asked again.
    """

    settings: Settings
    _workspaces: dict[Path, Workspace] = field(default_factory=dict)
    _answering: dict[tuple[Path, str], Answering] = field(default_factory=dict)
    _outcomes: dict[tuple[str, Path], GateReport | Scorecard | Exception] = field(
        default_factory=dict
    )
    _open: ExitStack = field(default_factory=ExitStack)

    def workspace(self, folder: Path) -> Workspace:
        """Return the workspace that a folder lies in; raises ``UsageError``."""
        settings = load_config(folder)
        return self._workspaces.setdefault(settings.root, Workspace(settings))

    def place(self, file: Path) -> Place:
        """Return where a rulebook belongs; raises ``UsageError``."""
        workspace = self.workspace(file.parent)
        return Place(workspace, workspace.find((str(file),))[0])

    def named(self, name: str | None) -> Path:
        """Return the file of the rulebook called ``name``, or of the only one.

        Raises ``UsageError`` where that leads to none or several.
        """
        workspace = self.workspace(self.settings.root)
        found = workspace.find_one(name or workspace.config.rulebooks)
        return workspace.config.root / found

    def lint(self, file: Path) -> tuple[Problem, ...]:
        """Return every problem of a rulebook."""
        place = self.place(file)
        return place.workspace.lint(place.path)

    def render(self, file: Path) -> RenderedPrompt:
        """Render the prompt; the student is only opened if the budget's tokens need counting."""
        place = self.place(file)
        head = place.load()

        def count_tokens(text: str) -> int | None:
            return self._student_of(place).student.count_tokens(text)

        return render_within_budget(
            builder_of(head, folder=place.workspace.config.templates),
            head.rulebook,
            count_tokens=count_tokens,
        )

    def gate(self, file: Path) -> GateReport:
        """Judge a rulebook, once for all of its items."""

        def judge() -> GateReport:
            place = self.place(file)
            place.load().rulebook  # noqa: B018  (what is broken is said before a student is opened)
            answering = self._answering_about(place)
            return place.workspace.gate(place.path, answering=answering, base=self.settings.base)

        return self._once("gate", file, judge)

    def scorecard(self, file: Path) -> Scorecard:
        """Measure a rulebook on its gate split, once."""

        def score() -> Scorecard:
            place = self.place(file)
            head = place.load()
            answering = self._answering_about(place)
            side = side_of(head, answering.student)
            return measure(
                side.builder,
                side.rendered,
                head.split("gate"),
                train=head.split("train"),
                answering=answering,
                policy=head.rulebook.gate,
            ).scorecard

        return self._once("scorecard", file, score)

    def student_name(self, file: Path) -> str:
        """Return the name of a rulebook's student; raises ``UsageError``."""
        place = self.place(file)
        return place.workspace.choosing.name(place.path, self.settings.student)

    def student(self, rulebook: str | None = None) -> Student:
        """Return the open student of a rulebook by name, else of the only one, else the default.

        Raises ``UnjudgedError`` when it may not be asked.
        """
        workspace = self.workspace(self.settings.root)
        path = workspace.find_one(rulebook) if rulebook else _only(workspace)
        name = workspace.choosing.name(path, self.settings.student)
        answering = self._opened(workspace, name)
        if answering.offline:
            raise UnjudgedError(
                f"student {answering.card.name!r} may not be asked (offline)",
                hint="run without --pldgov-offline",
            )
        return answering.student

    def close(self) -> None:
        """Close students and stores."""
        self._answering.clear()
        self._open.close()

    def _once(self, what: str, file: Path, find: Callable[[], Result]) -> Result:
        key = (what, file)
        if key not in self._outcomes:
            try:
                self._outcomes[key] = find()
            except Exception as error:  # noqa: BLE001  (remembered, and raised again below)
                self._outcomes[key] = error
        outcome = self._outcomes[key]
        if isinstance(outcome, Exception):
            raise outcome
        return cast("Result", outcome)  # what `find` returned

    def _answering_about(self, place: Place) -> Answering:
        """Return where answers come from, with those committed beside this rulebook."""
        recorded = recorded_answers(place.workspace.tree, place.folder)
        opened = self._student_of(place)
        place.workspace.require_locked(place.path, opened.student)
        student = place.workspace.pinned(place.path, opened.student)
        return replace(opened, recorded=recorded, student=student)

    def _student_of(self, place: Place) -> Answering:
        name = place.workspace.choosing.name(place.path, self.settings.student)
        return self._opened(place.workspace, name)

    def _opened(self, workspace: Workspace, name: str) -> Answering:
        key = workspace.config.root, name
        for other, answering in self._answering.items():
            if other != key:
                answering.student.close()  # the next question would load it again
        if key not in self._answering:
            self._answering[key] = self._open.enter_context(
                workspace.answering((), student=name, offline=self.settings.offline)
            )
        return self._answering[key]


def _only(workspace: Workspace) -> str | None:
    """Return the path of the only rulebook, None where there are several or none."""
    try:
        found = workspace.find()
    except UsageError:
        return None
    return found[0] if len(found) == 1 else None
