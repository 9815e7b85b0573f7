"""A rulebook's file as read: its text, the rulebook in it, and everything wrong with either."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import yaml

from pldgov.problems import Problem
from pldgov.rulebook.validation import Validated, validate
from pldgov.rulebook.yaml_nodes import Fault, Lines, compose, find
from pldgov.rulebook.yaml_values import to_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pldgov.rulebook.model import Rulebook
    from pldgov.rulebook.validation import Invalid

MAX_BYTES = 64 * 2**20
"""Largest file that is read: 140,000 rules of ordinary length."""

DOCUMENT_CODES = {
    "too-large": "a file of more than 64 MiB",
    "not-utf8": "a file that is not UTF-8",
    "empty-file": "a file without content",
    "yaml-syntax": "a text that is not YAML",
    "tab-indent": "a line indented with a tab",
    "conflict-marker": "the markers of a merge that was not finished",
    "control-character": "a character that YAML cannot hold",
    "several-documents": "more than one YAML document in a file",
    "too-deep": "values nested too deeply, or an anchor that contains itself",
    "alias-expansion": "aliases that multiply a file beyond reason",
    "tag": "a YAML tag",
    "merge-key": "a YAML merge key",
    "key-not-text": "a key that is empty or not a text",
    "duplicate-key": "a key that stands twice in one mapping",
    "unknown-key": "a key that the schema does not know",
    "missing-key": "a key that is missing",
    "wrong-type": "a value of the wrong type",
    "bad-value": "a value that is not allowed",
}
"""What ``parse_document`` reports, by code."""

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True)
class Document:
    """A rulebook's file.

    ``text`` is the decoded text without a byte order mark. ``problems`` is sorted by place; a
    document with an error among them must not be used as a rulebook. ``rulebook`` is then still
    there, without the invalid parts, when enough was valid for further checks (``complete`` is
    False); ``rule_rows[i]`` is the index in the file of ``rulebook.rules[i]``.
    """

    path: str
    text: str
    rulebook: Rulebook | None
    problems: tuple[Problem, ...]
    rule_rows: tuple[int, ...] = ()
    complete: bool = True

    @cached_property
    def root(self) -> yaml.MappingNode | None:
        """The top node, None where the text holds no mapping.

        Composed when a position is asked for: kept from the start, the nodes of a large file
        would slow the garbage collector for everything that follows.
        """
        node = compose(self.text)
        return node if isinstance(node, yaml.MappingNode) else None

    @cached_property
    def lines(self) -> Lines:
        """The lines of the text."""
        return Lines(self.text)

    def position(self, loc: Sequence[str | int], *, at_key: bool = False) -> tuple[int, int]:
        """Return line and column, from 1, of the value at ``loc`` (keys and indices, file order).

        A value that does not stand on the line of its key is shown at its key, as every value is
        with ``at_key``. A loc that does not exist falls back to its nearest existing parent.
        """
        if self.root is None:
            return 1, 1
        place = find(self.root, loc)
        prefer_key = at_key or place.depth < len(loc)
        return self.lines.position(place.offset("key" if prefer_key else "value"))

    def rule_position(self, index: int, *loc: str | int, at_key: bool = False) -> tuple[int, int]:
        """Return the position of a value in ``rulebook.rules[index]``; of its id without loc."""
        return self.position(("rules", self.rule_rows[index], *(loc or ("id",))), at_key=at_key)


def parse_document(data: bytes, *, path: str) -> Document:
    """Read a rulebook's bytes. Never raises for what stands in them.

    ``path`` is what problems call the file. All problems of syntax and structure are reported at
    once; what the values mean is for ``pldgov.rulebook.checks``.
    """
    with garbage_collector_paused():
        text = _decode(data)
        if isinstance(text, Problem):
            problem = Problem(path, text.line, text.column, text.code, text.message, text.hint)
            return Document(path, data.decode("utf-8", "replace"), None, (problem,), complete=False)
        return _read(text, path)


@contextmanager
def garbage_collector_paused() -> Iterator[None]:
    """Hold the collector off: it finds nothing among new nodes, and takes half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _decode(data: bytes) -> str | Problem:
    """Return the text, or a problem that lacks only its path."""
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 2**20:.0f} MiB"
        said = f"the file has {size}; a rulebook has at most {MAX_BYTES // 2**20} MiB"
        return Problem("", 1, 1, "too-large", said, "split it into several rulebooks")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Problem("", 1, 1, "not-utf8", "the file is UTF-16", "save it as UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = Lines(before := data[: error.start].decode("utf-8")).position(len(before))
        said = f"byte 0x{data[error.start]:02X} at offset {error.start} is not UTF-8"
        return Problem("", line, column, "not-utf8", said, "save the file as UTF-8")
    return text.removeprefix(_BOM)


def _read(text: str, path: str) -> Document:
    root = compose(text)
    if root is None:
        fault = Fault("empty-file", 0, "the file is empty", "start with: pldgov init")
        return _broken(path, text, fault)
    if isinstance(root, Fault):
        return _broken(path, text, root)
    if not isinstance(root, yaml.MappingNode):
        said = "a rulebook is a mapping of keys to values"
        return _broken(path, text, Fault("wrong-type", root.start_mark.index, said))
    values, faults = to_values(root, text)
    if values is None:
        return _broken(path, text, *faults)
    return _document(path, text, root, faults, validate(values))


def _broken(path: str, text: str, *faults: Fault) -> Document:
    problems = tuple(_fault_problem(fault, path, Lines(text)) for fault in faults)
    return Document(path, text, None, problems, complete=False)


def _document(
    path: str, text: str, root: yaml.MappingNode, faults: Iterable[Fault], validated: Validated
) -> Document:
    document = Document(
        path,
        text,
        validated.rulebook,
        (),
        rule_rows=validated.rule_rows,
        complete=not validated.invalid,
    )
    if not faults and not validated.invalid:
        return document
    vars(document)["root"] = root  # it is needed at once: spare composing it again
    problems = [_fault_problem(fault, path, document.lines) for fault in faults]
    problems += [_invalid_problem(document, invalid) for invalid in validated.invalid]
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column, problem.code))
    return replace(document, problems=tuple(ordered))


def _fault_problem(fault: Fault, path: str, lines: Lines) -> Problem:
    return Problem(path, *lines.position(fault.offset), fault.code, fault.message, fault.hint)


def _invalid_problem(document: Document, invalid: Invalid) -> Problem:
    line, column = document.position(invalid.loc, at_key=invalid.at_key)
    return Problem(
        document.path,
        line,
        column,
        invalid.code,
        invalid.message,
        invalid.hint,
        rule_id=_rule_id(document, invalid.loc),
    )


def _rule_id(document: Document, loc: Sequence[str | int]) -> str | None:
    if document.root is None or len(loc) < 2 or loc[0] != "rules":  # noqa: PLR2004  (rules, index)
        return None
    place = find(document.root, (*loc[:2], "id"))
    found = place.depth == 3 and isinstance(place.value, yaml.ScalarNode)  # noqa: PLR2004
    return str(place.value.value) if found else None
