"""Bytes to text: UTF-8, with or without a byte order mark."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pldgov.data.rows import Findings

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode_lines(data: bytes, findings: Findings) -> list[str | None]:
    """Return the lines of ``data``; None for each that is not UTF-8, which is noted.

    A line ends at a line feed only: the other line separators of Unicode may stand in a text.
    """
    if data.startswith(_UTF_16):
        findings.add(1, "data-not-utf8", "the file is UTF-16", "save it as UTF-8")
        return []
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return list(data.decode("utf-8").split("\n"))
    except UnicodeDecodeError:
        lines = data.split(b"\n")
        return [_decode_line(line, number, findings) for number, line in enumerate(lines, 1)]


def _decode_line(line: bytes, number: int, findings: Findings) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode("utf-8")) + 1
        findings.add(
            number,
            "data-not-utf8",
            f"byte 0x{line[error.start]:02x} is not UTF-8",
            "save the file as UTF-8",
            column=column,
        )
        return None
