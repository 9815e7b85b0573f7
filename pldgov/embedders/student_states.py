"""Vectors from what a local student makes of a text: its hidden states, averaged over the text.

Two things decide whether these vectors tell texts apart (``benchmarks/embedders.py``). The first
token is left out: models park attention there, and its huge values, alike for every text, drown
the rest (Xiao et al. 2024, "Efficient streaming language models with attention sinks"). And a
layer in the middle is read, as the last ones turn to the next token (Skean et al. 2025, "Layer
by layer"). The mean over all texts is taken away, because hidden states lie in a narrow cone
(Mu & Viswanath 2018, "All-but-the-top").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from pldgov.embedders.place import place
from pldgov.embedders.unit import unit_length
from pldgov.errors import DataError, UsageError
from pldgov.options import parse_table
from pldgov.students import BUILT_IN, open_student
from pldgov.students.loading import load_model, quiet
from pldgov.students.local import LocalStudent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from numpy.typing import NDArray

    from pldgov.students.loading import LoadedModel

VERSION = 1
"""Goes up whenever the same texts could get other vectors."""


class StudentStatesOptions(BaseModel):
    """``student``: a configured local student, or "smollm2"; ``layer``: 0 for the embeddings.

    Without ``layer`` the one at half the depth is read. ``batch_size`` and ``threads`` change
    speed only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["student"] = "student"
    student: str = "smollm2"
    layer: int | None = Field(default=None, ge=0)
    batch_size: int = Field(default=16, ge=1)
    threads: int | None = Field(default=None, ge=1)


class StudentStatesEmbedder:
    """The mean hidden state of a text's tokens but the first, minus the mean over the texts."""

    def __init__(self, name: str, options: StudentStatesOptions, student: LocalStudent) -> None:
        self._where = place(name)
        self._options = options
        self._student = student

    @classmethod
    def from_options(
        cls,
        name: str,
        options: Mapping[str, Any],
        *,
        root: Path,
        students: Mapping[str, Mapping[str, Any]],
    ) -> Self:
        """Return the embedder of ``[tool.pldgov.embedders.<name>]``.

        Raises ``UsageError`` when the student is unknown or does not run on this machine.
        """
        parsed = parse_table(StudentStatesOptions, options, where=place(name))
        known = {**BUILT_IN, **students}
        if parsed.student not in known:
            raise UsageError(
                f"there is no student {parsed.student!r}",
                where=place(name),
                hint=f"one of {', '.join(sorted(known))}",
            )
        student = open_student(parsed.student, known[parsed.student], root=root)
        if not isinstance(student, LocalStudent):
            raise UsageError(
                f"the student {parsed.student!r} does not run here: its states cannot be read",
                where=place(name),
                hint='name a student of kind "transformers", or take the embedder "tfidf"',
            )
        return cls(name, parsed, student)

    @property
    def fingerprint(self) -> str:
        """The kind, its version, the student's model and snapshot, and the layer."""
        card = self._student.card
        layer = "middle" if self._options.layer is None else self._options.layer
        return f"student/{VERSION} {card.model} {card.snapshot} layer={layer}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit-length vectors, shape (len(texts), width of the model).

        Raises ``ProviderError`` when the model cannot be loaded, ``DataError`` for a text longer
        than it can read.
        """
        if not texts:
            return np.empty((0, 1), np.float32)
        loaded = load_model(self._student.files, dtype="float32", threads=self._options.threads)
        tokens = [self._tokens(loaded, text) for text in texts]
        means = np.empty((len(texts), loaded.model.config.get_text_config().hidden_size))
        order = sorted(range(len(texts)), key=lambda index: len(tokens[index]))
        size = self._options.batch_size
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            means[batch] = self._states(loaded, [tokens[index] for index in batch])
        centred = means - means.mean(axis=0) if len(texts) > 1 else means
        return unit_length(centred, where=self._where)

    def _tokens(self, loaded: LoadedModel, text: str) -> list[int]:
        """Return the tokens after one that takes the first place, whether the model has its own."""
        tokenizer = loaded.tokenizer
        known = (tokenizer.bos_token_id, tokenizer.eos_token_id, 0)
        first = next(token for token in known if token is not None)
        tokens = [first, *tokenizer.encode(text, add_special_tokens=False)]
        if len(tokens) < 2:  # noqa: PLR2004  (the first token says nothing about the text)
            raise DataError("a text to embed is empty", where=self._where)
        limit = loaded.context(alone=False)
        if limit is not None and len(tokens) > limit:
            raise DataError(
                f"a text to embed has {len(tokens)} tokens; the student reads {limit}",
                where=self._where,
            )
        return tokens

    def _states(self, loaded: LoadedModel, batch: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the mean state of each text; what is padded on the right is never averaged."""
        longest = max(map(len, batch))
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros(len(batch), longest, dtype=torch.long)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        with quiet(), torch.inference_mode():
            output = loaded.model.base_model(
                input_ids=ids, attention_mask=mask, output_hidden_states=True, use_cache=False
            )
        states = self._layer(output.hidden_states)
        mask[:, 0] = 0
        weights = mask.unsqueeze(-1).to(states.dtype)
        mean: NDArray[np.float32] = ((states * weights).sum(1) / weights.sum(1)).numpy()
        return mean

    def _layer(self, states: Sequence[torch.Tensor]) -> torch.Tensor:
        wanted = self._options.layer
        if wanted is None:
            return states[(len(states) - 1) // 2]
        if wanted >= len(states):
            raise UsageError(
                f"layer {wanted} does not exist: the student has {len(states) - 1}",
                where=self._where,
            )
        return states[wanted]
