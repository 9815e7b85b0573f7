"""One layout for every rulebook, so that a change shows only what was changed.

ruamel.yaml writes the text: two spaces a level, list items indented below their key, quotes and
block texts as they were, no line broken anew. Lines end in LF, no line ends in a blank, the file
ends with one newline. What the text says and where its comments stand must come out unchanged,
or nothing does.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver

from pldgov.errors import UsageError
from pldgov.rulebook.yaml_nodes import Fault, Lines, compose
from pldgov.rulebook.yaml_spans import equal_values
from pldgov.rulebook.yaml_values import is_null, to_values

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_MODELINE = "# yaml-language-server: $schema="
_COMMENT = re.compile(r"(?:^|(?<=[ \t\n]))#[^\n]*")
_DOCUMENT_START = re.compile(r"(?:[ \t]*(?:#.*)?\n)*---[ \t]*\n")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_ENDLESS = 2**31 - 1
_PASSES = 4


def format_text(text: str, *, schema: str | None = None) -> str:
    """Return ``text`` in the one layout; formatting the result changes nothing.

    ``schema`` is the path or URL of the JSON Schema: it is named in the first line for editors,
    if the text names none. Raises ``UsageError``, with the line, for a text that is not one
    YAML mapping or cannot be laid out without loss.
    """
    plain = text.removeprefix(_BOM).replace("\r\n", "\n").replace("\r", "\n")
    start = _DOCUMENT_START.match(plain)
    head = _TRAILING.sub("", start[0]) if start else ""
    after = _lay_out(plain[start.end() :] if start else plain)
    for _ in range(_PASSES):
        again = _lay_out(after)
        if again == after:
            return _with_modeline(head + after, schema)
        after = again
    raise UsageError("this text has no stable layout", hint="simplify its comments")


def _lay_out(text: str) -> str:
    root, values = _read(text)
    written = _tidy(_round_trip(text))
    new_root, new_values = _read(written)
    if not equal_values(values, new_values):
        raise UsageError("formatting would change what the text says", hint="format it by hand")
    comments, new_comments = _comments(text, root), _comments(written, new_root)
    if comments != new_comments:
        lost = next((one for one in comments if one not in new_comments), comments[0])
        raise UsageError(
            f"formatting would move or lose the comment {lost[1]!r}",
            hint="put it on a line of its own, above the key that it is about",
        )
    return written


def _read(text: str) -> tuple[yaml.Node, Any]:
    root = compose(text)
    if not isinstance(root, yaml.MappingNode):
        fault = root if isinstance(root, Fault) else Fault("", 0, "the text is not a mapping")
        raise _refusal(text, fault)
    values, faults = to_values(root, text)
    if faults:
        raise _refusal(text, faults[0])
    return root, values


def _refusal(text: str, fault: Fault) -> UsageError:
    line, column = Lines(text).position(fault.offset)
    return UsageError(fault.message, where=f"line {line}, column {column}", hint=fault.hint)


class _TextResolver(VersionedResolver):
    """Takes every plain scalar but null for text, so that ruamel.yaml rewrites none."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0]:
            value = "" if is_null(value) else "text"
        return super().resolve(kind, value, implicit)


def _round_trip(text: str) -> str:
    layout = YAML()
    layout.Resolver = _TextResolver
    layout.preserve_quotes = True
    layout.width = _ENDLESS
    layout.indent(mapping=2, sequence=4, offset=2)
    layout.explicit_start = re.search(r"^---(?:\s|$)", text, re.MULTILINE) is not None
    out = io.StringIO()
    try:
        layout.dump(layout.load(text), out)
    except YAMLError as error:
        raise UsageError(f"formatting failed: {error}") from error
    return out.getvalue()


def _with_modeline(text: str, schema: str | None) -> str:
    if schema is None or _MODELINE.rstrip("=") in text:
        return text
    return f"{_MODELINE}{schema}\n{text}"


def _tidy(text: str) -> str:
    """Cut blanks at the ends of lines and blank lines at the end, but none inside a value."""
    bare = text.rstrip() + "\n"
    if equal_values(_read(bare)[1], _read(text)[1]):
        text = bare
    spans = _scalar_spans(_read(text)[0])
    masked = _mask(text, spans)
    cuts = [match.span() for match in _TRAILING.finditer(masked)]
    for start, stop in reversed(cuts):
        text = text[:start] + text[stop:]
    return text


def _mask(text: str, spans: list[tuple[int, int]]) -> str:
    """Return ``text`` with the characters of every scalar, but line ends, put out of sight."""
    pieces: list[str] = []
    position = 0
    for start, stop in spans:
        if start >= position:
            pieces += (text[position:start], re.sub(r"[^\n]", "_", text[start:stop]))
            position = stop
    return "".join((*pieces, text[position:]))


def _scalar_spans(root: yaml.Node) -> list[tuple[int, int]]:
    """Return start and end of every scalar in the order of the text, block headers left out."""
    return sorted(set(_spans_below(root, set())))


def _spans_below(node: yaml.Node, seen: set[int]) -> Iterator[tuple[int, int]]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        yield int(node.start_mark.index), int(node.end_mark.index)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _spans_below(key, seen)
            yield from _spans_below(value, seen)
    else:
        for item in node.value:
            yield from _spans_below(item, seen)


def _comments(text: str, root: yaml.Node) -> list[tuple[int, str]]:
    """Return every comment with the number of scalars before it: what it stands between."""
    spans = _scalar_spans(root)
    starts = [start for start, _ in spans]
    masked = _mask(text, spans)
    found: list[tuple[int, str]] = []
    before = 0
    for match in _COMMENT.finditer(masked):
        while before < len(starts) and starts[before] < match.start():
            before += 1
        found.append((before, text[match.start() : match.end()].rstrip()))
    return found
