"""Where a face finds everything: settings, files, students, store and history of one repository."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pldgov.config import Config, load_config, resolve_environment
from pldgov.dataset import SPLIT_NAMES, SplitName
from pldgov.errors import NoBaseError, UsageError
from pldgov.rulebook.loading import find_rulebooks, load_revision
from pldgov.students import open_student
from pldgov.suggest import did_you_mean
from pldgov.workflows.choosing import Choosing
from pldgov.workflows.finding import Finder
from pldgov.worktree import WorkTree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.distill.model import Usage
    from pldgov.evidence import Evidence
    from pldgov.gitrepo import Repository
    from pldgov.ports import Embedder, Progress, Source, Student, Teacher
    from pldgov.problems import Problem
    from pldgov.results import GateReport
    from pldgov.rulebook.loading import Revision
    from pldgov.store import Store
    from pldgov.workflows.measure import Answering

    Result = TypeVar("Result")


class Workspace:
    """One governance repository, as the command line and the pytest plugin open it."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.tree = WorkTree(config.root)
        self._finder = Finder(self.tree, config.root, config.rulebooks)
        self.choosing = Choosing(config, self._finder)

    @classmethod
    def around(cls, names: Sequence[str] = ()) -> Workspace:
        """Open the workspace that the first named path lies in, else the current folder's."""
        start = Path(names[0]) if names and Path(names[0]).exists() else Path.cwd()
        return cls(load_config(start if start.is_dir() else start.parent))

    def find(self, names: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the rulebooks' paths relative to the root; no names mean all. See ``Finder``."""
        return self._finder.find(names)

    def find_one(self, name: str) -> str:
        """Return the one rulebook that ``name`` leads to; raises ``UsageError`` for several."""
        found = self.find((name,))
        if len(found) > 1:
            raise UsageError(
                f"holds {len(found)} rulebooks", where=name, hint=f"name one: {', '.join(found)}"
            )
        return found[0]

    def load(
        self,
        path: str,
        *,
        source: Source | None = None,
        splits: Iterable[SplitName] = SPLIT_NAMES,
    ) -> Revision:
        """Read a rulebook from the working tree, or from ``source``."""
        return load_revision(
            source or self.tree,
            path,
            templates=self.config.templates,
            splits=splits,
            read_external=_read_external,
            worktree=self.tree,
        )

    def lint(self, path: str, *, selected: Collection[str] | None = None) -> tuple[Problem, ...]:
        """Return every problem of a rulebook of the working tree, approvals included.

        History is read only where the policy asks for another approver than the author.
        """
        from pldgov.workflows.authors import find_authors
        from pldgov.workflows.linting import lint_revision

        revision = self.load(path)
        policy = self.config.approval
        asked = selected is None or "approval-by-author" in selected
        looked_up = policy.different_approver and asked
        authors = find_authors(self.repository, revision) if looked_up else None
        return lint_revision(revision, selected=selected, approval=policy, authors=authors)

    def student(self, name: str | None = None, *, path: str | None = None) -> Student:
        """Open a student by name, else a rulebook's own, else the default; nothing is loaded."""
        chosen = self.choosing.name(path, name)
        options = self._options("students", chosen, self.choosing.students)
        return open_student(chosen, options, root=self.config.root)

    def pinned(self, path: str, student: Student, *, nameless: bool = False) -> Student:
        """Return a student as a rulebook's lock knows it, should its weights not be here."""
        from pldgov.workflows.locking import pinned

        return pinned(self.tree, path, student, nameless=nameless)

    def teacher(self, name: str, *, folder: Path, spent: Usage, submit: bool = False) -> Teacher:
        """Open a teacher by name for the run in ``folder``; see ``open_teacher``."""
        from pldgov.teachers import BUILT_IN as TEACHERS
        from pldgov.teachers import open_teacher

        options = self._options("teachers", name, {**TEACHERS, **self.config.teachers})
        return open_teacher(
            name, options, root=self.config.root, folder=folder, spent=spent, submit=submit
        )

    def embedder(self, name: str) -> Embedder:
        """Open an embedder by name."""
        from pldgov.embedders import open_embedder

        return open_embedder(
            name,
            self.embedder_options(name),
            root=self.config.root,
            students=self.config.students,
        )

    def embedder_options(self, name: str) -> Mapping[str, Any]:
        """Return an embedder's settings; raises ``UsageError`` for an unknown one."""
        from pldgov.embedders import BUILT_IN as EMBEDDERS

        return self._options("embedders", name, {**EMBEDDERS, **self.config.embedders})

    def store(self) -> Store:
        """Open the store of answers."""
        from pldgov.store import Store

        return Store(self.config.store_path)

    def repository(self) -> Repository:
        """Open the git repository around; raises ``NoBaseError`` when there is none."""
        from pldgov.gitrepo import Repository

        return Repository(self.config.root)

    @contextmanager
    def answering(
        self,
        paths: Sequence[str],
        *,
        student: str | None = None,
        offline: bool = False,
        progress: Progress | None = None,
        locked: bool = True,
    ) -> Iterator[Answering]:
        """Open student and store together, with the answers committed beside the rulebooks.

        The rulebooks must have one student, ``for_each`` takes any. Unless not ``locked``, refuses
        a student that a rulebook's lock knows as another one.
        """
        from pldgov.workflows.gating import recorded_answers
        from pldgov.workflows.measure import Answering

        groups = self.choosing.groups(paths, student)
        if len(groups) > 1:
            raise UsageError(
                f"the rulebooks have several students: {', '.join(groups)}",
                where="--student",
                hint="name the student, or one rulebook",
            )
        recorded: dict[tuple[str, str], dict[str, Any]] = {}
        for path in paths:
            for key, answers in recorded_answers(self.tree, path.rpartition("/")[0]).items():
                recorded.setdefault(key, {}).update(answers)
        opened = self.student(next(iter(groups), student))
        try:
            for path in paths if locked else ():
                self.require_locked(path, opened)
            with self.store() as store:
                yield Answering(
                    student=self.pinned(paths[0], opened) if len(paths) == 1 else opened,
                    store=store,
                    recorded=recorded,
                    offline=offline or self.config.offline,
                    lock=self._lock,
                    **({"progress": progress} if progress else {}),
                )
        finally:
            opened.close()

    def for_each(
        self,
        paths: Sequence[str],
        act: Callable[[str, Answering], Result],
        *,
        student: str | None = None,
        offline: bool = False,
        progress: Progress | None = None,
        locked: bool = True,
    ) -> tuple[Result, ...]:
        """Return what ``act`` makes of each rulebook and its student, in the order of ``paths``.

        Each student is opened once, for all of its rulebooks, and closed before the next one. What
        the locks refuse is refused before anybody is asked.
        """
        groups = self.choosing.groups(paths, student)
        if locked and len(groups) > 1:
            for name, group in groups.items():
                with closing(self.student(name)) as opened:
                    for path in group:
                        self.require_locked(path, opened)
        done: dict[str, Result] = {}
        for name, group in groups.items():
            with self.answering(
                group, student=name, offline=offline, progress=progress, locked=locked
            ) as answering:
                for path in group:
                    pinned = self.pinned(path, answering.student)
                    done[path] = act(path, replace(answering, student=pinned))
        return tuple(done[path] for path in paths)

    def require_locked(self, path: str, student: Student, *, listed: bool = False) -> None:
        """Refuse a student other than the one locked beside a rulebook; ``listed``: or in no lock.

        Raises ``UsageError``; what only a server can tell raises ``ProviderError`` when it replies.
        """
        from pldgov.workflows.locking import require_student

        require_student(self.tree, path, student, must_be_listed=listed)

    def gate(self, path: str, *, answering: Answering, base: str | None = None) -> GateReport:
        """Judge one rulebook of the working tree against its base.

        ``base`` is an evidence file or a git revision (default: the setting, else where HEAD left
        the default branch). A rulebook whose examples or student are not here is not measured at
        all. See ``Judge``.
        """
        from pldgov.workflows.base_finding import Judge
        from pldgov.workflows.linting import require_sound

        head = self.load(path)
        require_sound(head)
        self.require_locked(path, answering.student, listed=True)
        chosen = base or self.config.base
        judge = Judge(
            tree=self.tree,
            open_repository=self.repository,
            templates=self.config.templates,
            chosen=chosen,
            evidence=self.evidence(chosen),
        )
        return judge.gate(head, answering=answering)

    def deleted_since(self, base: str | None) -> tuple[str, ...]:
        """Return the rulebooks that the base holds and the working tree does not."""
        chosen = base or self.config.base
        if chosen and (self.config.root / chosen).is_file():
            return ()
        try:
            with self.repository() as repository:
                tree = repository.tree(chosen) if chosen else repository.merge_base()
                then = find_rulebooks(tree, under=self.config.rulebooks)
        except NoBaseError:
            return ()
        return tuple(path for path in then if not self.tree.exists(path))

    def evidence(self, base: str | None) -> Evidence | None:
        """Return the evidence file that ``base`` names, None where it names no file."""
        from pldgov.evidence import parse_evidence

        for candidate in (Path(base), self.config.root / base) if base else ():
            if candidate.is_file():
                text = candidate.read_text(encoding="utf-8", errors="replace")
                return parse_evidence(text, path=str(base))
        if base and base.endswith(".json"):
            raise UsageError("there is no such evidence file", where=base)
        return None

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        """Let one process at a time ask a student about one prompt."""
        from filelock import FileLock

        folder = self.config.store_path.parent / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{name}.lock"):
            yield

    def _options(
        self, group: str, name: str, known: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return the table of one student, teacher or embedder, its variables filled in."""
        if name not in known:
            raise UsageError(
                f"there is no {group.removesuffix('s')} {name!r}",
                where=f"{self.config.root / 'pyproject.toml'}: [tool.pldgov.{group}]",
                hint=did_you_mean(name, known) or f"known are {', '.join(sorted(known))}",
            )
        options: dict[str, Any] = resolve_environment(
            dict(known[name]), where=f"[tool.pldgov.{group}.{name}]", environment=os.environ
        )
        return options


def _read_external(
    spec: str, inputs: Sequence[str]
) -> tuple[tuple[Example, ...], tuple[Problem, ...]]:
    from pldgov.data.reading import read_source

    return read_source(spec, inputs=inputs)
