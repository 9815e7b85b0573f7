"""Checks of the characters that reach the student."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

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


def _texts(subject: Subject) -> Iterator[tuple[int | None, tuple[str | int, ...], str]]:
    """Yield every text that a student may read: index of its rule, loc, text."""
    rulebook = subject.rulebook
    yield None, ("task", "instruction"), rulebook.task.instruction
    for label, description in rulebook.task.labels.items():
        yield None, ("task", "labels", label), label
        yield None, ("task", "labels", label), description
    for name, value in rulebook.prompt.variables.items():
        yield None, ("prompt", "variables", name), value
    for index, rule in subject.living_rules:
        yield index, ("instruction",), rule.instruction


def _finding(
    subject: Subject, index: int | None, loc: tuple[str | int, ...], message: str, hint: str
) -> Finding:
    if index is None:
        name = ".".join(str(part) for part in loc)
        return subject.at(*loc, message=f'"{name}" {message}', hint=hint)
    rule = subject.rulebook.rules[index]
    said = f'the instruction of rule "{rule.id}" {message}'
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
    "hidden-character",
    severity="warning",
    description="a character that reviewers cannot see in a text that the student reads",
)
def hidden_character(subject: Subject) -> Iterator[Finding]:
    """Find control, formatting, private and bidirectional characters."""
    for index, loc, text in _texts(subject):
        hidden = next(hidden_characters(text), None)
        if hidden:
            name = unicodedata.name(hidden, "a control or private character")
            said = f"holds U+{ord(hidden):04X} ({name}), which nobody sees"
            yield _finding(subject, index, loc, said, "delete it")


def hidden_characters(text: str) -> Iterator[str]:
    """Yield each control, formatting, private and bidirectional character of a text."""
    for match in _NOT_PRINTABLE.finditer(text):
        character = match[0]
        if unicodedata.category(character) in _HIDDEN_CATEGORIES:
            yield character


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


CHECKS = (control_token, hidden_character, quotes_gate)
