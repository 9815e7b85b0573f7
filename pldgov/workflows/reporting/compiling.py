"""Compiling the dossier: committed files and history in, one value out; no student is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.archive import reply_of
from pldgov.distill.teacher_words import words_about
from pldgov.dossier import Dossier, FileDigest, RuleEntry
from pldgov.effects_file import effects_path, parse_effects
from pldgov.errors import (
    DataError,
    ExamplesAbsentError,
    ProviderError,
    StudentAbsentError,
    UsageError,
)
from pldgov.fingerprint import digest_bytes
from pldgov.prompt import count_prompt_tokens, render_within_budget
from pldgov.rulebook.approval import standing
from pldgov.rulebook.obtaining import absence, advice
from pldgov.workflows.reporting.examples import cited_examples, list_examples
from pldgov.workflows.reporting.measurements import (
    evidence_paths,
    read_ledger,
    read_measurement,
    trace_points,
)
from pldgov.workflows.sides import builder_of
from pldgov.workflows.tracing import trace_life

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pldgov.attribution import RuleEffect
    from pldgov.diff_report import RulebookDiff
    from pldgov.distill.model import TeacherReply
    from pldgov.dossier import Measurement, Point
    from pldgov.gitrepo import Repository
    from pldgov.history.model import Life
    from pldgov.ports import Source, Student
    from pldgov.prompt import RenderedPrompt
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Rule

KEPT = ("evidence", "examples", "teacher")
"""Folders beside a rulebook whose files the dossier lists by digest."""


def compile_dossier(
    revision: Revision,
    *,
    tree: Source,
    student: Student,
    repository: Repository | None,
    templates: str = "templates",
    texts: bool | None = None,
    base: str | None = None,
    diff: RulebookDiff | None = None,
) -> Dossier:
    """Return all that page and pack show of a rulebook.

    ``texts`` says whether examples may be shown (default: unless they are not committed, for
    then somebody decided that they may not be spread). Raises ``RulebookError``,
    ``TemplateError``, or ``DataError`` for evidence, ledger or replies that cannot be read.
    """
    rulebook = revision.rulebook
    shown_texts = rulebook.examples.obtain is None if texts is None else texts
    rendered, notes = _render(revision, student, templates=templates)
    digest = rendered.prompt.digest if rendered else ""
    measurement, doubts = _measurement(tree, revision, student.card.name, digest)
    life = _life(repository, revision.path)
    count = _counting(student)
    replies = tuple(read_replies(tree, revision.folder))
    effects, effect_note = read_effects(tree, revision, student, prompt=digest)
    paths = [revision.folder, templates]
    return Dossier(
        rulebook=rulebook,
        path=revision.path,
        student=student.card.name,
        rendered=rendered,
        rules=tuple(
            _rule(rule, revision, rendered, texts=shown_texts, count=count, effects=effects)
            for rule in rulebook.rules
        ),
        examples=list_examples(
            rulebook.rules,
            revision,
            words=words_about(replies),
            decisions=measurement.decisions if measurement else (),
            texts=shown_texts,
        ),
        texts=shown_texts,
        prompt_tokens=count_prompt_tokens(rendered.prompt, count) if rendered else None,
        commit=repository.head if repository else None,
        dirty=repository.is_dirty(paths) if repository and repository.head else None,
        measurement=measurement,
        points=_points(repository, life, revision),
        ledger=read_ledger(tree, revision.folder),
        events=life.events if life else (),
        files=tuple(digest_files(tree, revision.folder)),
        effect_note=effect_note,
        base=base,
        diff=diff,
        notes=(*notes, *doubts, *(life.notes if life else ()), *_withheld(shown_texts, revision)),
    )


def _render(
    revision: Revision, student: Student, *, templates: str
) -> tuple[RenderedPrompt | None, list[str]]:
    builder = builder_of(revision, folder=templates)
    try:
        rendered = render_within_budget(
            builder, revision.rulebook, count_tokens=_counting(student, must=True)
        )
    except (ExamplesAbsentError, StudentAbsentError) as error:
        why = error.message if isinstance(error, ExamplesAbsentError) else str(error)
        return None, [f"The prompt cannot be rendered here: {why}."]
    if rendered.trimmed:
        return rendered, [f"Trimmed to the token budget: {', '.join(rendered.trimmed)}."]
    return rendered, []


def _counting(student: Student, *, must: bool = False) -> Callable[[str], int | None]:
    """Return the student's count of tokens, None for each text where it cannot count here."""

    def count(text: str) -> int | None:
        try:
            return student.count_tokens(text)
        except ProviderError:
            if must:
                raise
            return None

    return count


