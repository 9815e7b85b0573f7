"""From a model's free text to a label: strict enough that a guess never counts as an answer."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


_THOUGHT = re.compile(
    r"<(think|thinking|thought|reasoning|analysis)>.*?</\1>", re.IGNORECASE | re.DOTALL
)
_OPENED = re.compile(r"<(?:think|thinking|thought|reasoning|analysis)>", re.IGNORECASE)
_CLOSED = re.compile(r"</(?:think|thinking|thought|reasoning|analysis)>", re.IGNORECASE)
_CHANNEL = re.compile(r"<\|channel\|>([^<]*)(?:<\|constrain\|>[^<]*)?<\|message\|>")
_END_OF_MESSAGE = re.compile(r"<\|(?:end|return|call|start|channel)\|>")


def after_reasoning(text: str) -> str:
    """Return what a model says once it has reasoned, "" where its reasoning has no end.

    Reasoning stands in ``<think>`` tags (or thinking, thought, reasoning, analysis; many chat
    templates open the tag themselves, so a closing one alone ends it too), or in the channels of
    the Harmony format, of which only the last ``final`` one is the answer.
    """
    channels = list(_CHANNEL.finditer(text))
    if channels:
        final = [match for match in channels if match[1].strip().split(" ")[0] == "final"]
        return _END_OF_MESSAGE.split(text[final[-1].end() :])[0] if final else ""
    said = _CLOSED.split(_THOUGHT.sub("", text))[-1]
    return "" if _OPENED.search(said) else said


def final_answer(text: str, *, marker: str) -> str:
    """Return the part of a reasoned text that is to name the label.

    After the reasoning: all that follows the last ``marker`` (whatever its case), or without one
    the last line that is not empty.
    """
    said = after_reasoning(text)
    found = list(re.finditer(re.escape(marker), said, re.IGNORECASE)) if marker else []
    if found:
        return said[found[-1].end() :].strip()
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def parse_label(text: str, labels: Sequence[str]) -> str | None:
    """Return the one label that ``text`` names, None when it names none or several.

    The whole text counts first, as it stands, then without the punctuation, quotes and markup
    around it, then whatever its case. Failing that, the text may be a sentence, as long as
    exactly one label stands in it as a whole word; a label inside a longer label ("gender" in
    "gender identity") is not named by it. Labels that differ only in case are told apart by the
    exact spelling or not at all.
    """
    bare = _strip(text)
    for candidate in (text.strip(), bare):
        if candidate in labels:
            return candidate
    by_fold = _by_fold(labels)
    matches = by_fold.get(bare.casefold()) or by_fold.get(text.strip().casefold())
    if matches is None:
        matches = _named(text.casefold(), by_fold)
    return matches[0] if len(matches) == 1 else None


def _strip(text: str) -> str:
    """Drop everything at both ends that is not a letter, a digit or a mark."""
    start, end = 0, len(text)
    while start < end and not _is_word(text[start]):
        start += 1
    while end > start and not _is_word(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def _by_fold(labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the labels under each case-folded spelling, with and without outer punctuation."""
    found: dict[str, tuple[str, ...]] = {}
    for label in dict.fromkeys(labels):
        for key in {label.strip().casefold(), _strip(label).casefold()} - {""}:
            found[key] = (*found.get(key, ()), label)
    return found


def _named(text: str, by_fold: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the labels that stand in ``text`` as whole words, the longest spelling first."""
    spellings = sorted(by_fold, key=lambda spelling: (-len(spelling), spelling))
    if not spellings:
        return ()
    alternatives = "|".join(re.escape(spelling) for spelling in spellings)
    named: dict[str, None] = {}
    for match in re.finditer(rf"(?<!\w)(?:{alternatives})(?!\w)", text):
        named.update(dict.fromkeys(by_fold[match.group()]))
    return tuple(named)
