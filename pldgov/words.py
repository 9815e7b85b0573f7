"""A text as its words, so that a phrase is found in it as whole words and however it is marked."""

from __future__ import annotations

MARKS = ".,;:!?()[]{}\"'/-\u2013\u2014\u2018\u2019\u201c\u201d"
"""What counts as a blank between words."""


def spaced(text: str) -> str:
    """Return the words in lower case with one blank around each: ``" a phrase "``.

    A phrase stands in a text where ``spaced(phrase) in spaced(text)``. No regular expression, as
    templates have none.
    """
    text = text.lower()
    for mark in MARKS:
        text = text.replace(mark, " ")
    return f" {' '.join(text.split())} "
