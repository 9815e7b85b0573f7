"""Who stands behind each rule of a prompt, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pldgov.report.log_json import commit_json

if TYPE_CHECKING:
    from pldgov.history.model import Blame, BlamedRule


def render_blame_json(blame: Blame) -> str:
    """Return the moment, its prompt and its active rules in the prompt's order."""
    value = {
        "schema": "pldgov.blame/v1",
        "rulebook": blame.rulebook,
        "path": blame.path,
        "at": blame.at,
        "commit": blame.sha,
        "committed": blame.committed.isoformat(),
        "subject": blame.subject,
        "prompt_sha256": blame.prompt,
        "problem": blame.problem,
        "rules": [_rule(rule) for rule in blame.rules],
        "notes": list(blame.notes),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _rule(blamed: BlamedRule) -> dict[str, Any]:
    rule = blamed.rule
    return {
        "id": rule.id,
        "labels": list(rule.labels),
        "priority": rule.priority,
        "instruction": rule.instruction,
        "changed": commit_json(blamed.commit),
        "changed_earlier": blamed.cut,
        "approval": blamed.standing,
        "review": None if rule.review is None else rule.review.model_dump(mode="json"),
    }
