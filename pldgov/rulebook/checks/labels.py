"""Checks of labels: those of the task, and those that rules and gate name."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from pldgov.rulebook.checks.subject import check
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.rulebook.checks.subject import Finding, Subject

_MOST_COMPARED = 200


@check(
    "unknown-label",
    severity="error",
    description="a label of a rule that the task lacks",
    needs_all=True,
)
def unknown_label(subject: Subject) -> Iterator[Finding]:
    """Find labels that rules argue for and no student can answer."""
    known = subject.rulebook.labels
    for index, rule in subject.living_rules:
        for row, label in enumerate(rule.labels):
            if label not in known:
                yield subject.in_rule(
                    index,
                    "labels",
                    row,
                    message=f'rule "{rule.id}" argues for "{label}", which is no label of the task',
                    hint=did_you_mean(label, known) or f"labels: {', '.join(known)}",
                )


@check(
    "repeated-label",
    severity="warning",
    description="a label that a rule names twice",
)
def repeated_label(subject: Subject) -> Iterator[Finding]:
    """Find labels named twice by one rule."""
    for index, rule in subject.living_rules:
        for row, label in enumerate(rule.labels):
            if label in rule.labels[:row]:
                said = f'rule "{rule.id}" names the label "{label}" twice'
                yield subject.in_rule(index, "labels", row, message=said)


@check(
    "unargued-label",
    severity="warning",
    scope="rulebook",
    description="a label of the task that no active rule argues for",
    needs_all=True,
)
def unargued_label(subject: Subject) -> Iterator[Finding]:
    """Find labels that the student hears nothing about but their description."""
    argued = {label for rule in subject.rulebook.active_rules for label in rule.labels}
    if not argued:
        return
    for label in subject.rulebook.labels:
        if label not in argued:
            said = f'no active rule argues for the label "{label}"'
            yield subject.at("task", "labels", label, message=said, at_key=True)


@check(
    "confusable-labels",
    severity="warning",
    scope="rulebook",
    description="labels that differ only in case, or of which one begins with the other",
)
def confusable_labels(subject: Subject) -> Iterator[Finding]:
    """Find labels that an answer cannot tell apart before its last character."""
    for first, second in combinations(subject.rulebook.labels[:_MOST_COMPARED], 2):
        short, long = sorted((first.casefold(), second.casefold()), key=len)
        if not long.startswith(short):
            continue
        how = "differ only in case" if short == long else "begin alike, one being the other's start"
        yield subject.at(
            "task",
            "labels",
            second,
            at_key=True,
            message=f'the labels "{first}" and "{second}" {how}',
            hint="a student's answer is easier to tell apart if labels begin differently",
        )


@check(
    "unknown-gate-label",
    severity="error",
    scope="rulebook",
    description="a label in the gate policy that the task lacks",
    needs_all=True,
)
def unknown_gate_label(subject: Subject) -> Iterator[Finding]:
    """Find floors for labels that do not exist."""
    known = subject.rulebook.labels
    for label in subject.rulebook.gate.labels:
        if label not in known:
            yield subject.at(
                "gate",
                "labels",
                label,
                at_key=True,
                message=f'the gate has a policy for "{label}", which is no label of the task',
                hint=did_you_mean(label, known) or f"labels: {', '.join(known)}",
            )


CHECKS = (unknown_label, repeated_label, unargued_label, confusable_labels, unknown_gate_label)
