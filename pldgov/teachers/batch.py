"""A teacher that answers by files, now or next week: kind ``batch``.

Requests go to ``requests-<phase>-<n>.jsonl`` in the run's folder; answers are taken from
``answers*.jsonl`` beside them, whoever put them there. A request is written once: again only when
an answer to it is an error of the batch API.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from pldgov.distill.model import Finding, TeacherReply, Usage
from pldgov.endpoint.options import parse_endpoint
from pldgov.errors import BudgetError, DataError
from pldgov.files import write_atomically
from pldgov.fingerprint import digest_text
from pldgov.teachers.batch_api import BatchApi
from pldgov.teachers.batch_files import (
    answer_files,
    in_files,
    next_request_file,
    read_answers,
    read_request_sizes,
    request_files,
    request_line,
)
from pldgov.teachers.options import TeacherOptions, place, today

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pldgov.distill.model import FindingKind, TeacherRequest
    from pldgov.teachers.batch_files import BatchAnswer

MOST_TRIES: Final = 3
"""How often one request is written, when the batch API answers with errors."""

BYTES_PER_TOKEN: Final = 3
"""Fewer than any text has: what is reckoned against a cap must not be too little."""


class BatchOptions(TeacherOptions):
    """The options of kind ``batch``.

    All that is about the endpoint counts only when files are submitted. ``poll_seconds`` is the
    wait between two looks at a batch, ``max_wait`` how many seconds a run waits for it.
    """

    poll_seconds: float = Field(default=30.0, gt=0)
    max_wait: float = Field(default=3600.0, ge=0)


class BatchTeacher:
    """Writes what is asked, and answers with what stands in the files of answers."""

    def __init__(
        self, name: str, options: BatchOptions, *, folder: Path, spent: Usage, submit: bool = False
    ) -> None:
        self.name = name
        self.options = options
        self._folder = folder
        self._spent = spent
        self._submit = submit
        self._findings: list[Finding] = []
        self._asked: set[str] = set()
        self._seen: dict[str, str] = {}
        self._failures: Counter[str] = Counter()

    @classmethod
    def from_options(
        cls,
        name: str,
        options: Mapping[str, Any],
        *,
        root: Path,  # noqa: ARG003  (the signature that every back-end shares)
        folder: Path,
        spent: Usage,
        submit: bool,
    ) -> BatchTeacher:
        """Return the teacher that ``[tool.pldgov.teachers.<name>]`` describes."""
        parsed = parse_endpoint(BatchOptions, options, where=place(name))
        return cls(name, parsed, folder=folder, spent=spent, submit=submit)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the last call of ``answer`` noticed, and which answers are awaited."""
        return tuple(self._findings)

    def answer(self, requests: Sequence[TeacherRequest]) -> Iterator[TeacherReply]:
        """Yield the answers that are there, write the requests that were not written yet.

        Raises ``BudgetError`` before anything is written that could pass a cap.
        """
        waiting = {request.digest: request for request in requests}
        self._asked = {*waiting, *self._written()}
        yield from self._take(waiting)
        if waiting:
            self._write(waiting)
        if waiting and self._submit:
            self._api.submit(request_files(self._folder), waiting)
            yield from self._take(waiting)
        self._tell_awaited(waiting)

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """Return what so many tokens cost, None where the settings name no price."""
        return self.options.price(tokens_in, tokens_out)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    # -- answers --------------------------------------------------------------------------------

    def _take(self, waiting: dict[str, TeacherRequest]) -> Iterator[TeacherReply]:
        """Yield the replies to what is waiting, and strike them off."""
        self._findings, self._seen, self._failures = [], {}, Counter()
        for path in answer_files(self._folder):
            for answer in read_answers(path):
                if isinstance(answer, DataError):
                    self._find("damaged-line", answer.where or str(path), answer.message)
                elif self._is_first(answer, ended=self._api.answers_ended(path)):
                    request = waiting.pop(answer.custom_id, None)
                    if request is not None:
                        yield self._reply(answer)

    def _is_first(self, answer: BatchAnswer, *, ended: bool) -> bool:
        """Tell whether an answer counts: the first one to a request that was made."""
        if answer.custom_id not in self._asked:
            said = f"{answer.custom_id!r} is no request of this run"
            self._find("unknown-answer", answer.place, said)
            return False
        if answer.failure is not None:
            if not ended:  # an ended batch is no longer awaited anyway
                self._failures[answer.custom_id] += 1
            self._find("failed-answer", answer.place, answer.failure)
            return False
        digest = digest_text(answer.content)
        if answer.custom_id not in self._seen:
            self._seen[answer.custom_id] = digest
            return True
        kind: FindingKind = "duplicate" if self._seen[answer.custom_id] == digest else "conflict"
        self._find(kind, answer.place, "a second answer to one request; the first one counts")
        return False

    def _reply(self, answer: BatchAnswer) -> TeacherReply:
        tokens_in, tokens_out = answer.usage
        return TeacherReply(
            request=answer.custom_id,
            content=answer.content,
            model=answer.model or self.options.snapshot,
            mode="batch",
            date=answer.day or today(),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost=self.options.price(tokens_in, tokens_out) or 0.0,
        )

    def _find(self, kind: FindingKind, about: str, message: str) -> None:
        self._findings.append(Finding(kind, (about,), message))

    # -- requests -------------------------------------------------------------------------------

    def _written(self) -> Counter[str]:
        """Return how often each request was written."""
        return Counter(
            id_ for path in request_files(self._folder) for id_ in read_request_sizes(path)
        )

    def _awaited(self) -> dict[str, tuple[Path, int]]:
        """Return what may still be answered: its file, and the bytes of its line."""
        still: dict[str, tuple[Path, int]] = {}
        writes: Counter[str] = Counter()
        for path in request_files(self._folder):
            if not self._api.has_ended(path):
                for id_, size in read_request_sizes(path).items():
                    writes[id_] += 1
                    still[id_] = (path, size)
        return {
            id_: where
            for id_, where in still.items()
            if writes[id_] > self._failures[id_] and id_ not in self._seen
        }

    def _write(self, waiting: Mapping[str, TeacherRequest]) -> None:
        written, awaited = self._written(), self._awaited()
        due = [
            request
            for id_, request in waiting.items()
            if id_ not in awaited and written[id_] < MOST_TRIES
        ]
        fields, schema = self.options.request_fields, self.options.structured != "none"
        by_phase: dict[str, list[str]] = {}
        for request in due:
            line = request_line(request, fields, schema=schema)
            by_phase.setdefault(request.phase, []).append(line)
        every = [line for lines in by_phase.values() for line in lines]
        self._check_caps(every, written.total(), awaited)
        for phase, lines in by_phase.items():
            for data in in_files(lines):
                write_atomically(next_request_file(self._folder, phase), data)

    def _check_caps(
        self, lines: Sequence[str], written: int, awaited: Mapping[str, tuple[Path, int]]
    ) -> None:
        """Raise ``BudgetError`` if ``lines``, with all that is awaited, could pass a cap."""
        caps, where = self.options.budget("").caps, place(self.name)
        if not lines:
            return
        if caps.requests is not None and written + len(lines) > caps.requests:
            raise BudgetError(
                f"{len(lines)} more requests would pass max_requests (so far: {written})",
                where=where,
                hint="raise max_requests, or ask about fewer examples",
            )
        if caps.tokens is None and caps.cost is None:
            return
        budget = self.options.remaining(self._spent, where=where)
        budget.check_enforceable()
        if self.options.max_tokens is None:
            raise BudgetError(
                "a cap on tokens or money cannot be kept: an answer may be of any length",
                where=where,
                hint="set max_tokens",
            )
        count = len(lines) + len(awaited)
        size = sum(len(line.encode("utf-8", "replace")) for line in lines)
        size += sum(each for _, each in awaited.values())
        tokens = (size // BYTES_PER_TOKEN, count * self.options.max_tokens)
        over = (caps.tokens is not None and budget.tokens + sum(tokens) > caps.tokens) or (
            caps.cost is not None and budget.cost + caps.cost_of(*tokens) > caps.cost
        )
        if over:
            raise BudgetError(
                f"{count} requests could take {sum(tokens)} tokens, cost"
                f" {caps.cost_of(*tokens):.4f}, and pass a cap (so far: {budget.tokens} tokens,"
                f" cost {budget.cost:.4f})",
                where=where,
                hint="raise max_tokens_total or max_cost, or ask about fewer examples",
            )

    def _tell_awaited(self, waiting: Mapping[str, TeacherRequest]) -> None:
        awaited = self._awaited()
        files = Counter(awaited[id_][0] for id_ in waiting if id_ in awaited)
        for path, count in files.items():
            self._find(
                "awaiting",
                str(path),
                f"{count} answers are awaited, in {self._folder / 'answers*.jsonl'}",
            )
        lost = [id_ for id_ in waiting if id_ not in awaited]
        if lost:
            said = f"{len(lost)} requests failed {MOST_TRIES} times, and are not asked again"
            self._find("failed-answer", lost[0], said)

    @cached_property
    def _api(self) -> BatchApi:
        return BatchApi(self.options, place=place(self.name), folder=self._folder)
