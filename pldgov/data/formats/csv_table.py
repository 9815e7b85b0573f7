"""CSV as RFC 4180 has it: commas, double quotes, a first line of field names."""

from __future__ import annotations

import csv
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pldgov.data.formats.text import decode_lines
from pldgov.data.rows import Row, check_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.data.rows import Findings

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_csv(data: bytes, findings: Findings) -> list[Row]:
    """Return the rows of ``data`` below its header; blank lines are skipped, bad ones noted.

    A row's line is the one it begins on. Every value is text. A file with a line that is not
    UTF-8, with broken quotes or without a proper header yields no rows.
    """
    check_rows(data.count(b"\n"), where=findings.path)
    lines = decode_lines(data, findings)
    if None in lines:
        return []
    records = _records([f"{line}\n" for line in lines], findings)
    if not records:
        return []
    (header_line, header), *rest = records
    if not _check_header(header_line, header, findings):
        return []
    return list(_rows(header, rest, findings))


def _records(lines: list[str], findings: Findings) -> list[tuple[int, list[str]]]:
    """Return the records with the line each begins on; none when the quotes are broken."""
    records = []
    start = 1
    with _long_fields():
        reader = csv.reader(lines, strict=True)
        try:
            for record in reader:
                if any(record):
                    records.append((start, record))
                start = reader.line_num + 1
        except csv.Error as error:
            hint = 'a quote inside a quoted field is doubled: "say ""yes"""'
            findings.add(start, "data-csv", f"not valid CSV: {error}", hint)
            return []
    return records


@contextmanager
def _long_fields() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters: a contract is longer."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _check_header(line: int, header: list[str], findings: Findings) -> bool:
    separators = [words for mark, words in _OTHER_SEPARATORS.items() if mark in header[0]]
    if len(header) == 1 and separators:
        message = f"the header has one field; are the fields separated by {separators[0]}?"
        findings.add(line, "data-header", message, "write the file with commas")
        return False
    wrong = sorted({name for name in header if not name.strip() or header.count(name) > 1})
    for name in wrong:
        what = f'has two fields "{name}"' if name.strip() else "has a field without a name"
        findings.add(line, "data-header", f"the header {what}", "name every field, once")
    return not wrong


def _rows(
    header: list[str], records: list[tuple[int, list[str]]], findings: Findings
) -> Iterator[Row]:
    for line, record in records:
        if len(record) == len(header):
            yield Row(line, dict(zip(header, record, strict=True)))
        else:
            findings.add(
                line,
                "data-columns",
                f"the row has {len(record)} fields, the header {len(header)}",
                "quote a text that holds a comma",
            )
