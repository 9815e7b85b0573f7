"""Flipped examples and the changed rules that they most concern, and where those rules stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.changes import by_rule
from pldgov.concerns import ChangedRule, concerned_rules
from pldgov.results import Outcome, RuleMark
from pldgov.rulebook.diff import compare_revisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pldgov.changes import Change
    from pldgov.diff_report import Concern
    from pldgov.prompt import RenderedPrompt
    from pldgov.results import GateReport
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Rule


def flip_concerns(
    gate: GateReport, changes: Sequence[Change], base: Revision, head: Revision
) -> dict[str, tuple[Concern, ...]]:
    """Return the changed rules that each flipped example concerns, by the example's id."""
    return concerned_rules(
        gate.verdict.flips,
        _changed_rules(changes, base, head),
        texts=gate.texts,
        others=[rule.instruction for rule in head.rulebook.rules],
    )


def mark_changed_rules(
    gate: GateReport,
    *,
    base: Revision,
    head: Revision,
    base_rendered: RenderedPrompt,
    head_rendered: RenderedPrompt,
) -> tuple[RuleMark, ...]:
    """Return the changed rules that the student may notice, those that broke most answers first.

    An answer that broke is counted for the one rule that its example most concerns. A gate that
    passed marks none.
    """
    if gate.verdict.outcome is Outcome.PASS:
        return ()
    changes = [
        change
        for change in compare_revisions(
            base, head, base_rendered=base_rendered, head_rendered=head_rendered
        )
        if change.subject == "rule" and change.reaches
    ]
    concerns = flip_concerns(gate, changes, base, head)
    broken: dict[str, list[str]] = {}
    for flip in gate.verdict.flips:
        if flip.kind == "broken" and concerns[flip.example_id]:
            broken.setdefault(concerns[flip.example_id][0].rule, []).append(flip.example_id)
    marks = [
        RuleMark(
            rule,
            *_position(head, rule),
            kinds=tuple(dict.fromkeys(change.kind for change in about)),
            broken=tuple(broken.get(rule, ())),
        )
        for rule, about in by_rule(changes).items()
    ]
    return tuple(sorted(marks, key=lambda mark: (-len(mark.broken), mark.line)))


def _position(head: Revision, rule_id: str) -> tuple[int, int]:
    """Return where a rule stands in head; a rule that head no longer has, where rules begin."""
    rules = head.rulebook.rules
    index = next((i for i, rule in enumerate(rules) if rule.id == rule_id), None)
    if index is None:
        return head.document.position(("rules",), at_key=True)
    return head.document.rule_position(index)


def _changed_rules(
    changes: Sequence[Change], base: Revision, head: Revision
) -> tuple[ChangedRule, ...]:
    """Return the rules that a change which can reach the student is about."""
    ids: dict[str, set[str]] = {}
    for change in changes:
        if change.subject == "rule" and change.reaches:
            ids.setdefault(change.name, {change.name}).update(change.others)
    sides = (base, head)
    by_id = [{rule.id: rule for rule in side.rulebook.rules} for side in sides]
    texts = [
        {one.id: " ".join(one.inputs.values()) for one in side.splits.get("train", ())}
        for side in sides
    ]
    train = {**texts[0], **texts[1]}
    return tuple(
        _changed_rule(
            id_,
            *([rules[one] for one in sorted(members) if one in rules] for rules in by_id),
            train=train,
        )
        for id_, members in ids.items()
    )


def _changed_rule(
    id_: str, before: Sequence[Rule], after: Sequence[Rule], *, train: Mapping[str, str]
) -> ChangedRule:
    """Return a rule with all that it was before and is now; a split or a merge has several."""
    versions = (*before, *after)
    cites = {one.id for rule in versions if rule.provenance for one in rule.provenance.examples}
    words = (
        *(text for rule in versions for text in (rule.title, rule.instruction)),
        *(train[one] for one in sorted(cites) if one in train),
    )
    old, new = (
        {label for rule in side if rule.status == "active" for label in rule.labels}
        for side in (before, after)
    )
    return ChangedRule(
        id_,
        "\n".join(dict.fromkeys(words)),
        cites=frozenset(cites),
        argues=frozenset(new),
        gave_up=frozenset(old - new),
    )
