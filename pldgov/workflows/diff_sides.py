"""One side of a diff: read, rendered, and whatever stands in the way of either said in words."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pldgov.diff_report import Trouble
from pldgov.errors import PldgovError
from pldgov.prompt import render_within_budget
from pldgov.workflows.sides import builder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pldgov.diff_report import PromptFacts, SideName
    from pldgov.ports import Source
    from pldgov.problems import Problem
    from pldgov.prompt import PromptBuilder, RenderedPrompt
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.prompt_facts import Meter

    Load = Callable[[Source, str], Revision]
    CountTokens = Callable[[str], int | None]

MOST_TROUBLES = 20
CONFLICT_HINT = "keep one side and delete the lines that start with <<<<<<<, ======= and >>>>>>>"

_OURS = re.compile(r"^<{7}(?: |\r?$)", re.MULTILINE)
_THEIRS = re.compile(r"^>{7}(?: |\r?$)", re.MULTILINE)


@dataclass(frozen=True)
class ReadSide:
    """A rulebook as one side holds it.

    ``revision`` is None where too little could be read for a comparison; otherwise it can be used
    as a rulebook, whatever problems its examples have. ``sound`` tells that there are none, so
    that it may be measured. ``rendered`` and ``builder`` are None where the prompt does not render.
    """

    revision: Revision | None
    troubles: tuple[Trouble, ...] = ()
    sound: bool = False
    rendered: RenderedPrompt | None = None
    builder: PromptBuilder | None = None

    def facts(self, meter: Meter) -> PromptFacts | None:
        """Return what the prompt takes, None where it does not render."""
        if self.revision is None or self.rendered is None or self.builder is None:
            return None
        gate_set = self.revision.splits.get("gate", ())
        return meter.facts(self.rendered, self.builder, gate_set)


def read_side(
    side: SideName,
    source: Source,
    path: str,
    *,
    load: Load,
    folder: str,
    count_tokens: CountTokens,
) -> ReadSide:
    """Read and render a rulebook, ``folder`` being that of the templates.

    Never raises for what stands in the files.
    """
    try:
        revision = load(source, path)
    except PldgovError as error:
        return ReadSide(None, (Trouble(side, str(error)),))
    errors = [problem for problem in revision.problems if problem.severity == "error"]
    said = [Trouble(side, sentence) for sentence in _sentences(errors, source)]
    if revision.document.rulebook is None or not revision.document.complete:
        return ReadSide(None, tuple(said))
    warnings = tuple(problem for problem in revision.problems if problem.severity != "error")
    usable = replace(revision, problems=warnings)
    builder = builder_of(usable, folder=folder)
    try:
        rendered = render_within_budget(builder, usable.rulebook, count_tokens=count_tokens)
    except PldgovError as error:
        said.append(Trouble(side, f"the prompt does not render: {error}"))
        return ReadSide(usable, tuple(said))
    return ReadSide(usable, tuple(said), not errors, rendered, builder)


def _sentences(errors: list[Problem], source: Source) -> Iterator[str]:
    """Yield each problem; a file with conflict markers is one problem, whatever is wrong in it."""
    conflicted: dict[str, str | None] = {}
    shown = 0
    for problem in errors:
        if problem.path not in conflicted:
            conflicted[problem.path] = _conflict(problem, source)
            sentence = conflicted[problem.path]
            if sentence is not None:
                yield sentence
        if conflicted[problem.path] is not None:
            continue
        shown += 1
        if shown <= MOST_TROUBLES:
            yield str(problem)
    if shown > MOST_TROUBLES:
        yield f"{shown - MOST_TROUBLES} more problems; `pldgov lint` lists them"


def _conflict(problem: Problem, source: Source) -> str | None:
    try:
        text = source.read(problem.path).decode("utf-8", "replace")
    except (OSError, ValueError):
        return None
    return conflict_sentence(text, path=problem.path)


def conflict_sentence(text: str, *, path: str) -> str | None:
    """Return what is said of a file with the markers of an unfinished merge, None without them."""
    ours = _OURS.search(text)
    if ours is None or _THEIRS.search(text, ours.end()) is None:
        return None
    line = text.count("\n", 0, ours.start()) + 1
    return f"{path}:{line}: a merge conflict is not resolved ({CONFLICT_HINT})"
