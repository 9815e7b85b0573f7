"""Whether conversations fit into a model's context, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from pldgov.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pldgov.questions import Query


@dataclass(frozen=True, slots=True)
class Fitted:
    """One conversation's ids as the student reads them, and how many were cut from the input."""

    tokens: Sequence[int]
    truncated: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """The room for a conversation: ``limit`` tokens (None unknown), ``reserve`` to answer."""

    limit: int | None
    reserve: int
    truncate: bool

    def fit(self, query: Query, encode: Callable[[str], list[int]]) -> Fitted:
        """Return the conversation of ``query``, cut at the end of the input if that is allowed.

        Raises ``DataError`` naming the example, its tokens and the limit.
        """
        tokens = encode(query.text)
        if self.limit is None or len(tokens) + self.reserve <= self.limit:
            return Fitted(tokens)
        excess = len(tokens) + self.reserve - self.limit
        start, closing = _around_input(encode)
        room = len(tokens) - start - closing
        if not self.truncate or room < excess:
            raise self._too_long(query, len(tokens), prompt=start + closing)
        end = len(tokens) - closing
        return Fitted([*tokens[: end - excess], *tokens[end:]], excess)

    def _too_long(self, query: Query, tokens: int, *, prompt: int) -> DataError:
        hint = (
            "the prompt alone leaves no room: shorten it, or take a student with a longer context"
            if prompt + self.reserve >= (self.limit or 0)
            else 'shorten the text or the prompt, or set overflow = "truncate" for this student'
        )
        return DataError(
            f"too long for the student: {tokens} tokens with the prompt, and {self.reserve} more "
            f"to answer; it reads at most {self.limit}",
            where=f"example {query.example_id!r}",
            hint=hint,
        )


@dataclass(frozen=True, slots=True)
class Conversations:
    """Conversations as the student reads them: what all begin with, and what is left of each.

    No suffix is empty. ``truncated[i]`` is the number of tokens cut from input ``i``.
    """

    prefix: Sequence[int]
    suffixes: Sequence[Sequence[int]]
    truncated: Sequence[int]

    def length(self, index: int) -> int:
        """Return the tokens of one whole conversation."""
        return len(self.prefix) + len(self.suffixes[index])


def fit_all(
    context: Context, queries: Sequence[Query], encode: Callable[[str], list[int]]
) -> Conversations:
    """Return the conversations of all queries; raises ``DataError`` when one does not fit."""
    truncated: list[int] = []

    def read() -> Iterator[Sequence[int]]:
        for query in queries:
            fitted = context.fit(query, encode)
            truncated.append(fitted.truncated)
            yield fitted.tokens

    prefix, suffixes = split_prefix(read())
    return Conversations(prefix=prefix, suffixes=suffixes, truncated=truncated)


def _around_input(encode: Callable[[str], list[int]]) -> tuple[int, int]:
    """Return how many tokens stand before and after the input in every conversation."""
    one, other = encode("a"), encode("0")
    return common_length(one, other), common_length(one[::-1], other[::-1])


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two sequences share at their beginning."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def split_prefix(sequences: Iterable[Sequence[int]]) -> tuple[list[int], list[list[int]]]:
    """Return the tokens that all sequences begin with, and what is left of each, never nothing.

    Holds the shared part once, however many sequences there are.
    """
    iterator = iter(sequences)
    base = list(next(iterator, ()))
    tails: list[tuple[int, list[int]]] = [(len(base), [])]
    for sequence in iterator:
        common = common_length(base, sequence)
        tails.append((common, list(sequence[common:])))
    length = min(common - (not tail) for common, tail in tails)
    prefix = base[: max(length, 0)]
    return prefix, [base[len(prefix) : common] + tail for common, tail in tails]


def packs(sizes: Sequence[int], *, tokens: int | None, count: int | None) -> Iterator[range]:
    """Yield neighbours to read together: at most ``tokens`` in all, at most ``count`` of them."""
    start, total = 0, 0
    for index, size in enumerate(sizes):
        full = (tokens is not None and total + size > tokens) or index - start == count
        if full and index > start:
            yield range(start, index)
            start, total = index, 0
        total += size
    if sizes:
        yield range(start, len(sizes))
