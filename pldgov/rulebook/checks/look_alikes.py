"""Words that look like other words: letters of two scripts in one, or a dressed-up alphabet.

The table holds the Cyrillic, Greek and Armenian letters that most fonts draw as Latin ones; what
Unicode itself calls a compatibility form of a letter (full width, mathematical, circled) is found
by its normal form. Python knows no scripts, but the names of letters begin with theirs.
"""

# ruff: noqa: RUF001  (ambiguous letters are the subject)

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CYRILLIC: Final = dict(
    zip("асԁеһіјӏорԛѕԝхуАВЕЅІЈКМНОРСТХУԌ", "acdehijlopqswxyABESIJKMHOPCTXYG", strict=True)
)
_GREEK: Final = dict(zip("αινορυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aivopuABEZHIKMNOPTYX", strict=True))
_ARMENIAN: Final = dict(zip("հոսօքց", "hnuoqg", strict=True))
_LATIN_FOR: Final = _CYRILLIC | _GREEK | _ARMENIAN

_WORD = re.compile(r"\w+")
_DRESSED: Final = {"<font>", "<wide>", "<circle>", "<square>"}
"""The kinds of compatibility form that stand for a letter in a sentence and look much like it."""


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A word, what it reads like, and the first character that is not what it seems."""

    word: str
    reads: str
    character: str


def look_alikes(text: str) -> Iterator[LookAlike]:
    """Yield each word that is not what it reads like.

    That is a word with Latin letters and look-alikes of other scripts, one of look-alikes alone
    in a text that is mostly Latin, and one with a dressed-up letter or digit.
    """
    if text.isascii():
        return
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    latin = _mostly_latin(text)
    for word in words:
        found = _look_alike(word, latin=latin)
        if found is not None:
            yield found


def _look_alike(word: str, *, latin: bool) -> LookAlike | None:
    dressed = next((one for one in word if _is_dressed(one)), None)
    foreign = [one for one in word if one in _LATIN_FOR]
    letters = [one for one in word if one.isalpha()]
    mixed = bool(foreign) and any(_script(one) == "LATIN" for one in letters)
    # Of one letter alone (a Greek variable, a Cyrillic preposition) nobody can tell what it means.
    alone = latin and len(letters) > 1 and all(one in _LATIN_FOR for one in letters)
    if dressed is None and not mixed and not alone:
        return None
    character = dressed if dressed is not None else foreign[0]
    reads = unicodedata.normalize("NFKC", "".join(_LATIN_FOR.get(one, one) for one in word))
    return LookAlike(word, reads, character)


def _mostly_latin(text: str) -> bool:
    scripts = [_script(one) for one in set(text) if one.isalpha()]
    return scripts.count("LATIN") > len(scripts) / 2


def _is_dressed(character: str) -> bool:
    kind = unicodedata.decomposition(character).partition(" ")[0]
    return kind in _DRESSED and unicodedata.normalize("NFKC", character).isascii()


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]
