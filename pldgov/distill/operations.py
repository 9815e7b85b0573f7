"""Operations on a set of rules: what each one does, alone and together with others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pldgov.distill.rule_ids import rule_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pldgov.distill.candidates import RuleSet
    from pldgov.distill.model import DraftRule, Operation, OperationKind

SHAPES: Mapping[OperationKind, tuple[range, range]] = {
    # kind: how many targets, how many rules
    "add": (range(1), range(1, 6)),
    "modify": (range(1, 2), range(1, 2)),
    "split": (range(1, 2), range(2, 6)),
    "merge": (range(2, 11), range(1, 2)),
    "retire": (range(1, 11), range(1)),
}


def misshapen(kind: OperationKind, *, targets: int, rules: int) -> str | None:
    """Return what is wrong with the number of targets or rules of an operation, None if nothing."""
    wanted = dict(zip(("targets", "rules"), SHAPES[kind], strict=True))
    for name, count in (("targets", targets), ("rules", rules)):
        if count not in wanted[name]:
            return f"{kind} takes {_counted(wanted[name])} {name}, not {count}"
    return None


def name_rules(operations: Iterable[Operation], *, taken: Collection[str]) -> tuple[Operation, ...]:
    """Return the operations with an id for every rule.

    A modified rule keeps its id; every other one gets an id that is not in ``taken``.
    """
    used = set(taken)
    named: list[Operation] = []
    for operation in operations:
        rules: list[DraftRule] = []
        for rule in operation.rules:
            modifies = operation.kind == "modify"
            id_ = operation.targets[0] if modifies else rule_id(rule.title, taken=used)
            used.add(id_)
            rules.append(replace(rule, id=id_))
        named.append(replace(operation, rules=tuple(rules)))
    return tuple(named)


def apply_operation(rule_set: RuleSet, operation: Operation) -> RuleSet | None:
    """Return the set after an operation; None when a rule that it changes is not there (any more).

    New rules of a split or merge stand where the first target stood, added ones at the end.
    """
    present = {rule.id: rule for rule in rule_set.rules}
    if any(target not in present for target in operation.targets):
        return None
    if operation.kind == "add":
        return replace(rule_set, rules=(*rule_set.rules, *operation.rules))
    if operation.kind == "modify":
        old, new = present[operation.targets[0]], _modified(present, operation)
        return replace(
            rule_set, rules=tuple(new if rule is old else rule for rule in rule_set.rules)
        )
    return _replaced(rule_set, operation)


def apply_operations(rule_set: RuleSet, operations: Iterable[Operation]) -> RuleSet:
    """Return the set after all operations that apply, one after another."""
    for operation in operations:
        rule_set = apply_operation(rule_set, operation) or rule_set
    return rule_set


def _modified(present: Mapping[str, DraftRule], operation: Operation) -> DraftRule:
    old, new = present[operation.targets[0]], operation.rules[0]
    return replace(
        new,
        id=old.id,
        priority=old.priority,
        when=old.when,
        lineage=old.lineage,
        first_request=old.first_request or old.request,
    )


def _replaced(rule_set: RuleSet, operation: Operation) -> RuleSet:
    """Put the operation's rules (none when it retires) where the first target stands."""
    targets = set(operation.targets)
    first = min(rule_set.ids.index(target) for target in targets)
    whens = {rule.when for rule in rule_set.rules if rule.id in targets}
    when = whens.pop() if len(whens) == 1 else ()  # rules for two kinds of input make one for all
    new = tuple(replace(rule, lineage=operation.targets, when=when) for rule in operation.rules)
    left = [rule for rule in rule_set.rules[:first] if rule.id not in targets]
    right = [rule for rule in rule_set.rules[first:] if rule.id not in targets]
    gone = tuple(rule for rule in rule_set.rules if rule.id in targets) if new else ()
    return replace(rule_set, rules=(*left, *new, *right), ancestors=(*rule_set.ancestors, *gone))


def _counted(counts: range) -> str:
    if len(counts) == 1:
        return "no" if not counts[0] else str(counts[0])
    return f"{counts[0]} to {counts[-1]}"
