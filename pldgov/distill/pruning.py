"""Phase 6: the same macro-F1 with fewer tokens; the order, layout and exemplars that serve best.

Effects of rules do not add up, so a rule is only ever judged as a part of its set.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pldgov.distill.candidates import ORDERS, best_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.distill.candidates import Judge, Judged, Layout, RuleSet

LEAST_RULES = 1
GROW_PATIENCE = 6
"""Rules in a row that may bring nothing before growing ends: the rest are cited less still."""


@dataclass(frozen=True)
class Pruned:
    """What pruning came to.

    ``effects`` holds for each rule the macro-F1 that its set loses without it (negative: the set
    is better off). ``removed`` are the ids taken out, in order.
    """

    best: Judged
    effects: tuple[tuple[str, float], ...] = ()
    removed: tuple[str, ...] = ()


def prune(start: Judged, *, judge: Judge, affordable: Callable[[], bool]) -> Pruned:
    """Leave out each rule alone, then take out one after another what costs no macro-F1.

    Backward elimination goes through the rules from the least useful on; a removal stays when
    macro-F1 is no lower and the prompt is smaller. It ends early when nothing more is
    ``affordable``.
    """
    effects: list[tuple[str, float]] = []
    for id_ in start.rule_set.ids:
        if not affordable() or len(start.rule_set.rules) <= LEAST_RULES:
            break
        alone = judge(start.rule_set.without(id_), step=f"prune: without {id_}")
        if alone.macro_f1 is not None and start.macro_f1 is not None:
            effects.append((id_, start.macro_f1 - alone.macro_f1))
    best, removed = start, []
    for id_, _ in sorted(effects, key=lambda pair: pair[1]):  # stable: ties in the set's order
        if not affordable() or len(best.rule_set.rules) <= LEAST_RULES:
            break
        smaller = judge(best.rule_set.without(id_), step=f"prune: take out {id_}")
        if no_worse_and_smaller(smaller, best):
            best = smaller
            removed.append(id_)
    return Pruned(best, tuple(effects), tuple(removed))


def grow(
    rules: RuleSet,
    empty: Judged,
    *,
    judge: Judge,
    affordable: Callable[[], bool],
    layouts: Sequence[Layout] = (),
) -> Judged:
    """Start from one rule of each label, and add others, each only if it raises macro-F1.

    A student that is worse off with all rules than with none may still do better with some, and
    leaving one of many out shows it only when the others do not hide it. The most cited come first;
    those that stay keep the order of ``rules``. The beginning is tried in the layout of ``rules``
    and in each of ``layouts``: what suits few rules need not suit all of them. (A single rule draws
    the answers to its own label, all the more with its examples shown.) Where the rules are about
    fewer than two labels, it is ``empty``, the prompt without distilled rules, which comes back
    where nothing helps. Ends after ``GROW_PATIENCE`` rules in a row that brought nothing.
    """
    ranked = rules.ordered("most-cited-first", ()).rules
    first_of_label = {rule.labels: rule.id for rule in reversed(ranked) if len(rule.labels) == 1}
    beginnings: list[Judged] = []
    if len(first_of_label) > 1:
        chosen = set(first_of_label.values())
        each = replace(rules, rules=tuple(rule for rule in rules.rules if rule.id in chosen))
        for layout in dict.fromkeys((rules.layout, *layouts)):
            if affordable():
                step = f"grow: one of each label, {layout}"
                beginnings.append(judge(replace(each, layout=layout), step=step))
    best = best_of(beginnings) or empty
    rules = replace(rules, layout=best.rule_set.layout)
    in_vain = 0
    for rule in ranked:
        if rule.id in best.rule_set.ids:
            continue
        if in_vain == GROW_PATIENCE or not affordable():
            break
        chosen = {*best.rule_set.ids, rule.id}
        wider = replace(rules, rules=tuple(one for one in rules.rules if one.id in chosen))
        judged = judge(wider, step=f"grow: with {rule.id}")
        in_vain += 1
        if judged.macro_f1 is not None and judged.macro_f1 > (best.macro_f1 or 0.0):
            best, in_vain = judged, 0
    return best


def no_worse_and_smaller(one: Judged, other: Judged) -> bool:
    """Tell whether a candidate keeps the macro-F1 in less room, or raises it."""
    if one.macro_f1 is None or other.macro_f1 is None:
        return False
    return one.macro_f1 > other.macro_f1 or (
        one.macro_f1 == other.macro_f1 and one.size < other.size
    )


def choose_layout(
    start: Judged,
    layouts: Sequence[Layout],
    *,
    judge: Judge,
    affordable: Callable[[], bool],
    rules: RuleSet | None = None,
) -> Judged:
    """Try the rules in each layout, and return the best; ``start`` stays where it is as good.

    ``rules`` are those to try where ``start`` has only what fits its own layout.
    """
    rules = rules or start.rule_set
    tried = [start]
    for layout in layouts:
        if not affordable():
            break
        tried.append(judge(replace(rules, layout=layout), step=f"layout: {layout}"))
    return best_of(tried) or start


def choose_order(
    start: Judged, labels: Sequence[str], *, judge: Judge, affordable: Callable[[], bool]
) -> Judged:
    """Try the rules in each order, and return the best; ``start`` stays where it is as good."""
    tried = [start]
    for order in ORDERS:
        ordered = start.rule_set.ordered(order, labels)
        if ordered.ids != start.rule_set.ids and affordable():
            tried.append(judge(ordered, step=f"order: {order}"))
    return best_of(tried) or start


def choose_exemplars(
    start: Judged, swaps: int, *, judge: Judge, affordable: Callable[[], bool]
) -> Judged:
    """Show other cited examples, rule by rule; keep what raises macro-F1, or holds it in less room.

    At most ``swaps`` others are tried for a rule, in the order in which the teacher cites them.
    Which examples are shown moves a small student by several points, and the first that a teacher
    names are no better than the others.
    """
    best = start
    for id_ in start.rule_set.ids:
        before = best
        for later in range(1, swaps + 1):
            other = before.rule_set.showing(id_, later)
            if other is None or not affordable():
                break
            judged = judge(other, step=f"exemplars: others of {id_}")
            if no_worse_and_smaller(judged, best):
                best = judged
    return best
