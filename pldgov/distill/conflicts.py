"""Conflicts between rules, and between rules and what they cite, found without asking a teacher.

What is found is a suspicion in words: a teacher or a person judges it. It works on the rules of
a rulebook as on drafts.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pldgov.distill.model import Conflict, DraftRule
from pldgov.rulebook.content_words import ContentWords, content_words, disjoint
from pldgov.scoped_rules import apart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pldgov.rulebook.model import Rule

NEAR = 0.9
"""The least cosine at which two rules are about the same, unless told otherwise."""
LEAST_WORDS = 3
"""A rule of fewer content words is contained in too many others for that to mean anything."""


@dataclass(frozen=True, slots=True)
class _View:
    """What conflicts are about, whichever kind of rule it was."""

    id: str
    labels: tuple[str, ...]
    content: ContentWords
    priority: int
    cites: tuple[tuple[str, str], ...]
    when: Mapping[str, tuple[str, ...]]


def find_conflicts(
    rules: Sequence[Rule | DraftRule],
    *,
    gold: Mapping[str, str],
    labels: Sequence[str],
    vectors: NDArray[np.float32] | None = None,
    near: float = NEAR,
) -> tuple[Conflict, ...]:
    """Return the conflicts of a rule set, in the order of its rules; deprecated rules have none.

    ``gold`` gives the labels of examples by id (a cited example that it lacks is not judged),
    ``labels`` the task's. Row i of ``vectors`` (unit length) is the i-th rule's condition, or
    its instruction without the names of labels (``content_words.without_labels``); without
    vectors the words are compared, and ``near`` is the share of words in common.

    - contradiction: near-equal rules for different labels, of which neither negates what the
      other affirms; or two such rules that rest on the same example.
    - duplicate: near-equal rules for the same labels.
    - subsumption: all content words of one rule stand in another one's, which argues for another
      label and is not placed before it by priority, so that the general rule meets its case.
    - counter-example: a supporting example whose gold label is not the rule's, or a counter
      example whose gold label is. ``second`` is the example.
    """
    living = [
        (index, _view(rule, labels))
        for index, rule in enumerate(rules)
        if isinstance(rule, DraftRule) or rule.status != "deprecated"
    ]
    views = [view for _, view in living]
    similar = _similarities(views, vectors, [index for index, _ in living])
    found = [*_between(views, similar, near, measured=vectors is not None)]
    found += _same_support(views)
    for view in views:
        found += _against_examples(view, gold)
    return tuple(_without_repeats(found))


def _view(rule: Rule | DraftRule, labels: Sequence[str]) -> _View:
    if isinstance(rule, DraftRule):
        cites = tuple((cited.id, cited.role) for cited in rule.cites)
    else:
        examples = rule.provenance.examples if rule.provenance else ()
        cites = tuple((cited.id, cited.role) for cited in examples)
    content = content_words(rule.instruction, labels=labels)
    when = dict(rule.when)
    return _View(rule.id, tuple(rule.labels), content, rule.priority, cites, when)


def _similarities(
    views: Sequence[_View], vectors: NDArray[np.float32] | None, rows: Sequence[int]
) -> NDArray[np.float32]:
    if vectors is not None:
        return vectors[list(rows)] @ vectors[list(rows)].T
    similar = np.eye(len(views), dtype=np.float32)
    for one, other in itertools.combinations(range(len(views)), 2):
        shared = views[one].content.similarity(views[other].content)
        similar[one, other] = similar[other, one] = shared
    return similar


def _between(
    views: Sequence[_View], similar: NDArray[np.float32], near: float, *, measured: bool
) -> Iterator[Conflict]:
    for one, other in itertools.combinations(range(len(views)), 2):
        first, second = views[one], views[other]
        if apart(first.when, second.when):
            continue
        cosine = min(1.0, float(similar[one, other])) if measured else None
        if similar[one, other] >= near:
            yield from _near_equal(first, second, cosine)
        elif disjoint(first.labels, second.labels):
            for general, special in ((first, second), (second, first)):
                if _covers(general, special):
                    yield _subsumption(general, special, cosine)


def _near_equal(first: _View, second: _View, cosine: float | None) -> Iterator[Conflict]:
    if set(first.labels) == set(second.labels):
        said = f'"{first.id}" and "{second.id}" say almost the same'
        yield Conflict("duplicate", first.id, second.id, said, cosine)
    elif (
        disjoint(first.labels, second.labels)
        and first.content.negations == second.content.negations
    ):
        said = (
            f'"{first.id}" argues for {_named(first)} and "{second.id}" for {_named(second)} '
            "in almost the same case"
        )
        yield Conflict("contradiction", first.id, second.id, said, cosine)


def _covers(general: _View, special: _View) -> bool:
    inside = general.content.words < special.content.words
    return (
        inside
        and len(general.content.words) >= LEAST_WORDS
        and general.content.negations == special.content.negations
        and special.priority <= general.priority
    )


def _subsumption(general: _View, special: _View, cosine: float | None) -> Conflict:
    said = (
        f'"{general.id}" ({_named(general)}) holds wherever "{special.id}" ({_named(special)}) '
        "does, which no higher priority puts before it"
    )
    return Conflict("subsumption", general.id, special.id, said, cosine)


def _same_support(views: Sequence[_View]) -> Iterator[Conflict]:
    """Find rules for different labels that rest on one example: it has one label only."""
    resting = defaultdict(list)
    for view in views:
        for example, role in view.cites:
            if role == "support":
                resting[example].append(view)
    for example, on_it in resting.items():
        for first, second in itertools.combinations(on_it, 2):
            if disjoint(first.labels, second.labels):
                said = (
                    f'"{first.id}" argues for {_named(first)} and "{second.id}" for '
                    f'{_named(second)}, and both rest on example "{example}"'
                )
                yield Conflict("contradiction", first.id, second.id, said)


def _against_examples(view: _View, gold: Mapping[str, str]) -> Iterator[Conflict]:
    for example, role in view.cites:
        label = gold.get(example)
        if label is None or not view.labels:
            continue
        if role == "support" and label not in view.labels:
            said = f'"{view.id}" argues for {_named(view)}, but rests on "{example}", a "{label}"'
            yield Conflict("counter-example", view.id, example, said)
        elif role == "counter" and label in view.labels:
            said = f'"{view.id}" argues for "{label}", the label of its counter example "{example}"'
            yield Conflict("counter-example", view.id, example, said)


def _named(view: _View) -> str:
    return " or ".join(f'"{label}"' for label in view.labels)


def _without_repeats(found: Sequence[Conflict]) -> Iterator[Conflict]:
    """Yield the first conflict of each kind between the same two."""
    seen: set[tuple[str, str, str]] = set()
    for conflict in found:
        key = (conflict.kind, conflict.first, conflict.second)
        if key not in seen:
            seen.add(key)
            yield conflict
