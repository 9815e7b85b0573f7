"""Advice that tests nothing: "analyse carefully" is no rule."""

from __future__ import annotations

import re
from typing import Final

FEWEST_WORDS: Final = 6
"""Words below which no instruction states a condition and a label."""

_READING: Final = (
    r"(?:read|analy[sz]e|consider|review|examine|assess|evaluate|check|study|inspect|weigh|think)"
)
_VAGUE: Final = re.compile(
    rf"\b{_READING}\b[^.;:]{{0,60}}?\b(?:carefully|thoroughly|closely|in detail)\b"
    rf"|\b(?:carefully|thoroughly|closely)\s+{_READING}\b"
    r"|\buse (?:your |good |best |own |sound |common )*(?:judge?ment|common sense|intuition)\b"
    r"|\b(?:choose|pick|select|assign|give) (?:the )?"
    r"(?:best|right|correct|most (?:appropriate|suitable|fitting|likely|relevant))\b"
    r"|\bpay (?:close |careful |special |particular )?attention\b"
    r"|\b(?:tak(?:e|ing)|consider) (?:the )?(?:whole |full |overall |entire )?context\b"
    r"|\bdepend(?:s|ing) (?:up)?on (?:the )?(?:context|situation|circumstances|case)\b"
    r"|\b(?:as|where|if|when) appropriate\b"
    r"|\b(?:look|watch)(?:ing)? (?:out )?for (?:the )?(?:key ?words?|clues|hints|signals)\b"
    r"|\bthink step[ -]by[ -]step\b",
    re.IGNORECASE,
)
_NO_TEST: Final = re.compile(
    r"(?:(?:always|in (?:all|any|every) (?:cases?|inputs?)|none|n/?a|true|yes|otherwise)"
    r"|(?:any|all|every|each|the|this|an?) \w+)\W*",
    re.IGNORECASE,
)


def vague(instruction: str) -> str | None:
    """Return what makes an instruction vague, as a sentence without subject, else None."""
    advice = _VAGUE.search(instruction)
    if advice:
        return f'"{advice[0]}" is advice, not a test: say what must be true of the input'
    if len(instruction.split()) < FEWEST_WORDS:
        return "too short to state a condition and a label"
    return None


def no_test(condition: str) -> str | None:
    """Return why a condition tests nothing, else None."""
    if not condition or _NO_TEST.fullmatch(condition):
        return "states nothing that can be true of one input and false of another"
    advice = _VAGUE.search(condition)
    return f'"{advice[0]}" is advice, not a condition' if advice else None
