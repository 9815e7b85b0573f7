"""Asking a teacher, and asking once more: the course that every request of every phase takes.

A reply is read; what cannot be used is sent back once, with words that say why; what is no
better then is set aside and reported. The second request holds the first reply and those words,
so it has a digest of its own: a run is a function of the recorded replies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

from pldgov.distill.model import Finding, Step, TeacherRequest, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pldgov.distill.model import TeacherReply
    from pldgov.distill.prompts import TeacherPrompts
    from pldgov.ports import ReplyArchive

Item = TypeVar("Item")

Reason = Literal["malformed", "missing", "label", "vague", "length", "leak", "citation", "cue"]

LONGEST_SHOWN = 20_000
"""Characters of an answer that are shown to the teacher again."""

WHOLE_ANSWER = "the answer"

_WORDS: dict[Reason, str] = {
    "malformed": "does not fit the form",
    "missing": "was not answered",
    "label": "does not name a label of the task",
    "vague": "tests nothing",
    "length": "has more words than a rule may have",
    "leak": "carries over names, figures or words of an example",
    "citation": "cites what it cannot rest on",
    "cue": "names cues that cannot be looked up",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a part of an answer cannot be used.

    ``message`` is for the teacher and may repeat words of an example; reports show ``reason``
    only. ``about`` is an example's id, a rule's title or ``WHOLE_ANSWER``.
    """

    about: str
    message: str
    reason: Reason


@dataclass(frozen=True)
class Reading(Generic[Item]):
    """What one reply gives: items to use, and what cannot be used.

    ``usable`` is False when the answer as a whole could not be read.
    """

    items: tuple[Item, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    findings: tuple[Finding, ...] = ()
    usable: bool = True


class Reader(Protocol[Item]):
    """Reads the replies to one request."""

    @property
    def repeats_all(self) -> bool:
        """Whether a second answer stands for the whole first one, or for its bad parts only."""
        ...

    def read(self, reply: TeacherReply, *, only: frozenset[str] | None) -> Reading[Item]:
        """Read a reply; ``only`` is None the first time, then what was complained about.

        The second time the reading must be lenient: there is no third.
        """
        ...


@dataclass(frozen=True)
class Settled(Generic[Item]):
    """How far one request has come; ``missing`` is the request whose reply is not recorded."""

    items: tuple[Item, ...] = ()
    missing: TeacherRequest | None = None
    findings: tuple[Finding, ...] = ()
    replies: tuple[TeacherReply, ...] = ()


def settle(
    request: TeacherRequest, reader: Reader[Item], *, archive: ReplyArchive, prompts: TeacherPrompts
) -> Settled[Item]:
    """Return what the recorded replies to ``request``, and to its sending back, give."""
    reply = archive.get(request.digest)
    if reply is None:
        return Settled(missing=request)
    first = reader.read(reply, only=None)
    if not first.complaints:
        return Settled(first.items, None, first.findings, (reply,))
    findings = (*first.findings, *_findings("sent-back", first.complaints))
    again = _ask_again(request, reply, first.complaints, prompts, whole=reader.repeats_all)
    second_reply = archive.get(again.digest)
    if second_reply is None:
        return Settled(first.items, again, findings, (reply,))
    only = frozenset(complaint.about for complaint in first.complaints)
    second = reader.read(second_reply, only=only)
    findings += second.findings + _findings("set-aside", second.complaints)
    items = (*first.items, *second.items)
    if reader.repeats_all:
        # A second answer that cannot be read at all leaves the first: what it has that is sound.
        items = second.items if second.usable else reader.read(reply, only=only).items
    return Settled(items, None, findings, (reply, second_reply))


def merge(settled: Iterable[Settled[Item]]) -> Step[Item]:
    """Return the step that several requests make together, in their order."""
    items: list[Item] = []
    missing: list[TeacherRequest] = []
    findings: list[Finding] = []
    usage = Usage()
    for one in settled:
        items += one.items
        missing += [one.missing] if one.missing else []
        findings += one.findings
        usage += Usage.of(one.replies)
    return Step(tuple(items), tuple(missing), tuple(findings), usage)


def _ask_again(
    request: TeacherRequest,
    reply: TeacherReply,
    complaints: Sequence[Complaint],
    prompts: TeacherPrompts,
    *,
    whole: bool,
) -> TeacherRequest:
    about = tuple(dict.fromkeys(complaint.about for complaint in complaints))
    told = tuple(complaints)
    text = prompts.again({"complaints": told, "only": () if whole else about})
    return TeacherRequest(
        phase=request.phase,
        messages=(
            *request.messages,
            {"role": "assistant", "content": _shown(reply.content)},
            {"role": "user", "content": text},
        ),
        schema=request.schema,
        attempt=request.attempt + 1,
        about=request.about if whole else about,
    )


def _shown(content: str) -> str:
    """Return an answer as it can be sent back: whole surrogates, not empty, not without end."""
    text = content.encode("utf-8", "replace").decode().strip()
    return (text or "(no answer)")[:LONGEST_SHOWN]


def _findings(
    kind: Literal["sent-back", "set-aside"], complaints: Iterable[Complaint]
) -> tuple[Finding, ...]:
    by_about: dict[str, dict[Reason, None]] = {}
    for complaint in complaints:
        by_about.setdefault(complaint.about, {})[complaint.reason] = None
    return tuple(
        Finding(kind, (about,), ", ".join(_WORDS[reason] for reason in reasons))
        for about, reasons in by_about.items()
    )
