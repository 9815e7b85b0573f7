"""Checks of the characters that reach the student."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from pldgov.rulebook.checks.look_alikes import look_alikes
from pldgov.rulebook.checks.subject import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.rulebook.checks.subject import Finding, Subject

CONTROL_TOKEN = re.compile(
    r"<\|[A-Za-z0-9_/-]{1,40}\|?>|<[A-Za-z0-9_/-]{1,40}\|>"  # <|im_end|>, <|turn>, <turn|>
    r"|<｜[^<>｜]{1,40}｜>"  # noqa: RUF001  (DeepSeek writes its tokens with full-width bars)
    r"|</?(?:start|end)_of_(?:turn|text|image)>|</?s>|<(?:bos|eos|pad|unk|sep|cls|mask)>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>"
)
_WORD = re.compile(r"\w+")
_QUOTE_LENGTH = 8
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_NOT_PRINTABLE = re.compile(r"[^\x20-\x7e\n\t]")
_BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates, and what ends them."""
_BLANK = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u2800\u3164\uffa0\U000e0100-\U000e01ef]"
)
"""Letters, marks and symbols that are drawn as nothing."""
_JOINED = re.compile(
    r"(?<=[\u0600-\u07bf\u0860-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af])[\u200c\u200d]"
    r"|(?<=[\u20e3\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
)
"""Joiners where writing needs them: after a letter of a script that joins, and within an emoji."""


def _texts(subject: Subject) -> Iterator[tuple[int | None, tuple[str | int, ...], str]]:
    """Yield every text that decides what a student reads: index of its rule, loc, text."""
    rulebook = subject.rulebook
    yield None, ("task", "instruction"), rulebook.task.instruction
    for label, description in rulebook.task.labels.items():
        yield None, ("task", "labels", label), label
        yield None, ("task", "labels", label), description
    for name, value in rulebook.prompt.variables.items():
        yield None, ("prompt", "variables", name), value
    for index, rule in subject.living_rules:
        yield index, ("instruction",), rule.instruction
        for field, phrases in rule.when.items():  # one that nobody sees would never be found
            yield index, ("when", field), ", ".join(phrases)


def _finding(
    subject: Subject, index: int | None, loc: tuple[str | int, ...], message: str, hint: str
) -> Finding:
    if index is None:
        name = ".".join(str(part) for part in loc)
        return subject.at(*loc, message=f'"{name}" {message}', hint=hint)
    rule = subject.rulebook.rules[index]
    said = f'the {loc[0]} of rule "{rule.id}" {message}'
    return subject.in_rule(index, *loc, message=said, hint=hint)


@check(
    "control-token",
    severity="error",
    description="a control token of a chat template in a text that the student reads",
)
def control_token(subject: Subject) -> Iterator[Finding]:
    """Find texts that could end the system message or open another turn."""
    for index, loc, text in _texts(subject):
        token = CONTROL_TOKEN.search(text)
        if token:
            said = f'holds "{token[0]}", which chat templates use as a control token'
            yield _finding(subject, index, loc, said, "describe it in words")


@check(
    "bidi-control",
    severity="error",
    description="a control character that lets a text be shown in another order than it is read",
)
def bidi_control(subject: Subject) -> Iterator[Finding]:
    """Find texts that a reviewer may see in another order than the student reads them."""
    for index, loc, text in _texts(subject):
        control = _BIDI.search(text)
        if control:
            name = unicodedata.name(control[0])
            said = f"holds U+{ord(control[0]):04X} ({name}), which reorders what people see"
            yield _finding(subject, index, loc, said, "delete it")


@check(
    "hidden-character",
    severity="error",
    description="a character that reviewers cannot see in a text that the student reads",
)
def hidden_character(subject: Subject) -> Iterator[Finding]:
    """Find control, formatting, private and blank characters; a joiner may stand where it joins."""
    for index, loc, text in _texts(subject):
        hidden = next(
            (one for one in hidden_characters(_JOINED.sub("", text)) if not _BIDI.match(one)), None
        )
        if hidden:
            name = unicodedata.name(hidden, "a control or private character")
            said = f"holds U+{ord(hidden):04X} ({name}), which nobody sees"
            yield _finding(subject, index, loc, said, "delete it")


def hidden_characters(text: str) -> Iterator[str]:
    """Yield each control, formatting, private, blank and bidirectional character of a text."""
    for match in _NOT_PRINTABLE.finditer(text):
        character = match[0]
        if unicodedata.category(character) in _HIDDEN_CATEGORIES or _BLANK.match(character):
            yield character


@check(
    "look-alike",
    severity="warning",
    description="a word with letters that look like others: of two scripts, or of a fancy alphabet",
)
def look_alike(subject: Subject) -> Iterator[Finding]:
    """Find words that a reviewer reads as other words than the student does."""
    for index, loc, text in _texts(subject):
        found = next(look_alikes(text), None)
        if found:
            name = unicodedata.name(found.character)
            said = (
                f'holds "{found.word}", which looks like "{found.reads}" but has '
                f"U+{ord(found.character):04X} ({name})"
            )
            yield _finding(subject, index, loc, said, "type the word anew")


@check(
    "quotes-gate",
    severity="warning",
    description="an instruction that shares eight words in a row with an example of the gate split",
    needs=("gate",),
)
def quotes_gate(subject: Subject) -> Iterator[Finding]:
    """Find rules that were written with a gate example at hand, each once."""
    runs = {
        run: index
        for index, rule in reversed(subject.living_rules)
        for run in _word_runs(rule.instruction)
    }
    reported: set[int] = set()
    for example in subject.splits.get("gate", ()) if runs else ():
        for run in (run for text in example.inputs.values() for run in _word_runs(text)):
            index = runs.get(run)
            if index is not None and index not in reported:
                reported.add(index)
                said = f'quotes example "{example.id}" of the gate split: "{" ".join(run)}"'
                yield _finding(subject, index, ("instruction",), said, "say it in general words")


def _word_runs(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return zip(*(words[start:] for start in range(_QUOTE_LENGTH)), strict=False)


CHECKS = (control_token, bidi_control, hidden_character, look_alike, quotes_gate)
