"""A whole distillation: settings, folder, lock, run, report, and the files that it leaves."""

from __future__ import annotations

import difflib
import json
import posixpath
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Self

from pldgov.archive import JsonLinesArchive
from pldgov.dataset import digest_examples
from pldgov.distill.model import Usage
from pldgov.distill.summary import Summary, summary_to_json
from pldgov.errors import PldgovError, RulebookError
from pldgov.files import write_atomically
from pldgov.fingerprint import digest_value
from pldgov.workflows.distilling.doors import Doors
from pldgov.workflows.distilling.proposals import proposals_text
from pldgov.workflows.distilling.recording import Recording
from pldgov.workflows.distilling.run import Distillation, kept_rules
from pldgov.workflows.distilling.summarizing import candidate_line, summarize
from pldgov.workflows.distilling.writing import (
    RECORDING,
    SUMMARY,
    require_lint,
    rulebook_text,
    settings_file,
    written_replies,
)
from pldgov.workflows.linting import lint_revision
from pldgov.workflows.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pldgov.distill.candidates import Judged
    from pldgov.distill.model import Phase, TeacherReply
    from pldgov.distill.planning import Plan
    from pldgov.ports import Embedder, Progress, Teacher
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.distilling.outcome import Awaited, Outcome
    from pldgov.workflows.distilling.settings import DistillSettings
    from pldgov.workflows.measure import Answering

RUN_ID_DIGITS = 12


@dataclass(frozen=True)
class Openers:
    """How a face opens what a run may need.

    ``teacher`` gets the phase, the run's folder and what the run has spent. ``embedder_key``
    stands for the embedder and its options.
    """

    teacher: Callable[[Phase, Path, Usage], Teacher]
    embedder: Callable[[], Embedder]
    embedder_key: str
    ask: Callable[[], Answering]
    progress: Progress | None = None
    plan: Callable[[Plan], None] = lambda _: None


@dataclass(frozen=True)
class Finished:
    """What a command came to.

    ``summary`` is None while replies are awaited (``awaited``), and for a check. ``diff`` is what
    a check found: empty when the rulebook is what the recorded replies make of it.
    """

    run_id: str
    folder: str
    awaited: Awaited | None = None
    summary: Summary | None = None
    diff: str | None = None
    written: tuple[str, ...] = ()
    outcome: Outcome | None = field(default=None, repr=False)


def distill(
    revision: Revision,
    settings: DistillSettings,
    openers: Openers,
    *,
    root: Path,
    check: bool = False,
    dry_run: bool = False,
    recorded: bool = False,
) -> Finished:
    """Distil a rulebook as far as replies go, and write it when it is done.

    ``check`` writes nothing beside the rulebook and says whether the run gives what stands there;
    ``recorded`` (implied by it) trusts recorded decisions of the student without opening it.
    Raises ``UsageError`` while another run is at work, ``RulebookError`` when the result (kept in
    the run's folder) or the start has errors, and whatever teacher and student raise; all that
    was answered before is kept.
    """
    revision.require()
    require_base(revision)
    started = time.monotonic()
    folder = RunFolder(root, revision.rulebook.name, run_id_of(revision, settings))
    with folder.lock(), _Files(root, revision, folder) as files, ExitStack() as stack:
        teachers: dict[Phase, Teacher] = {}

        def teacher(phase: Phase) -> Teacher:
            if phase not in teachers:
                teachers[phase] = openers.teacher(phase, folder.path, files.archive.spent)
                stack.callback(teachers[phase].close)
            return teachers[phase]

        doors = Doors(
            archive=files.of_phase,
            usage=files.usage,
            recording=files.recording,
            teacher=teacher,
            embedder=openers.embedder,
            embedder_key=openers.embedder_key,
            ask=openers.ask,
            recorded=recorded or check,
            dry_run=dry_run,
            progress=openers.progress,
            plan=openers.plan,
        )
        run = Distillation(revision, settings, folder.run_id, doors)
        outcome = _run(run, folder)
        done = Finished(folder.run_id, folder.shown, outcome.awaited, outcome=outcome)
        if outcome.best is None:
            return done
        text = _new_text(revision, outcome, folder)
        if check:
            return replace(done, diff=_diff(revision, text))
        elapsed = time.monotonic() - started
        summary = summarize(outcome, revision, ask=openers.ask, wall_seconds=elapsed)
        written = files.write(text, outcome, summary)
        return replace(done, summary=summary, written=written)


def require_base(revision: Revision) -> None:
    """Raise ``RulebookError`` for errors that distillation does not do away with itself."""
    kept = {rule.id for rule in kept_rules(revision.rulebook.rules)}
    errors = [
        problem
        for problem in lint_revision(revision)
        if problem.severity == "error"
        and problem.code != "no-active-rule"
        and (problem.rule_id is None or problem.rule_id in kept)
    ]
    if errors:
        raise RulebookError(errors)


