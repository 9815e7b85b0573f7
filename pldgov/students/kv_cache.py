"""A key-value cache that keeps one shared prefix and is cut back to it after every pack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transformers.cache_utils import Cache, DynamicLayer

if TYPE_CHECKING:
    import torch

GROWTH = 1024
"""Keys added to a buffer at a time."""


class _BufferedLayer(DynamicLayer):  # type: ignore[misc]  # transformers is untyped here
    """A layer that keeps every key, whatever the window, and writes behind them in place.

    ``DynamicLayer`` concatenates, which copies the whole prefix for each layer of each pack.
    """

    is_sliding = False

    def __init__(self, **_: Any) -> None:
        super().__init__()
        self.length = 0
        self.keys: torch.Tensor | None = None
        self.values: torch.Tensor | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the new states; return views of all states so far."""
        start, self.length = self.length, self.length + key_states.shape[-2]
        self.keys = _written(self.keys, key_states, start)
        self.values = _written(self.values, value_states, start)
        self.is_initialized = True
        return self.keys[..., : self.length, :], self.values[..., : self.length, :]

    def get_seq_length(self) -> int:
        """Return the number of keys held."""
        return self.length

    def cut(self, length: int) -> None:
        """Keep the first ``length`` keys; the buffer stays."""
        self.length = min(self.length, length)


def _written(buffer: torch.Tensor | None, states: torch.Tensor, start: int) -> torch.Tensor:
    """Return ``buffer``, grown if need be, with ``states`` at ``start``."""
    end = start + states.shape[-2]
    if buffer is None or buffer.shape[-2] < end:
        room = -(-end // GROWTH) * GROWTH
        grown = states.new_zeros((*states.shape[:-2], room, states.shape[-1]))
        if buffer is not None:
            grown[..., :start, :] = buffer[..., :start, :]
        buffer = grown
    buffer[..., start:end, :] = states
    return buffer


class PrefixCache(Cache):  # type: ignore[misc]  # transformers is untyped here
    """Every key and value of every layer, for one sequence; layers appear as the model runs."""

    def __init__(self) -> None:
        super().__init__(layer_class_to_replicate=_BufferedLayer)

    def cut(self, length: int) -> None:
        """Keep the first ``length`` keys of each layer, however far each had come."""
        for layer in self.layers:
            layer.cut(length)
