"""Which rule became which: by id, and where the id is new, by what it says it came from."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.rulebook.model import Rule

REPLACES = frozenset(("replaces", "renamed-from", "supersedes"))
SPLIT_FROM, MERGED_FROM = "split-from", "merged-from"


@dataclass(frozen=True)
class Lineage:
    """How the rules of head that base does not know came out of those of base.

    ``renamed`` maps new ids to old ones, ``merged`` a new id to the old ones it joins, ``split``
    an old id to the new ones it was cut into.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    split: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sources(self) -> frozenset[str]:
        """The old rules that live on under another id."""
        joined = {old for olds in self.merged.values() for old in olds}
        return frozenset({*self.renamed.values(), *joined, *self.split})

    @property
    def results(self) -> frozenset[str]:
        """The new rules that came out of old ones."""
        parts = {new for news in self.split.values() for new in news}
        return frozenset({*self.renamed, *self.merged, *parts})


def trace(base: Mapping[str, Rule], head: Mapping[str, Rule]) -> Lineage:
    """Return the lineage of rules by id.

    A new rule came out of an old one when its ``related`` says so and the old one is gone or no
    longer active (of a split, it may go on). A new id with the very words and labels of one that
    is gone is a rename too.
    """
    new = {id_: rule for id_, rule in head.items() if id_ not in base}
    retired = {id_ for id_ in base if id_ not in head or _retired(base[id_], head[id_])}
    renamed: dict[str, str] = {}
    merged: dict[str, tuple[str, ...]] = {}
    parts: dict[str, list[str]] = defaultdict(list)
    for id_, rule in new.items():
        joined = _related(rule, {MERGED_FROM, *REPLACES}, retired)
        if len(joined) > 1:
            merged[id_] = joined
        elif joined:
            renamed[id_] = joined[0]
        else:
            for old in _related(rule, {SPLIT_FROM}, set(base)):
                parts[old].append(id_)
    for old, news in list(parts.items()):
        if len(news) == 1 and old in retired:  # nothing is left beside the one part
            renamed[news[0]] = old
            del parts[old]
    _settle(renamed, parts)
    traced = Lineage(renamed, merged, {old: tuple(news) for old, news in parts.items()})
    return Lineage({**renamed, **_same_words(base, head, traced)}, merged, traced.split)


def _retired(before: Rule, after: Rule) -> bool:
    return before.status != "deprecated" and after.status == "deprecated"


def _related(rule: Rule, types: set[str], known: set[str]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(one.id for one in rule.related if one.type in types and one.id in known)
    )


def _settle(renamed: dict[str, str], parts: dict[str, list[str]]) -> None:
    """Turn several new rules that all replace one old rule into a split of it."""
    counts = Counter(renamed.values())
    for new, old in list(renamed.items()):
        if counts[old] > 1 or old in parts:
            parts[old].append(new)
            del renamed[new]


def _same_words(
    base: Mapping[str, Rule], head: Mapping[str, Rule], traced: Lineage
) -> dict[str, str]:
    """Return new ids with the words and labels of one old rule that is gone, one to one."""
    gone = {id_: _words(base[id_]) for id_ in base.keys() - head.keys() - traced.sources}
    come = {id_: _words(head[id_]) for id_ in head.keys() - base.keys() - traced.results}
    once_gone, once_come = Counter(gone.values()), Counter(come.values())
    by_words = {words: id_ for id_, words in gone.items()}
    return {
        new: by_words[words]
        for new, words in come.items()
        if once_gone[words] == 1 and once_come[words] == 1
    }


def _words(rule: Rule) -> tuple[str, tuple[str, ...]]:
    return rule.instruction.strip(), rule.labels
