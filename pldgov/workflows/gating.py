"""The gate: one rulebook's change, judged against its base."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pldgov.dataset import digest_examples
from pldgov.errors import PldgovError, StudentAbsentError
from pldgov.evidence import parse_answers, parse_evidence
from pldgov.gate import exit_code, judge
from pldgov.prompt import TEMPLATE_ENGINE
from pldgov.results import ComparabilityKey, GateReport, Outcome, Verdict
from pldgov.rulebook.loading import find_rulebooks, load_revision
from pldgov.workflows.flips import mark_changed_rules
from pldgov.workflows.measure import calibration_sample, measure
from pldgov.workflows.sides import Side, side_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.dataset import Example
    from pldgov.evidence import Evidence
    from pldgov.ports import Source
    from pldgov.results import Answer, Decision, StudentCard
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import GatePolicy, Rulebook
    from pldgov.workflows.measure import Answering, Measurement


def comparability_key(
    rulebook: Rulebook, gate_set: tuple[Example, ...], card: StudentCard
) -> ComparabilityKey:
    """Return what must be equal before this measurement may be compared with another."""
    policy = card.policy
    decoding = {
        **card.decoding,
        "calibration": policy.calibration,
        "calibration_examples": policy.calibration_examples,
        "thresholds": dict(policy.thresholds),
        "abstain_below": policy.abstain_below,
    }
    return ComparabilityKey(
        student=f"{card.kind} {card.model} {card.snapshot}",
        decoding=", ".join(f"{name}={decoding[name]}" for name in sorted(decoding)),
        template_engine=TEMPLATE_ENGINE,
        labels=rulebook.labels,
        gate_set=digest_examples(gate_set),
    )


def recorded_answers(source: Source, folder: str) -> dict[tuple[str, str], dict[str, Answer]]:
    """Return every committed answer beside a rulebook, by (prompt digest, student fingerprint)."""
    found: dict[tuple[str, str], dict[str, Answer]] = {}
    for path in source.files(f"{folder}/evidence"):
        if path.endswith(".answers.jsonl"):
            text = source.read(path).decode("utf-8", "replace")
            for key, answers in parse_answers(text, path=path).items():
                found.setdefault(key, {}).update(answers)
    return found


def find_base(head: Revision, base: Source) -> str | None:
    """Return the rulebook's path in the base, by path or else by name; None if it is new."""
    if base.exists(head.path):
        return head.path
    for path in find_rulebooks(base, under=head.path.split("/", 1)[0]):
        revision = load_revision(base, path, splits=())
        rulebook = revision.document.rulebook
        if rulebook is not None and rulebook.name == head.rulebook.name:
            return path
    return None


def gate_against_revision(
    head: Revision,
    base: Source,
    *,
    answering: Answering,
    templates: str,
    worktree: Source | None = None,
    base_path: str | None = None,
) -> GateReport:
    """Judge head against the same rulebook in ``base``, both asked of the same student.

    ``base_path`` names it there (default: the same path, else the same name). Examples that are
    not committed are read from ``worktree`` for both, beside head's rulebook. Raises
    ``UnjudgedError`` when answers are missing that may not be asked for.
    """
    side = side_of(head, answering.student)
    base_path = base_path or find_base(head, base)
    if base_path is None:
        return gate_without_base(head, f"{head.path} is new since {base.name}", answering=answering)
    base_revision = load_revision(
        base, base_path, templates=templates, worktree=worktree, beside=head.folder
    )
    try:
        base_revision.require()
        base_side = side_of(base_revision, answering.student)
    except StudentAbsentError:
        raise
    except PldgovError as error:
        return _not_comparable(side, answering, base.name, (f"the base does not load: {error}",))
    reasons = conditions(head, base_revision, answering.card, base)
    if reasons:
        return _not_comparable(side, answering, base.name, reasons)
    report = _compare(side, base_side, answering=answering, base=base.name)
    marks = mark_changed_rules(
        report,
        base=base_revision,
        head=head,
        base_rendered=base_side.rendered,
        head_rendered=side.rendered,
    )
    return replace(report, marks=marks)