def run_id_of(revision: Revision, settings: DistillSettings) -> str:
    """Return the run's id: from the rulebook's name, the settings and the training examples."""
    if settings.run:
        return settings.run
    digest = digest_value([settings.digest, digest_examples(revision.split("train"))])
    return f"{revision.rulebook.name}-{digest[:RUN_ID_DIGITS]}"


def _run(run: Distillation, folder: RunFolder) -> Outcome:
    """Run, and leave all candidates in the folder whatever ends it."""
    try:
        return run.run()
    finally:
        judge = getattr(run, "judge", None)
        if judge is not None:
            lines = [json.dumps(_archived(run, one)) for one in judge.archive]
            folder.write("candidates.jsonl", "".join(f"{line}\n" for line in lines))


def _archived(run: Distillation, one: Judged) -> dict[str, object]:
    texts = {rule.id: [rule.labels[0], rule.instruction] for rule in one.rule_set.rules}
    rulebook = run.revision.rulebook.name
    return {"run": run.run_id, "rulebook": rulebook, **asdict(candidate_line(one)), "texts": texts}


def _new_text(revision: Revision, outcome: Outcome, folder: RunFolder) -> str:
    assert outcome.judge is not None
    assert outcome.best is not None
    text = rulebook_text(revision, outcome.best.rule_set, judge=outcome.judge)
    try:
        require_lint(text, revision)
    except PldgovError:
        folder.write("rulebook.refused.yaml", text)
        raise
    return text


def _diff(revision: Revision, text: str) -> str:
    old, new = revision.document.text.splitlines(), text.splitlines()
    names = f"{revision.path} (here)", f"{revision.path} (distilled)"
    found = "\n".join(difflib.unified_diff(old, new, *names, lineterm=""))
    if not found and text != revision.document.text:
        return f"{revision.path}: the ends of lines differ\n"
    return f"{found}\n" if found else ""


class _Files:
    """The files of a run: in its folder, and beside the rulebook."""

    def __init__(self, root: Path, revision: Revision, folder: RunFolder) -> None:
        self._root = root
        self._revision = revision
        self._folder = folder
        beside = root / revision.folder
        self._teacher = sorted((beside / "teacher").glob("*.jsonl"))
        self.archive = JsonLinesArchive(
            folder.replies, recorded=(*self._teacher, *folder.earlier_replies())
        )
        self.recording = Recording(folder.recording, committed=(beside / RECORDING,))
        self._used: dict[str, Phase] = {}
        folder.mark()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.recording.close()
        self.archive.close()

    def of_phase(self, phase: Phase) -> _PhaseArchive:
        """Return the archive as one phase uses it."""
        return _PhaseArchive(self.archive, phase, self._used)

    def usage(self) -> dict[Phase, Usage]:
        """Return what the replies took that were read, each once, by phase."""
        total: dict[Phase, Usage] = {}
        for request, phase in self._used.items():
            reply = self.archive.get(request)
            total[phase] = total.get(phase, Usage()) + Usage.of([reply] if reply else [])
        return total

    def write(self, text: str, outcome: Outcome, summary: Summary) -> tuple[str, ...]:
        """Write all files, the rulebook last: a run that ends before is simply run again."""
        folder = self._revision.folder
        report = json.dumps(summary_to_json(summary), indent=2, ensure_ascii=False) + "\n"
        self._folder.write("report.json", report)
        proposals = proposals_text(outcome)
        if proposals:
            self._folder.write("proposals.md", proposals)
        told = summary_to_json(summary.for_evidence())
        files = {
            posixpath.join(folder, "teacher", name): content
            for name, content in self._replies().items()
        }
        files[posixpath.join(folder, RECORDING)] = self.recording.text()
        files[posixpath.join(folder, SUMMARY)] = (
            json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        )
        path, content = settings_file(folder, outcome.settings)
        files |= {path: content, self._revision.path: text}
        for path, content in files.items():
            write_atomically(self._root / path, content.encode())
        return tuple(files)

    def _replies(self) -> dict[str, str]:
        standing = {path.name: path.read_text(encoding="utf-8") for path in self._teacher}
        used = [(phase, self.archive.get(request)) for request, phase in self._used.items()]
        return written_replies([(phase, one) for phase, one in used if one], standing)


@dataclass(frozen=True)
class _PhaseArchive:
    """A ``ReplyArchive`` that notes which replies were used, and in which phase first."""

    archive: JsonLinesArchive
    phase: Phase
    used: dict[str, Phase]

    def get(self, request: str) -> TeacherReply | None:
        reply = self.archive.get(request)
        if reply is not None:
            self.used.setdefault(request, self.phase)
        return reply

    def put(self, *replies: TeacherReply) -> None:
        self.archive.put(*replies)
