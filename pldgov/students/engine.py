"""What a local student needs loaded: the model read packed or padded, its chat format, its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from pldgov.students.chat import ChatFormat
from pldgov.students.loading import Dtype, load_model, place, quiet
from pldgov.students.packing_probe import packed_model
from pldgov.students.padded import PaddedModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.students.label_trie import LabelTrie
    from pldgov.students.model_files import ModelFiles

Scoring = Literal["packed", "padded"]


class Reader(Protocol):
    """A model that reads a shared prefix and several suffixes after it."""

    def log_likelihoods(
        self, prefix: Sequence[int], suffixes: Sequence[Sequence[int]], labels: LabelTrie
    ) -> list[list[float]]:
        """Return each label's log-likelihood after each suffix."""
        ...

    def generate(
        self,
        prefix: Sequence[int],
        suffixes: Sequence[Sequence[int]],
        *,
        limit: int,
        stop: frozenset[int],
    ) -> list[list[int]]:
        """Return at most ``limit`` tokens after each suffix, up to one of ``stop``."""
        ...


@dataclass(frozen=True, slots=True)
class Engine:
    """A loaded student: ``context`` in tokens (None unknown), ``stop`` the tokens that end it."""

    reader: Reader
    chat: ChatFormat
    context: int | None
    stop: frozenset[int]
    place: str


def load_engine(
    files: ModelFiles,
    *,
    dtype: Dtype,
    threads: int | None,
    scoring: Scoring,
    chunk: int,
    batch: int,
    plain: bool,
) -> Engine:
    """Return the student's engine; ``chunk`` tokens or ``batch`` prompts are read at a time.

    Raises ``ProviderError`` when the files cannot be loaded, or the model cannot be read so.
    """
    loaded = load_model(files, dtype=dtype, threads=threads)
    chat = ChatFormat(loaded.tokenizer, plain=plain)
    ends = () if chat.end_token is None else (chat.end_token,)
    stop = loaded.stop_tokens.union(ends)
    with quiet():
        reader: Reader = (
            packed_model(loaded.model, chunk=chunk)
            if scoring == "packed"
            else PaddedModel(loaded.model, batch=batch, side="right", pad=min(stop, default=0))
        )
    return Engine(
        reader=reader,
        chat=chat,
        context=loaded.context(alone=scoring == "padded" and batch == 1),
        stop=stop,
        place=place(files),
    )
