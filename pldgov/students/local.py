"""Students that run here: any causal language model that transformers loads, on the CPU."""

from __future__ import annotations

import gc
import os
import time
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pldgov.errors import ProviderError, StudentAbsentError
from pldgov.results import Answer, StudentCard
from pldgov.students import missing_package
from pldgov.students.decoding import Decoding, GreedyText, LabelLikelihood
from pldgov.students.model_files import ModelFiles, absent, find_model, find_tokenizer, is_here
from pldgov.students.options import StudentOptions, parse_options
from pldgov.students.token_fit import Context, Conversations, fit_all, packs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Self

    from pldgov.questions import Prompt, Query
    from pldgov.students.engine import Engine


ABSENT = "absent"
"""The snapshot of weights of which nothing is known."""

LEAST_CHUNK = 256
"""Tokens read in one forward at least, where there are as many; fewer waste the processor."""


class LocalOptions(StudentOptions):
    """What a local student may be told, whatever its model.

    ``scoring``, ``pack_tokens``, ``batch_size`` and ``threads`` change speed and memory only,
    and so are no part of the student's fingerprint.
    """

    decoding: Literal["label-likelihood", "generate"] = "label-likelihood"
    max_new_tokens: int = Field(default=16, ge=1)
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    overflow: Literal["error", "truncate"] = "error"
    chat_template: Literal["model", "plain"] = "model"
    scoring: Literal["packed", "padded"] = "packed"
    pack_tokens: int = Field(default=512, ge=1)
    batch_size: int = Field(default=8, ge=1)
    threads: int | None = Field(default=None, ge=1)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that change answers."""
        settings: dict[str, Any] = {
            "mode": self.decoding,
            "dtype": self.dtype,
            "overflow": self.overflow,
            "chat_template": self.chat_template,
        }
        if self.decoding == "generate":
            return settings | {"max_new_tokens": self.max_new_tokens}
        return settings | {"label_end": "where one label begins another"}


class TransformersOptions(LocalOptions):
    """``model``: a hub id, a folder or a GGUF file; ``gguf_file``: a file in one of the former.

    ``obtain`` says that the model is absent from most machines by design, and how to get it.
    """

    model: str = Field(min_length=1)
    revision: str | None = None
    gguf_file: str | None = None
    obtain: str | None = Field(default=None, min_length=1)


class LocalStudent:
    """A causal language model on this machine, asked for likelihoods or for text.

    The part of the conversation that all inputs share is read once and kept; several inputs are
    read in one sequence after it. No answer depends on which inputs are read together, to 1e-4
    in log-likelihood in float32. Torch and the weights are loaded with the first question.
    """

    kind = "transformers"

    def __init__(self, name: str, options: LocalOptions, *, root: Path) -> None:
        self.name = name
        self._options = options
        self._root = root
        self._loaded: Engine | None = None
        self._absence: StudentAbsentError | None = None

    @classmethod
    def from_options(cls, name: str, options: Mapping[str, Any], *, root: Path) -> Self:
        """Return the student of ``[tool.pldgov.students.<name>]``; raises ``UsageError``."""
        return cls(name, parse_options(TransformersOptions, name, options), root=root)

    @cached_property
    def card(self) -> StudentCard:
        """Who answers. Weights of a local folder are digested once; nothing is loaded.

        Raises ``StudentAbsentError`` where they are not here.
        """
        return self._card(self._model, self._snapshot)

    def presumed_card(self, locked: StudentCard | None) -> StudentCard:
        """Return the card with the weights taken to be ``locked``'s; see ``LocalWeights``."""
        model = self._model
        if locked is None:
            return self._card(model, ABSENT)
        # A folder that is not here cannot be told from a hub id: the one is named by its last part.
        known = {model, Path(model).name}
        return self._card(locked.model if locked.model in known else model, locked.snapshot)

    def _card(self, model: str, snapshot: str) -> StudentCard:
        return StudentCard(
            name=self.name,
            kind=self.kind,
            model=model,
            snapshot=snapshot,
            decoding=self._options.settings,
            policy=self._options.policy,
        )

    def answer(self, prompt: Prompt, queries: Sequence[Query]) -> Iterator[tuple[int, Answer]]:
        """Yield ``(index, answer)`` pack by pack, in order; an interruption loses one pack.

        Raises ``DataError`` before the first answer when an input does not fit, ``ProviderError``
        when the model cannot be loaded, ``UsageError`` for labels it cannot tell apart.
        """
        if not queries:
            return
        engine = self.load()
        started = time.perf_counter()
        decoding = self._decoding(engine, prompt)
        talks = self._conversations(engine, prompt, queries, decoding)
        overhead = (time.perf_counter() - started) / len(queries)
        for pack in self._packs(talks, decoding):
            started = time.perf_counter()
            answers = decoding.answers(talks.prefix, talks.suffixes[pack.start : pack.stop])
            seconds = overhead + (time.perf_counter() - started) / len(pack)
            for index, answer in zip(pack, answers, strict=True):
                yield (
                    index,
                    replace(
                        answer,
                        tokens_in=talks.length(index),
                        seconds=seconds,
                        truncated=talks.truncated[index],
                    ),
                )

    def load(self) -> Engine:
        """Return what answers, loaded now if it was not; ``answer`` does so by itself."""
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def count_tokens(self, text: str) -> int | None:
        """Return the tokens of ``text``; None where no tokenizer can be read without the model."""
        if self._tokenizer is None:
            return None
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def close(self) -> None:
        """Free the weights; the next question loads them again."""
        if self._loaded is None:
            return
        self._loaded = None
        gc.collect()  # modules refer to each other: without it the weights would stay a while

    @property
    def _where(self) -> str:
        return f"[tool.pldgov.students.{self.name}]"

    @property
    def _model(self) -> str:
        """The hub id, or the bare name of a folder or file: a path would tie it to a machine."""
        chosen = self._chosen.model
        path = self._root / Path(chosen).expanduser()
        return path.resolve().name if path.exists() else chosen

    @property
    def _snapshot(self) -> str:
        return self.files.snapshot

    @property
    def _obtain(self) -> str | None:
        return getattr(self._options, "obtain", None)

    @property
    def _chosen(self) -> TransformersOptions:
        assert isinstance(self._options, TransformersOptions)
        return self._options

    @cached_property
    def files(self) -> ModelFiles:
        """Where the weights are; raises ``StudentAbsentError`` when there are none."""
        if self._absence is not None:
            raise self._absence
        try:
            return find_model(
                self._chosen.model,
                root=self._root,
                revision=self._chosen.revision,
                gguf_file=self._chosen.gguf_file,
                where=self._where,
                obtain=self._obtain,
            )
        except StudentAbsentError as error:
            self._absence = error  # to look again may mean to wait for the hub again
            raise

    @cached_property
    def _tokenizer(self) -> Any:
        """The tokenizer alone, without torch and transformers; None where there is none."""
        file = self._tokenizer_file
        if file is None:
            return None
        try:
            from tokenizers import Tokenizer  # noqa: PLC0415  (an extra)
        except ModuleNotFoundError:
            return None
        return Tokenizer.from_file(str(file))

    @property
    def _tokenizer_file(self) -> Path | None:
        return find_tokenizer(self.files)

    def _load(self) -> Engine:
        files = self.files
        is_local = is_here(files)
        if not is_local and self._obtain is not None:
            raise absent(files.source, self._obtain)
        # Two processes on the same cores (two gates, pytest -n 2) are several times slower when
        # threads that wait for each other spin; this has to be said before torch is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        try:
            loader = import_module("pldgov.students.engine")
        except ModuleNotFoundError as error:
            by_design = self._obtain is not None
            raise missing_package(self.name, error, "transformers", by_design=by_design) from error
        try:
            return self._load_from(files, loader)
        except ProviderError as error:
            if is_local or is_here(files):
                raise
            raise StudentAbsentError(error.message, where=error.where, hint=error.hint) from error

    def _load_from(self, files: ModelFiles, loader: Any) -> Engine:
        engine: Engine = loader.load_engine(
            files,
            dtype=self._options.dtype,
            threads=self._options.threads,
            scoring=self._options.scoring,
            chunk=max(self._options.pack_tokens, LEAST_CHUNK),
            batch=self._options.batch_size,
            plain=self._options.chat_template == "plain",
        )
        return engine

    def _decoding(self, engine: Engine, prompt: Prompt) -> Decoding:
        if self._options.decoding == "generate":
            return GreedyText(engine, tuple(prompt.labels), self._options.max_new_tokens)
        return LabelLikelihood.of(engine, prompt.labels)

    def _conversations(
        self, engine: Engine, prompt: Prompt, queries: Sequence[Query], decoding: Decoding
    ) -> Conversations:
        context = Context(
            limit=engine.context,
            reserve=decoding.reserve,
            truncate=self._options.overflow == "truncate",
        )
        return fit_all(context, queries, partial(engine.chat.encode, prompt))

    def _packs(self, talks: Conversations, decoding: Decoding) -> Iterator[range]:
        sizes = [len(suffix) + decoding.branches for suffix in talks.suffixes]
        if self._options.scoring == "padded":
            return packs(sizes, tokens=None, count=self._options.batch_size)
        return packs(sizes, tokens=self._options.pack_tokens, count=None)
