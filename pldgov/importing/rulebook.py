"""From what was found in a prompt to a rulebook's text: drafts, with their source kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pldgov.errors import DataError, RulebookError, UsageError
from pldgov.importing.markdown import read_markdown
from pldgov.importing.playbook import is_playbook, read_playbook
from pldgov.rulebook.document import parse_document
from pldgov.rulebook.yaml_writing import block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pldgov.importing.model import FoundPrompt, FoundRule

UNKNOWN_OWNER: Final = "unassigned"
UNDESCRIBED: Final = "to be described"
TASK: Final = "Give the input exactly one label."
_FIRST_LINE: Final = "# yaml-language-server: $schema=../../rulebook.schema.json\n"
_LONGEST_TITLE: Final = 60
_BOLD_LEAD: Final = re.compile(r"^\*\*(?P<title>[^*\n]{1,60}?)[.:]?\*\*[.:]?\s")
_SENTENCE: Final = re.compile(r"^.{8,}?[.!?:;](?=\s|$)", re.DOTALL)


@dataclass(frozen=True)
class Wanted:
    """What the user says of the rulebook to be; ``labels`` maps each to its description, or ""."""

    name: str
    labels: Mapping[str, str]
    title: str | None = None
    owner: str | None = None
    task: str | None = None


@dataclass(frozen=True)
class Imported:
    """A rulebook's text, and what in it waits for people."""

    text: str
    rules: tuple[str, ...]
    unlabelled: tuple[str, ...]
    harmful: tuple[str, ...]
    undescribed: tuple[str, ...]
    without_owner: bool
    without_task: bool


def import_rulebook(text: str, wanted: Wanted, *, source: str, sha256: str) -> Imported:
    """Return the rulebook that a prompt's text makes.

    ``source`` is what references call the file, ``sha256`` its digest. Raises ``DataError`` for a
    text without rules, ``UsageError`` for labels that are missing.
    """
    named = tuple(wanted.labels)
    reader = read_playbook if is_playbook(text) else read_markdown
    found = reader(text, labels=named)
    if not found.rules:
        raise DataError(
            "no numbered or bulleted rule was found",
            where=source,
            hint="a rule is an item of a list (1. or -), or a bullet of an ACE playbook",
        )
    labels = _labels(found, wanted)
    ids = _ids(found.rules)
    content = {
        "schema": "pldgov.rulebook/v1",
        "name": wanted.name,
        "title": wanted.title or found.title or wanted.name.replace("-", " ").capitalize(),
        "owner": wanted.owner or UNKNOWN_OWNER,
        "task": {
            "instruction": wanted.task or found.task or TASK,
            "inputs": ["text"],
            "labels": {label: described or UNDESCRIBED for label, described in labels.items()},
        },
        "examples": {
            "train": "examples/train.jsonl",
            "validation": "examples/validation.jsonl",
            "gate": "examples/gate.jsonl",
        },
        "prompt": {"template": "plain.j2", "user_template": "user.j2"},
        "rules": [_rule(id_, one, source) for id_, one in zip(ids, found.rules, strict=True)],
        "metadata": {"imported": {"from": source, "sha256": sha256, "format": found.kind}},
    }
    return Imported(
        text=_sound(_FIRST_LINE + block(content, column=0), source),
        rules=ids,
        unlabelled=_those(ids, found, lambda rule: not rule.labels),
        harmful=_those(
            ids, found, lambda rule: rule.facts.get("harmful", 0) > rule.facts.get("helpful", 0)
        ),
        undescribed=tuple(label for label, described in labels.items() if not described),
        without_owner=wanted.owner is None,
        without_task=not (wanted.task or found.task),
    )


def _labels(found: FoundPrompt, wanted: Wanted) -> dict[str, str]:
    labels = {**found.labels, **{k: v or found.labels.get(k, "") for k, v in wanted.labels.items()}}
    if wanted.labels:
        labels = {label: labels[label] for label in wanted.labels}
    if len(labels) < 2:  # noqa: PLR2004  (a choice is between two)
        raise UsageError(
            f"a task has two labels or more, not {len(labels)}",
            where="--labels",
            hint='name them: --labels fraud,other, or --labels "fraud=what it is" for each',
        )
    return labels


def _rule(id_: str, rule: FoundRule, source: str) -> dict[str, Any]:
    content: dict[str, Any] = {
        "id": id_,
        "title": _title(rule.text),
        "status": "draft",
        "labels": list(rule.labels),
        "instruction": rule.text,
        "references": [f"{source}:{rule.line}"],
        "metadata": {"imported": dict(rule.facts)} if rule.facts else {},
        "provenance": {"origin": "imported"},
    }
    return {key: value for key, value in content.items() if value not in ([], {})}


def _title(text: str) -> str:
    """Return a short name: a lead in bold type, else the first sentence, cut at a word."""
    bold = _BOLD_LEAD.match(text)
    if bold:
        return bold["title"]
    flat = " ".join(text.split())
    sentence = _SENTENCE.match(flat)
    title = (sentence[0] if sentence else flat).rstrip(".:;")
    if len(title) <= _LONGEST_TITLE:
        return title or flat[:_LONGEST_TITLE]
    cut = title[:_LONGEST_TITLE].rpartition(" ")[0] or title[:_LONGEST_TITLE]
    return f"{cut} ..."


def _ids(rules: Sequence[FoundRule]) -> tuple[str, ...]:
    """Return the sources' own ids where they have some, else numbers; each once."""
    width = max(2, len(str(len(rules))))
    taken: set[str] = set()
    ids = []
    for number, rule in enumerate(rules, start=1):
        id_ = _identifier(rule.id) if rule.id else ""
        id_ = id_ or f"r-{number:0{width}}"
        unique = next(name for name in _variants(id_) if name not in taken)
        taken.add(unique)
        ids.append(unique)
    return tuple(ids)


def _identifier(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:90]


def _variants(id_: str) -> Iterator[str]:
    yield id_
    number = 2
    while True:
        yield f"{id_}-{number}"
        number += 1


def _those(ids: Sequence[str], found: FoundPrompt, test: Any) -> tuple[str, ...]:
    return tuple(id_ for id_, rule in zip(ids, found.rules, strict=True) if test(rule))


def _sound(text: str, source: str) -> str:
    """Return the text, which must be a rulebook; raises ``RulebookError`` for what is none."""
    problems = parse_document(text.encode(), path=f"the rulebook made of {source}").problems
    if problems:
        raise RulebookError(problems)
    return text
