"""What is read from a prompt, before it is a rulebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class FoundRule:
    """One rule as the source has it.

    ``line`` counts from 1. ``id`` is the source's own, where it has one; ``labels`` those that its
    section or its text names. ``facts`` is what else the source says of it, for ``metadata``.
    """

    text: str
    line: int
    labels: tuple[str, ...] = ()
    id: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundPrompt:
    """All that a prompt gives a rulebook; ``labels`` holds the descriptions that it has."""

    kind: str
    rules: tuple[FoundRule, ...]
    title: str | None = None
    task: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