def gate_without_base(head: Revision, reason: str, *, answering: Answering) -> GateReport:
    """Judge a rulebook that has nothing to be compared with: floors, else NO_BASELINE."""
    side = side_of(head, answering.student)
    measured = measure_gate(side, answering)
    verdict = _judge(measured, None, head, answering)
    if verdict.outcome is Outcome.NO_BASELINE:
        verdict = replace(verdict, reason=reason)
    return gate_report(side, answering, judged=verdict, base=None, measured=measured)


def _compare(side: Side, base_side: Side, *, answering: Answering, base: str) -> GateReport:
    """Measure both prompts on head's gate set, and judge."""
    if side.rendered.prompt.digest == base_side.rendered.prompt.digest and not _is_known(
        side, answering
    ):
        return _unchanged(side, answering, base)
    measured = measure_gate(side, answering)
    gate_set = side.revision.split("gate")
    base_measured = measure(
        base_side.builder,
        base_side.rendered,
        gate_set,
        train=base_side.revision.split("train"),
        answering=answering,
        policy=side.revision.rulebook.gate,
        stage="asking about the base",
    )
    verdict = _judge(measured, base_measured.decisions, side.revision, answering)
    return gate_report(
        side, answering, judged=verdict, base=base, measured=measured, base_measured=base_measured
    )


def _is_known(side: Side, answering: Answering) -> bool:
    """Tell whether the unchanged prompt's answers are recorded, so that figures cost nothing."""
    sample = calibration_sample(side.revision.split("train"), side.rendered, card=answering.card)
    wanted = {e.input_sha256 for e in (*side.revision.split("gate"), *sample)}
    prompt, student = side.rendered.prompt.digest, answering.card.fingerprint
    recorded = answering.recorded.get((prompt, student), {})
    rest = sorted(wanted - recorded.keys())
    return len(answering.store.get(prompt, student, rest)) == len(rest)


def _unchanged(side: Side, answering: Answering, base: str) -> GateReport:
    verdict = unchanged(
        side.revision.rulebook.gate, note="not measured: no answer to this prompt is recorded"
    )
    return gate_report(side, answering, judged=verdict, base=base)


def unchanged(policy: GatePolicy, *, note: str) -> Verdict:
    """Return the verdict on a prompt that is the base's; ``note`` says why no figures are given."""
    notes = [note]
    if policy.min is not None or policy.labels:
        notes.append("floors were not checked; `pldgov eval` measures them")
    reason = "the prompt is unchanged, so no answer can have changed"
    return Verdict(Outcome.PASS, reason, notes=tuple(notes))


def gate_against_evidence(
    head: Revision, evidence: Evidence, *, answering: Answering
) -> GateReport:
    """Judge head against a committed evidence file; a key that differs is NOT_COMPARABLE."""
    side = side_of(head, answering.student)
    base = f"evidence of {evidence.rulebook} ({evidence.student})"
    if evidence.rulebook != head.rulebook.name:
        reason = f"the evidence is about {evidence.rulebook!r}, not {head.rulebook.name!r}"
        return _not_comparable(side, answering, base, (reason,))
    key = comparability_key(head.rulebook, head.split("gate"), answering.card)
    differences = key.differences(evidence.key)
    if differences:
        return _not_comparable(side, answering, base, differences)
    measured = measure_gate(side, answering)
    verdict = judge(
        measured.decisions,
        evidence.decisions,
        labels=head.rulebook.labels,
        policy=head.rulebook.gate,
        head_key=key,
        base_key=evidence.key,
    )
    report = gate_report(side, answering, judged=verdict, base=base, measured=measured)
    return replace(report, base_prompt=evidence.prompt)


def blessed_evidence(source: Source, folder: str, student: str) -> Evidence | None:
    """Return the committed evidence of a student beside a rulebook, None if there is none."""
    path = f"{folder}/evidence/{student}.json"
    if not source.exists(path):
        return None
    return parse_evidence(source.read(path).decode("utf-8", "replace"), path=path)


def conditions(
    head: Revision, base: Revision, card: StudentCard, source: Source
) -> tuple[str, ...]:
    """Name what forbids a comparison: labels, the gate set's content, another student."""
    changes = _gate_set_changes(head.split("gate"), base.split("gate"))
    return (*other_conditions(head, base, card, source), *changes)


