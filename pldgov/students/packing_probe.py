"""Try whether a model can be packed, before any answer rests on it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from pldgov.errors import ProviderError
from pldgov.students.label_trie import build_trie
from pldgov.students.packed import PackedModel
from pldgov.students.padded import PaddedModel

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCE = {torch.float32: 1e-3}
"""How far log-likelihoods may differ."""

NARROW_TOLERANCE = 1.0
"""The same for narrow types, where rounding alone makes up to 0.4 between any two ways to read."""

WINDOW = 3
"""The probe is shorter than a real sliding window, so the window is narrowed while it runs."""


def packed_model(model: Any, *, chunk: int) -> PackedModel:
    """Return ``model`` for packed reading.

    Raises ``ProviderError`` when a few tokens packed do not give the log-likelihoods that they
    give alone: linear attention, state spaces, biases by distance, odd masks.
    """
    reasons = []
    for split_attention in (True, False):
        try:
            packed = PackedModel(model, chunk=chunk, split_attention=split_attention)
            error = packing_error(packed, model)
        except Exception as failure:  # noqa: BLE001  (a model that cannot be packed may raise anything)
            reasons.append(f"{type(failure).__name__}: {failure}")
            continue
        if error <= TOLERANCE.get(model.dtype, NARROW_TOLERANCE):
            return packed
        reasons.append(f"log-likelihoods differ by {error:.2g}")
    raise ProviderError(
        f"{type(model).__name__} cannot read several inputs in one sequence ({reasons[-1]})",
        hint='set scoring = "padded" for this student, which is slower',
    )


def packing_error(packed: PackedModel, model: Any) -> float:
    """Return the largest difference between log-likelihoods packed and one by one.

    Two inputs after a prefix, three labels that share a beginning: every kind of mask.
    """
    size = int(model.config.get_text_config(decoder=True).vocab_size)
    token = [(7919 * (step + 1)) % size for step in range(16)]
    labels = build_trie(
        {"a": token[10:12], "b": [token[10], token[12]], "c": token[13:15]}, end=None
    )
    prefix, suffixes = token[:5], (token[5:9], token[9:10])
    with narrow_window(model.config.get_text_config(decoder=True)):
        plain = PaddedModel(model, batch=1, side="right", pad=0)
        expected = plain.log_likelihoods(prefix, suffixes, labels)
        found = packed.log_likelihoods(prefix, suffixes, labels)
    return float((torch.tensor(found) - torch.tensor(expected)).abs().max())


@contextmanager
def narrow_window(config: Any) -> Iterator[None]:
    """Let a model with sliding windows run with narrow ones for a while."""
    width = getattr(config, "sliding_window", None)
    if width is None:
        yield
        return
    config.sliding_window = min(WINDOW, int(width))
    try:
        yield
    finally:
        config.sliding_window = width
