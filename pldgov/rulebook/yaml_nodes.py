"""YAML text as nodes with positions: the reading path, bounded against hostile input.

PyYAML's C composer reads a file of 10,000 rules in under a second where its pure loader takes
fifteen. Scalars are never resolved to types here: a node says how its text was written, and the
reader decides what it means.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from pldgov.rulebook.yaml_errors import explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Loc = Sequence[str | int]
    """Keys and indices from the top of a document to one value, as Pydantic writes them."""

PLAIN = "plain"
"""Tag of a scalar that was written without quotes or block indicator."""

QUOTED = "quoted"
"""Tag of a scalar that can only be text: quoted, literal or folded."""

COLLECTION = "collection"
"""Tag of a list or mapping without a tag of its own."""

MAX_DEPTH = 64
"""Deepest nesting that is read; a rulebook needs eight levels."""

_UNREADABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
)
_OURS = re.compile(r"^<{7}(?: .*)?\r?$", re.MULTILINE)
_THEIRS = re.compile(r"^>{7}(?: .*)?\r?$", re.MULTILINE)
_DEEP_INDENT = re.compile(rf"^[ \t?:-]{{{MAX_DEPTH}}}", re.MULTILINE)
_FLAT_BRACKETS = re.compile(
    # Brackets on one line around plain texts, and around quoted ones that start a value. Quotes
    # that cannot be told from apostrophes, comments and nested brackets are left for the parser.
    r"""[\[{](?:[^\[\]{}"'#\n]|(?:(?<=[{\[,])|(?<=[,:]\ ))"""
    r"""(?:"[^"\\\n\[\]{}]*"|'[^'\n\[\]{}]*'))*[\]}]"""
)
_MOST_BRACKETS = MAX_DEPTH * 8
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text cannot be read as one YAML document, at an offset in characters."""

    code: str
    offset: int
    message: str
    hint: str | None = None


class Lines:
    """The lines of a text as an editor counts them: ended by LF, CRLF or CR only."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(text))]

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of a character, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


class _Untyped:
    """Stands in for PyYAML's resolver, which would spend a third of the time guessing types."""

    def resolve(self, kind: type[yaml.Node], _value: object, implicit: Any) -> str:
        if kind is not yaml.ScalarNode:
            return COLLECTION
        return PLAIN if implicit[0] else QUOTED

    def descend_resolver(self, current_node: object, current_index: object) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


class PureComposer(_Untyped, Reader, Scanner, Parser, Composer):
    """The composer for a Python without libyaml: the same nodes, five times slower."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    class FastComposer(_Untyped, CParser):
        """libyaml's composer."""

else:
    FastComposer = PureComposer  # type: ignore[misc,assignment]


def compose(text: str, *, composer: type[Any] = FastComposer) -> yaml.Node | Fault | None:
    """Return the root node of the one document in ``text``, None when it holds no document.

    The marks of the nodes count characters of ``text``, which must not start with a byte order
    mark. Never raises for what stands in the text, and never recurses deeper than ``MAX_DEPTH``
    allows.
    """
    fault = _refuse(text) or _too_deep(text, composer)
    if fault:
        return fault
    try:
        root: yaml.Node | None = composer(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        return Fault(*explain(error, text))
    except yaml.YAMLError as error:  # the reader's, which _refuse should have forestalled
        return Fault("yaml-syntax", 0, str(error))
    return root


UNRESOLVED = "a merge conflict is not resolved: its markers stand in the file"
RESOLVE = "keep one side and delete the lines that start with <<<<<<<, ======= and >>>>>>>"


def find_conflict(text: str) -> int | None:
    """Return the offset of the first marker of a merge that was not finished, None without one."""
    ours = _OURS.search(text)
    return ours.start() if ours and _THEIRS.search(text, ours.end()) else None


def _refuse(text: str) -> Fault | None:
    conflict = find_conflict(text)
    if conflict is not None:
        return Fault("conflict-marker", conflict, UNRESOLVED, RESOLVE)
    unreadable = _UNREADABLE.search(text)
    if unreadable:
        return Fault(
            "control-character",
            unreadable.start(),
            f"the character U+{ord(unreadable[0]):04X} cannot stand in YAML",
            "delete it, or write it as an escape in a double-quoted text",
        )
    return None


def _too_deep(text: str, composer: type[Any]) -> Fault | None:
    """Look at the events first where the text could nest deeply: composing is recursive C."""
    if not (_DEEP_INDENT.search(text) or _may_nest(text)):
        return None
    depth = 0
    try:
        for event in _events(composer(text)):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH and event.start_mark is not None:
                return Fault(
                    "too-deep",
                    event.start_mark.index,
                    f"lists and mappings are nested deeper than {MAX_DEPTH} levels",
                )
    except yaml.YAMLError:
        return None  # composing meets the same error at the same depth, and explains it
    return None


def _may_nest(text: str) -> bool:
    """Tell whether brackets could be nested hundreds deep, at a tenth of the cost of parsing.

    Brackets that hold no others add one level at most, however many there are.
    """
    for _ in range(3):
        if text.count("[") + text.count("{") < _MOST_BRACKETS:
            return False
        text = _FLAT_BRACKETS.sub("", text)
    return text.count("[") + text.count("{") >= _MOST_BRACKETS


def _events(parser: Any) -> Iterator[yaml.Event]:
    while parser.check_event():
        yield parser.get_event()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a loc leads: the value's node, its key's node if it has one, and how far it got."""

    value: yaml.Node
    key: yaml.Node | None
    depth: int

    def offset(self, prefer: Literal["key", "value"] = "value") -> int:
        """Return the character to point at: the value where it stands beside its key."""
        if self.key is not None and (prefer == "key" or _hidden(self.value)):
            return int(self.key.start_mark.index)
        return int(self.value.start_mark.index)


def _hidden(value: yaml.Node) -> bool:
    """Tell whether a value has no text on the line of its key."""
    empty = value.start_mark.index == value.end_mark.index
    return empty or (isinstance(value, yaml.CollectionNode) and not value.flow_style)


def find(root: yaml.Node, loc: Loc) -> Place:
    """Follow a loc from the root as far as it exists."""
    place = Place(root, None, 0)
    for depth, part in enumerate(loc, start=1):
        step = _step(place.value, part)
        if step is None:
            return place
        place = Place(step[1], step[0], depth)
    return place


def _step(node: yaml.Node, part: str | int) -> tuple[yaml.Node | None, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next((pair for pair in node.value if pair[0].value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return (None, node.value[part]) if 0 <= part < len(node.value) else None
    return None
