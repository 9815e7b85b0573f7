"""The rulebook as frozen values: schema ``pldgov.rulebook/v1``.

The YAML text is the artefact that people review; these values are a view of it. Field
descriptions end up in the JSON Schema, and so in the reader's editor.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

SCHEMA_ID = "pldgov.rulebook/v1"

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)]
"""Lower-case name that is safe in file names, pytest ids and URLs."""

Text = Annotated[str, Field(min_length=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _iso_text(value: Any) -> Any:
    """Refuse texts that Pydantic would read as a date, such as the seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise PydanticCustomError("iso_date", "should be a date such as 2026-11-24")
    return value


Phrase = Annotated[str, Field(pattern=r"[^\W_]")]
"""It holds a letter or a digit: marks alone would stand in every text."""


def _phrase_list(value: Any) -> Any:
    """Return a text with commas as a list: no phrase holds one, since marks count as blanks."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Phrases = Annotated[
    tuple[Phrase, ...],
    Field(min_length=1),
    BeforeValidator(_phrase_list, json_schema_input_type=list[Phrase] | str),
]
Day = Annotated[dt.date, BeforeValidator(_iso_text)]

RuleStatus = Literal["draft", "active", "deprecated"]
Origin = Literal["distilled", "edited", "hand-written", "imported"]
Role = Literal["support", "counter"]
ReviewVerdict = Literal[
    "PASS", "REGRESSED", "INCONCLUSIVE", "NO_BASELINE", "NOT_COMPARABLE", "undecided"
]


class Part(BaseModel):
    """A frozen piece of a rulebook; an unknown key is a problem, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Citation(Part):
    """A labelled example that a rule rests on, or is limited by."""

    id: Text = Field(description="Id of an example in the train split.")
    sha256: Sha256 | None = Field(
        default=None,
        description="Digest over the example's inputs and label; `pldgov fmt --pin` writes it.",
    )
    role: Role = Field(
        default="support",
        description="support: the rule gives its label; counter: the rule must not apply to it.",
    )


class Teacher(Part):
    """The teacher call that a distilled rule came from."""

    model: Text = Field(description="The teacher model's name.")
    mode: Text = Field(description="How it was asked: openai, batch or replay.")
    prompt_sha256: Sha256 | None = Field(default=None, description="Digest of the teacher prompt.")
    date: Day | None = Field(default=None, description="Day of the answer (ISO 8601).")
    run_id: Text | None = Field(default=None, description="The distillation run.")


class Provenance(Part):
    """Where a rule comes from and which examples it rests on."""

    origin: Origin = Field(description="Who wrote the rule's present wording.")
    teacher: Teacher | None = Field(default=None, description="Set for distilled rules.")
    examples: tuple[Citation, ...] = Field(
        default=(), description="The training examples that the rule rests on."
    )


class Relation(Part):
    """A tie from this rule to another one."""

    id: Identifier = Field(description="Id of the other rule.")
    type: Text = Field(description="For instance: precedes, split-from, merged-from, replaces.")


class Review(Part):
    """Who approved a rule, and what exactly; `pldgov approve` writes it."""

    by: Text = Field(description="The approver, as in git: a name, an address, or both.")
    on: Day = Field(description="Day of the approval (ISO 8601).")
    digest: Sha256 = Field(
        description="Digest of what reaches the student of this rule; a change there voids it."
    )
    verdict: ReviewVerdict | None = Field(
        default=None, description="The gate's verdict at that moment; undecided: it had none."
    )


class Rule(Part):
    """One instruction to the student, with who answers for it and what it rests on."""

    id: Identifier = Field(description="Stable and never reused.")
    title: Text = Field(description="A short name for people; the student does not see it.")
    status: RuleStatus = Field(
        default="draft", description="Only active rules are rendered into the prompt."
    )
    labels: tuple[Text, ...] = Field(
        default=(), description="The labels that the rule argues for, the main one first."
    )
    instruction: Text = Field(description="The text that the student reads.")
    when: dict[Identifier, Phrases] = Field(
        default_factory=dict,
        description="Input field -> phrases, a list or with commas. The user message shows the "
        "rule, for inputs in which each of these fields holds one of its phrases (whole words, in "
        "any case); the system prompt does not.",
    )
    priority: int = Field(
        default=0, description="Higher goes first; the first to stay when a budget trims."
    )
    rationale: str | None = Field(default=None, description="Why the rule exists, for people.")
    owner: str | None = Field(default=None, description="Who answers for the rule.")
    references: tuple[Text, ...] = Field(
        default=(), description="Law, policy clause, ticket or link behind the rule."
    )
    created: Day | None = Field(default=None, description="ISO date.")
    modified: Day | None = Field(default=None, description="ISO date.")
    related: tuple[Relation, ...] = Field(default=(), description="Ties to other rules.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Free; pldgov ignores it.")
    provenance: Provenance | None = Field(
        default=None, description="Required of every rule; lint reports a rule without it."
    )
    lint_exclude: dict[str, Text] = Field(
        default_factory=dict,
        description="Checks that do not apply to this rule: name of the check -> reason.",
    )
    review: Review | None = Field(default=None, description="The approval of this wording.")


