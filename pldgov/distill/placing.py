"""From a drafted rule to a rule of a rulebook, as a value and as the mapping that is written."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pldgov.distill.provenance import provenance_of
from pldgov.errors import DataError
from pldgov.rulebook.model import Relation, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.distill.model import DraftRule, Phase
    from pldgov.ports import ReplyArchive
    from pldgov.rulebook.model import RuleStatus

_FEW_PHRASES = 8

KEPT_FIELDS = ("owner", "references", "metadata", "lint_exclude", "created", "review")
"""What people may add to a distilled rule, and what its next distillation leaves as it is."""


@dataclass
class Placing:
    """Turns drafts into rules: with provenance, dates and relations.

    ``prompts`` holds the digest of the teacher's templates by phase; ``phases`` the phase that
    each request of a draft belongs to. All dates are those of the replies, so that the same
    replies give the same bytes.
    """

    archive: ReplyArchive
    examples: Mapping[str, Example]
    prompts: Mapping[Phase, str]
    run_id: str
    owner: str
    phases: dict[str, Phase] = field(default_factory=dict)
    _placed: dict[tuple[DraftRule, RuleStatus], Rule] = field(default_factory=dict)

    def rule(self, draft: DraftRule, *, status: RuleStatus = "active") -> Rule:
        """Return the rule; raises ``DataError`` when the reply it came from is not recorded."""
        if (draft, status) not in self._placed:
            self._placed[draft, status] = self._place(draft, status)
        return self._placed[draft, status]

    def _place(self, draft: DraftRule, status: RuleStatus) -> Rule:
        kind = "split-from" if len(draft.lineage) == 1 else "merged-from"
        return Rule(
            id=draft.id,
            title=draft.title,
            status=status,
            labels=draft.labels,
            instruction=draft.instruction,
            when=dict(draft.when),
            rationale=draft.rationale,
            owner=self.owner,
            created=self._day(draft.first_request or draft.request),
            modified=self._day(draft.request) if draft.first_request else None,
            related=tuple(Relation(id=id_, type=kind) for id_ in draft.lineage),
            provenance=provenance_of(
                draft,
                archive=self.archive,
                examples=self.examples,
                prompt_sha256=self.prompts[self.phases[draft.request]],
                run_id=self.run_id,
            ),
        )

    def _day(self, request: str) -> dt.date:
        reply = self.archive.get(request)
        if reply is None:
            raise DataError("no reply is recorded that a rule came from", where=request)
        return dt.date.fromisoformat(reply.date)


def _phrases(phrases: Sequence[str]) -> list[str] | str:
    """Return a list, or where it would be a long one, a text that fills lines."""
    return list(phrases) if len(phrases) <= _FEW_PHRASES else ", ".join(phrases)


def _review(rule: Rule) -> dict[str, Any] | None:
    return None if rule.review is None else rule.review.model_dump(exclude_none=True)


def rule_mapping(rule: Rule, *, standing: Rule | None) -> dict[str, Any]:
    """Return the rule as it is written; ``standing`` is the rule of that id that it replaces."""
    kept = {name: getattr(standing, name) for name in KEPT_FIELDS} if standing else {}
    rule = rule.model_copy(update={name: value for name, value in kept.items() if value})
    assert rule.provenance is not None
    assert rule.provenance.teacher is not None
    mapping: dict[str, Any] = {
        "id": rule.id,
        "title": rule.title,
        "status": rule.status,
        "labels": list(rule.labels),
        "instruction": rule.instruction,
        "when": {field: _phrases(phrases) for field, phrases in rule.when.items()},
        "rationale": rule.rationale,
        "owner": rule.owner,
        "references": list(rule.references),
        "created": rule.created,
        "modified": rule.modified,
        "related": [relation.model_dump() for relation in rule.related],
        "metadata": rule.metadata,
        "provenance": {
            "origin": rule.provenance.origin,
            "teacher": {k: v for k, v in rule.provenance.teacher if v is not None},
            "examples": [
                citation.model_dump(exclude={"role"} if citation.role == "support" else set())
                for citation in rule.provenance.examples
            ],
        },
        "lint_exclude": rule.lint_exclude,
        # The approval of a rule that is put to rest goes: it would count again with the rule.
        "review": _review(rule) if rule.status == "active" else None,
    }
    return {key: value for key, value in mapping.items() if value not in (None, [], {})}
