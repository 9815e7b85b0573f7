"""A student that answers from recorded files and asks nobody: kind ``replay``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from pldgov.answer_lines import AnswerKey, read_lines
from pldgov.errors import DataError, ProviderError, UsageError
from pldgov.files import find_files
from pldgov.results import StudentCard
from pldgov.students.endpoint import place
from pldgov.students.options import StudentOptions, parse_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pldgov.questions import Prompt, Query
    from pldgov.results import Answer


class RecordedStudent(BaseModel):
    """Who gave the recorded answers, as its card says: its fingerprint must be in the files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    model: str
    snapshot: str
    decoding: dict[str, JsonValue] = Field(default_factory=dict)


class ReplayOptions(StudentOptions):
    """The options of kind ``replay``.

    ``path`` is a file, a glob pattern or a list of both. ``student`` says whose answers: a
    fingerprint (or its first digits), or the student that it is the digest of.
    """

    path: str | tuple[str, ...] = Field(min_length=1)
    student: str | RecordedStudent | None = None
    repeat: int = Field(default=0, ge=0)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The paths and patterns, however many were given."""
        return (self.path,) if isinstance(self.path, str) else self.path


@dataclass(frozen=True, slots=True)
class Recording:
    """Every recorded answer of some files, with the file that holds it."""

    answers: Mapping[AnswerKey, Answer]
    files: tuple[str, ...]

    @property
    def students(self) -> tuple[str, ...]:
        """The fingerprints under which answers are recorded, in the order of the files."""
        return tuple(dict.fromkeys(key.student for key in self.answers))


class ReplayStudent:
    """Gives the answers that another student gave, under that student's fingerprint.

    Files are read once, when an answer or the card is first asked for.
    """

    def __init__(self, name: str, options: ReplayOptions, *, root: Path) -> None:
        self.name = name
        self.options = options
        self._root = root

    @classmethod
    def from_options(cls, name: str, options: Mapping[str, Any], *, root: Path) -> ReplayStudent:
        """Return the student that ``[tool.pldgov.students.<name>]`` describes."""
        return cls(name, parse_options(ReplayOptions, name, options), root=root)

    @cached_property
    def card(self) -> StudentCard:
        """The recorded student: its fingerprint is the one that the answers are filed under.

        Raises ``UsageError`` when the files hold answers of several students and ``student``
        does not say whose are meant, or when they hold none of that student.
        """
        recorded = self.options.student
        if isinstance(recorded, RecordedStudent):
            return self._card_of(recorded)
        fingerprint = self._choose(recorded)
        return StudentCard(
            name=self.name,
            kind="replay",
            model="recorded",
            snapshot=fingerprint,
            policy=self.options.policy,
            recorded_fingerprint=fingerprint,
        )

    def answer(self, prompt: Prompt, queries: Sequence[Query]) -> Iterator[tuple[int, Answer]]:
        """Yield every recorded answer; then raise ``ProviderError`` if one was missing.

        The error names the key of the first missing answer.
        """
        missing: list[tuple[Query, AnswerKey]] = []
        for index, query in enumerate(queries):
            key = self._key(prompt, query)
            found = self._recording.answers.get(key)
            if found is None:
                missing.append((query, key))
            else:
                yield index, found
        if missing:
            raise self._missing(*missing[0], count=len(missing))

    def count_tokens(self, text: str) -> int | None:  # noqa: ARG002  (the port's signature)
        """Return None: whose tokenizer it was is not recorded."""
        return None

    def close(self) -> None:
        """Do nothing: no file stays open."""

    @cached_property
    def _recording(self) -> Recording:
        return read_recording(self._root, self.options.patterns, where=place(self.name))

    def _key(self, prompt: Prompt, query: Query) -> AnswerKey:
        return AnswerKey(
            prompt=prompt.digest,
            student=self.card.fingerprint,
            input=query.sha256,
            repeat=self.options.repeat,
        )

    def _card_of(self, recorded: RecordedStudent) -> StudentCard:
        card = StudentCard(
            name=self.name,
            kind=recorded.kind,
            model=recorded.model,
            snapshot=recorded.snapshot,
            decoding=recorded.decoding,
            policy=self.options.policy,
        )
        self._choose(card.fingerprint)
        return card

    def _choose(self, wanted: str | None) -> str:
        """Return the one recorded fingerprint that starts with ``wanted``."""
        known = self._recording.students
        chosen = [each for each in known if each.startswith(wanted or "")]
        if len(chosen) == 1:
            return chosen[0]
        what = "answers of several students" if chosen else f"no answers of student {wanted}"
        raise UsageError(
            f"{', '.join(self._recording.files)}: {what}",
            where=place(self.name),
            hint="student is one of " + ", ".join(known),
        )

    def _missing(self, query: Query, key: AnswerKey, *, count: int) -> ProviderError:
        same_prompt = any(each.prompt == key.prompt for each in self._recording.answers)
        reason = "" if same_prompt else "; nothing is recorded for this prompt"
        further = f" (and {count - 1} more)" if count > 1 else ""
        return ProviderError(
            f"no recorded answer for example {query.example_id!r}{further}: prompt {key.prompt},"
            f" student {key.student}, input {key.input}, repeat {key.repeat}{reason}",
            where=", ".join(self._recording.files),
            hint="ask the student itself once, then `pldgov cache export`",
        )


def read_recording(root: Path, patterns: Sequence[str], *, where: str) -> Recording:
    """Return the answers of every file under ``root`` that ``patterns`` name.

    Raises ``UsageError`` when a pattern matches no file, ``DataError`` for a line that is no
    answer, and when one key has two answers that differ in more than their time.
    """
    answers: dict[AnswerKey, Answer] = {}
    files = _files(root, patterns, where)
    for path in files:
        for key, answer in _read(path):
            earlier = answers.setdefault(key, answer)
            if replace(earlier, seconds=0.0) != replace(answer, seconds=0.0):
                raise DataError(
                    f"two different answers for {key}",
                    where=str(path),
                    hint="record into one store, or name the file that counts",
                )
    if not answers:
        raise UsageError(f"no answers in {', '.join(map(str, files))}", where=where)
    return Recording(answers, tuple(_shown(path, root) for path in files))


def _shown(path: Path, root: Path) -> str:
    """Return a path relative to ``root``, with ``/``, or as it is when it lies elsewhere."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _files(root: Path, patterns: Sequence[str], where: str) -> tuple[Path, ...]:
    files: dict[Path, None] = {}
    for pattern in patterns:
        found = find_files(root, pattern)
        if not found:
            raise UsageError(f"path: no file {pattern!r}", where=where, hint=f"in {root}")
        files.update(dict.fromkeys(found))
    return tuple(files)


def _read(path: Path) -> tuple[tuple[AnswerKey, Answer], ...]:
    try:
        with path.open(encoding="utf-8") as lines:
            return read_lines(lines, name=str(path))
    except UnicodeDecodeError as error:
        raise DataError(f"the file is not UTF-8: {error.reason}", where=str(path)) from error
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", where=str(path)) from error