def _measurement(
    tree: Source, revision: Revision, student: str, prompt: str
) -> tuple[Measurement | None, list[str]]:
    """Return the chosen student's evidence, else the only one there is."""
    paths = evidence_paths(tree, revision.folder)
    own = f"{revision.folder}/evidence/{student}.json"
    if own in paths:
        return read_measurement(tree, own, prompt=prompt)
    if len(paths) == 1:
        found, doubts = read_measurement(tree, paths[0], prompt=prompt)
        other = found.student["name"]
        said = f"There is no evidence of the student {student}; that of {other} is shown."
        return found, [said, *doubts]
    known = ", ".join(path.rpartition("/")[2].removesuffix(".json") for path in paths)
    hint = f"evidence there is of {known} (--student)" if known else "pldgov bless commits it"
    return None, [f"No evidence of the student {student} is committed: {hint}."]


def _life(repository: Repository | None, path: str) -> Life | None:
    """Return the rulebook's life, None where no commit holds it."""
    if repository is None or repository.head is None:
        return None
    try:
        return trace_life(repository.log, path)
    except UsageError:
        return None


def _points(
    repository: Repository | None, life: Life | None, revision: Revision
) -> tuple[Point, ...]:
    if repository is None or life is None:
        return ()
    return trace_points(life.events, read=repository.log.read, policy=revision.rulebook.gate)


def _rule(
    rule: Rule,
    revision: Revision,
    rendered: RenderedPrompt | None,
    *,
    texts: bool,
    count: Callable[[str], int | None],
    effects: dict[str, RuleEffect],
) -> RuleEntry:
    return RuleEntry(
        rule=rule,
        standing=standing(rule, revision.rulebook.prompt.exemplars),
        shown=rendered is not None and rule.id in rendered.rules,
        cited=cited_examples(rule, revision, texts=texts),
        tokens=count(rule.instruction.strip()),
        effect=effects.get(rule.id),
    )


def read_effects(
    tree: Source, revision: Revision, student: Student, *, prompt: str
) -> tuple[dict[str, RuleEffect], str]:
    """Return the committed effects of the rules, and what a reader has to know of them.

    Effects of another prompt or student are those of another set of rules: they are left out.
    Raises ``DataError`` when the file holds none.
    """
    path = effects_path(revision.folder, student.card.name)
    get = f"pldgov explain {revision.rulebook.name} --save"
    if not tree.exists(path):
        return {}, f"What leaving each rule out does to macro-F1 is not recorded; to get it: {get}"
    saved = parse_effects(tree.read(path).decode("utf-8", "replace"), path=path)
    if saved.prompt != prompt or saved.fingerprint != student.card.fingerprint:
        said = "The recorded effects of the rules are of another prompt or student, and left out"
        return {}, f"{said}; to measure them anew: {get}"
    return {effect.rule: effect for effect in saved.effects}, (
        f"Effects: macro-F1 with a rule minus without it, on the {saved.split} split "
        f"({saved.n} examples), with intervals. Effects do not add up."
    )


def read_replies(tree: Source, folder: str) -> Iterator[TeacherReply]:
    """Yield the recorded teacher replies beside a rulebook, file by file.

    Raises ``DataError`` with the line that is no reply.
    """
    for path in tree.files(f"{folder}/teacher"):
        if not path.endswith(".jsonl"):
            continue
        for number, line in enumerate(tree.read(path).split(b"\n"), start=1):
            try:
                reply = reply_of(line)
            except DataError as error:
                raise DataError(
                    error.message,
                    where=f"{path}:{number}",
                    hint="recorded replies are written by `pldgov distill`; restore the line",
                ) from error
            if reply is not None:
                yield reply


def digest_files(tree: Source, folder: str) -> Iterator[FileDigest]:
    """Yield the digest of each evidence, example and teacher file beside a rulebook, sorted."""
    for name in KEPT:
        for path in tree.files(f"{folder}/{name}"):
            data = tree.read(path)
            yield FileDigest(path, len(data), digest_bytes(data))


def _withheld(texts: bool, revision: Revision) -> Iterator[str]:  # noqa: FBT001
    examples = revision.rulebook.examples
    if revision.absent:
        yield f"{absence(examples, revision.absent)}; {advice(examples)}".capitalize()
    if not texts:
        yield "The texts of examples are left out, and with them a prompt that shows any (--texts)."
