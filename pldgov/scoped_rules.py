"""Rules that are shown for some inputs only: when one is, and Jinja that says the same."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from pldgov.words import MARKS, spaced

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pldgov.rulebook.model import Rule


ALWAYS_TOLD = ("id", "instruction")


def holds(when: Mapping[str, Sequence[str]], inputs: Mapping[str, str]) -> bool:
    """Tell whether each field of ``when`` holds one of its phrases; always where it is empty."""
    texts = {field: spaced(inputs.get(field, "")) for field in when}
    return all(
        any(_spaced_phrase(phrase) in texts[field] for phrase in phrases)
        for field, phrases in when.items()
    )


def apart(one: Mapping[str, Sequence[str]], other: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether two rules ask for other phrases of one field: they are for other inputs."""
    return any(
        not set(phrases) & set(other[field]) for field, phrases in one.items() if field in other
    )


# A rulebook asks for the same phrases of every input.
_spaced_phrase = lru_cache(maxsize=100_000)(spaced)


def told(rule: Rule, asked: Collection[str] = ()) -> dict[str, str]:
    """Return what a user template is given of a rule: the parts in ``asked`` beside the usual two.

    A part that the template does not show stays out of what is shipped, and out of its digest.
    """
    parts = {
        "id": rule.id,
        "title": rule.title,
        "label": rule.labels[0] if rule.labels else "",
        "instruction": rule.instruction.strip(),
    }
    return {name: text for name, text in parts.items() if name in {*ALWAYS_TOLD, *asked}}


def choice_source(rules: Sequence[Rule], *, as_mapping: bool, asked: Collection[str] = ()) -> str:
    """Return Jinja that sets ``rules`` to those whose ``when`` holds, a line for each.

    It stands in front of a user template, so that whoever fills that in needs nothing of pldgov:
    plain Jinja with ``trim_blocks``. ``as_mapping``: the template gets its fields as ``inputs``.
    What it chooses is what ``holds`` says.
    """
    fields = list(dict.fromkeys(field for rule in rules for field in rule.when))
    lines = [
        f"{{% set words{number} = {_words(field, as_mapping=as_mapping)} %}}"
        for number, field in enumerate(fields)
    ]
    lines.append("{% set rules = [] %}")
    for rule in rules:
        test = " and ".join(
            _holds(f"words{fields.index(field)}", phrases) for field, phrases in rule.when.items()
        )
        shown = _literal(told(rule, asked))
        lines.append(f"{{% set rules = rules + [{shown}] if {test} else rules %}}")
    return "\n".join(lines) + "\n"


def _holds(words: str, phrases: Sequence[str]) -> str:
    return f"({' or '.join(f'{_literal(spaced(one))} in {words}' for one in phrases)})"


def _words(field: str, *, as_mapping: bool) -> str:
    """Return the Jinja expression for ``pldgov.words.spaced`` of a field."""
    value = f"inputs[{_literal(field)}]" if as_mapping else field
    marks = "".join(f' | replace({_literal(mark)}, " ")' for mark in MARKS)
    return f'" " ~ ({value} | lower{marks}).split() | join(" ") ~ " "'


def _literal(value: object) -> str:
    """Return a text or a mapping of texts as Jinja reads it, which is as JSON writes it."""
    return json.dumps(value, ensure_ascii=False)
