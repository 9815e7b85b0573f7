"""Evidence as history tells it: the figures of a measurement, without its answers."""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING

from pldgov.evidence import EVIDENCE_SCHEMA
from pldgov.history.model import Measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.history.model import Commit, FileChange


def evidence_changes(commit: Commit, rulebook: str) -> Iterator[FileChange]:
    """Yield the evidence files that a commit added or changed beside the rulebook at a path."""
    folder = posixpath.join(posixpath.dirname(rulebook), "evidence")
    for change in commit.changes:
        is_evidence = posixpath.dirname(change.path) == folder and change.path.endswith(".json")
        if is_evidence and change.blob is not None and change.blob != change.old_blob:
            yield change


def measured_in(data: bytes, *, path: str) -> Measured | None:
    """Return what an evidence file says, None for a file that is no evidence."""
    try:
        found = json.loads(data)
        if found["schema"] != EVIDENCE_SCHEMA:
            return None
        scorecard = found["scorecard"]
        interval = scorecard.get("interval") or {}
        return Measured(
            student=str(found["student"]["name"]),
            path=path,
            macro_f1=float(scorecard["macro_f1"]),
            n=int(scorecard["n"]),
            prompt=str(found["prompt_sha256"]),
            low=interval.get("low"),
            high=interval.get("high"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
