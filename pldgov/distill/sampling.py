"""Which training examples the teacher is shown."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pldgov.errors import UsageError
from pldgov.fingerprint import digest_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.dataset import Example

    Stratum = tuple[str, ...]


def sample_examples(
    train: Sequence[Example],
    count: int | None,
    *,
    seed: int,
    balanced: bool = False,
    by: Sequence[str] = (),
) -> tuple[Example, ...]:
    """Return ``count`` examples (None: all) that represent ``train``, in the order to ask about.

    Strata are the labels, or the labels with the values of the input fields ``by``. Each gets its
    share of ``count``, or with ``balanced`` an equal one; each gets one example before any gets
    two. The same ids and seed give the same choice, whatever the order of the file; a larger
    count only adds examples at the end, so that answers recorded for fewer still serve.

    Raises ``UsageError`` for a field that an example does not have.
    """
    strata: dict[Stratum, list[Example]] = defaultdict(list)
    for example in train:
        strata[(example.label, *(_value(example, field) for field in by))].append(example)
    ranked: list[tuple[tuple[int, float, str], Example]] = []
    for members in strata.values():
        members.sort(key=lambda example: _draw(example, seed))
        for rank, example in enumerate(members):
            share = float(rank) if balanced else (rank + 0.5) / len(members)
            ranked.append(((min(rank, 1), share, _draw(example, seed)), example))
    ranked.sort(key=lambda pair: pair[0])
    return tuple(example for _, example in ranked[:count])


def _draw(example: Example, seed: int) -> str:
    return digest_text(f"{seed}:{example.id}")


def _value(example: Example, field: str) -> str:
    if field not in example.inputs:
        raise UsageError(
            f"examples have no input field {field!r} to stratify by",
            where=f"example {example.id!r}",
            hint=f"one of {', '.join(example.inputs)}",
        )
    return example.inputs[field]
