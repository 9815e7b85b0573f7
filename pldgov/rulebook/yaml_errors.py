"""What libyaml says about a broken file, in words that help the person who wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml

Explanation = tuple[str, int, str, str | None]
"""Code, offset in characters, message, hint."""

_QUOTE = 'put the text in quotes, or on the next lines after "|"'

_AT_PROBLEM: dict[str, tuple[str, str, str | None]] = {
    # From 0.2.6 on libyaml has a limit of its own, and meets it before the first event comes out.
    "maximum nesting depth": ("too-deep", "lists and mappings are nested too deeply", None),
    "mapping values are not allowed": (
        "yaml-syntax",
        "a colon cannot stand here: the line continues a text, or holds two keys",
        _QUOTE,
    ),
    "sequence entries are not allowed": (
        "yaml-syntax",
        'a list item ("- ") cannot start here',
        "put it on a line of its own below the key",
    ),
    "violates indentation": ("tab-indent", "a tab indents this line", "indent with spaces"),
    "undefined alias": (
        "yaml-syntax",
        "this alias (*) names no anchor (&) above it",
        "put a text that starts with * in quotes",
    ),
    "second occurrence": ("yaml-syntax", "an anchor (&) of this name exists already", None),
    "undefined tag handle": ("yaml-syntax", "tags (!) are not supported", _QUOTE),
    "unknown escape": (
        "yaml-syntax",
        "this backslash sequence does not exist in a double-quoted text",
        "double the backslash, or use single quotes",
    ),
    "did not find expected key": (
        "yaml-syntax",
        "the indentation of this line fits no block above it, or a text before it is not closed",
        "align it with the keys it belongs to",
    ),
    "expected '-' indicator": (
        "yaml-syntax",
        'this line stands in a list but does not start with "- "',
        "align it with the list items, or with the keys outside the list",
    ),
    "expected <block end>": (
        "yaml-syntax",
        "the indentation of this line fits no block above it, or a text before it is not closed",
        "align it with the lines it belongs to",
    ),
    "another document": (
        "several-documents",
        "a second YAML document starts here; a rulebook is one document",
        'delete the line "---"',
    ),
}

_AT_CONTEXT: dict[str, tuple[str, str, str | None]] = {
    "could not find expected ':'": (
        "yaml-syntax",
        "this line is neither a key with a colon nor part of the text above it",
        "indent it to continue the text, or add a colon",
    ),
    "unexpected end of stream": (
        "yaml-syntax",
        "the quoted text that starts here is never closed",
        "close the quote",
    ),
    "unexpected document indicator": (
        "yaml-syntax",
        "the quoted text that starts here is never closed",
        "close the quote",
    ),
    "',' or ']'": ("yaml-syntax", 'the list ("[") that starts here is not closed', 'close it: "]"'),
    "',' or '}'": (
        "yaml-syntax",
        'the mapping ("{") that starts here is not closed',
        'close it: "}"',
    ),
}


def explain(error: yaml.MarkedYAMLError, text: str) -> Explanation:
    """Return what is wrong with ``text``, where, and what to do about it."""
    problem = error.problem or error.context or "this is not YAML"
    at = _offset(error.problem_mark, error.context_mark)
    if "cannot start any token" in problem:
        return _bad_start(text, at)
    if "expected a single document" in (error.context or ""):
        problem = "another document"
    for needle, (code, message, hint) in _AT_CONTEXT.items():
        if needle in problem:
            return code, _offset(error.context_mark, error.problem_mark), message, hint
    for needle, (code, message, hint) in _AT_PROBLEM.items():
        if needle in problem:
            return code, at, message, hint
    return "yaml-syntax", at, f"the YAML cannot be read: {problem}", None


def _offset(*marks: yaml.Mark | None) -> int:
    return next((int(mark.index) for mark in marks if mark is not None), 0)


def _bad_start(text: str, at: int) -> Explanation:
    character = text[at : at + 1]
    if character == "\t":
        return "tab-indent", at, "a tab indents this line", "indent with spaces"
    return "yaml-syntax", at, f'a text cannot start with "{character}"', "put it in quotes"
