"""Attention to one prefix that every query sees in full, and to a few keys that not all see.

Registered with transformers under ``NAME``; a model uses it like its own ``sdpa``, and gets the
same result. Given a mask over the last keys only, it takes the keys before them as seen by all
queries. Those need no mask, and no copy of keys and values per query head either, because the
heads of a group can be read as more queries. Both parts are merged by their log-sum-exp, as
FlashAttention merges its blocks (Dao et al. 2022).
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "pldgov_shared_prefix"

_attend = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001  (the public function keeps the log-sum-exp to itself)


def shared_prefix_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Return the attention output, (batch, queries, heads, head size), and None for the weights.

    ``query`` is (batch, heads, queries, head size), ``key`` and ``value`` (batch, key heads,
    keys, head size), an additive ``attention_mask`` (batch, 1, queries, last keys).
    """
    shared = 0 if attention_mask is None else key.shape[-2] - attention_mask.shape[-1]
    if shared <= 0:
        result: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, **options
        )
        return result
    scale = options.get("scaling")
    prefix, prefix_mass = _attend_unmasked(
        query, key[..., :shared, :], value[..., :shared, :], scale
    )
    groups = query.shape[1] // key.shape[1]
    own, own_mass = _attend(
        query,
        repeat_kv(key[..., shared:, :], groups),
        repeat_kv(value[..., shared:, :], groups),
        attn_mask=attention_mask,
        scale=scale,
    )
    weight = torch.sigmoid(prefix_mass - own_mass).unsqueeze(-1).to(own.dtype)
    return torch.lerp(own, prefix, weight).transpose(1, 2), None


def _attend_unmasked(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return output and log-sum-exp where every query sees every key."""
    batch, heads, queries, size = query.shape
    folded = query.reshape(batch, key.shape[1], -1, size)
    output, mass = _attend(folded, key, value, scale=scale)
    return output.reshape(batch, heads, queries, -1), mass.reshape(batch, heads, queries)


AttentionInterface.register(NAME, shared_prefix_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)


def use_shared_attention(model: Any) -> bool:
    """Switch ``model`` to this attention if it uses ``sdpa``; tell whether it was switched."""
    if model.config._attn_implementation not in {"sdpa", NAME}:  # noqa: SLF001  (no public getter)
        return False
    model.set_attn_implementation(NAME)
    return bool(model.config._attn_implementation == NAME)  # noqa: SLF001
