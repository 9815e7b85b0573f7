"""Checks of what rules rest on: origin, teacher, and the examples that they cite."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pldgov.rulebook.checks.subject import check, listed
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pldgov.dataset import Example
    from pldgov.rulebook.checks.subject import Finding, Subject
    from pldgov.rulebook.model import Citation, Rule

    Cited = tuple[int, Rule, int, Citation]
    """Index of the rule, rule, row of the citation, citation."""

_MOST_GUESSES = 20
"""Wrong ids of a lint run for which near ones are looked up."""

_MOST_CANDIDATES = 1_000
"""Ids that a wrong one is compared with: at 20 microseconds each, a thousand take no time."""


def _citations(subject: Subject) -> Iterator[Cited]:
    for index, rule in subject.living_rules:
        for row, citation in enumerate(rule.provenance.examples if rule.provenance else ()):
            yield index, rule, row, citation


def _loc(row: int, key: str = "id") -> tuple[str | int, ...]:
    return ("provenance", "examples", row, key)


def _train_example(subject: Subject, citation: Citation) -> Example | None:
    return subject.by_id.get("train", {}).get(citation.id)


@check(
    "missing-provenance",
    severity="error",
    description="a rule without provenance",
)
def missing_provenance(subject: Subject) -> Iterator[Finding]:
    """Find rules that do not say where they come from."""
    for index, rule in subject.living_rules:
        if rule.provenance is None:
            said = f'rule "{rule.id}" has no provenance'
            hint = "say who wrote it (origin) and which training examples it rests on (examples)"
            yield subject.in_rule(index, message=said, hint=hint)


@check(
    "no-supporting-example",
    severity="warning",
    description="a rule that cites no supporting example, unless it is imported",
)
def no_supporting_example(subject: Subject) -> Iterator[Finding]:
    """Find rules that rest on nothing."""
    for index, rule in subject.living_rules:
        provenance = rule.provenance
        if provenance is None or provenance.origin == "imported":
            continue
        if not any(citation.role == "support" for citation in provenance.examples):
            said = f'rule "{rule.id}" cites no supporting example'
            yield subject.in_rule(index, "provenance", message=said)


@check(
    "missing-teacher",
    severity="error",
    description="a distilled rule that names no teacher",
)
def missing_teacher(subject: Subject) -> Iterator[Finding]:
    """Find distilled rules whose distillation cannot be traced."""
    for index, rule in subject.living_rules:
        provenance = rule.provenance
        if provenance and provenance.origin == "distilled" and provenance.teacher is None:
            said = f'rule "{rule.id}" is distilled, but names no teacher'
            yield subject.in_rule(index, "provenance", "origin", message=said)


@check(
    "leakage",
    severity="error",
    description="a rule that cites an example of the gate split",
    needs=("train", "gate"),
)
def leakage(subject: Subject) -> Iterator[Finding]:
    """Find rules written with a look at the examples that judge them."""
    gate, train = subject.by_id.get("gate", {}), subject.by_id.get("train", {})
    for index, rule, row, citation in _citations(subject):
        if citation.id in gate and citation.id not in train:
            where = subject.split_spec("gate")
            yield subject.in_rule(
                index,
                *_loc(row),
                message=f'rule "{rule.id}" cites example "{citation.id}" of the gate split '
                f"({where}): the gate would judge what the rule was made from",
                hint="cite training examples only",
            )


@check(
    "validation-cited",
    severity="warning",
    description="a rule that cites an example of the validation split",
    needs=("train", "validation"),
)
def validation_cited(subject: Subject) -> Iterator[Finding]:
    """Find rules whose acceptance was measured on what they rest on."""
    validation, train = subject.by_id.get("validation", {}), subject.by_id.get("train", {})
    for index, rule, row, citation in _citations(subject):
        if citation.id in validation and citation.id not in train:
            said = f'rule "{rule.id}" cites example "{citation.id}" of the validation split'
            yield subject.in_rule(
                index, *_loc(row), message=said, hint="cite training examples only"
            )


@check(
    "missing-example",
    severity="error",
    description="a rule that cites an example which no split has",
    needs=("train", "validation", "gate"),
)
def missing_example(subject: Subject) -> Iterator[Finding]:
    """Find citations of examples that do not exist."""
    if "train" not in subject.splits:
        return
    train = subject.by_id["train"]
    where = subject.split_spec("train")
    known = {example_id for examples in subject.by_id.values() for example_id in examples}
    missing = (cited for cited in _citations(subject) if cited[3].id not in known)
    for number, (index, rule, row, citation) in enumerate(missing):
        said = f'rule "{rule.id}" cites example "{citation.id}", which is not in {where}'
        hint = _near_id(citation.id, train) if number < _MOST_GUESSES else None
        yield subject.in_rule(index, *_loc(row), message=said, hint=hint)


def _near_id(wrong: str, known: Collection[str]) -> str | None:
    """Look among the ids that share a half with the wrong one, as they do after one slip."""
    half = len(wrong) // 2
    tail, head = wrong[half:], wrong[:half]
    near = [one for one in known if one.endswith(tail)]
    near += [one for one in known if head and one.startswith(head)]
    return did_you_mean(wrong, near[:_MOST_CANDIDATES])


@check(
    "changed-example",
    severity="error",
    description="a cited example whose text or label is not the one that was cited",
    needs=("train",),
)
def changed_example(subject: Subject) -> Iterator[Finding]:
    """Find citations whose hash is not the example's."""
    for index, rule, row, citation in _citations(subject):
        example = _train_example(subject, citation)
        if example and citation.sha256 and citation.sha256 != example.sha256:
            yield subject.in_rule(
                index,
                *_loc(row, "sha256"),
                message=f'rule "{rule.id}" cites example "{citation.id}", '
                f"which has changed since ({example.sha256[:12]}... now)",
                hint="look at it again, then run: pldgov fmt --pin",
            )


