"""Blessing: a measurement becomes the committed evidence that later changes are compared with."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from pldgov.errors import UnjudgedError, UsageError
from pldgov.evidence import answers_text, evidence_text
from pldgov.fingerprint import digest_value
from pldgov.workflows.gating import comparability_key
from pldgov.workflows.measure import measure
from pldgov.workflows.sides import side_of

if TYPE_CHECKING:
    import datetime as dt

    from pldgov.results import StudentCard
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.measure import Answering, Measurement
    from pldgov.workflows.sides import Side


def measure_for_blessing(head: Revision, *, answering: Answering) -> tuple[Side, Measurement]:
    """Measure head on its gate split.

    Raises ``UnjudgedError`` when the measurement is suspect: too many invalid answers, or inputs
    that the student did not read to the end.
    """
    side = side_of(head, answering.student)
    policy = head.rulebook.gate
    measured = measure(
        side.builder,
        side.rendered,
        head.split("gate"),
        train=head.split("train"),
        answering=answering,
        policy=policy,
    )
    scorecard = measured.scorecard
    if scorecard.invalid_rate > policy.max_invalid:
        raise UnjudgedError(
            f"{scorecard.invalid} of {scorecard.n} answers name no label "
            f"({scorecard.invalid_rate:.1%}, at most {policy.max_invalid:.1%} is trusted)",
            where=head.rulebook.name,
            hint="mend the prompt or the student; gate.max_invalid sets the limit",
        )
    if scorecard.truncated:
        raise UnjudgedError(
            f"{scorecard.truncated} inputs were cut to fit the student's context",
            where=head.rulebook.name,
            hint="shorten the prompt or the inputs, or choose a student with a longer context",
        )
    return side, measured


def refuse_dirty(paths: list[str], *, is_dirty: bool) -> None:
    """Raise ``UsageError`` when what was measured is not what is committed."""
    if is_dirty:
        raise UsageError(
            "has changes that are not committed, so the evidence would cite no commit",
            where=", ".join(paths),
            hint="commit them first",
        )


def evidence_files(
    head: Revision, side: Side, measured: Measurement, *, card: StudentCard
) -> dict[str, str]:
    """Return the evidence as texts by path relative to the root."""
    key = comparability_key(head.rulebook, head.split("gate"), card)
    prompt = side.rendered.prompt.digest
    stem = f"{head.folder}/evidence/{card.name}"
    student = {
        "name": card.name,
        "kind": card.kind,
        "model": card.model,
        "snapshot": card.snapshot,
        "decoding": dict(card.decoding),
        "decision": asdict(card.policy),
        "fingerprint": card.fingerprint,
    }
    return {
        f"{stem}.json": evidence_text(
            rulebook=head.rulebook.name,
            student=student,
            prompt=prompt,
            key=key,
            scorecard=measured.scorecard,
            decisions=measured.decisions,
            calibration=measured.calibration,
        ),
        f"{stem}.answers.jsonl": answers_text(prompt, card.fingerprint, measured.answers),
    }


def ledger_line(
    head: Revision,
    side: Side,
    measured: Measurement,
    *,
    card: StudentCard,
    reason: str,
    by: str,
    commit: str | None,
    on: dt.date,
) -> str:
    """Return one line of the ledger: who blessed what, when and why."""
    key = comparability_key(head.rulebook, head.split("gate"), card)
    interval = measured.scorecard.interval
    entry = {
        "on": on.isoformat(),
        "by": by,
        "reason": reason,
        "student": card.name,
        "macro_f1": measured.scorecard.macro_f1,
        "interval": [interval.low, interval.high] if interval else None,
        "n": measured.scorecard.n,
        "prompt_sha256": side.rendered.prompt.digest,
        "key_sha256": digest_value(asdict(key)),
        "commit": commit,
    }
    return json.dumps(entry, ensure_ascii=False) + "\n"
