"""Padded reading: whole prompts in batches, for models that cannot be packed. Slow, and simple."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch

from pldgov.students.label_trie import ROOT, LabelTrie

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

Side = Literal["left", "right"]


class PaddedModel:
    """A model that reads every prompt from its first token, ``batch`` of them at a time."""

    def __init__(self, model: Any, *, batch: int, side: Side, pad: int) -> None:
        self._model = model
        self._batch = batch
        self._side: Side = side
        self._pad = pad

    def log_likelihoods(
        self, prefix: Sequence[int], suffixes: Sequence[Sequence[int]], labels: LabelTrie
    ) -> list[list[float]]:
        """Return each label's log-likelihood after each prompt (see ``PackedModel``)."""
        stems = sorted({_stem(labels, path[-1][0]) for path in labels.paths})
        prompts = [[*prefix, *suffix] for suffix in suffixes]
        rows = [(prompt, stem) for prompt in prompts for stem in stems]
        logs: dict[tuple[int, tuple[int, ...]], torch.Tensor] = {}
        for start in range(0, len(rows), self._batch):
            part = rows[start : start + self._batch]
            tails = self._tails([[*p, *s] for p, s in part], [len(s) + 1 for _, s in part])
            for offset, ((_, stem), tail) in enumerate(zip(part, tails, strict=True)):
                item = (start + offset) // len(stems)
                for length in range(len(stem) + 1):
                    logs[item, stem[:length]] = tail[length]
        return [
            [_along(logs, item, labels, path) for path in labels.paths]
            for item in range(len(prompts))
        ]

    def _tails(self, sequences: list[list[int]], lengths: list[int]) -> list[torch.Tensor]:
        """Return the log-probabilities after the last ``lengths[i]`` tokens of each sequence."""
        ids, mask = self._padded(sequences)
        with torch.inference_mode():
            logits = self._model(
                input_ids=ids, attention_mask=mask, position_ids=_positions(mask), use_cache=False
            ).logits
        ends = [ids.shape[1] if self._side == "left" else len(sequence) for sequence in sequences]
        return [
            logits[row, end - length : end].float().log_softmax(-1)
            for row, (end, length) in enumerate(zip(ends, lengths, strict=True))
        ]

    def _padded(
        self, sequences: Sequence[Sequence[int]], side: Side | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids and mask, (sequences, longest)."""
        width = max(len(sequence) for sequence in sequences)
        ids = torch.full((len(sequences), width), self._pad)
        mask = torch.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            start = width - len(sequence) if (side or self._side) == "left" else 0
            ids[row, start : start + len(sequence)] = torch.tensor(list(sequence))
            mask[row, start : start + len(sequence)] = 1
        return ids, mask

    def generate(
        self,
        prefix: Sequence[int],
        suffixes: Sequence[Sequence[int]],
        *,
        limit: int,
        stop: AbstractSet[int],
    ) -> list[list[int]]:
        """Return the likeliest next tokens after each prompt (see ``PackedModel``)."""
        from transformers import GenerationConfig  # noqa: PLC0415  (only this mode needs it)

        written: list[list[int]] = []
        greedy = GenerationConfig(
            do_sample=False, max_new_tokens=limit, eos_token_id=sorted(stop), pad_token_id=self._pad
        )
        for start in range(0, len(suffixes), self._batch):
            part = [[*prefix, *suffix] for suffix in suffixes[start : start + self._batch]]
            ids, mask = self._padded(part, "left")
            with torch.inference_mode():
                output = self._model.generate(ids, attention_mask=mask, generation_config=greedy)
            written += [_until(row, stop) for row in output[:, ids.shape[1] :].tolist()]
        return written


def _until(tokens: Sequence[int], stop: AbstractSet[int]) -> list[int]:
    ends = [at for at, token in enumerate(tokens) if token in stop]
    return list(tokens[: ends[0]] if ends else tokens)


def _positions(mask: torch.Tensor) -> torch.Tensor:
    """Count from the first real token; padding gets 0."""
    return (mask.cumsum(-1) - 1).clamp(min=0)


def _stem(labels: LabelTrie, node: int) -> tuple[int, ...]:
    """Return the tokens from the end of the prompt to ``node``."""
    stem: tuple[int, ...] = ()
    while node != ROOT:
        stem, node = (labels.tokens[node], *stem), labels.parents[node]
    return stem


def _along(
    logs: dict[tuple[int, tuple[int, ...]], torch.Tensor],
    item: int,
    labels: LabelTrie,
    path: Sequence[tuple[int, int]],
) -> float:
    return sum(float(logs[item, _stem(labels, node)][token]) for node, token in path)
