"""The settings of a distillation: all that decides its outcome besides data and replies.

They are committed beside the rulebook in ``distill.yaml``, so that the rulebook can be made again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pldgov.distill.candidates import Layout
from pldgov.distill.model import ClusterStrategy  # noqa: TC001  (Pydantic reads it)
from pldgov.errors import UsageError
from pldgov.fingerprint import digest_value
from pldgov.options import parse_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

FILE_NAME = "distill.yaml"

BUILT_IN_TEMPLATES = ("plain.j2", "by_label.j2", "exemplars.j2", "turns.j2")
_HEAD = (
    "# How this rulebook was distilled; `pldgov distill --teacher replay --check` does it again.\n"
)
_RUN_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")


class DistillSettings(BaseModel):
    """What ``[tool.pldgov.distill]``, ``distill.yaml`` and the flags say together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    student: str = Field(description="Who decides between candidates.")
    seed: int = Field(default=0, ge=0, description="Of every choice that is left to chance.")
    run: str | None = Field(default=None, description="The run's id; None: from the inputs.")

    examples: int | None = Field(default=None, ge=1, description="To extract from; None: all.")
    balanced: bool = Field(default=False, description="As many examples of each label.")
    stratify: tuple[str, ...] = Field(default=(), description="Input fields to stratify by.")
    examples_per_request: int = Field(default=1, ge=1, le=50, description="Of extraction.")

    embedder: str = Field(default="tfidf", description="By name.")
    clusters: ClusterStrategy | Literal["auto"] = Field(
        default="auto", description="auto: the student decides between those that hold."
    )
    scope: str | None = Field(
        default=None, description="Input field whose values are the clusters, with rules of theirs."
    )
    cues: str | None = Field(
        default=None, description="Input field by whose words the teacher says where a rule holds."
    )
    cue_kind: Literal["topic", "deciding"] = Field(
        default="topic", description="Words of a rule's topic, or phrases that settle its label."
    )
    cue_words: int = Field(default=1, ge=1, le=6, description="Shorter cues are left out.")
    outliers: bool = Field(default=False, description="Ask about what is in no cluster, too.")
    candidates: int = Field(default=1, ge=1, le=20, description="Sets drawn of each clustering.")
    rule_words: int | None = Field(default=None, ge=5, description="Most words of a rule.")
    instructions_per_request: int = Field(default=60, ge=2, description="Of synthesis.")

    rounds: int = Field(default=3, ge=0, le=50, description="Of resolution, at most.")
    train_sample: int = Field(default=200, ge=1, description="Examples a round is run on.")
    failures: int = Field(default=12, ge=1, description="Shown to the teacher in a round.")
    successes: int = Field(default=6, ge=0, description="The same.")
    operations: int = Field(default=6, ge=1, le=30, description="Most operations of a round.")
    patience: int = Field(default=1, ge=1, description="Rounds without success that end it.")

    templates: tuple[str, ...] = Field(default=(), description="Tried; the first is as good.")
    exemplars: tuple[tuple[int, int], ...] = Field(
        default=((1, 0), (2, 0), (1, 1)), min_length=1, description="Support and counter, tried."
    )
    grow: bool = Field(default=False, description="Add rules one by one, starting from none.")
    judge_on_train: bool = Field(
        default=False, description="Measure candidates on unshown training examples, too."
    )
    exemplar_swaps: int = Field(default=0, ge=0, description="Others tried for each rule.")
    prune: bool = Field(default=True, description="Take out rules that bring nothing.")
    max_student_calls: int | None = Field(default=None, ge=1, description="Of all candidates.")

    @model_validator(mode="after")
    def _where_rules_hold(self) -> Self:
        if self.scope is not None and self.scope == self.cues:
            raise ValueError("scope and cues name one input: its values tell the kinds already")
        if self.scope is not None and self.cues is not None and self.cue_kind == "topic":
            raise ValueError("with scope, cues tell labels apart, not topics: cue_kind: deciding")
        if self.cue_kind != "topic" and self.cues is None:
            raise ValueError("cue_kind says which cues are asked for: name their input in cues")
        return self

    @field_validator("run")
    @classmethod
    def _run_is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not _RUN_ID.fullmatch(value):
            raise ValueError("must be a name of lower-case letters, digits, '.', '_' and '-'")
        return value

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Every layout to try."""
        return tuple(
            Layout(template, *counts) for template in self.templates for counts in self.exemplars
        )

    @property
    def digest(self) -> str:
        """SHA-256 over all settings but the run's own name."""
        return digest_value(self.model_dump(mode="json", exclude={"run"}))


def merge_settings(
    layers: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    known_templates: Mapping[str, str],
    first: str,
) -> DistillSettings:
    """Return what the layers (where, table) say together: a later one goes before an earlier one.

    Without ``templates`` the rulebook's own (``first``) is tried, then those of pldgov that are
    there. Raises ``UsageError`` for what is unknown or does not fit.
    """
    merged: dict[str, Any] = {}
    for where, table in layers:
        parse_table(DistillSettings, {"student": "-", **table}, where=where)
        merged |= table
    settings = DistillSettings.model_validate(merged)
    templates = settings.templates or tuple(
        dict.fromkeys((first, *(name for name in BUILT_IN_TEMPLATES if name in known_templates)))
    )
    missing = [name for name in templates if name not in known_templates]
    if missing:
        raise UsageError(f"there is no template {missing[0]!r}", where="templates")
    return settings.model_copy(update={"templates": templates})


def read_settings(text: str, *, path: str) -> dict[str, Any]:
    """Return the table in a ``distill.yaml``; raises ``UsageError`` for anything else."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError("is not YAML", where=path) from error
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise UsageError("must be a mapping of settings", where=path)
    return value


def settings_text(settings: DistillSettings) -> str:
    """Return the ``distill.yaml`` that says these settings."""
    value = settings.model_dump(mode="json", exclude_none=True)
    return _HEAD + yaml.safe_dump(value, sort_keys=False, default_flow_style=None, width=100)
