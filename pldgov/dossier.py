"""Everything that is known of one rulebook at one moment: what page and audit pack show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.attribution import RuleEffect
    from pldgov.dataset import SplitName
    from pldgov.diff_report import RulebookDiff
    from pldgov.history.model import Event
    from pldgov.prompt import RenderedPrompt
    from pldgov.results import Decision, Outcome, Scorecard
    from pldgov.rulebook.approval import Standing
    from pldgov.rulebook.model import Role, Rule, Rulebook

Pin = Literal["as cited", "not pinned", "changed since", "not found", "not here"]
"""What a citation's digest says of its example; not here: the split itself is absent."""


@dataclass(frozen=True, slots=True)
class TeacherWord:
    """What a teacher said about one example: its reasoning, and what it drew from it."""

    example_id: str
    label: str
    reasoning: str
    condition: str
    instruction: str
    model: str
    date: str
    request: str


@dataclass(frozen=True, slots=True)
class CitedExample:
    """One citation of a rule, with the state of what it cites.

    ``sha256`` is the digest that the citation pins, ``label`` the example's gold label where the
    example is known, ``text`` the beginning of its inputs where they may be shown.
    """

    id: str
    role: Role
    pin: Pin
    sha256: str | None = None
    label: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """A rule with what is known about it.

    ``shown`` tells whether the prompt holds it (a budget may have trimmed it). ``tokens`` counts
    its instruction, None where the student's tokens cannot be counted. ``effect`` is committed
    evidence under this very prompt, None where there is none.
    """

    rule: Rule
    standing: Standing
    shown: bool
    cited: tuple[CitedExample, ...] = ()
    tokens: int | None = None
    effect: RuleEffect | None = None


@dataclass(frozen=True, slots=True)
class CitedBy:
    """A rule that rests on an example, or is limited by it."""

    rule_id: str
    title: str
    role: Role


@dataclass(frozen=True, slots=True)
class ExampleEntry:
    """An example with the rules that cite it, the teacher's words and the student's answer.

    ``split`` is None for an example that is cited and not found. ``inputs`` are None where texts
    are withheld or not here; ``decision`` is the committed evidence's, None without one.
    """

    id: str
    split: SplitName | None
    label: str | None = None
    sha256: str | None = None
    inputs: Mapping[str, str] | None = None
    cited_by: tuple[CitedBy, ...] = ()
    teacher: tuple[TeacherWord, ...] = ()
    decision: Decision | None = None


@dataclass(frozen=True)
class Measurement:
    """Committed evidence: one student's answers on the gate split, and the figures.

    ``student`` holds name, kind, model, snapshot and fingerprint. ``current`` tells whether the
    prompt that was measured is the one rendered now.
    """

    path: str
    student: Mapping[str, Any]
    prompt: str
    scorecard: Scorecard
    decisions: tuple[Decision, ...]
    current: bool


@dataclass(frozen=True, slots=True)
class Point:
    """Macro-F1 as one commit recorded it, and the gate's word on the step from the point before.

    ``outcome`` is None where there is nothing to compare with, or where it cannot be told.
    ``on`` is the commit's day (ISO 8601).
    """

    commit: str
    on: str
    author: str
    subject: str
    student: str
    macro_f1: float
    n: int
    prompt: str
    low: float | None = None
    high: float | None = None
    outcome: Outcome | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the ledger: who made which measurement the baseline, and why."""

    on: str
    by: str
    reason: str
    student: str
    macro_f1: float | None
    n: int | None
    prompt: str
    commit: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A committed file by its SHA-256; ``size`` in bytes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Dossier:
    """One rulebook with its rules, examples, measurements and history.

    ``rendered`` is None where the prompt cannot be rendered because examples are not here.
    ``commit`` and ``dirty`` are None outside a git repository. ``measurement`` is the committed
    evidence of the student that was chosen; ``effect_note`` says on what the rules' effects were
    measured, or how to get them; ``points`` and ``events`` come oldest and newest first.
    ``texts`` tells whether the examples' inputs may be shown. ``notes`` say what a reader has to
    know before trusting a figure. ``labels`` is in the rulebook's order.
    """

    rulebook: Rulebook
    path: str
    student: str
    rendered: RenderedPrompt | None
    rules: tuple[RuleEntry, ...]
    examples: tuple[ExampleEntry, ...]
    texts: bool = True
    prompt_tokens: int | None = None
    commit: str | None = None
    dirty: bool | None = None
    measurement: Measurement | None = None
    points: tuple[Point, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()
    events: tuple[Event, ...] = ()
    files: tuple[FileDigest, ...] = ()
    effect_note: str = ""
    base: str | None = None
    diff: RulebookDiff | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def prompt_withheld(self) -> bool:
        """Whether the prompt's text may not be shown, because it shows examples itself."""
        return self.rendered is not None and bool(self.rendered.examples) and not self.texts

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's labels."""
        return self.rulebook.labels
