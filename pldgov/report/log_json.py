"""The life of a rulebook or a rule as JSON, newest commit first."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pldgov.history.model import Commit, Event, Life
    from pldgov.rulebook.model import Rule


def render_log_json(life: Life) -> str:
    """Return every event with every change unabridged."""
    value = {
        "schema": "pldgov.log/v1",
        "path": life.path,
        "rule_ids": list(life.rule_ids),
        "now": None if life.gone else _rule(life.last),
        "last": _rule(life.last),
        "first": _rule(life.first),
        "approval": life.standing,
        "events": [_event(event) for event in life.events],
        "notes": list(life.notes),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def commit_json(commit: Commit) -> dict[str, Any]:
    """Return a commit; times are ISO 8601 with their offset."""
    return {
        "sha": commit.sha,
        "author": {"name": commit.author.name, "address": commit.author.address},
        "co_authors": list(commit.co_authors),
        "authored": commit.authored.isoformat(),
        "committed": commit.committed.isoformat(),
        "subject": commit.subject,
    }


def _rule(rule: Rule | None) -> dict[str, Any] | None:
    return None if rule is None else rule.model_dump(mode="json", exclude_none=True)


def _event(event: Event) -> dict[str, Any]:
    value = {
        name: getattr(event, name)
        for name in ("path", "moved_from", "created", "deleted", "cut", "problem", "reaches")
    }
    return {
        "commit": commit_json(event.commit),
        "merge": len(event.commit.parents) > 1,
        **value,
        "changes": [asdict(change) for change in event.changes],
        "approvals": [
            {
                "rule": one.rule_id,
                **one.review.model_dump(mode="json"),
                "standing": one.standing,
            }
            for one in event.approvals
        ],
        "voided": list(event.voided),
        "measured": [asdict(one) for one in event.measured],
    }
