"""Edits of a rulebook's text that leave every other line as it is, byte for byte.

Each function takes a text and returns the new one. An edit splices spans found through node
positions; then the result is read again, and if it does not mean exactly what was asked for,
``UsageError`` is raised and nothing is lost. Line ends (LF or CRLF) stay as the text has them.
A value that is replaced takes the comments inside it along; a rule takes the comment lines
directly above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from pldgov.errors import UsageError
from pldgov.rulebook.yaml_nodes import COLLECTION, compose, find
from pldgov.rulebook.yaml_spans import Lines, Text, equal_values, splice
from pldgov.rulebook.yaml_writing import block, inline
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pldgov.rulebook.yaml_writing import Value

    Change = tuple[int, int, str]
    """Start and end of a span, and what stands there instead."""

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


def set_value(text: str, loc: Sequence[str | int], value: Value) -> str:
    """Return ``text`` with the value of the key at ``loc`` set; the key may be new.

    Only the last part of ``loc`` may be missing, and must be a key.
    """
    source, mark = _read(text)
    mapping = _mapping_at(source, loc[:-1])
    change = _set(source, mapping, str(loc[-1]), value)
    read = _as_read(value, typed=_is_metadata(loc))
    expected = _changed(source.values, loc[:-1], lambda node: {**node, str(loc[-1]): read})
    return mark + _checked(source, [change], expected)


def delete_value(text: str, loc: Sequence[str | int]) -> str:
    """Return ``text`` without the key at ``loc``, its value and the comments directly above."""
    source, mark = _read(text)
    mapping = _mapping_at(source, loc[:-1])
    row = _row(mapping, str(loc[-1]))
    if row is None:
        raise UsageError(f"there is no {'.'.join(map(str, loc))}")
    expected = _changed(
        source.values, loc[:-1], lambda node: {k: v for k, v in node.items() if k != loc[-1]}
    )
    if mapping.flow_style:
        return mark + _checked(source, [_deletion_in_flow(mapping, row)], expected)
    lines = source.entry_lines(mapping, row)
    above = source.line_of(mapping.value[row - 1][0].start_mark.index) if row else lines.start - 1
    lines = source.with_heading(lines, above=above)
    return mark + _checked(source, [_deletion(source, lines)], expected)


def pin_citations(text: str, digests: Mapping[str, str]) -> str:
    """Return ``text`` with the sha256 of every citation whose example id is in ``digests``."""
    source, mark = _read(text)
    changes: list[Change] = []
    expected = source.values
    for rule, values in zip(_rules(source).value, expected["rules"], strict=True):
        cited = find(rule, ("provenance", "examples"))
        if cited.depth < 2 or not isinstance(cited.value, yaml.SequenceNode):  # noqa: PLR2004  (keys)
            continue
        for node, citation in zip(cited.value.value, values["provenance"]["examples"], strict=True):
            digest = digests.get(str(citation.get("id"))) if isinstance(citation, dict) else None
            if digest and citation.get("sha256") != digest:
                changes.append(_set(source, node, "sha256", digest, after="id"))
                citation["sha256"] = digest
    return mark + _checked(source, changes, expected, ordered=False)


def remove_rule(text: str, rule_id: str) -> str:
    """Return ``text`` without a rule, its comments, and the blank lines that set it off."""
    source, mark = _read(text)
    rules = _rules(source)
    row = _rule_row(source, rule_id)
    expected = _changed(source.values, ("rules",), lambda node: node[:row] + node[row + 1 :])
    lines = _rule_lines(source, rules, row)
    changes = [_deletion(source, _with_blank_lines(source, lines, row + 1 == len(rules.value)))]
    if len(rules.value) == 1:
        colon = source.text.index(":", _key(source, "rules").end_mark.index) + 1
        changes.insert(0, (colon, colon, " []"))
    return mark + _checked(source, changes, expected)


def insert_rule(text: str, rule: Mapping[str, Any], *, after: str | None = None) -> str:
    """Return ``text`` with a new rule after the rule ``after``, or after the last one.

    It is written in the house style, and set off by a blank line where the others are.
    """
    source, mark = _read(text)
    place = find(source.root, ("rules",))
    present = source.values.get("rules") or []
    row = len(present) if after is None else _rule_row(source, after) + 1
    new = _as_read(rule, typed=False, in_rule=True)
    expected = {**source.values, "rules": [*present[:row], new, *present[row:]]}
    if not present:
        key = _key(source, "rules")
        start = source.text.index(":", key.end_mark.index) + 1
        end = max(start, int(place.value.end_mark.index))
        item = f"\n{_item(rule, source.column_of(key.start_mark.index) + 2)}".rstrip("\n")
        return mark + _checked(source, [(start, end, _line_ends(source, item))], expected)
    rules = _rules(source)
    lines = source.item_lines(rules, row - 1)
    item = _item(rule, source.item_column(rules))
    set_off = "\n" if len(present) == 1 or _are_set_off(source, rules) else ""
    at = source.offset(lines.end)
    glue = "" if source.text[:at].endswith(("\n", "\r")) else "\n"
    change = (at, at, _line_ends(source, glue + set_off + item))
    return mark + _checked(source, [change], expected)


def replace_rule(text: str, rule_id: str, rule: Mapping[str, Any]) -> str:
    """Return ``text`` with a rule that says what ``rule`` says.

    Keys whose value stays keep their lines and comments; new keys come last.
    """
    row = _rule_row(_read(text)[0], rule_id)
    old = _read(text)[0].values["rules"][row]
    new = _as_read(rule, typed=False, in_rule=True)
    for key in [key for key in old if key not in new]:
        text = delete_value(text, ("rules", row, key))
    for key, value in rule.items():
        if key not in old or not equal_values(old[key], new[key]):
            text = set_value(text, ("rules", row, key), value)
    return text


def _read(text: str) -> tuple[Text, str]:
    """Return the parsed text without its byte order mark, and the mark."""
    mark = _BOM if text.startswith(_BOM) else ""
    return Text(text.removeprefix(_BOM)), mark


def _checked(
    source: Text, changes: list[Change], expected: Mapping[str, Any], *, ordered: bool = True
) -> str:
    """Apply changes; refuse a result that does not read as expected."""
    result = splice(source.text, changes)
    values = Text(result).values
    same = equal_values(values, expected) if ordered else values == expected
    if not same:
        raise UsageError(
            "this edit would change more than was asked for", hint="edit the file by hand"
        )
    return result


def _changed(values: Any, loc: Sequence[str | int], change: Callable[[Any], Any]) -> Any:
    """Return ``values`` with ``change`` applied at ``loc``."""
    if not loc:
        return change(values)
    head = loc[0]
    inner = _changed(values[head], loc[1:], change)
    if isinstance(values, list):
        assert isinstance(head, int)
        return [*values[:head], inner, *values[head + 1 :]]
    return {**values, head: inner}


def _as_read(value: Any, *, typed: bool, in_rule: bool = False) -> Any:
    """Return how a value will read once it is written: as text, but for typed metadata."""
    if isinstance(value, dict):
        return {
            key: _as_read(item, typed=typed or (in_rule and key == "metadata"))
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_as_read(item, typed=typed) for item in value]
    if value is None or isinstance(value, str) or (typed and isinstance(value, int | float)):
        return value
    return inline(value)


def _is_metadata(loc: Sequence[str | int]) -> bool:
    return loc[0] == "metadata" or (loc[0] == "rules" and list(loc[2:3]) == ["metadata"])


def _mapping_at(source: Text, loc: Sequence[str | int]) -> yaml.MappingNode:
    place = find(source.root, loc)
    if place.depth < len(loc) or not isinstance(place.value, yaml.MappingNode):
        raise UsageError(f"there is no mapping at {'.'.join(map(str, loc))}")
    return place.value


def _row(mapping: yaml.MappingNode, key: str) -> int | None:
    return next((row for row, (node, _) in enumerate(mapping.value) if node.value == key), None)


def _key(source: Text, key: str) -> yaml.Node:
    row = _row(source.root, key)
    if row is None:
        raise UsageError(f'the text has no key "{key}"')
    node: yaml.Node = source.root.value[row][0]
    return node


def _set(
    source: Text, mapping: yaml.MappingNode, key: str, value: Value, *, after: str | None = None
) -> Change:
    row = _row(mapping, key)
    last = len(mapping.value) - 1
    before = last if after is None else _row(mapping, after)
    if mapping.flow_style:
        return _set_in_flow(source, mapping, row, key, value, last if before is None else before)
    if row is None:
        return _add_entry(source, mapping, last if before is None else before, key, value)
    return _replace_entry(source, mapping, row, value)


def _set_in_flow(
    source: Text, mapping: yaml.MappingNode, row: int | None, key: str, value: Value, before: int
) -> Change:
    if row is not None:
        node = mapping.value[row][1]
        return _value_change(source, mapping.value[row][0], node, inline(value))
    entry = inline({key: value}).removeprefix("{").removesuffix("}")
    if not mapping.value:
        at = int(mapping.end_mark.index) - 1
        return at, at, entry
    at = int(mapping.value[before][1].end_mark.index)
    return at, at, f", {entry}"


def _value_change(source: Text, key: yaml.Node, value: yaml.Node, new: str) -> Change:
    start, end = int(value.start_mark.index), int(value.end_mark.index)
    if start == end:  # nothing stands after the colon
        start = end = source.text.index(":", key.end_mark.index) + 1
        new = f" {new}"
    return start, end, new


def _add_entry(
    source: Text, mapping: yaml.MappingNode, before: int, key: str, value: Value
) -> Change:
    lines = source.entry_lines(mapping, before)
    column = source.column_of(mapping.value[0][0].start_mark.index)
    at = source.offset(lines.end)
    glue = "" if source.text[:at].endswith(("\n", "\r")) else "\n"
    return at, at, _line_ends(source, glue + block({key: value}, column=column))


def _replace_entry(source: Text, mapping: yaml.MappingNode, row: int, value: Value) -> Change:
    key, old = mapping.value[row]
    column = source.column_of(key.start_mark.index)
    new = block({key.value: value}, column=column).rstrip("\n")
    one_line = isinstance(old, yaml.ScalarNode) and old.style not in ("|", ">")
    if one_line and "\n" not in new and isinstance(compose(new), yaml.MappingNode):
        return _value_change(source, key, old, inline(value))
    lines = source.entry_lines(mapping, row)
    start, end = int(key.start_mark.index), source.offset(lines.end)
    tail = source.lines[lines.end - 1]
    end -= len(tail) - len(tail.rstrip("\r\n"))
    return start, end, _line_ends(source, new[column:])


def _deletion(source: Text, lines: Lines) -> Change:
    return source.offset(lines.start), source.offset(lines.end), ""


def _deletion_in_flow(mapping: yaml.MappingNode, row: int) -> Change:
    """Take an entry and one comma out of a mapping in brackets."""
    key, value = mapping.value[row]
    if row:
        return int(mapping.value[row - 1][1].end_mark.index), int(value.end_mark.index), ""
    if len(mapping.value) > 1:
        return int(key.start_mark.index), int(mapping.value[1][0].start_mark.index), ""
    return int(key.start_mark.index), int(value.end_mark.index), ""


def _rules(source: Text) -> yaml.SequenceNode:
    place = find(source.root, ("rules",))
    if place.depth == 0 or not isinstance(place.value, yaml.SequenceNode):
        return yaml.SequenceNode(COLLECTION, [])
    return place.value


def _rule_row(source: Text, rule_id: str) -> int:
    rules = source.values.get("rules") or []
    ids = [rule.get("id") if isinstance(rule, dict) else None for rule in rules]
    if ids.count(rule_id) != 1:
        known = [known for known in ids if known]
        many = "several rules are" if rule_id in ids else "no rule is"
        raise UsageError(f'{many} called "{rule_id}"', hint=did_you_mean(rule_id, known))
    return ids.index(rule_id)


def _rule_lines(source: Text, rules: yaml.SequenceNode, row: int) -> Lines:
    """Return the lines of a rule with the comment lines directly above it."""
    lines = source.item_lines(rules, row)
    above = source.line_of(_key(source, "rules").start_mark.index)
    if row:
        above = source.item_lines(rules, row - 1).end - 1
    return source.with_heading(lines, above=above)


def _with_blank_lines(source: Text, lines: Lines, is_last: bool) -> Lines:  # noqa: FBT001  (private)
    """Extend over the blank lines on one side, so that those on the other side remain."""
    start, end = lines.start, lines.end
    while is_last and source.is_blank(start - 1):
        start -= 1
    while not is_last and end < len(source.lines) and source.is_blank(end):
        end += 1
    return Lines(start, end)


def _are_set_off(source: Text, rules: yaml.SequenceNode) -> bool:
    first = source.item_lines(rules, 0)
    return first.end < len(source.lines) and source.is_blank(first.end)


def _item(rule: Mapping[str, Any], column: int) -> str:
    """Return the lines of a new list item whose dash stands at ``column``."""
    text = block(rule, column=column + 2)
    return f"{' ' * column}- {text[column + 2 :]}"


def _line_ends(source: Text, text: str) -> str:
    return text.replace("\n", source.newline)
