"""Effects of rules as a committed file: ``evidence/<student>.explain.json``.

It says under which prompt and student the effects were measured, so that a reader can tell
whether they are those of the rulebook at hand; it holds no time, so equal answers give equal
bytes. One rule a line: a diff shows whose effect changed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pldgov.attribution import NotMeasured, RuleEffect
from pldgov.errors import DataError
from pldgov.results import Difference, Flip, Interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.attribution import Explanation

EFFECTS_SCHEMA = "pldgov.effects/v1"


@dataclass(frozen=True)
class SavedEffects:
    """What such a file holds; ``student`` is a name, ``prompt`` the digest with all rules.

    The effects are those of a rulebook whose rendered prompt has that digest, asked of a student
    of that fingerprint, and of no other.
    """

    rulebook: str
    student: str
    fingerprint: str
    split: str
    prompt: str
    n: int
    macro_f1: float
    effects: tuple[RuleEffect, ...]
    not_measured: tuple[NotMeasured, ...]


def effects_path(folder: str, student: str) -> str:
    """Return where the effects measured with a student stand, beside the rulebook."""
    return f"{folder}/evidence/{student}.explain.json"


def effects_text(explanation: Explanation) -> str:
    """Return the file's text."""
    card = explanation.student
    head = {
        "schema": EFFECTS_SCHEMA,
        "rulebook": explanation.rulebook,
        "student": {
            "name": card.name,
            "kind": card.kind,
            "model": card.model,
            "snapshot": card.snapshot,
            "fingerprint": card.fingerprint,
        },
        "split": explanation.split,
        "n": explanation.n,
        "prompt_sha256": explanation.prompt,
        "macro_f1": explanation.macro_f1,
        "not_measured": [asdict(one) for one in explanation.not_measured],
    }
    rows = ",\n    ".join(
        json.dumps(effect_values(effect), ensure_ascii=False) for effect in explanation.effects
    )
    body = json.dumps(head, indent=2, ensure_ascii=False)
    return f'{body[:-2]},\n  "rules": [\n    {rows}\n  ]\n}}\n'


def effect_values(effect: RuleEffect) -> dict[str, Any]:
    """Return one rule's effect as JSON values: ``without`` and ``with`` the rule."""
    return {
        "id": effect.rule,
        "direction": effect.direction,
        "prompt_sha256": effect.prompt,
        "macro_f1": _difference_values(effect.macro_f1),
        "labels": {label: _difference_values(one) for label, one in effect.labels.items()},
        "flips": [
            {"id": flip.example_id, "gold": flip.gold, "without": flip.before, "with": flip.after}
            for flip in effect.flips
        ],
    }


def parse_effects(text: str, *, path: str) -> SavedEffects:
    """Return what a file holds; raises ``DataError`` when it is none."""
    try:
        data = json.loads(text)
        if data["schema"] != EFFECTS_SCHEMA:
            raise DataError(f"unknown schema {data['schema']!r}", where=path)
        return SavedEffects(
            rulebook=data["rulebook"],
            student=data["student"]["name"],
            fingerprint=data["student"]["fingerprint"],
            split=data["split"],
            prompt=data["prompt_sha256"],
            n=data["n"],
            macro_f1=data["macro_f1"],
            effects=tuple(map(_effect, data["rules"])),
            not_measured=tuple(NotMeasured(**row) for row in data["not_measured"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"not a file of rule effects ({type(error).__name__}: {error})",
            where=path,
            hint="`pldgov explain RULEBOOK --save` writes one",
        ) from error


def _difference_values(value: Difference) -> dict[str, Any]:
    return {
        "without": value.base,
        "with": value.head,
        "effect": value.delta,
        "low": value.interval.low,
        "high": value.interval.high,
        "confidence": value.interval.confidence,
        "standard_error": value.standard_error,
        "p_value": value.p_value,
        "adjusted_p": value.adjusted_p,
    }


def _effect(row: Mapping[str, Any]) -> RuleEffect:
    return RuleEffect(
        rule=row["id"],
        prompt=row["prompt_sha256"],
        macro_f1=_difference(row["macro_f1"]),
        labels={label: _difference(one) for label, one in row["labels"].items()},
        flips=tuple(
            Flip(one["id"], one["gold"], one["without"], one["with"]) for one in row["flips"]
        ),
    )


def _difference(row: Mapping[str, Any]) -> Difference:
    return Difference(
        base=row["without"],
        head=row["with"],
        interval=Interval(row["low"], row["high"], row["confidence"]),
        standard_error=row["standard_error"],
        p_value=row["p_value"],
        adjusted_p=row["adjusted_p"],
    )
