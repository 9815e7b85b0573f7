"""Checks of the labelled examples: what would make a measurement on them worthless."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pldgov.data.similarity import near_duplicates
from pldgov.rulebook.checks.subject import check
from pldgov.rulebook.obtaining import absence, advice
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.dataset import Example, SplitName
    from pldgov.rulebook.checks.subject import Finding, Subject

_FEWEST_LABELS = 2


@check(
    "examples-absent",
    severity="warning",
    scope="data",
    description="examples that are not committed (`examples.obtain`) and not here",
)
def examples_absent(subject: Subject) -> Iterator[Finding]:
    """Find examples about which nothing can be said on this machine."""
    if subject.absent:
        examples = subject.rulebook.examples
        said = f"{absence(examples, subject.absent)}; no check looked at them"
        yield subject.at("examples", message=said, hint=advice(examples), at_key=True)


@check(
    "unknown-data-label",
    severity="error",
    scope="data",
    description="a label of an example that the task lacks",
    needs_all=True,
)
def unknown_data_label(subject: Subject) -> Iterator[Finding]:
    """Find labels that no student can answer, each once a split."""
    known = subject.rulebook.labels
    for name, examples in subject.splits.items():
        counts = Counter(example.label for example in examples if example.label not in known)
        first = {example.label: example for example in reversed(examples)}
        for label, count in counts.items():
            many = f" and {count - 1} more" if count > 1 else ""
            yield subject.in_split(
                name,
                first[label],
                message=f'example "{first[label].id}"{many} of the {name} split has the label '
                f'"{label}", which is no label of the task',
                hint=did_you_mean(label, known) or f"labels: {', '.join(known)}",
            )


@check(
    "gate-lacks-label",
    severity="warning",
    scope="data",
    description="a label of the task that no example of the gate split has",
)
def gate_lacks_label(subject: Subject) -> Iterator[Finding]:
    """Find labels that the gate cannot judge."""
    present = {example.label for example in subject.splits.get("gate", ())}
    if len(present) < _FEWEST_LABELS:
        return
    for label in subject.rulebook.labels:
        if label not in present:
            said = f'no example of the gate split has the label "{label}": it cannot be judged'
            yield subject.at("task", "labels", label, message=said, at_key=True)


@check(
    "gate-one-label",
    severity="error",
    scope="data",
    description="a gate split without examples, or with examples of one label only",
)
def gate_one_label(subject: Subject) -> Iterator[Finding]:
    """Find gates whose macro-F1 says nothing."""
    if "gate" not in subject.splits:
        return
    present = {example.label for example in subject.splits["gate"]}
    if len(present) < _FEWEST_LABELS:
        what = f'only examples of the label "{present.pop()}"' if present else "no examples"
        said = f"the gate split has {what}: macro-F1 on it says nothing"
        yield subject.at("examples", "gate", message=said)


@check(
    "shared-example-id",
    severity="error",
    scope="data",
    description="an example id that stands in two splits",
)
def shared_example_id(subject: Subject) -> Iterator[Finding]:
    """Find ids that do not say which example they mean."""
    seen: dict[str, SplitName] = {}
    for name, examples in subject.splits.items():
        for example in examples:
            other = seen.setdefault(example.id, name)
            if other != name:
                said = f'example id "{example.id}" of the {name} split stands in the {other} split'
                yield subject.in_split(name, example, message=said, hint="rename one of them")


@check(
    "similar-across-splits",
    severity="error",
    scope="data",
    description="an example that equals, or nearly, one of another split",
)
def similar_across_splits(subject: Subject) -> Iterator[Finding]:
    """Find texts that were seen before they are judged."""
    for pair in near_duplicates({str(name): rows for name, rows in subject.splits.items()}):
        exact = pair.similarity == 1
        how = "equals" if exact else f"is nearly ({pair.similarity:.0%} of word pairs) the same as"
        split = _as_split(subject, pair.second_split)
        yield subject.in_split(
            split,
            pair.second,
            message=f'example "{pair.second.id}" of the {split} split {how} '
            f'"{pair.first.id}" of the {pair.first_split} split',
            hint="keep it in one split, or split again with: pldgov data split",
        )


def _as_split(subject: Subject, name: str) -> SplitName:
    return next(split for split in subject.splits if split == name)


@check(
    "group-across-splits",
    severity="error",
    scope="data",
    description="a group whose examples stand in two splits",
)
def group_across_splits(subject: Subject) -> Iterator[Finding]:
    """Find groups on both sides of a split, each once a pair of splits."""
    home: dict[str, tuple[SplitName, Example]] = {}
    reported: set[tuple[str, SplitName]] = set()
    for name, examples in subject.splits.items():
        for example in examples:
            if example.group is None:
                continue
            split, first = home.setdefault(example.group, (name, example))
            if split != name and (example.group, name) not in reported:
                reported.add((example.group, name))
                yield subject.in_split(
                    name,
                    example,
                    message=f'group "{example.group}" stands in the {split} split (example '
                    f'"{first.id}") and in the {name} split (example "{example.id}")',
                    hint="split by group: pldgov data split",
                )


CHECKS = (
    examples_absent,
    unknown_data_label,
    gate_lacks_label,
    gate_one_label,
    shared_example_id,
    similar_across_splits,
    group_across_splits,
)
