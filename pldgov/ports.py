"""The doors as the thinking sees them: the smallest protocols that work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pldgov.distill.model import Finding, TeacherReply, TeacherRequest
    from pldgov.questions import Prompt, Query
    from pldgov.results import Answer, StudentCard


class Student(Protocol):
    """A model that labels inputs under a prompt."""

    @property
    def card(self) -> StudentCard:
        """Who answers. Cheap: no weights are loaded and no endpoint is called for it."""
        ...

    def answer(self, prompt: Prompt, queries: Sequence[Query]) -> Iterator[tuple[int, Answer]]:
        """Yield ``(index into queries, answer)`` as answers come, in any order, each index once.

        An unusable answer is data (``Answer(label=None, raw=...)``). Raises ``ProviderError``
        when the student itself fails, ``BudgetError`` when a cap is reached, ``DataError`` when
        an input does not fit; answers yielded before stay valid.
        """
        ...

    def count_tokens(self, text: str) -> int | None:
        """Return the tokens of ``text`` under this student's tokenizer, None if unknown."""
        ...

    def close(self) -> None:
        """Free what the student holds; it may be called more than once."""
        ...


@runtime_checkable
class ServedStudent(Protocol):
    """What a student behind an endpoint can do besides."""

    @property
    def served_id(self) -> str | None:
        """The model id that replies reported, or must report; None before the first reply."""
        ...

    def expect_served(self, model: str | None, *, pinned_by: str, hint: str) -> None:
        """Demand that replies report ``model`` from now on; a reply that does not raises.

        ``pinned_by`` and ``hint`` go into the ``ProviderError``. None demands what the settings
        do.
        """
        ...

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """Return what so many tokens cost, None where the settings name no price."""
        ...


@runtime_checkable
class LocalWeights(Protocol):
    """What a student besides can do whose weights may not be on this machine."""

    @property
    def name(self) -> str:
        """Its name in the settings."""
        ...

    def presumed_card(self, locked: StudentCard | None) -> StudentCard:
        """Return the card of the settings as they are, with the weights taken to be ``locked``'s.

        Of no use where the weights are here: ``Student.card`` looks at them. Without ``locked``
        the snapshot is "absent", which no recorded answer has.
        """
        ...


class AnswerStore(Protocol):
    """Answers kept by prompt digest, student fingerprint, input digest and repeat."""

    def get(
        self, prompt: str, student: str, inputs: Sequence[str], *, repeat: int = 0
    ) -> dict[str, Answer]:
        """Return the stored answers by input digest; a missing one is left out."""
        ...

    def put(
        self, prompt: str, student: str, answers: Mapping[str, Answer], *, repeat: int = 0
    ) -> None:
        """Keep answers by input digest, durably, before returning."""
        ...


class Teacher(Protocol):
    """A strong model that answers requests, now or later."""

    @property
    def name(self) -> str:
        """Its name in the settings."""
        ...

    def answer(self, requests: Sequence[TeacherRequest]) -> Iterator[TeacherReply]:
        """Yield replies as they come, in any order; a reply names its request's digest.

        Requests that stay unanswered are simply not yielded (a teacher that answers by files).
        Raises ``ProviderError`` when the teacher itself fails, ``BudgetError`` at a cap.
        """
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the last call of ``answer`` noticed: answers awaited, and answers to nothing."""
        ...

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """Return what so many tokens cost, None where the settings name no price."""
        ...

    def close(self) -> None:
        """Free what the teacher holds."""
        ...


class ReplyArchive(Protocol):
    """Replies kept by request digest, so that no answer is paid for twice."""

    def get(self, request: str) -> TeacherReply | None:
        """Return the recorded reply to a request, None if there is none."""
        ...

    def put(self, *replies: TeacherReply) -> None:
        """Keep replies durably before returning; one that is recorded already stays as it is."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def fingerprint(self) -> str:
        """What pins the vectors: kind, model and snapshot."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit-length vectors, shape (len(texts), dimensions)."""
        ...


class Source(Protocol):
    """A tree of files at one moment: the working tree, or a commit read from git objects."""

    @property
    def name(self) -> str:
        """What messages call it, for instance ``working tree`` or ``main@1a2b3c4``."""
        ...

    def read(self, path: str) -> bytes:
        """Return a file's bytes; ``path`` is relative to the tree's root, with ``/``.

        Raises ``FileNotFoundError`` when there is no such file.
        """
        ...

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        ...

    def files(self, under: str) -> Iterable[str]:
        """Return the paths of all files below the folder ``under``, sorted; none if absent."""
        ...


class Progress(Protocol):
    """Told how far long work has come; a face decides what to show."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` steps of ``stage`` are finished."""
        ...
