"""Phases meet teachers: what is missing is asked, recorded, and the phase run again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pldgov.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.distill.model import Finding, Step, TeacherRequest
    from pldgov.ports import Progress, ReplyArchive, Teacher

Result = TypeVar("Result")


@dataclass(frozen=True)
class Consulted(Generic[Result]):
    """A phase, as far as its teacher took it.

    ``calls`` counts the replies that were asked for now. ``findings`` are the teacher's: among
    them, answers by file that are awaited. The phase's own are in ``step``.
    """

    step: Step[Result]
    calls: int = 0
    findings: tuple[Finding, ...] = ()


def consult(
    phase: Callable[[], Step[Result]],
    *,
    teacher: Teacher,
    archive: ReplyArchive,
    progress: Progress | None = None,
) -> Consulted[Result]:
    """Run ``phase`` until it is done, or until its teacher has nothing more to say for now.

    Each reply is in the archive before anything is made of it, so whatever ends this early loses
    nothing: the next run asks for what is still missing, and for nothing else.
    """
    calls = 0
    findings: tuple[Finding, ...] = ()
    while True:
        step = phase()
        if step.done:
            return Consulted(step, calls, findings)
        new = collect(step.requests, teacher=teacher, archive=archive, progress=progress)
        findings = teacher.findings
        calls += new
        if not new:
            return Consulted(step, calls, findings)


def collect(
    requests: Sequence[TeacherRequest],
    *,
    teacher: Teacher,
    archive: ReplyArchive,
    progress: Progress | None = None,
) -> int:
    """Ask ``requests`` (each once), record every reply, and return how many there were.

    Raises what the teacher raises, and ``ProviderError`` for a reply to what was not asked.
    """
    waiting = {request.digest: request for request in requests}
    total, done = len(waiting), 0
    for reply in teacher.answer(tuple(waiting.values())):
        if reply.request not in waiting:
            raise ProviderError(
                f"teacher {teacher.name!r} answered a request that it was not asked",
                where=reply.request,
            )
        if archive.get(reply.request) is None:
            archive.put(reply)
            done += 1
        if progress:
            progress("asking the teacher", done, total)
    return done
