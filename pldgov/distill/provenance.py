"""What a distilled rule says about where it comes from."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pldgov.errors import DataError
from pldgov.rulebook.model import Citation, Provenance, Teacher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.dataset import Example
    from pldgov.distill.model import DraftRule
    from pldgov.ports import ReplyArchive


def provenance_of(
    rule: DraftRule,
    *,
    archive: ReplyArchive,
    examples: Mapping[str, Example],
    prompt_sha256: str,
    run_id: str,
) -> Provenance:
    """Return the provenance of a drafted rule: the reply it came from, and the cited examples.

    ``prompt_sha256`` is the digest of the teacher's templates in that phase. Raises ``DataError``
    when the reply is not recorded.
    """
    reply = archive.get(rule.request)
    if reply is None:
        raise DataError(f'no reply is recorded that rule "{rule.id}" came from', where=rule.request)
    teacher = Teacher(
        model=reply.model,
        mode=reply.mode,
        prompt_sha256=prompt_sha256,
        date=dt.date.fromisoformat(reply.date),
        run_id=run_id,
    )
    cited = tuple(
        Citation(id=cite.id, sha256=examples[cite.id].sha256, role=cite.role) for cite in rule.cites
    )
    return Provenance(origin="distilled", teacher=teacher, examples=cited)
