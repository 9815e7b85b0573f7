"""Where the pieces of a YAML text begin and end, comments included: what an edit may touch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from pldgov.errors import UsageError
from pldgov.rulebook.yaml_nodes import Fault, compose
from pldgov.rulebook.yaml_values import to_values

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT_OR_BLANK = re.compile(r"[ \t]*(?:#.*)?\r?\n?")
_DASH = re.compile(r" *-(?=\s)")
_BLOCK_SCALARS = ("|", ">")


@dataclass(frozen=True, slots=True)
class Lines:
    """A range of whole lines: index of the first, and of the first after it."""

    start: int
    end: int


class Text:
    """A parsed text, its lines, and the spans of what stands in it.

    Raises ``UsageError`` when the text is no YAML mapping, or has faults that make its meaning
    doubtful.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)
        root = compose(text)
        if not isinstance(root, yaml.MappingNode):
            reason = root.message if isinstance(root, Fault) else "it is not a mapping"
            raise UsageError(f"the text cannot be edited: {reason}", hint="run: pldgov lint")
        self.root: yaml.MappingNode = root
        self.values, faults = to_values(root, text)
        if faults:
            raise UsageError(f"the text cannot be edited: {faults[0].message}")
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))

    @property
    def newline(self) -> str:
        """The line end that the text uses first."""
        found = re.search(r"\r\n|\r|\n", self.text)
        return found[0] if found else "\n"

    def offset(self, line: int) -> int:
        """Return the offset of the start of a line (the length of the text after the last)."""
        return self._starts[line]

    def line_of(self, offset: int) -> int:
        """Return the index of the line that holds an offset."""
        low, high = 0, len(self.lines)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._starts[middle] <= offset else (low, middle)
        return low

    def column_of(self, offset: int) -> int:
        """Return the column, from 0."""
        return offset - self._starts[self.line_of(offset)]

    def is_filler(self, line: int) -> bool:
        """Tell whether a line is blank or a comment (if it is not inside a block text)."""
        return _COMMENT_OR_BLANK.fullmatch(self.lines[line]) is not None

    def is_blank(self, line: int) -> bool:
        """Tell whether a line holds nothing but white space."""
        return not self.lines[line].strip()

    # -- entries of block mappings ------------------------------------------------------------

    def entry_lines(self, mapping: yaml.MappingNode, row: int) -> Lines:
        """Return the lines of one entry of a block mapping, without comments that follow it.

        The first line is that of the key; a list item's dash may stand on it.
        """
        key, value = mapping.value[row]
        start = key.start_mark.index
        following = mapping.value[row + 1 : row + 2]
        limit = following[0][0].start_mark.index if following else mapping.end_mark.index
        return self._content(start, limit, value)

    def _content(self, start: int, limit: int, node: yaml.Node) -> Lines:
        first = self.line_of(start)
        last = max(first, self._last_plain_line(first, limit))
        end = self._last_offset(node, start, limit)
        if end > start:
            last = max(last, self.line_of(end - 1))
        return Lines(first, last + 1)

    def _last_plain_line(self, first: int, limit: int) -> int:
        """Return the last line before ``limit`` that is neither blank nor a comment."""
        last = (self.line_of(limit) if limit < len(self.text) else len(self.lines)) - 1
        while last > first and self.is_filler(last):
            last -= 1
        return last

    def _last_offset(self, node: yaml.Node, low: int, high: int) -> int:
        """Return where the text of a node ends; an alias (its marks lie elsewhere) has none."""
        if not low <= node.start_mark.index < max(high, low + 1):
            return low
        if isinstance(node, yaml.ScalarNode):
            return self._scalar_end(node)
        assert isinstance(node, yaml.CollectionNode)
        if node.flow_style:
            return int(node.end_mark.index)
        return max((self._last_offset(child, low, high) for child in _children(node)), default=low)

    def _scalar_end(self, node: yaml.ScalarNode) -> int:
        start, end = int(node.start_mark.index), int(node.end_mark.index)
        if node.style not in _BLOCK_SCALARS:
            return end
        header = self.text[start : self.text.find("\n", start) + 1 or len(self.text)]
        if "+" in header.split("#")[0]:
            return end
        return start + len(self.text[start:end].rstrip())

    # -- items of block lists ------------------------------------------------------------------

    def item_lines(self, sequence: yaml.SequenceNode, row: int) -> Lines:
        """Return the lines of an item of a block list, from its dash to its last line.

        Comments that follow, indented deeper than the dash, belong to it. Raises ``UsageError``
        for a list in brackets or with aliases for items.
        """
        starts = [int(item.start_mark.index) for item in sequence.value]
        if sequence.flow_style or starts != sorted(set(starts)):
            raise UsageError(
                "a list in brackets, or with aliases for items, cannot be edited",
                where=f"line {self.line_of(sequence.start_mark.index) + 1}",
                hint="write each item on lines of its own, after a dash",
            )
        dash, column = self._dash(starts[row])
        limit = int(sequence.end_mark.index)
        if row + 1 < len(starts):
            limit = self.offset(self._dash(starts[row + 1])[0]) + column
        content = self._content(self.offset(dash) + column, limit, sequence.value[row])
        end = content.end
        while end < len(self.lines) and self._is_inner_comment(end, column):
            end += 1
        return Lines(dash, end)

    def item_column(self, sequence: yaml.SequenceNode) -> int:
        """Return the column, from 0, of the dashes of a block list."""
        return self._dash(sequence.value[0].start_mark.index)[1]

    def _dash(self, start: int) -> tuple[int, int]:
        """Return line and column of the dash before an item."""
        line = self.line_of(start)
        while line and not _DASH.match(self.lines[line]):
            line -= 1
        return line, self.lines[line].index("-")

    def _is_inner_comment(self, line: int, column: int) -> bool:
        text = self.lines[line]
        bare = text.lstrip(" \t")
        return bare.startswith("#") and len(text) - len(bare) > column

    def with_heading(self, lines: Lines, *, above: int) -> Lines:
        """Extend over the comment lines directly above, down to (not including) line ``above``."""
        start = lines.start
        while start - 1 > above and self.is_filler(start - 1) and not self.is_blank(start - 1):
            start -= 1
        return Lines(start, lines.end)


def _children(node: yaml.CollectionNode) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    else:
        yield from node.value


def splice(text: str, changes: list[tuple[int, int, str]]) -> str:
    """Return ``text`` with every ``(start, end, new)`` applied; the spans must not overlap."""
    pieces: list[str] = []
    position = 0
    for start, end, new in sorted(changes, key=lambda change: change[:2]):
        assert start >= position, "edits overlap"
        pieces += (text[position:start], new)
        position = end
    return "".join((*pieces, text[position:]))


def equal_values(one: Any, other: Any) -> bool:
    """Compare plain values, True being different from 1 and keys in order."""
    return repr(one) == repr(other)
