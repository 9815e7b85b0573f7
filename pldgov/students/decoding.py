"""The two ways to ask a local model for a label: likelihoods of the labels, or text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pldgov.errors import ProviderError
from pldgov.parsing import parse_label
from pldgov.results import Answer
from pldgov.students.label_trie import LabelTrie, build_trie

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pldgov.students.engine import Engine


class Decoding(Protocol):
    """Turns what is read into answers, without the counts that the student adds.

    ``reserve`` is the number of tokens that an answer may take in the context, ``branches`` the
    number of tokens that are read for each input besides its own.
    """

    @property
    def reserve(self) -> int: ...  # noqa: D102

    @property
    def branches(self) -> int: ...  # noqa: D102

    def answers(self, prefix: Sequence[int], suffixes: Sequence[Sequence[int]]) -> list[Answer]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class LabelLikelihood:
    """The log-likelihood of each label as the whole answer; the label is the likeliest one."""

    engine: Engine
    labels: tuple[str, ...]
    trie: LabelTrie

    @classmethod
    def of(cls, engine: Engine, labels: Iterable[str]) -> LabelLikelihood:
        """Return it for these labels; raises ``UsageError`` if the tokenizer mixes them up."""
        names = tuple(labels)
        sequences = {name: engine.chat.label_tokens(name) for name in names}
        return cls(engine, names, build_trie(sequences, end=engine.chat.end_token))

    @property
    def reserve(self) -> int:
        """The longest label, but for its last token, which is never read."""
        return self.trie.depth

    @property
    def branches(self) -> int:
        """The labels' tokens but for the last ones, what they share counted once."""
        return len(self.trie.tokens)

    def answers(self, prefix: Sequence[int], suffixes: Sequence[Sequence[int]]) -> list[Answer]:
        """Return an answer with scores for each suffix."""
        rows = self.engine.reader.log_likelihoods(prefix, suffixes, self.trie)
        return [self._answer(row) for row in rows]

    def _answer(self, row: Sequence[float]) -> Answer:
        if not all(map(math.isfinite, row)):
            raise ProviderError(
                "the model gives log-likelihoods that are no numbers",
                where=self.engine.place,
                hint='set dtype = "float32", or check the weights',
            )
        scores = dict(zip(self.labels, row, strict=True))
        likeliest = max(scores, key=lambda label: scores[label])
        return Answer(label=likeliest, scores=scores, score_kind="log-likelihood")


@dataclass(frozen=True, slots=True)
class GreedyText:
    """The likeliest text, token by token, parsed to a label; what does not parse is invalid."""

    engine: Engine
    labels: tuple[str, ...]
    limit: int

    @property
    def reserve(self) -> int:
        """The tokens that may be written."""
        return self.limit

    @property
    def branches(self) -> int:
        """The tokens that may be written, each of which is read again."""
        return self.limit

    def answers(self, prefix: Sequence[int], suffixes: Sequence[Sequence[int]]) -> list[Answer]:
        """Return an answer with its raw text for each suffix."""
        written = self.engine.reader.generate(
            prefix, suffixes, limit=self.limit, stop=self.engine.stop
        )
        return [self._answer(tokens) for tokens in written]

    def _answer(self, tokens: Sequence[int]) -> Answer:
        text = self.engine.chat.decode(tokens)
        label = parse_label(text, self.labels)
        return Answer(label=label, raw=text, tokens_out=len(tokens))
