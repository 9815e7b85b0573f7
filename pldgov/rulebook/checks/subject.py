"""What a check is, and what it looks at."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pldgov.approval_policy import ApprovalPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pldgov.approval_policy import Author
    from pldgov.dataset import Example, SplitName
    from pldgov.problems import Severity
    from pldgov.rulebook.document import Document
    from pldgov.rulebook.model import Rule, Rulebook

Scope = Literal["rule", "rulebook", "data"]

_NO_POLICY = ApprovalPolicy()


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says, and where; ``rule`` is the index of the rule that it is about."""

    message: str
    path: str
    line: int
    column: int
    hint: str | None = None
    rule: int | None = None


@dataclass(frozen=True)
class Subject:
    """A rulebook with the examples and templates that belong to it.

    A split that is absent from ``splits`` was not read, and nothing is said about its examples.
    ``absent`` names those of them that are not committed and not here. ``authors`` holds, by rule
    id, who wrote what reaches the student; it is empty where nobody asked history.
    """

    document: Document
    rulebook: Rulebook
    splits: Mapping[SplitName, Sequence[Example]]
    templates: Collection[str]
    absent: Collection[SplitName] = ()
    approval: ApprovalPolicy = _NO_POLICY
    authors: Mapping[str, Author] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> Mapping[SplitName, Mapping[str, Example]]:
        """The examples of each split by id; of equal ids the first."""
        return {
            name: {example.id: example for example in reversed(examples)}
            for name, examples in self.splits.items()
        }

    @cached_property
    def living_rules(self) -> tuple[tuple[int, Rule], ...]:
        """Index and rule of all but the deprecated ones, which stay only to keep their ids."""
        numbered = enumerate(self.rulebook.rules)
        return tuple((index, rule) for index, rule in numbered if rule.status != "deprecated")

    def split_spec(self, name: SplitName) -> str:
        """Return how the rulebook writes the split's place: ``examples/train.jsonl``."""
        return str(getattr(self.rulebook.examples, name))

    def in_rule(
        self,
        index: int,
        *loc: str | int,
        message: str,
        hint: str | None = None,
        at_key: bool = False,
    ) -> Finding:
        """Return a finding at a value of a rule; at the rule's id without ``loc``."""
        line, column = self.document.rule_position(index, *loc, at_key=at_key)
        return Finding(message, self.document.path, line, column, hint, index)

    def at(
        self, *loc: str | int, message: str, hint: str | None = None, at_key: bool = False
    ) -> Finding:
        """Return a finding at a value of the rulebook."""
        line, column = self.document.position(loc, at_key=at_key)
        return Finding(message, self.document.path, line, column, hint)

    def in_split(
        self, name: SplitName, example: Example, *, message: str, hint: str | None = None
    ) -> Finding:
        """Return a finding at an example."""
        spec = self.split_spec(name)
        if not spec.startswith("hf:"):
            spec = posixpath.join(posixpath.dirname(self.document.path), spec)
            spec = posixpath.normpath(spec)
        return Finding(message, spec, max(example.line, 1), 1, hint)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that lint looks for.

    ``description`` completes "lint reports ...". A rule may exclude a check only if it is a
    warning about rules. A check that ``needs_all`` is left out when parts of the file could not
    be read, because what it misses may stand there; so is one that ``needs`` splits of which one
    is absent.
    """

    code: str
    severity: Severity
    scope: Scope
    description: str
    run: Callable[[Subject], Iterable[Finding]]
    needs_all: bool = False
    needs: tuple[SplitName, ...] = ()

    @property
    def excludable(self) -> bool:
        """Tell whether ``lint_exclude`` of a rule may name it."""
        return self.scope == "rule" and self.severity == "warning"


def check(
    code: str,
    *,
    severity: Severity,
    scope: Scope = "rule",
    description: str,
    needs_all: bool = False,
    needs: tuple[SplitName, ...] = (),
) -> Callable[[Callable[[Subject], Iterator[Finding]]], Check]:
    """Make a check of the generator function below it."""

    def make(run: Callable[[Subject], Iterator[Finding]]) -> Check:
        return Check(code, severity, scope, description, run, needs_all, needs)

    return make


def listed(words: Sequence[str], *, most: int = 5) -> str:
    """Return words in quotes for a message, no more than ``most`` of them."""
    shown = ", ".join(f'"{word}"' for word in words[:most])
    more = len(words) - most
    return f"{shown} and {more} more" if more > 0 else shown
