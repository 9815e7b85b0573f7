"""Reading thousands of versions of a rulebook: every text of a rule is read only once.

From one version to the next hardly more than one rule changes, and reading YAML is what costs. So
a text is cut into its rules, line by line, and each piece is read for itself. Where a piece cannot
be read alone (an alias into another rule, brackets over several lines, an error), the whole file
is read as it always is, with the same result.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml
from pydantic import ValidationError

from pldgov.rulebook.document import garbage_collector_paused, parse_document
from pldgov.rulebook.model import Rule
from pldgov.rulebook.yaml_nodes import compose
from pldgov.rulebook.yaml_values import to_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.problems import Problem
    from pldgov.rulebook.model import Rulebook

_RULES = re.compile(r"^rules:[ \t]*(?:#.*)?\n", re.MULTILINE)
_FIRST = re.compile(r"(?:[ \t]*(?:#.*)?\n)*( *)- ")
_END = re.compile(r"^[^ \t\n#-]", re.MULTILINE)
_MARKER = re.compile(r"^(?:---|\.\.\.|[<=>]{7})", re.MULTILINE)
_TOLERATED = {"unknown-key"}
"""Problems of a version written for another schema: what is known of it counts."""


@dataclass(frozen=True)
class Snapshot:
    """One version of a rulebook.

    ``rulebook`` has no rules where the text was read in pieces: they stand in ``rules``, in the
    file's order. It is None when the version cannot be read, and ``problem`` says why.
    """

    rulebook: Rulebook | None
    rules: Mapping[str, Rule] = field(default_factory=dict)
    problem: str | None = None


class SnapshotReader:
    """Reads versions of rulebooks; equal texts give the same objects."""

    def __init__(self) -> None:
        self._heads: dict[str, Rulebook | None] = {}
        self._rules: dict[str, Rule | None] = {}

    def read(self, data: bytes) -> Snapshot:
        """Return the rulebook in a file's bytes; never raises for what stands in them."""
        with garbage_collector_paused():
            return self._in_pieces(data) or _whole(data)

    def _in_pieces(self, data: bytes) -> Snapshot | None:
        """Return the rulebook read rule by rule, None where that could be misled."""
        try:
            text = (
                data.decode("utf-8")
                .removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
                .replace("\r\n", "\n")
            )
        except UnicodeDecodeError:
            return None
        pieces = split_rules(text)
        if pieces is None:
            return None
        head, items = pieces
        if head not in self._heads:
            self._heads[head] = _head(head)
        rulebook = self._heads[head]
        if rulebook is None:
            return None
        rules: dict[str, Rule] = {}
        for item in items:
            if item not in self._rules:
                self._rules[item] = _rule(item)
            rule = self._rules[item]
            if rule is None or rule.id in rules:
                return None
            rules[rule.id] = rule
        return Snapshot(rulebook, rules)


def split_rules(text: str) -> tuple[str, tuple[str, ...]] | None:
    """Return what stands around the rules, with an empty list for them, and each rule's lines.

    None where lines do not tell the rules apart: a list in brackets, several documents, or the
    markers of an unfinished merge.
    """
    keys = list(_RULES.finditer(text))
    if len(keys) != 1 or "\r" in text or _MARKER.search(text):
        return None
    key = keys[0]
    first = _FIRST.match(text, key.end())
    if first is None:
        return None
    end = _END.search(text, key.end())
    stop = end.start() if end else len(text)
    dash = re.compile(rf"^{first[1]}-(?=[ \n])", re.MULTILINE)
    starts = [found.start() for found in dash.finditer(text, key.end(), stop)]
    if not starts or starts[0] != first.end() - 2 - len(first[1]):
        return None
    items = tuple(text[a:b] for a, b in zip(starts, [*starts[1:], stop], strict=True))
    return f"{text[: key.start()]}rules: []\n{text[stop:]}", items


def _head(text: str) -> Rulebook | None:
    document = parse_document(text.encode(), path="")
    return document.rulebook if _is_sound(document.problems) else None


def _rule(item: str) -> Rule | None:
    text = f"rules:\n{item}"
    root = compose(text)
    if not isinstance(root, yaml.MappingNode):
        return None
    values, faults = to_values(root, text)
    if faults or list(values) != ["rules"] or len(values["rules"]) != 1:
        return None
    try:
        return Rule.model_validate(values["rules"][0])
    except ValidationError:
        return None


def _whole(data: bytes) -> Snapshot:
    document = parse_document(data, path="")
    if document.rulebook is None or not _is_sound(document.problems):
        first = next(one for one in document.problems if one.code not in _TOLERATED)
        return Snapshot(None, problem=f"line {first.line}: {first.message}")
    rules: dict[str, Rule] = {}
    for rule in document.rulebook.rules:
        rules.setdefault(rule.id, rule)
    return Snapshot(document.rulebook, rules)


def _is_sound(problems: tuple[Problem, ...]) -> bool:
    return all(one.severity != "error" or one.code in _TOLERATED for one in problems)
