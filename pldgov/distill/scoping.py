"""Rules for a kind of input each: instead of clusters, the values of one input field.

Where a field has few values (the statement that a contract is checked for, a product, a form), a
rule about one of them only distracts from the others. Then every value is a cluster, and what comes
of it is shown with inputs of that value alone (``when``, ``pldgov.scoped_rules``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.distill.model import Clustering
from pldgov.errors import DataError, UsageError
from pldgov.words import spaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.dataset import Example
    from pldgov.distill.model import MicroInstruction

MOST_VALUES = 100
"""A field of more values is not one of kinds: a rule each would be a prompt nobody reads."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A value of a field: ``phrase`` stands in it and in no other, ``counts`` are its gold labels.

    ``counts`` are of the whole train split, most common first.
    """

    field: str
    value: str
    phrase: str
    counts: tuple[tuple[str, int], ...]

    @property
    def when(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The ``when`` of a rule for this kind, hashable."""
        return ((self.field, (self.phrase,)),)


def by_value(
    instructions: Sequence[MicroInstruction], *, field: str, train: Sequence[Example]
) -> tuple[Clustering, tuple[Kind, ...]]:
    """Return a cluster for each value of ``field``, and its kind in the same order.

    Clusters come largest first, then by value; members in the order of ids. Raises ``UsageError``
    where the field is unknown or has more than ``MOST_VALUES`` values, ``DataError`` where no
    phrase tells two values apart.
    """
    values = {example.id: example.inputs.get(field) for example in train}
    if None in values.values():
        raise UsageError(f"examples have no input field {field!r}", where="scope")
    distinct = sorted({value for value in values.values() if value is not None})
    if len(distinct) > MOST_VALUES:
        raise UsageError(
            f"{field!r} has {len(distinct)} values, more than {MOST_VALUES}",
            where="scope",
            hint="choose a field that sorts inputs into a few kinds, or leave scope out",
        )
    members: dict[str, list[MicroInstruction]] = defaultdict(list)
    for one in sorted(instructions, key=lambda one: one.id):
        members[values[one.example_id] or ""].append(one)
    golds: dict[str, Counter[str]] = defaultdict(Counter)
    for example in train:
        golds[example.inputs[field]][example.label] += 1
    ordered = sorted(members, key=lambda value: (-len(members[value]), value))
    kinds = tuple(
        Kind(
            field,
            value,
            _telling(value, [one for one in distinct if one != value], members[value]),
            tuple(sorted(golds[value].items(), key=lambda item: (-item[1], item[0]))),
        )
        for value in ordered
    )
    clustering = Clustering(
        "per-value", tuple(tuple(one.id for one in members[value]) for value in ordered)
    )
    return clustering, kinds


def _telling(value: str, others: Sequence[str], about: Sequence[MicroInstruction]) -> str:
    """Return the fewest words of ``value`` that stand in none of ``others``, in lower case.

    Of several, those that the instructions about it use most, then the longest, then the first.
    """
    words = spaced(value).split()
    texts = [spaced(other) for other in others]
    said = spaced(" ".join(f"{one.condition} {one.instruction}" for one in about))
    for count in range(1, len(words) + 1):
        phrases = [" ".join(words[at : at + count]) for at in range(len(words) - count + 1)]
        own = [one for one in phrases if not any(f" {one} " in text for text in texts)]
        if own:
            return max(own, key=lambda phrase: (said.count(f" {phrase} "), len(phrase)))
    raise DataError(
        f"no words tell {value[:60]!r} from the other values", where="scope", hint="leave scope out"
    )