def other_conditions(
    head: Revision, base: Revision, card: StudentCard, source: Source
) -> tuple[str, ...]:
    """Name what forbids a comparison whatever the examples: labels, another student."""
    reasons = []
    if head.rulebook.labels != base.rulebook.labels:
        here, there = (", ".join(side.rulebook.labels) for side in (head, base))
        reasons.append(f"labels: {here} here, {there} there")
    blessed = blessed_evidence(source, base.folder, card.name)
    if blessed is not None:
        now = comparability_key(base.rulebook, (), card)  # of which no example is compared
        if (now.student, now.decoding) != (blessed.key.student, blessed.key.decoding):
            reasons.append(
                f"student: {now.student} ({now.decoding}) here, {blessed.key.student} "
                f"({blessed.key.decoding}) in the blessed evidence"
            )
    return tuple(reasons)


def _gate_set_changes(head: tuple[Example, ...], base: tuple[Example, ...]) -> list[str]:
    """Name gate examples that were removed or changed; added ones are measured on both sides."""
    now = {example.id: example.sha256 for example in head}
    removed = [example.id for example in base if example.id not in now]
    changed = [e.id for e in base if e.id in now and now[e.id] != e.sha256]
    return [
        f"gate set: {len(ids)} example{'s' if len(ids) > 1 else ''} {what} "
        f"({', '.join(ids[:5])}{', ...' if len(ids) > 5 else ''})"  # noqa: PLR2004  (as many as read well)
        for ids, what in ((removed, "removed"), (changed, "changed or relabelled"))
        if ids
    ]


def measure_gate(
    side: Side, answering: Answering, *, stage: str = "asking the student"
) -> Measurement:
    """Return what a student says about a side's own gate split."""
    return measure(
        side.builder,
        side.rendered,
        side.revision.split("gate"),
        train=side.revision.split("train"),
        answering=answering,
        policy=side.revision.rulebook.gate,
        stage=stage,
    )


def _judge(
    measured: Measurement,
    base: tuple[Decision, ...] | None,
    head: Revision,
    answering: Answering,
) -> Verdict:
    key = comparability_key(head.rulebook, head.split("gate"), answering.card)
    return judge(
        measured.decisions,
        base,
        labels=head.rulebook.labels,
        policy=head.rulebook.gate,
        head_key=key,
        base_key=None if base is None else key,
    )


def _not_comparable(
    side: Side, answering: Answering, base: str, reasons: tuple[str, ...]
) -> GateReport:
    verdict = Verdict(Outcome.NOT_COMPARABLE, "; ".join(reasons))
    return gate_report(side, answering, judged=verdict, base=base)


def gate_report(
    side: Side,
    answering: Answering,
    *,
    judged: Verdict,
    base: str | None,
    measured: Measurement | None = None,
    base_measured: Measurement | None = None,
) -> GateReport:
    """Return the report on a verdict; the base's prompt is known where it was measured."""
    flipped = {flip.example_id for flip in judged.flips}
    gate_set = side.revision.split("gate")
    sides = [m for m in (measured, base_measured) if m is not None]
    return GateReport(
        rulebook=side.revision.rulebook.name,
        path=side.revision.path,
        student=answering.card,
        verdict=judged,
        exit_code=exit_code(judged, side.revision.rulebook.gate),
        base=base,
        head_prompt=side.rendered.prompt.digest,
        base_prompt=base_measured.rendered.prompt.digest if base_measured else None,
        key=comparability_key(side.revision.rulebook, gate_set, answering.card),
        scorecard=measured.scorecard if measured else None,
        base_interval=base_measured.scorecard.interval if base_measured else None,
        texts={e.id: side.builder.user_text(e, ()) for e in gate_set if e.id in flipped},
        asked=sum(m.asked for m in sides),
    )


def worst_exit_code(reports: Sequence[GateReport]) -> int:
    """Return 1 if any rulebook failed, else 3 if any could not be judged, else 0."""
    codes = {report.exit_code for report in reports}
    return next((code for code in (1, 3) if code in codes), 0)