@check(
    "unpinned-example",
    severity="warning",
    description="a rule that cites examples without their hash",
)
def unpinned_example(subject: Subject) -> Iterator[Finding]:
    """Find citations that would not notice a change of the example."""
    for index, rule in subject.living_rules:
        examples = rule.provenance.examples if rule.provenance else ()
        bare = [row for row, citation in enumerate(examples) if citation.sha256 is None]
        if bare:
            names = listed([examples[row].id for row in bare])
            yield subject.in_rule(
                index,
                *_loc(bare[0]),
                message=f'rule "{rule.id}" cites {names} without sha256',
                hint="run: pldgov fmt --pin",
            )


@check(
    "repeated-citation",
    severity="warning",
    description="a rule that cites an example twice",
)
def repeated_citation(subject: Subject) -> Iterator[Finding]:
    """Find examples cited twice by one rule."""
    for index, rule, row, citation in _citations(subject):
        assert rule.provenance is not None
        earlier = islice(rule.provenance.examples, row)
        if any(other.id == citation.id for other in earlier):
            said = f'rule "{rule.id}" cites example "{citation.id}" twice'
            yield subject.in_rule(index, *_loc(row), message=said)


@check(
    "contrary-support",
    severity="warning",
    description="a supporting example with a label that its rule does not argue for",
    needs=("train",),
)
def contrary_support(subject: Subject) -> Iterator[Finding]:
    """Find support that argues for something else."""
    for index, rule, row, citation in _citations(subject):
        example = _train_example(subject, citation)
        if citation.role != "support" or example is None or not rule.labels:
            continue
        if example.label not in rule.labels:
            yield subject.in_rule(
                index,
                *_loc(row),
                message=f'rule "{rule.id}" argues for {listed(rule.labels)}, but its supporting '
                f'example "{example.id}" is labelled "{example.label}"',
                hint="role: counter, if the rule must not apply to it",
            )


@check(
    "contrary-counter",
    severity="warning",
    description="a counter example with the label that its rule argues for",
    needs=("train",),
)
def contrary_counter(subject: Subject) -> Iterator[Finding]:
    """Find counter examples that support the rule."""
    for index, rule, row, citation in _citations(subject):
        example = _train_example(subject, citation)
        if citation.role == "counter" and example and example.label in rule.labels:
            yield subject.in_rule(
                index,
                *_loc(row),
                message=f'rule "{rule.id}" argues for "{example.label}", which is the label of '
                f'its counter example "{example.id}"',
                hint="role: support, if the rule applies to it",
            )


CHECKS = (
    missing_provenance,
    no_supporting_example,
    missing_teacher,
    leakage,
    validation_cited,
    missing_example,
    changed_example,
    unpinned_example,
    repeated_citation,
    contrary_support,
    contrary_counter,
)
