"""Checks of the rules among themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.data.similarity import near_equal_pairs
from pldgov.dataset import Example
from pldgov.rulebook.checks.subject import check, listed
from pldgov.rulebook.content_words import content_words, disjoint, nearly_within
from pldgov.scoped_rules import apart
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.rulebook.checks.subject import Finding, Subject
    from pldgov.rulebook.content_words import ContentWords
    from pldgov.rulebook.model import Rule

_MOST_COMPARED = 5_000
"""Rules whose wording is compared with each other; more than any prompt can hold."""
_NEARLY_THE_SAME = 0.85
"""Share of content words in common."""
_LEAST_WORDS = 4
"""A rule of fewer content words stands in too many others for that to mean anything."""


@check(
    "duplicate-rule-id",
    severity="error",
    description="an id that two rules share; an id is never reused, not even a deprecated rule's",
)
def duplicate_rule_id(subject: Subject) -> Iterator[Finding]:
    """Find ids that stand a second time."""
    first: dict[str, int] = {}
    for index, rule in enumerate(subject.rulebook.rules):
        known = first.setdefault(rule.id, index)
        if known != index:
            line, _ = subject.document.rule_position(known)
            old = subject.rulebook.rules[known]
            retired = ", where it is deprecated" if old.status == "deprecated" else ""
            yield subject.in_rule(
                index,
                message=f'rule id "{rule.id}" stands first in line {line}{retired}',
                hint="give the rule an id that was never used",
            )


@check(
    "no-active-rule",
    severity="error",
    scope="rulebook",
    description="a rulebook without rules, or without an active one",
    needs_all=True,
)
def no_active_rule(subject: Subject) -> Iterator[Finding]:
    """Find a rulebook that tells the student nothing."""
    if not subject.rulebook.rules:
        yield subject.at("rules", message="the rulebook has no rules", hint="add a rule")
    elif not subject.rulebook.active_rules:
        yield subject.at(
            "rules",
            message="the rulebook has no active rule",
            hint='set "status: active" on the rules that the student shall read',
        )


@check(
    "unknown-related",
    severity="error",
    description="a related rule that does not exist",
    needs_all=True,
)
def unknown_related(subject: Subject) -> Iterator[Finding]:
    """Find relations that lead nowhere or to the rule itself."""
    ids = {rule.id for rule in subject.rulebook.rules}
    for index, rule in enumerate(subject.rulebook.rules):
        for row, relation in enumerate(rule.related):
            loc = ("related", row, "id")
            if relation.id == rule.id:
                said = f'rule "{rule.id}" is related to itself'
                yield subject.in_rule(index, *loc, message=said)
            elif relation.id not in ids:
                said = f'rule "{rule.id}" is related to "{relation.id}", which does not exist'
                yield subject.in_rule(
                    index, *loc, message=said, hint=did_you_mean(relation.id, ids)
                )


@check(
    "modified-before-created",
    severity="error",
    description="a rule that was modified before it was created",
)
def modified_before_created(subject: Subject) -> Iterator[Finding]:
    """Find dates in the wrong order."""
    for index, rule in enumerate(subject.rulebook.rules):
        if rule.created and rule.modified and rule.modified < rule.created:
            yield subject.in_rule(
                index,
                "modified",
                message=f'rule "{rule.id}" was modified on {rule.modified}, '
                f"before it was created on {rule.created}",
            )


@check(
    "similar-instruction",
    severity="warning",
    description="a rule that says almost the same as an earlier one",
)
def similar_instruction(subject: Subject) -> Iterator[Finding]:
    """Find instructions that are equal, or nearly, in words."""
    rules = subject.living_rules[:_MOST_COMPARED]
    texts = [Example(rule.id, {"instruction": rule.instruction}, "") for _, rule in rules]
    reported: set[int] = set()
    for first, second in near_equal_pairs(texts):
        if second in reported or apart(rules[first][1].when, rules[second][1].when):
            continue
        reported.add(second)
        index, rule = rules[second]
        yield subject.in_rule(
            index,
            "instruction",
            at_key=True,
            message=f'rule "{rule.id}" says almost the same as rule "{rules[first][1].id}"',
            hint="merge them, or deprecate one",
        )


@check(
    "rule-conflict",
    severity="warning",
    description="a rule that meets the case of an earlier one and argues for another label",
)
def rule_conflict(subject: Subject) -> Iterator[Finding]:
    """Find rules for different labels that say when they apply in nearly the same words.

    Or of which one holds all that the other says and more, and is not put before it by its
    priority. A negation in one of them makes two cases of it.
    """
    rules = subject.living_rules[:_MOST_COMPARED]
    labels = subject.rulebook.labels
    contents = [content_words(rule.instruction, labels=labels) for _, rule in rules]
    reported: set[tuple[int, int]] = set()
    for one, other in nearly_within(contents, missing=1 - _NEARLY_THE_SAME):
        pair = min(one, other), max(one, other)
        said = _conflict(rules[one][1], contents[one], rules[other][1], contents[other])
        if said is not None and pair not in reported:
            reported.add(pair)
            yield subject.in_rule(
                rules[pair[1]][0],
                "instruction",
                at_key=True,
                message=said,
                hint="say in one of them what tells the cases apart, or put one before the other",
            )


def _conflict(one: Rule, narrow: ContentWords, other: Rule, wide: ContentWords) -> str | None:
    """Return how ``other``, which holds nearly all words of ``one``, conflicts with it, if so."""
    if (
        not disjoint(one.labels, other.labels)
        or apart(one.when, other.when)
        or narrow.negations != wide.negations
        or len(narrow.words) < _LEAST_WORDS
    ):
        return None
    argued = f"{listed(one.labels)} and {listed(other.labels)}"
    if narrow.similarity(wide) >= _NEARLY_THE_SAME:
        return f'rules "{one.id}" and "{other.id}" argue for {argued} in nearly the same case'
    if narrow.words < wide.words and other.priority <= one.priority:
        return (
            f'rule "{one.id}" holds wherever rule "{other.id}" does, but they argue for {argued}, '
            "and no higher priority puts the narrower one first"
        )
    return None


CHECKS = (
    duplicate_rule_id,
    no_active_rule,
    unknown_related,
    modified_before_created,
    similar_instruction,
    rule_conflict,
)
