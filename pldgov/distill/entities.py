"""What an instruction must not carry over from an example: its names, its figures, its words.

A guard, not a recogniser of names: it compares a text with the one example that it was drawn
from, so that it needs no model and gives the same verdict everywhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

LONGEST_QUOTE: Final = 5
"""Words in a row that a text may share with an example."""

LONGEST_ACRONYM: Final = 4
"""Letters of an upper-case word that counts as a term (PIN, NDA), not as a name."""

_WORD: Final = re.compile(r"\w+")
_NAME: Final = re.compile(r"[^\W\d_][^\W_]*")
_FIGURE: Final = re.compile(r"\w*\d(?:[\w.,:/-]*\w)?")
_SENTENCE_END: Final = re.compile(r"(?:^|[.!?:;]\W*|[\"“(\[]\s*)$")


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Return every word of ``texts``, in lower case."""
    return frozenset(word.casefold() for text in texts for word in _WORD.findall(text))


def leaks(text: str, inputs: Iterable[str], *, allowed: Collection[str]) -> tuple[str, ...]:
    """Return what ``text`` carries over from an example's ``inputs``, as short phrases.

    Found are six or more words in a row, words with digits (a digit alone
    is none), and capitalised names. ``allowed``
    are words (in lower case) that the task itself uses.
    """
    given = tuple(inputs)
    found = dict.fromkeys((*_figures(text, given, allowed), *_names(text, given, allowed)))
    phrases = [f'"{word}" stands in the example' for word in found]
    return (*quotes(text, given), *phrases)


def quotes(text: str, inputs: Iterable[str]) -> tuple[str, ...]:
    """Return a phrase for the first run of words that ``text`` shares with an example."""
    mine = frozenset(_runs(text))
    for given in inputs if mine else ():
        shared = next((run for run in _runs(given) if run in mine), None)
        if shared:
            return (f'quotes the example: "{" ".join(shared)}"',)
    return ()


def _runs(text: str) -> tuple[tuple[str, ...], ...]:
    words = [word.casefold() for word in _WORD.findall(text)]
    length = LONGEST_QUOTE + 1
    return tuple(tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def _figures(text: str, given: Iterable[str], allowed: Collection[str]) -> Iterator[str]:
    known = {_plain(figure) for each in given for figure in _FIGURE.findall(each)}
    for figure in _FIGURE.findall(text):
        # A digit alone ("2 or more") gives nothing away.
        if len(figure) > 1 and _plain(figure) in known and figure.casefold() not in allowed:
            yield figure


def _plain(figure: str) -> str:
    return figure.replace(",", "").casefold()


def _names(text: str, given: Iterable[str], allowed: Collection[str]) -> Iterator[str]:
    capital, lower, inside = _spellings(given)
    for match in _NAME.finditer(text):
        word = match[0]
        key = word.casefold()
        if not word[0].isupper() or key not in capital or key in lower or key in allowed:
            continue
        if len(word) == 1 or (word.isupper() and len(word) <= LONGEST_ACRONYM):
            continue
        # What begins a sentence is upper-case anyway: a name only if it is one elsewhere too.
        if key in inside or not _begins_sentence(text, match.start()):
            yield word


def _spellings(given: Iterable[str]) -> tuple[set[str], set[str], set[str]]:
    """Return the words that stand there with a capital, without one, and with one mid-sentence."""
    capital: set[str] = set()
    lower: set[str] = set()
    inside: set[str] = set()
    for each in given:
        for match in _NAME.finditer(each):
            key = match[0].casefold()
            if not match[0][0].isupper():
                lower.add(key)
                continue
            capital.add(key)
            if not _begins_sentence(each, match.start()):
                inside.add(key)
    return capital, lower, inside


def _begins_sentence(text: str, start: int) -> bool:
    return _SENTENCE_END.search(text[max(0, start - 8) : start].rstrip(" ")) is not None
