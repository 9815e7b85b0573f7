"""From YAML nodes to plain Python values, without YAML's guesses about types.

Every scalar stays the text that stands in the file, so an id or digest such as ``452415e071``
or a label such as ``no`` is never a number or a boolean; the model asks for numbers and dates
where it wants them. Only an unquoted empty value, ``~`` or ``null`` is None. Values under
``metadata``, which no model describes, get the types of YAML 1.2's core schema, more narrowly:
a number is a float only with a point or a signed exponent, an integer has no leading zero and
at most 18 digits, and infinities stay text.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from pldgov.rulebook.yaml_nodes import COLLECTION, MAX_DEPTH, PLAIN, QUOTED, Fault, Lines

_TEXT_TAGS = {PLAIN, QUOTED, "tag:yaml.org,2002:str"}
_COLLECTION_TAGS = {COLLECTION, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False}
_BOOLEANS["FALSE"] = False
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(
    r"[-+]?(?:[0-9]{1,40}\.[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,2})?"
    r"|[-+]?[0-9]{1,40}[eE][-+][0-9]{1,2}"
)

_RULE_DEPTH = 2
"""Depth of the items of a top-level list: rules, which have metadata of their own."""

_FREE_ALIASES = 10_000
"""Values that aliases may add to a file of any size."""


def to_values(root: yaml.Node, text: str) -> tuple[Any, tuple[Fault, ...]]:
    """Return the plain value of a document and what is wrong on the way.

    Of a duplicate key the first value counts. The work is bounded by the length of ``text``,
    however often its aliases refer to each other.
    """
    reader = _Reader(text)
    try:
        value = reader.value(root, 0, typed=False)
    except _StopReadingError as stop:
        return None, (stop.fault,)
    return value, tuple(reader.faults)


def is_null(text: str) -> bool:
    """Tell whether an unquoted scalar means None."""
    return text in _NULLS


def resolve_core(text: str) -> bool | int | float | str:
    """Return what an unquoted scalar under ``metadata`` means."""
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


class _StopReadingError(Exception):
    """Ends the walk at a fault after which nothing can be trusted; caught in this module."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.faults: list[Fault] = []
        # Without aliases each value takes at least one character of the text.
        self._left = len(text) + _FREE_ALIASES

    def value(self, node: yaml.Node, depth: int, *, typed: bool, listed: bool = False) -> Any:
        self._left -= 1
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, typed=typed)
        self._guard(node, depth)
        if isinstance(node, yaml.MappingNode):
            free = depth == 0 or (listed and depth == _RULE_DEPTH)
            return self._mapping(node, depth, typed=typed, has_metadata=free)
        return [self.value(item, depth + 1, typed=typed, listed=True) for item in node.value]

    def _scalar(self, node: yaml.ScalarNode, *, typed: bool) -> Any:
        if node.tag != PLAIN:
            if node.tag not in _TEXT_TAGS:
                self._fault_tag(node)
            return node.value
        if is_null(node.value):
            return None
        return resolve_core(node.value) if typed else node.value

    def _mapping(
        self, node: yaml.MappingNode, depth: int, *, typed: bool, has_metadata: bool
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, child in node.value:
            name = self._key(key)
            if name is None:
                continue
            if name in values:
                self._fault_duplicate(node, key)
                continue
            free = typed or (has_metadata and name == "metadata")
            values[name] = self.value(child, depth + 1, typed=free)
        return values

    def _key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _TEXT_TAGS:
            self._fault("key-not-text", node, "a key must be a text", "put it in quotes")
            return None
        if node.tag == PLAIN and is_null(node.value):
            said = f'the key "{node.value}" means nothing' if node.value else "a key is empty"
            self._fault("key-not-text", node, said, "put it in quotes if it is meant as a text")
            return None
        if node.tag == PLAIN and node.value == "<<":
            self._fault(
                "merge-key", node, "merge keys (<<) are not supported", "write the keys out"
            )
            return None
        return str(node.value)

    def _guard(self, node: yaml.Node, depth: int) -> None:
        at = node.start_mark.index
        if self._left < 0:
            raise _StopReadingError(
                Fault(
                    "alias-expansion",
                    at,
                    "the aliases (*) of this file multiply it beyond reason",
                    "write the values out",
                )
            )
        if depth >= MAX_DEPTH:
            raise _StopReadingError(
                Fault(
                    "too-deep",
                    at,
                    f"values are nested deeper than {MAX_DEPTH} levels, "
                    "or an anchor (&) contains itself",
                )
            )
        if node.tag not in _COLLECTION_TAGS:
            self._fault_tag(node)

    def _fault(self, code: str, node: yaml.Node, message: str, hint: str | None) -> None:
        self.faults.append(Fault(code, node.start_mark.index, message, hint))

    def _fault_tag(self, node: yaml.Node) -> None:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        self._fault("tag", node, f"the tag {tag} is not supported", "delete it")

    def _fault_duplicate(self, node: yaml.MappingNode, key: yaml.ScalarNode) -> None:
        first = next(known for known, _ in node.value if known.value == key.value)
        line, _ = Lines(self.text).position(first.start_mark.index)
        self._fault(
            "duplicate-key",
            key,
            f'the key "{key.value}" stands here a second time; it stood first in line {line}',
            "keep one of them",
        )
