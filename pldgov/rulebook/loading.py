"""A rulebook with all that belongs to it, read from the working tree or from a commit."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pldgov.data.parsing import parse_examples
from pldgov.dataset import SPLIT_NAMES, Example, SplitName
from pldgov.errors import ExamplesAbsentError, RulebookError, UsageError
from pldgov.problems import Problem
from pldgov.rulebook.document import Document, parse_document
from pldgov.rulebook.obtaining import absence, advice
from pldgov.rulebook.yaml_nodes import RESOLVE, UNRESOLVED, find_conflict
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pldgov.ports import Source
    from pldgov.rulebook.model import Rulebook

    ReadExternal = Callable[[str, Sequence[str]], tuple[tuple[Example, ...], tuple[Problem, ...]]]
    """Reads a split that is no file of the tree (``hf:...``): (spec, input fields)."""

FILE_NAME = "rulebook.yaml"


@dataclass(frozen=True)
class Revision:
    """One rulebook as it stood at one moment: text, examples and templates.

    ``path`` is the rulebook's file relative to the source's root. ``splits`` holds the splits
    that were asked for and could be read; ``absent`` those whose examples are not committed and
    not in the working tree either; ``templates`` the text of each file in the templates folder by
    name. ``problems`` is everything that loading found wrong, the document's included.
    """

    source: str
    path: str
    document: Document
    splits: Mapping[SplitName, tuple[Example, ...]] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    absent: tuple[SplitName, ...] = ()

    @property
    def folder(self) -> str:
        """The rulebook's folder, relative to the source's root."""
        return posixpath.dirname(self.path)

    @property
    def rulebook(self) -> Rulebook:
        """The rulebook; raises ``RulebookError`` with every problem when it has errors."""
        errors = [problem for problem in self.problems if problem.severity == "error"]
        if errors or self.document.rulebook is None:
            raise RulebookError(errors)
        return self.document.rulebook

    def split(self, name: SplitName) -> tuple[Example, ...]:
        """Return the examples of a split.

        Raises ``UsageError`` when the rulebook has none, ``ExamplesAbsentError`` when they are
        not here.
        """
        self.require(name)
        if name not in self.splits:
            raise UsageError(
                f"there is no {name} split",
                where=self.path,
                hint=f"set examples.{name} in the rulebook",
            )
        return self.splits[name]

    def require(self, *names: SplitName) -> None:
        """Raise ``ExamplesAbsentError`` when any of the splits (default: all) is absent."""
        absent = [name for name in self.absent if not names or name in names]
        rulebook = self.document.rulebook
        if absent and rulebook is not None:
            raise ExamplesAbsentError(
                absence(rulebook.examples, absent),
                where=self.path,
                hint=advice(rulebook.examples),
            )


def load_revision(
    source: Source,
    path: str,
    *,
    templates: str = "templates",
    splits: Iterable[SplitName] = SPLIT_NAMES,
    read_external: ReadExternal | None = None,
    worktree: Source | None = None,
    beside: str | None = None,
) -> Revision:
    """Read the rulebook at ``path`` with the given splits and all templates.

    Never raises for what stands in the files: every problem is collected in the revision.
    Examples that are not committed (``examples.obtain``) are read from ``worktree`` (default:
    ``source``) whatever the source is, since no commit can hold them, and there below the folder
    ``beside`` (default: the rulebook's own). Raises ``UsageError`` when there is no such rulebook.
    """
    try:
        data = source.read(path)
    except FileNotFoundError as error:
        raise UsageError("there is no such rulebook", where=f"{path} ({source.name})") from error
    document = parse_document(data, path=path)
    read: dict[SplitName, tuple[Example, ...]] = {}
    absent: list[SplitName] = []
    problems = list(document.problems)
    if document.rulebook is not None:
        place = _place(document.rulebook, path, source, worktree=worktree, beside=beside)
        for name in splits:
            spec: str | None = getattr(document.rulebook.examples, name)
            if spec is None:
                continue
            examples, found = _read_split(place, document, name, spec, read_external)
            problems += found
            if examples is not None:
                read[name] = examples
            elif not found:
                absent.append(name)
    texts, unreadable = read_templates(source, templates)
    return Revision(
        source=source.name,
        path=path,
        document=document,
        splits=read,
        templates=texts,
        problems=(*problems, *unreadable),
        absent=tuple(absent),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a revision's example files are; ``may_lack`` tells whether they are committed."""

    source: Source
    folder: str
    may_lack: bool = False


def _place(
    rulebook: Rulebook, path: str, source: Source, *, worktree: Source | None, beside: str | None
) -> _Place:
    own = posixpath.dirname(path)
    if rulebook.examples.obtain is None:
        return _Place(source, own)
    return _Place(worktree or source, own if beside is None else beside, may_lack=True)


def _read_split(
    place: _Place,
    document: Document,
    name: SplitName,
    spec: str,
    read_external: ReadExternal | None,
) -> tuple[tuple[Example, ...] | None, tuple[Problem, ...]]:
    """Return a split's examples and what is wrong with them; neither where they may be absent."""
    assert document.rulebook is not None
    inputs = document.rulebook.task.inputs
    source = place.source
    if spec.startswith("hf:"):
        if read_external is None:
            raise UsageError(f"cannot read {spec} from {source.name}", where=document.path)
        return read_external(spec, inputs)
    path = posixpath.normpath(posixpath.join(place.folder, spec))

    def problem(code: str, message: str, hint: str | None) -> tuple[None, tuple[Problem, ...]]:
        line, column = document.position(("examples", name))  # composes the file once more
        return None, (Problem(document.path, line, column, code, message, hint),)

    if path.startswith("../") or posixpath.isabs(path):
        return problem(
            "path-outside", f"{spec} lies outside the repository", "keep examples in the repository"
        )
    try:
        data = source.read(path)
    except (FileNotFoundError, NotADirectoryError):
        if place.may_lack:
            return None, ()
        near = did_you_mean(path, source.files(posixpath.dirname(path)))
        return problem("examples-missing", f"{path} does not exist in the {source.name}", near)
    except IsADirectoryError:
        return problem("examples-missing", f"{path} is a folder", "name the file in it")
    return parse_examples(data, path=path, inputs=inputs)


def read_templates(source: Source, folder: str) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Return the text of every template by its path in the folder, and what is no text.

    A template that is not UTF-8 is left out: replacing its bytes would alter the prompt unseen.
    """
    texts: dict[str, str] = {}
    problems = []
    for path in source.files(folder):
        if not path.endswith(".j2"):
            continue
        data = source.read(path)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            said = f"byte {data[error.start]:#04x} is not UTF-8"
            problems.append(Problem(path, line, 1, "not-utf8", said, "save the file as UTF-8"))
            continue
        texts[path.removeprefix(f"{folder}/")] = text
        conflict = find_conflict(text)
        if conflict is not None:  # in a template the markers would reach the student
            line = text.count("\n", 0, conflict) + 1
            problems.append(Problem(path, line, 1, "conflict-marker", UNRESOLVED, RESOLVE))
    return texts, tuple(problems)


def find_rulebooks(source: Source, *, under: str) -> tuple[str, ...]:
    """Return the paths of all rulebooks below a folder, sorted."""
    return tuple(path for path in source.files(under) if posixpath.basename(path) == FILE_NAME)
