"""LogiQA (Liu et al. 2020): which of four options follows from a context.

Official files: Train.txt, Eval.txt and Test.txt of https://github.com/lgw863/LogiQA-dataset,
which names no licence. A problem has eight lines: a blank one, the letter of the right option,
the context, the question and the four options.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from pldgov.data.similarity import normalise
from pldgov.dataset import Example
from pldgov.errors import DataError
from pldgov.fingerprint import digest_text

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUTS = ("context", "question", "options")

_LETTERS = "abcd"
_LINES = 3 + len(_LETTERS)


def read_logiqa(data: bytes, *, path: str) -> tuple[Example, ...]:
    """Return an example for every problem of an official file, labelled a, b, c or d.

    The input ``options`` holds the four options, one a line, each as ``A. text``. Problems over
    the same context share a group. Ids are the file's name and the problem's number. Raises
    ``DataError`` with the line of the first problem that is not as described.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise DataError(message, where=f"{path}:{line}") from error
    stem = PurePath(path).stem.lower()
    examples = tuple(
        _example(f"{stem}-{number:04d}", line, block, path)
        for number, (line, block) in enumerate(_blocks(text), 1)
    )
    if not examples:
        raise DataError("the file has no problems", where=path)
    return examples


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each run of lines that are not blank, with the number of its first line."""
    block: list[str] = []
    lines = [line.strip() for line in text.split("\n")]
    for number, line in enumerate([*lines, ""], 1):
        if line:
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _example(id_: str, line: int, block: list[str], path: str) -> Example:
    if len(block) != _LINES:
        raise DataError(
            f"the problem has {len(block)} lines, not {_LINES}",
            where=f"{path}:{line}",
            hint="answer letter, context, question and four options, a blank line before",
        )
    answer, context, question, *options = block
    if answer.lower() not in tuple(_LETTERS):
        message = f'the answer is "{answer[:20]}", not one of a, b, c, d'
        raise DataError(message, where=f"{path}:{line}")
    inputs = {"context": context, "question": question, "options": _format_options(options)}
    group = f"context-{digest_text(normalise(context))[:12]}"
    return Example(id_, inputs, answer.lower(), group, line=line)


def _format_options(options: list[str]) -> str:
    """Return the options with their letters written one way; the files have ``A.text``."""
    letters = _LETTERS.upper()
    bare = [
        re.sub(rf"^{letter}\s*[.:)]\s*", "", option)
        for letter, option in zip(letters, options, strict=True)
    ]
    return "\n".join(
        f"{letter}. {option}".rstrip() for letter, option in zip(letters, bare, strict=True)
    )
