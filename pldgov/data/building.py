"""Rows to examples: every field checked, every problem noted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pldgov.data.rows import member, plain
from pldgov.dataset import Example
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pldgov.data.rows import Findings, Row

RESERVED = ("id", "label", "group")
"""The fields with a meaning of their own; none of them may be a task's input."""

_MISSING_WORDS = frozenset({"nan", "null", "none", "<na>"})


def build_examples(
    rows: Sequence[Row], *, inputs: Sequence[str], findings: Findings, labelled: bool = True
) -> tuple[Example, ...]:
    """Return the examples of all rows that have no error; the others are noted.

    An id, a label and a group may be a number or a truth value, which becomes text as it is
    written; an input must be text. Fields that are none of these become metadata. Unless
    ``labelled``, a row may lack a label, which is then the empty text.
    """
    if not rows and not findings:
        findings.add(1, "data-empty", "there are no examples", "at least one is needed")
    if not rows or not _fields_exist(rows, inputs, findings, labelled=labelled):
        return ()
    named = (*RESERVED, *inputs)
    built = [_build(row, inputs, named, findings, labelled=labelled) for row in rows]
    return tuple(_with_own_ids([one for one in built if one is not None], findings))


def _fields_exist(
    rows: Sequence[Row], inputs: Sequence[str], findings: Findings, *, labelled: bool
) -> bool:
    """Note, once, each field that is wrong for the whole file."""
    reserved = [field for field in inputs if field in RESERVED]
    for field in reserved:
        message = f'"{field}" cannot be an input field of the task'
        findings.add(rows[0].line, "data-reserved-field", message, "give the input another name")
    required = ("id", *inputs, *(("label",) if labelled else ()))
    absent = [field for field in required if not any(field in row.values for row in rows)]
    for field in absent:
        near = did_you_mean(field, (key for key in rows[0].values if key not in required))
        has = ", ".join(f'"{key}"' for key in rows[0].values)
        message = f'no row has the field "{field}"'
        hint = near or f"the first row has {has or 'none'}"
        findings.add(rows[0].line, "data-missing-field", message, hint)
    return not reserved and not absent


def _build(
    row: Row,
    inputs: Sequence[str],
    named: tuple[str, ...],
    findings: Findings,
    *,
    labelled: bool,
) -> Example | None:
    id_ = _name(row, "id", findings)
    texts = {field: _text(row, field, findings) for field in inputs}
    has_label = labelled or row.values.get("label") not in (None, "")
    label = _name(row, "label", findings) if has_label else ""
    has_group = row.values.get("group") not in (None, "")
    group = _name(row, "group", findings) if has_group else None
    read = {field: text for field, text in texts.items() if text is not None}
    if id_ is None or label is None or len(read) < len(inputs) or (has_group and group is None):
        return None
    metadata = {key: plain(value) for key, value in row.values.items() if key not in named}
    return Example(id_, read, label, group, metadata, row.line)


def _text(row: Row, field: str, findings: Findings) -> str | None:
    value = _present(row, field, findings)
    if not isinstance(value, str):
        if value is not None:
            hint = "an input is text: put it in quotes"
            message = f'"{field}" is {_kind(value)}, not text'
            findings.add_field(row, field, "data-not-text", message, hint)
        return None
    if value.casefold() in _MISSING_WORDS:
        message = f'"{field}" is the word "{value}": a missing value of another tool?'
        findings.add_field(row, field, "data-nan-text", message, severity="warning")
    return _checked(row, field, value, findings)


def _name(row: Row, field: str, findings: Findings) -> str | None:
    """Return an id, label or group as text: a number as it is written in the file."""
    value = _present(row, field, findings)
    if isinstance(value, str):
        return _checked(row, field, value, findings)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        written = member(row, field)
        return written.written if written else repr(value)
    if value is not None:
        message = f'"{field}" is {_kind(value)}, not text'
        findings.add_field(row, field, "data-not-text", message, "write it as text")
    return None


def _present(row: Row, field: str, findings: Findings) -> Any:
    """Return the field's value, or None after noting that it has none."""
    value = row.values.get(field)
    if value is None:
        if field in row.values:
            findings.add_field(row, field, "data-null", f'"{field}" is null', "write its text")
        else:
            near = did_you_mean(field, row.values)
            findings.add(row.line, "data-missing-field", f'the field "{field}" is missing', near)
    elif isinstance(value, float) and not math.isfinite(value):
        message = f'"{field}" is NaN or infinite, not text'
        findings.add_field(row, field, "data-nan", message, "drop the row or write its text")
        return None
    return value


def _checked(row: Row, field: str, text: str, findings: Findings) -> str | None:
    """Return ``text`` unless it is blank or cannot be written as UTF-8."""
    if not text or text.isspace():
        findings.add_field(row, field, "data-empty-field", f'"{field}" is empty', "write its text")
        return None
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            half = f"\\u{ord(text[error.start]):04x}"
            message = f'"{field}" holds {half}, half of a character'
            findings.add_field(row, field, "data-surrogate", message, "write the whole character")
            return None
    return text


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | float):
        return f"the number {value}"
    names: Mapping[type, str] = {list: "a list", dict: "an object", bytes: "bytes"}
    return names.get(type(value), f"of the type {type(value).__name__}")


def _with_own_ids(examples: Sequence[Example], findings: Findings) -> list[Example]:
    """Return the examples but for those whose id was taken, which are noted."""
    first: dict[str, Example] = {}
    for example in examples:
        if first.setdefault(example.id, example) is not example:
            line = first[example.id].line
            message = f'the id "{example.id}" stands on line {line} already'
            findings.add(example.line, "data-duplicate-id", message, "give every example its own")
    return list(first.values())
