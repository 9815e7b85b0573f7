"""What rules and examples can be filtered by, as numbers: the script sees no text of anybody's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pldgov.dossier import Dossier, ExampleEntry, RuleEntry

STATUSES = ("active", "draft", "deprecated")
APPROVALS = {
    "valid": "approved",
    "void": "approval void",
    "idle": "approved, not active",
    "none": "not approved",
}
SPLITS = ("train", "validation", "gate", "not found")
ANSWERS = {"right": "right", "wrong": "wrong", "none": "not measured"}
CITED = ("cited by a rule", "not cited")


@dataclass(frozen=True)
class Facets:
    """The choices of each filter.

    ``values`` holds for each element, in the page's order, the numbers of those that it has:
    ``{"rules": {"label": [[0], ...], ...}, "examples": {...}}``.
    """

    rules: dict[str, tuple[str, ...]]
    examples: dict[str, tuple[str, ...]]
    values: dict[str, dict[str, list[list[int]]]]


def facets_of(dossier: Dossier) -> Facets:
    """Return the filters of a dossier."""
    rulebook = dossier.rulebook
    labels = _choices(
        (
            *rulebook.labels,
            *(label for entry in dossier.rules for label in entry.rule.labels),
            *(one.label for one in dossier.examples if one.label is not None),
        )
    )
    owners = _choices(entry.rule.owner or rulebook.owner for entry in dossier.rules)
    rules = {
        "label": labels,
        "status": STATUSES,
        "owner": owners,
        "approval": tuple(APPROVALS.values()),
    }
    examples = {
        "label": labels,
        "split": SPLITS,
        "answer": tuple(ANSWERS.values()),
        "cited": CITED,
    }
    by_rule = [_of_rule(entry, rulebook.owner) for entry in dossier.rules]
    by_example = [_of_example(entry) for entry in dossier.examples]
    return Facets(
        rules,
        examples,
        {"rules": _numbers(rules, by_rule), "examples": _numbers(examples, by_example)},
    )


def _of_rule(entry: RuleEntry, owner: str) -> dict[str, Sequence[str]]:
    return {
        "label": entry.rule.labels,
        "status": (entry.rule.status,),
        "owner": (entry.rule.owner or owner,),
        "approval": (APPROVALS[entry.standing],),
    }


def _of_example(entry: ExampleEntry) -> dict[str, Sequence[str]]:
    right = entry.decision is not None and entry.decision.label == entry.decision.gold
    answer = "none" if entry.decision is None else "right" if right else "wrong"
    return {
        "label": () if entry.label is None else (entry.label,),
        "split": (entry.split or SPLITS[-1],),
        "answer": (ANSWERS[answer],),
        "cited": (CITED[0] if entry.cited_by else CITED[1],),
    }


def _numbers(
    choices: dict[str, tuple[str, ...]], entries: Sequence[dict[str, Any]]
) -> dict[str, list[list[int]]]:
    found = {}
    for name, known in choices.items():
        place = {choice: number for number, choice in enumerate(known)}
        found[name] = [[place[one] for one in entry[name]] for entry in entries]
    return found


def _choices(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
