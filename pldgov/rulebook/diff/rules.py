"""The changes of rules, matched by id and by lineage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pldgov.changes import Change, ChangeKind
from pldgov.rulebook.diff.lineage import Lineage, trace
from pldgov.rulebook.diff.words import compare_words, longest_rise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pldgov.rulebook.diff.reach import Shown
    from pldgov.rulebook.model import Exemplars, Rule, Rulebook

_OWN_KINDS: dict[str, ChangeKind] = {
    "status": "status",
    "title": "retitled",
    "labels": "relabelled",
    "instruction": "reworded",
    "when": "rescoped",
    "priority": "reprioritised",
    "provenance": "provenance",
    "review": "approval",
}
"""The kind of a change of each field; every other field is metadata."""


@dataclass(frozen=True)
class RuleSides:
    """The rules of both sides, and what the prompts of either can show."""

    base: Rulebook
    head: Rulebook
    shown: Shown

    @cached_property
    def before(self) -> Mapping[str, Rule]:
        """The rules of base by id."""
        return {rule.id: rule for rule in self.base.rules}

    @cached_property
    def after(self) -> Mapping[str, Rule]:
        """The rules of head by id."""
        return {rule.id: rule for rule in self.head.rules}

    @cached_property
    def lineage(self) -> Lineage:
        """Which rule became which."""
        return trace(self.before, self.after)

    @cached_property
    def pairs(self) -> Mapping[str, str]:
        """The id in base of each rule of head that was in base, under this id or another one."""
        kept = {id_: id_ for id_ in self.after if id_ in self.before}
        gone = {
            new: old for new, old in self.lineage.renamed.items() if old not in self.after
        }  # one that stays, deprecated, is its own successor in the file
        return {**kept, **gone}

    @cached_property
    def priorities_matter(self) -> bool:
        """Whether some rules come in another order, or are trimmed first, by new priorities."""
        before = {new: self.before[old].priority for new, old in self.pairs.items()}
        after = {old: self.after[new].priority for new, old in self.pairs.items()}
        return any(
            _order(rulebook, swapped) != _order(rulebook)
            for rulebook, swapped in ((self.head, before), (self.base, after))
        )

    @cached_property
    def places_matter(self) -> bool:
        """Whether some rules of equal priority come in another order by new places in the file."""
        priority = {id_: rule.priority for id_, rule in self.after.items()}
        by_old = {old: new for new, old in self.pairs.items()}
        active = {rule.id for rule in self.head.active_rules}
        old_places = [by_old[rule.id] for rule in self.base.rules if rule.id in by_old]
        new_places = [rule.id for rule in self.head.rules if rule.id in self.pairs]
        first, second = (
            sorted((id_ for id_ in places if id_ in active), key=lambda id_: -priority[id_])
            for places in (old_places, new_places)
        )
        return first != second


def rule_changes(sides: RuleSides) -> Iterator[Change]:
    """Yield the changes of all rules: those of head in their order, then what is gone."""
    lineage = sides.lineage
    moved = _moved(sides)
    for id_, rule in sides.after.items():
        yield from _came(sides, id_)
        old = id_ if id_ in sides.before else lineage.renamed.get(id_)
        if old is not None:
            yield from _changed(sides, sides.before[old], rule)
        if id_ in moved:
            yield moved[id_]
    for id_ in lineage.split:
        yield _split(sides, id_)
    for id_, rule in sides.before.items():
        if id_ not in sides.after and id_ not in lineage.sources:
            yield _whole("removed", rule)


def _came(sides: RuleSides, id_: str) -> Iterator[Change]:
    """Yield how a rule came about that base does not know under this id."""
    if id_ in sides.lineage.merged:
        yield _merged(sides, id_)
    elif id_ in sides.lineage.renamed:
        yield _renamed(sides, id_)
    elif id_ not in sides.before and id_ not in sides.lineage.results:
        yield _whole("added", sides.after[id_])


def _order(rulebook: Rulebook, priorities: Mapping[str, int] | None = None) -> list[str]:
    """Return the ids of the active rules in a prompt's order, under other priorities if given."""
    other = priorities or {}
    active = (rule for rule in rulebook.rules if rule.status == "active")
    ranked = sorted(active, key=lambda rule: -other.get(rule.id, rule.priority))
    return [rule.id for rule in ranked]


def _whole(kind: ChangeKind, rule: Rule) -> Change:
    summary = {
        "status": rule.status,
        "labels": list(rule.labels),
        "priority": rule.priority,
        "instruction": rule.instruction,
        **({"when": rule.model_dump(mode="json")["when"]} if rule.when else {}),
    }
    return Change(
        kind=kind,
        subject="rule",
        name=rule.id,
        reaches=rule.status == "active",
        before=summary if kind == "removed" else None,
        after=summary if kind == "added" else None,
        title=rule.title,
    )


