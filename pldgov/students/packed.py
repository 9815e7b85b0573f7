"""Packed reading: one shared prefix, many inputs in one sequence, each as if it were alone."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import torch

from pldgov.errors import ProviderError
from pldgov.students.key_ledger import KeyLedger
from pldgov.students.kv_cache import PrefixCache
from pldgov.students.label_trie import ROOT, LabelTrie
from pldgov.students.shared_attention import use_shared_attention

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

LOGITS_AT_ONCE = 2**25
"""Logits computed in one forward at most (128 MiB in float32)."""

FULL, WINDOWED = "full_attention", "sliding_attention"


@dataclass
class _Feed:
    """Tokens to be read next: their positions, and which of them say what comes after them."""

    tokens: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def add(self, tokens: Sequence[int], positions: Sequence[int], *, ask: bool) -> None:
        self.tokens.extend(tokens)
        self.positions.extend(positions)
        if ask:
            self.asked.append(len(self.tokens) - 1)

    def pieces(self, size: int, rows: int) -> Iterator[tuple[range, list[int]]]:
        """Yield (stretch of at most ``size`` tokens, the at most ``rows`` asked in it)."""
        start = 0
        while start < len(self.tokens):
            stop = min(start + size, len(self.tokens))
            asked = [index for index in self.asked if start <= index < stop]
            if len(asked) > rows:
                asked, stop = asked[:rows], asked[rows - 1] + 1
            yield range(start, stop), [index - start for index in asked]
            start = stop


class PackedModel:
    """A model that reads a shared prefix once, and several inputs at a time after it.

    ``chunk`` is the number of tokens read in one forward at most; it bounds memory and changes
    no result.
    """

    def __init__(self, model: Any, *, chunk: int, split_attention: bool = True) -> None:
        self._model = model
        self._config = model.config.get_text_config(decoder=True)
        self._chunk = chunk
        self._rows = max(1, LOGITS_AT_ONCE // int(self._config.vocab_size))
        self._split = split_attention and use_shared_attention(model)
        self._cache_argument = _cache_argument(model)
        self._forget()

    def _forget(self) -> None:
        self._cache = PrefixCache()
        self._ledger = KeyLedger()
        self._trunk = self._ledger.open()
        self._prefix: tuple[int, ...] = ()

    def log_likelihoods(
        self, prefix: Sequence[int], suffixes: Sequence[Sequence[int]], labels: LabelTrie
    ) -> list[list[float]]:
        """Return each label's log-likelihood after ``prefix`` and each of ``suffixes``.

        One row per suffix, one number per label, natural logarithms. The suffixes, none empty,
        are read in one sequence; the prefix is read once and kept for the next call.
        """
        targets = sorted({token for path in labels.paths for _, token in path})
        with self._after(prefix):
            feed = _Feed()
            for suffix in suffixes:
                self._lay_out(feed, suffix, labels)
            logs = [_log_probabilities(rows, targets) for rows in self._read(feed)]
        per_node = torch.cat(logs).reshape(len(suffixes), 1 + len(labels.tokens), len(targets))
        columns = [_sum_path(per_node, path, targets) for path in labels.paths]
        table: list[list[float]] = torch.stack(columns, dim=1).tolist()
        return table

    def generate(
        self,
        prefix: Sequence[int],
        suffixes: Sequence[Sequence[int]],
        *,
        limit: int,
        stop: AbstractSet[int],
    ) -> list[list[int]]:
        """Return the likeliest next tokens after each suffix, one by one (greedy decoding).

        Each stops before the first token of ``stop``, or after ``limit`` tokens.
        """
        written: list[list[int]] = [[] for _ in suffixes]
        with self._after(prefix):
            feed = _Feed()
            branches = [self._ledger.open(self._trunk) for _ in suffixes]
            for branch, suffix in zip(branches, suffixes, strict=True):
                feed.add(suffix, self._ledger.extend(branch, len(suffix)), ask=True)
            going = list(range(len(suffixes)))
            while going and limit > 0:
                chosen = [token for rows in self._read(feed) for token in rows.argmax(-1).tolist()]
                feed, limit = _Feed(), limit - 1
                for item, token in zip(going, chosen, strict=True):
                    if token not in stop:
                        written[item].append(token)
                        feed.add([token], self._ledger.extend(branches[item]), ask=True)
                going = [i for i, t in zip(going, chosen, strict=True) if t not in stop]
        return written

    @contextmanager
    def _after(self, prefix: Sequence[int]) -> Iterator[None]:
        """Have ``prefix`` read, and nothing behind it, before and after the body."""
        with torch.inference_mode():
            self._read_prefix(tuple(prefix))
            try:
                yield
            finally:
                self._cut(len(self._prefix))

    def _read_prefix(self, prefix: tuple[int, ...]) -> None:
        """Keep what the cached prefix has in common with ``prefix``, read the rest."""
        pairs = zip(self._prefix, prefix, strict=False)
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        self._cut(common)
        feed = _Feed()
        feed.add(prefix[common:], self._ledger.extend(self._trunk, len(prefix) - common), ask=False)
        try:
            for _ in self._read(feed, trunk=True):
                pass
        except BaseException:
            self._forget()
            raise
        self._prefix = prefix

    def _cut(self, length: int) -> None:
        self._cache.cut(length)
        self._ledger.cut(length, self._trunk + 1)
        self._prefix = self._prefix[:length]

    def _lay_out(self, feed: _Feed, suffix: Sequence[int], labels: LabelTrie) -> None:
        """Add one input, then the tree of its labels, each node a branch of its own."""
        branch = self._ledger.open(self._trunk)
        feed.add(suffix, self._ledger.extend(branch, len(suffix)), ask=True)
        nodes = {ROOT: branch}
        for node, (token, parent) in enumerate(zip(labels.tokens, labels.parents, strict=True)):
            nodes[node] = self._ledger.open(nodes[parent])
            feed.add([token], self._ledger.extend(nodes[node]), ask=True)

    def _read(self, feed: _Feed, *, trunk: bool = False) -> Iterator[torch.Tensor]:
        """Run the model over ``feed``; yield the logits of what was asked, (rows, vocabulary).

        Tokens of the ``trunk`` see all that was read before, others only the prefix.
        """
        base = self._cache.get_seq_length()
        for stretch, asked in feed.pieces(self._chunk, self._rows):
            here = slice(stretch.start, stretch.stop)
            keys = range(base + stretch.start, base + stretch.stop)
            shared = keys.start if trunk else len(self._prefix)
            output = self._model(
                input_ids=torch.tensor([feed.tokens[here]]),
                position_ids=torch.tensor([feed.positions[here]]),
                attention_mask=self._masks(keys, shared),
                use_cache=True,
                logits_to_keep=torch.tensor(asked, dtype=torch.long),
                **{self._cache_argument: self._cache},
            )
            yield output.logits[0]

    def _masks(self, keys: range, shared: int) -> torch.Tensor | dict[str, torch.Tensor]:
        """Return the additive mask, or one by kind of attention where the layers differ."""
        windows = attention_windows(self._config)
        masks = {}
        for kind, window in windows.items():
            since = shared if self._split and window is None else 0
            seen = self._ledger.visible(keys, since=since, window=window)
            masks[kind] = _additive(seen, self._model.dtype)[None, None]
        return masks if len(masks) > 1 else next(iter(masks.values()))


def _cache_argument(model: Any) -> str:
    """Return what a model calls its cache: transformers renamed it in 5.24, model by model."""
    known = inspect.signature(model.forward).parameters
    return "cache" if "cache" in known else "past_key_values"


def attention_windows(config: Any) -> dict[str, int | None]:
    """Return the kinds of attention in the model and the width of each one's window.

    Raises ``ProviderError`` for a kind that a mask over keys cannot express.
    """
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None)
    if kinds is None:
        return {FULL: None} if window is None else {WINDOWED: int(window)}
    known = {FULL: None, WINDOWED: window}
    if odd := sorted(set(kinds) - known.keys()):
        raise ProviderError(f"layers of kind {', '.join(odd)} cannot be packed")
    return {kind: known[kind] for kind in sorted(set(kinds))}


def _additive(seen: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return 0 where seen, the lowest number elsewhere."""
    hidden = torch.full((), torch.finfo(dtype).min, dtype=dtype)
    return torch.where(seen, torch.zeros((), dtype=dtype), hidden)


def _log_probabilities(logits: torch.Tensor, targets: Sequence[int]) -> torch.Tensor:
    """Return the log-probabilities of the tokens ``targets``, (rows, targets)."""
    wide = logits.float()
    return wide[:, list(targets)] - wide.logsumexp(-1, keepdim=True)


def _sum_path(
    per_node: torch.Tensor, path: Sequence[tuple[int, int]], targets: Sequence[int]
) -> torch.Tensor:
    """Return one label's log-likelihood for each input, (inputs,); node ``ROOT`` is row 0."""
    nodes = [node + 1 for node, _ in path]
    tokens = [targets.index(token) for _, token in path]
    return per_node[:, nodes, tokens].double().sum(dim=1)
