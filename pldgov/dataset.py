"""Labelled examples: the words that every other part of pldgov uses for data."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from pldgov.fingerprint import digest_value

if TYPE_CHECKING:
    from collections.abc import Mapping

SplitName = Literal["train", "validation", "gate"]
SPLIT_NAMES: tuple[SplitName, ...] = get_args(SplitName)


@dataclass(frozen=True)
class Example:
    """One labelled example.

    ``inputs`` holds the task's input fields and is all that a student ever sees of it. ``group``
    ties examples that belong together: no group crosses a split, and statistics resample whole
    groups. ``metadata`` holds every other field of the file; it reaches neither student nor hash.
    ``line`` is the line (or row) of the file it came from, from 1; 0 when there is none.
    """

    id: str
    inputs: Mapping[str, str]
    label: str
    group: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False)
    line: int = field(default=0, compare=False)

    @cached_property
    def sha256(self) -> str:
        """Digest over inputs and label: what a rule's provenance cites."""
        return digest_value({"inputs": dict(self.inputs), "label": self.label})

    @cached_property
    def input_sha256(self) -> str:
        """Digest over the inputs alone: what a student's answer depends on."""
        return digest_value(dict(self.inputs))


def digest_examples(examples: tuple[Example, ...]) -> str:
    """Return a digest of a split: ids, contents and groups, whatever the order of the file."""
    rows = sorted([example.id, example.sha256, example.group] for example in examples)
    return digest_value(rows)
