"""Examples with what points at them: citations, teacher's words, the student's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.dataset import SPLIT_NAMES
from pldgov.dossier import CitedBy, CitedExample, ExampleEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pldgov.dataset import Example, SplitName
    from pldgov.dossier import Pin, TeacherWord
    from pldgov.results import Decision
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Citation, Rule

EXCERPT = 160
"""Characters of an example's inputs that a citation shows."""


def cited_examples(rule: Rule, revision: Revision, *, texts: bool) -> tuple[CitedExample, ...]:
    """Return a rule's citations in the rulebook's order, with the state of what they cite."""
    train = train_by_id(revision)
    cited = rule.provenance.examples if rule.provenance else ()
    return tuple(_cited(one, train, revision, texts=texts) for one in cited)


def train_by_id(revision: Revision) -> dict[str, Example]:
    """Return the examples that rules may cite by id; none where they are not here."""
    return {example.id: example for example in revision.splits.get("train", ())}


def _cited(
    citation: Citation, train: Mapping[str, Example], revision: Revision, *, texts: bool
) -> CitedExample:
    example = train.get(citation.id)
    return CitedExample(
        id=citation.id,
        role=citation.role,
        pin=_pin(citation, example, is_here="train" in revision.splits),
        sha256=citation.sha256,
        label=example.label if example else None,
        text=excerpt(example.inputs) if example and texts else None,
    )


def _pin(citation: Citation, example: Example | None, *, is_here: bool) -> Pin:
    if example is None:
        return "not found" if is_here else "not here"
    if citation.sha256 is None:
        return "not pinned"
    return "as cited" if citation.sha256 == example.sha256 else "changed since"


def excerpt(inputs: Mapping[str, str]) -> str:
    """Return the beginning of an example's inputs on one line."""
    flat = " ".join(" ".join(inputs.values()).split())
    return flat if len(flat) <= EXCERPT else f"{flat[: EXCERPT - 4].rstrip()} ..."


def list_examples(
    rules: Sequence[Rule],
    revision: Revision,
    *,
    words: Mapping[str, tuple[TeacherWord, ...]],
    decisions: Sequence[Decision],
    texts: bool,
) -> tuple[ExampleEntry, ...]:
    """Return every example of every split that is here, then those that are only cited."""
    citing = _citing(rules)
    said = {decision.example_id: decision for decision in decisions}
    entries = [
        ExampleEntry(
            id=example.id,
            split=split,
            label=example.label,
            sha256=example.sha256,
            inputs=dict(example.inputs) if texts else None,
            cited_by=citing.get(example.id, ()) if split == "train" else (),
            teacher=words.get(example.id, ()) if split == "train" else (),
            decision=said.get(example.id) if split == "gate" else None,
        )
        for split, example in _every(revision)
    ]
    known = train_by_id(revision)
    entries += [
        ExampleEntry(id=id_, split=None, cited_by=by, teacher=words.get(id_, ()))
        for id_, by in citing.items()
        if id_ not in known
    ]
    return tuple(entries)


def _every(revision: Revision) -> Iterator[tuple[SplitName, Example]]:
    for split in SPLIT_NAMES:
        for example in revision.splits.get(split, ()):
            yield split, example


def _citing(rules: Sequence[Rule]) -> dict[str, tuple[CitedBy, ...]]:
    found: dict[str, tuple[CitedBy, ...]] = {}
    for rule in rules:
        for one in rule.provenance.examples if rule.provenance else ():
            found[one.id] = (*found.get(one.id, ()), CitedBy(rule.id, rule.title, one.role))
    return found