def _renamed(sides: RuleSides, id_: str) -> Change:
    rule, old = sides.after[id_], sides.lineage.renamed[id_]
    both = (rule, sides.before[old])
    reaches = sides.shown.says("id") or old in sides.after  # where it stays, the new one is added
    return Change(
        kind="renamed",
        subject="rule",
        name=id_,
        reaches=reaches and any(one.status == "active" for one in both),
        field="id",
        before=old,
        after=id_,
        others=(old,),
        title=rule.title,
    )


def _merged(sides: RuleSides, id_: str) -> Change:
    rule, olds = sides.after[id_], sides.lineage.merged[id_]
    return _regrouped("merged", rule, olds, [sides.before[old] for old in olds], [rule])


def _split(sides: RuleSides, old: str) -> Change:
    news = sides.lineage.split[old]
    parts = [sides.after[new] for new in news]
    goes_on = [sides.after[old]] if old in sides.after else []
    left = [rule for rule in goes_on if rule.status != "deprecated"]
    return _regrouped("split", sides.before[old], news, [sides.before[old]], [*left, *parts])


def _regrouped(
    kind: ChangeKind, rule: Rule, others: tuple[str, ...], old: list[Rule], new: list[Rule]
) -> Change:
    before, after = ("\n".join(one.instruction.strip() for one in rules) for rules in (old, new))
    return Change(
        kind=kind,
        subject="rule",
        name=rule.id,
        reaches=any(one.status == "active" for one in (*old, *new)),
        field="instruction",
        before=before,
        after=after,
        wording=compare_words(before, after),
        others=others,
        title=rule.title,
    )


def _changed(sides: RuleSides, old: Rule, new: Rule) -> Iterator[Change]:
    """Yield a change for each field of a rule that differs."""
    if old == new:
        return
    silent = {"id"} if old.id == new.id else {"id", "related"}  # the rename says it already
    differing = [
        name
        for name in type(new).model_fields
        if getattr(old, name) != getattr(new, name) and name not in silent
    ]
    before, after = (rule.model_dump(mode="json", include=set(differing)) for rule in (old, new))
    order = [*_OWN_KINDS, *type(new).model_fields]
    for name in sorted(differing, key=order.index):
        old_text, new_text = getattr(old, name), getattr(new, name)
        is_prose = name in {"instruction", "rationale"} and bool(old_text and new_text)
        yield Change(
            kind=_OWN_KINDS.get(name, "metadata"),
            subject="rule",
            name=new.id,
            reaches=_is_live(old, new) and _reaches(sides, name, old, new),
            field=name,
            before=before[name],
            after=after[name],
            wording=compare_words(old_text, new_text) if is_prose else (),
            title=new.title,
        )


def _is_live(*rules: Rule) -> bool:
    return any(rule.status == "active" for rule in rules)


def _reaches(sides: RuleSides, field: str, old: Rule, new: Rule) -> bool:
    """Tell whether a field of a rule that is active on a side can be seen by the student."""
    test = _REACH.get(field)
    return test is not None and test(sides, old, new)


def _other_exemplars(sides: RuleSides, old: Rule, new: Rule) -> bool:
    before = _exemplars(old, sides.base.prompt.exemplars)
    after = _exemplars(new, sides.head.prompt.exemplars)
    return sides.shown.shows_examples and before != after


_REACH: dict[str, Callable[[RuleSides, Rule, Rule], bool]] = {
    "status": lambda *_: True,
    # The prompt shows an instruction without the blanks around it.
    "instruction": lambda _, old, new: old.instruction.strip() != new.instruction.strip(),
    "title": lambda sides, *_: sides.shown.says("title"),
    "labels": lambda sides, *_: sides.shown.says("label", "labels"),
    "when": lambda *_: True,
    "priority": lambda sides, *_: sides.shown.says("priority") or sides.priorities_matter,
    "provenance": _other_exemplars,
}
"""Whether a field that differs can be seen; of every other field nothing reaches the student."""


def _exemplars(rule: Rule, most: Exemplars) -> tuple[tuple[str, ...], ...]:
    """Return the ids of the examples that a template may show of a rule, by role."""
    cited = rule.provenance.examples if rule.provenance else ()
    return tuple(
        tuple(one.id for one in cited if one.role == role)[: getattr(most, role)]
        for role in ("support", "counter")
    )


def _moved(sides: RuleSides) -> dict[str, Change]:
    """Return the fewest rules whose moves make head's order out of base's, by id."""
    place = {rule.id: at for at, rule in enumerate(sides.base.rules, start=1)}
    kept = [id_ for id_ in sides.after if id_ in sides.pairs]
    in_order = longest_rise([place[sides.pairs[id_]] for id_ in kept])
    stay = {kept[index] for index in in_order}
    places = {rule.id: at for at, rule in enumerate(sides.head.rules, start=1)}
    return {
        id_: _move(sides, id_, place[sides.pairs[id_]], places[id_])
        for id_ in kept
        if id_ not in stay
    }


def _move(sides: RuleSides, id_: str, before: int, after: int) -> Change:
    rule = sides.after[id_]
    return Change(
        kind="moved",
        subject="rule",
        name=id_,
        reaches=rule.status == "active" and sides.places_matter,
        field="place",
        before=before,
        after=after,
        title=rule.title,
    )
