"""The gate for another student: one rulebook, two students, the margins of any other change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pldgov.errors import UsageError
from pldgov.gate import judge
from pldgov.results import Outcome, Verdict
from pldgov.student_lock import card_changes
from pldgov.workflows.gating import comparability_key, gate_report, measure_gate
from pldgov.workflows.measure import count_missing
from pldgov.workflows.sides import side_of

if TYPE_CHECKING:
    from pldgov.evidence import Evidence
    from pldgov.results import ComparabilityKey, GateReport, StudentCard
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.measure import Answering
    from pldgov.workflows.sides import Side


def gate_students(head: Revision, *, new: Answering, old: Answering) -> GateReport:
    """Judge ``new`` against ``old`` on the gate split, each under the prompt it would get.

    The keys differ by the student alone, which is the point; every changed part of it is a note
    of the verdict. Raises ``UsageError`` when both are the same student.
    """
    changes = card_changes(old.card, new.card)
    if not changes:
        raise UsageError(
            f"{old.card.name!r} and {new.card.name!r} are the same student",
            where="--against",
            hint="there is nothing to judge",
        )
    side, base_side = side_of(head, new.student), side_of(head, old.student)
    gate_set, train = head.split("gate"), head.split("train")
    if count_missing(base_side.rendered, gate_set, train=train, answering=old):
        new.student.close()  # two local models need not fit into memory
    base = measure_gate(base_side, old, stage=f"asking {old.card.name}")
    old.student.close()
    measured = measure_gate(side, new, stage=f"asking {new.card.name}")
    key = comparability_key(head.rulebook, gate_set, new.card)
    verdict = judge(
        measured.decisions,
        base.decisions,
        labels=head.rulebook.labels,
        policy=head.rulebook.gate,
        head_key=key,
        base_key=key,
    )
    notes = [f"student: {change}" for change in changes]
    if side.rendered.prompt.digest != base_side.rendered.prompt.digest:
        notes.append("the prompts differ: the token budget trims them to other rules")
    return gate_report(
        side,
        new,
        judged=replace(verdict, notes=(*notes, *verdict.notes)),
        base=student_name(old.card),
        measured=measured,
        base_measured=base,
    )


def gate_student_against_evidence(
    head: Revision, evidence: Evidence, *, new: Answering
) -> GateReport:
    """Judge ``new`` against the committed evidence of a student that may no longer be served.

    NOT_COMPARABLE when the evidence is about another rulebook, prompt or gate set: then the
    student is not all that differs. Raises ``UsageError`` when it is the new student's own.
    """
    side = side_of(head, new.student)
    key = comparability_key(head.rulebook, head.split("gate"), new.card)
    base = f"evidence of {evidence.rulebook} ({evidence.student})"
    if key == evidence.key:
        raise UsageError(
            f"the evidence is of student {new.card.name!r} itself",
            where="--against",
            hint="name the evidence, or the table, of the student that is to be replaced",
        )
    reasons = _more_than_the_student(side, key, evidence)
    if reasons:
        verdict = Verdict(Outcome.NOT_COMPARABLE, "; ".join(reasons))
        return gate_report(side, new, judged=verdict, base=base)
    measured = measure_gate(side, new, stage=f"asking {new.card.name}")
    verdict = judge(
        measured.decisions,
        evidence.decisions,
        labels=head.rulebook.labels,
        policy=head.rulebook.gate,
        head_key=key,
        base_key=key,
    )
    changes = (
        [f"student: {change}" for change in card_changes(evidence.card, new.card)]
        if evidence.card
        else _key_changes(evidence.key, key)
    )
    judged = replace(verdict, notes=(*changes, *verdict.notes))
    report = gate_report(side, new, judged=judged, base=base, measured=measured)
    return replace(report, base_prompt=evidence.prompt)


def _more_than_the_student(
    side: Side, key: ComparabilityKey, evidence: Evidence
) -> tuple[str, ...]:
    """Name what differs from the evidence besides the student."""
    name, prompt = side.revision.rulebook.name, side.rendered.prompt.digest
    if evidence.rulebook != name:
        return (f"the evidence is about {evidence.rulebook!r}, not {name!r}",)
    alike = replace(key, student=evidence.key.student, decoding=evidence.key.decoding)
    reasons = alike.differences(evidence.key)
    if evidence.prompt == prompt:
        return reasons
    said = f"prompt: {prompt[:12]} here, {evidence.prompt[:12]} in the evidence"
    return (*reasons, f"{said}; an upgrade is judged under an unchanged rulebook")


def _key_changes(before: ComparabilityKey, after: ComparabilityKey) -> list[str]:
    """Name what differs between two students of which only the keys are known."""
    then, now = (
        (key.student, *key.decoding.split(", "))  # the settings stand in one text, in order
        for key in (before, after)
    )
    gone, come = ([part for part in a if part not in b] for a, b in ((then, now), (now, then)))
    return [f"student: {', '.join(gone) or '(none)'} -> {', '.join(come) or '(none)'}"]


def student_name(card: StudentCard) -> str:
    """Return what a report calls the student that another one is held against."""
    pinned = "" if card.snapshot == card.model else f", {card.snapshot[:20]}"
    return f"student {card.name} ({card.kind}, {card.model}{pinned})"
