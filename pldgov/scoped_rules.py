"""Rules that are shown for some inputs only, as Jinja that chooses them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.rulebook.model import Phrases, Rule


def choice_source(rules: Sequence[Rule], *, as_mapping: bool) -> str:
    """Return Jinja that sets ``rules`` to those whose ``when`` holds, a line for each.

    It stands in front of a user template, so that whoever fills that in needs nothing of pldgov:
    plain Jinja with ``trim_blocks``. ``as_mapping``: the template gets its fields as ``inputs``.
    What it chooses is what ``Rule.applies_to`` says.
    """
    lines = ["{% set rules = [] %}"]
    for rule in rules:
        told = {"id": rule.id, "instruction": rule.instruction.strip()}
        test = " and ".join(
            _holds(f"inputs[{_literal(field)}]" if as_mapping else field, phrases)
            for field, phrases in rule.when.items()
        )
        lines.append(f"{{% set rules = rules + [{_literal(told)}] if {test} else rules %}}")
    return "\n".join(lines) + "\n"


def _holds(field: str, phrases: Phrases) -> str:
    return f"({' or '.join(f'{_literal(one.lower())} in {field} | lower' for one in phrases)})"


def _literal(value: object) -> str:
    """Return a text or a mapping of texts as Jinja reads it, which is as JSON writes it."""
    return json.dumps(value, ensure_ascii=False)
