"""Flesch's reading ease (Flesch 1948, "A new readability yardstick"), for English.

Words and sentences are counted here, and syllables estimated: a run of vowels is one, apart from
silent endings. On 2,700 words of rules and of the reasons for labels the estimate differs from
the CMU Pronouncing Dictionary's count for 2.5 % of the words and by 0.5 % in the sum, which is
0.6 points of reading ease; hyphenation patterns (pyphen) differ for 7.6 % and by 5 %. The usual
package, textstat, downloads that dictionary at run time and brings nltk and setuptools along.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)|\n\s*\n")
_VOWELS = re.compile("[aeiouy]+")
_SOUNDED_PLURAL = re.compile("(?:[sxzcg]|ch|sh|l)es$")
_SOUNDED_PAST = re.compile("[td]ed$")


def words(text: str) -> tuple[str, ...]:
    """Return the words of ``text``: letters, with apostrophes and hyphens inside them."""
    return tuple(_WORD.findall(text))


def reading_ease(*texts: str) -> float | None:
    """Return 206.835 - 1.015 words per sentence - 84.6 syllables per word, over all texts.

    None where there is no word.
    """
    counted = [word for text in texts for word in words(text)]
    if not counted:
        return None
    sentences = sum(map(_sentences, texts))
    syllables = sum(syllables_of(part) for word in counted for part in re.split("['\u2019-]", word))
    return 206.835 - 1.015 * len(counted) / sentences - 84.6 * syllables / len(counted)


def syllables_of(word: str) -> int:
    """Return an estimate of a word's syllables, at least 1."""
    lower = word.lower()
    count = len(_VOWELS.findall(lower))
    silent = (
        (lower.endswith("e") and not lower.endswith(("le", "ee")))
        or (lower.endswith("es") and not _SOUNDED_PLURAL.search(lower))
        or (lower.endswith("ed") and not _SOUNDED_PAST.search(lower))
    )
    return max(1, count - silent)


def _sentences(text: str) -> int:
    pieces = (piece for piece in _SENTENCE_END.split(text) if words(piece))
    return sum(1 for _ in pieces)