class Task(Part):
    """What the student decides."""

    instruction: Text = Field(description="The task in a sentence or two.")
    inputs: tuple[Identifier, ...] = Field(
        default=("text",), min_length=1, description="Fields of an example that a student sees."
    )
    labels: dict[str, Text] = Field(
        min_length=2, description="Every label with a one-line description."
    )


class Splits(Part):
    """Where the labelled examples are, relative to the rulebook's folder.

    A path ends in .jsonl, .csv or .parquet, or is ``hf:<dataset>[:config]``.
    """

    train: Text = Field(description="Rules cite these; calibration sees their inputs.")
    validation: Text | None = Field(default=None, description="Candidates are accepted on these.")
    gate: Text = Field(description="Touched only by the gate and the final report.")
    obtain: Text | None = Field(
        default=None,
        description="The examples are not committed; this says how to get them (a command or a "
        "sentence).",
    )


class Exemplars(Part):
    """How many cited examples of each rule a template may show."""

    support: int = Field(default=1, ge=0, le=20, description="Supporting examples a rule.")
    counter: int = Field(default=1, ge=0, le=20, description="Counter examples a rule.")


class PromptPolicy(Part):
    """How the rules become a prompt."""

    template: Text = Field(description="System template: a file name under templates/.")
    user_template: Text = Field(
        default="user.j2", description="Template of one user message: a file under templates/."
    )
    exemplars: Exemplars = Field(default_factory=Exemplars)
    variables: dict[str, str] = Field(
        default_factory=dict, description="Further variables; the template must use each."
    )
    budget_tokens: int | None = Field(
        default=None, gt=0, description="Most tokens that system text and turns may take."
    )
    over_budget: Literal["error", "trim"] = Field(
        default="error", description="trim drops rules, lowest priority first, and says so."
    )


class LabelPolicy(Part):
    """What the gate asks of one label."""

    min: float | None = Field(default=None, ge=0, le=1, description="Least F1 of this label.")
    max_drop: float | None = Field(
        default=None, ge=0, le=1, description="Largest drop of this label's F1 against the base."
    )


Handling = Literal["fail", "pass", "undecided"]


class GatePolicy(Part):
    """When a change may be merged. F1 values are fractions from 0 to 1."""

    max_drop: float = Field(
        default=0.02, ge=0, le=1, description="The margin: a smaller drop is no regression."
    )
    min: float | None = Field(default=None, ge=0, le=1, description="Least macro-F1, always.")
    label_max_drop: float = Field(
        default=0.1, ge=0, le=1, description="The margin of every label that has none of its own."
    )
    labels: dict[str, LabelPolicy] = Field(default_factory=dict, description="By label.")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="Of every interval.")
    draws: int = Field(default=10_000, ge=100, le=1_000_000, description="Bootstrap draws.")
    seed: int = Field(default=0, ge=0, description="Of the bootstrap.")
    max_invalid: float = Field(
        default=0.05, ge=0, le=1, description="Largest share of invalid answers that is trusted."
    )
    on_inconclusive: Handling = Field(default="undecided", description="Exit 1, 0 or 3.")
    on_no_baseline: Handling = Field(default="undecided", description="Exit 1, 0 or 3.")


class Rulebook(Part):
    """One unit of review: a task, its rules, its examples and its gate."""

    schema_id: Literal["pldgov.rulebook/v1"] = Field(alias="schema", description="Schema id.")
    name: Identifier = Field(description="The folder's name.")
    title: Text = Field(description="For people.")
    owner: Text = Field(description="Who answers for this rulebook.")
    description: str | None = Field(default=None, description="For people.")
    task: Task
    examples: Splits
    prompt: PromptPolicy
    gate: GatePolicy = Field(default_factory=GatePolicy)
    rules: tuple[Rule, ...] = Field(description="In the order in which people read them.")
    metadata: dict[str, Any] = Field(default_factory=dict, description="Free; pldgov ignores it.")

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's labels in the order in which the rulebook lists them."""
        return tuple(self.task.labels)

    @property
    def active_rules(self) -> tuple[Rule, ...]:
        """The rules that a student sees: highest priority first, then in the file's order."""
        active = (rule for rule in self.rules if rule.status == "active")
        return tuple(sorted(active, key=lambda rule: -rule.priority))
