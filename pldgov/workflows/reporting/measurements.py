"""Committed measurements: the present evidence, the ledger, and macro-F1 over the commits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pldgov.dossier import LedgerEntry, Measurement, Point
from pldgov.errors import DataError
from pldgov.evidence import EVIDENCE_SCHEMA, parse_evidence, parse_scorecard
from pldgov.gate import judge
from pldgov.history.measuring import evidence_changes
from pldgov.metrics import macro_f1

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pldgov.evidence import Evidence
    from pldgov.history.model import Commit, Event
    from pldgov.ports import Source
    from pldgov.results import Verdict
    from pldgov.rulebook.model import GatePolicy

LEDGER = "ledger.jsonl"
_TOLERANCE = 1e-9


def evidence_paths(tree: Source, folder: str) -> tuple[str, ...]:
    """Return the evidence files of all students beside a rulebook; other JSON is left out."""
    found = (path for path in tree.files(f"{folder}/evidence") if path.endswith(".json"))
    return tuple(path for path in found if _is_evidence(tree.read(path)))


def read_measurement(tree: Source, path: str, *, prompt: str) -> tuple[Measurement, list[str]]:
    """Return the evidence at ``path``, and what a reader has to know before trusting it.

    ``prompt`` is the digest of the prompt as it is rendered now. Raises ``DataError`` when the
    file is no evidence.
    """
    text = tree.read(path).decode("utf-8", "replace")
    evidence = parse_evidence(text, path=path)
    student: dict[str, Any] = json.loads(text)["student"]
    measurement = Measurement(
        path=path,
        student={**student, "name": evidence.student},
        prompt=evidence.prompt,
        scorecard=parse_scorecard(text, path=path),
        decisions=evidence.decisions,
        current=evidence.prompt == prompt,
    )
    return measurement, list(_doubts(measurement, evidence.key.labels))


def _doubts(measurement: Measurement, labels: tuple[str, ...]) -> Iterator[str]:
    if not measurement.current:
        yield (
            f"The figures are of another prompt ({measurement.prompt[:12]}): rules, templates or "
            "shown examples have changed since. pldgov bless measures the present one."
        )
    counted = macro_f1(measurement.decisions, labels) if measurement.decisions else 0.0
    if abs(counted - measurement.scorecard.macro_f1) > _TOLERANCE:
        yield (
            f"The committed macro-F1 ({measurement.scorecard.macro_f1:.3f}) is not what the "
            f"decisions in {measurement.path} give ({counted:.3f}): the file was edited."
        )
    yield from measurement.scorecard.notes


def read_ledger(tree: Source, folder: str) -> tuple[LedgerEntry, ...]:
    """Return the lines of the ledger beside a rulebook, oldest first; none without one.

    Raises ``DataError`` with the line that is no entry.
    """
    path = f"{folder}/evidence/{LEDGER}"
    if not tree.exists(path):
        return ()
    lines = tree.read(path).decode("utf-8", "replace").split("\n")
    return tuple(
        _entry(line, where=f"{path}:{number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    )


def _entry(line: str, *, where: str) -> LedgerEntry:
    try:
        row = json.loads(line)
        low, high = row.get("interval") or (None, None)
        macro, n = row.get("macro_f1"), row.get("n")
        return LedgerEntry(
            on=str(row["on"]),
            by=str(row["by"]),
            reason=str(row["reason"]),
            student=str(row["student"]),
            macro_f1=None if macro is None else float(macro),
            n=None if n is None else int(n),
            prompt=str(row.get("prompt_sha256") or ""),
            commit=str(row.get("commit") or ""),
            low=low,
            high=high,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"not an entry of the ledger ({type(error).__name__}: {error})",
            where=where,
            hint="`pldgov bless` writes them",
        ) from error


@dataclass(frozen=True)
class _Step:
    """Evidence as one commit recorded it."""

    commit: Commit
    evidence: Evidence
    low: float | None
    high: float | None


def trace_points(
    events: Iterable[Event], *, read: Callable[[str], bytes], policy: GatePolicy
) -> tuple[Point, ...]:
    """Return macro-F1 at each commit that recorded evidence, oldest first.

    ``events`` come newest first, ``read`` returns a blob. Each point is judged against the one
    before it of the same student, by ``policy``: with both sets of decisions at hand that asks
    no student. Evidence that cannot be read is left out.
    """
    before: dict[str, _Step] = {}
    points = []
    for event in reversed(tuple(events)):
        for step in _steps(event, read):
            verdict = _judge(step, before.get(step.evidence.student), policy)
            before[step.evidence.student] = step
            points.append(_point(step, verdict))
    return tuple(points)


def _steps(event: Event, read: Callable[[str], bytes]) -> Iterator[_Step]:
    for change in evidence_changes(event.commit, event.path):
        assert change.blob is not None
        text = read(change.blob).decode("utf-8", "replace")
        if not _is_evidence(text.encode("utf-8", "replace")):
            continue
        try:
            evidence = parse_evidence(text, path=change.path)
            interval = parse_scorecard(text, path=change.path).interval
        except DataError:
            continue
        low, high = (interval.low, interval.high) if interval else (None, None)
        yield _Step(event.commit, evidence, low, high)


def _judge(step: _Step, before: _Step | None, policy: GatePolicy) -> Verdict | None:
    if before is None:
        return None
    try:
        return judge(
            step.evidence.decisions,
            before.evidence.decisions,
            labels=step.evidence.key.labels,
            policy=policy,
            head_key=step.evidence.key,
            base_key=before.evidence.key,
        )
    except DataError:
        return None


def _point(step: _Step, verdict: Verdict | None) -> Point:
    commit, evidence = step.commit, step.evidence
    return Point(
        commit=commit.sha,
        on=commit.authored.date().isoformat(),
        author=str(commit.author),
        subject=commit.subject,
        student=evidence.student,
        macro_f1=evidence.macro_f1,
        n=len(evidence.decisions),
        prompt=evidence.prompt,
        low=step.low,
        high=step.high,
        outcome=verdict.outcome if verdict else None,
        reason=verdict.reason if verdict else "",
    )


def _is_evidence(data: bytes) -> bool:
    try:
        return bool(json.loads(data)["schema"] == EVIDENCE_SCHEMA)
    except (ValueError, KeyError, TypeError):
        return False
