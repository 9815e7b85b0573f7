"""The gate's word on a change: outcome, a reason in one sentence, and every figure behind it.

Pure: two runs, a policy and two comparability keys in, one verdict out. The statistics are in
``differences``; what each outcome means to a reader is in docs/gate.md.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pldgov.differences import (
    ROUNDING,
    compare,
    detectable_drop,
    examples_needed,
    reference_error,
)
from pldgov.errors import DataError
from pldgov.gate_reasons import apart, label_reason, macro_reason, share
from pldgov.metrics import count_invalid, f1_scores, macro_f1
from pldgov.results import Flip, LabelVerdict, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.differences import Comparison
    from pldgov.results import ComparabilityKey, Decision, Difference
    from pldgov.rulebook.model import GatePolicy, Handling

FEW = 10
"""A label with fewer independent examples has intervals that are too narrow to trust."""

SHOWN_REASONS = 3
EXIT_CODES: dict[Handling, int] = {"fail": 1, "pass": 0, "undecided": 3}


def judge(
    head: Sequence[Decision],
    base: Sequence[Decision] | None,
    *,
    labels: Sequence[str],
    policy: GatePolicy,
    head_key: ComparabilityKey,
    base_key: ComparabilityKey | None,
) -> Verdict:
    """Judge ``head`` against ``base`` on the gate examples, paired by example id.

    In this order: keys or examples that differ are NOT_COMPARABLE; a floor that is not met, a
    macro-F1 or a label that fell for sure and by more than its margin is REGRESSED; without a
    base NO_BASELINE; too many invalid answers INCONCLUSIVE; else what macro-F1 says. Raises
    ``DataError`` when there is nothing to judge or an example is answered twice.
    """
    _check(head)
    if base is None:
        return _without_base(head, labels, policy)
    _check(base)
    unlike = _unlike(head, base, head_key, base_key)
    if unlike:
        reason = "base and head were not measured alike: " + "; ".join(unlike)
        return Verdict(Outcome.NOT_COMPARABLE, reason)
    by_id = {one.example_id: one for one in base}
    return _against_base(head, [by_id[one.example_id] for one in head], labels, policy)


def exit_code(verdict: Verdict, policy: GatePolicy) -> int:
    """Return 0 (may be merged), 1 (may not) or 3 (undecided), as the policy wants it."""
    if verdict.outcome is Outcome.INCONCLUSIVE:
        return EXIT_CODES[policy.on_inconclusive]
    if verdict.outcome is Outcome.NO_BASELINE:
        return EXIT_CODES[policy.on_no_baseline]
    codes = {Outcome.PASS: 0, Outcome.REGRESSED: 1}
    return codes.get(verdict.outcome, EXIT_CODES["undecided"])


def flips(head: Sequence[Decision], base: Sequence[Decision]) -> tuple[Flip, ...]:
    """Return the examples whose answer differs, in the order of ``head``; ids must be the same."""
    before = {one.example_id: one.label for one in base}
    return tuple(
        Flip(one.example_id, one.gold, before[one.example_id], one.label)
        for one in head
        if before[one.example_id] != one.label
    )


def _check(decisions: Sequence[Decision]) -> None:
    if not decisions:
        raise DataError("there is no example to judge", hint="the gate split is empty")
    name, times = Counter(one.example_id for one in decisions).most_common(1)[0]
    if times > 1:
        raise DataError(f"the example is answered {times} times", where=f"example {name!r}")


def _unlike(
    head: Sequence[Decision],
    base: Sequence[Decision],
    head_key: ComparabilityKey,
    base_key: ComparabilityKey | None,
) -> tuple[str, ...]:
    """Say what was measured otherwise; the examples are compared even where the keys agree."""
    if base_key is None:
        return ("the base does not say how it was measured",)
    if found := head_key.differences(base_key):
        return found
    here, there = ({one.example_id: one.gold for one in run} for run in (head, base))
    if here.keys() != there.keys():
        more, less = len(here.keys() - there.keys()), len(there.keys() - here.keys())
        return (f"{more} gate examples are only in head and {less} only in the base",)
    changed = sum(gold != there[name] for name, gold in here.items())
    return (f"{changed} gate examples have another gold label",) if changed else ()


def _without_base(head: Sequence[Decision], labels: Sequence[str], policy: GatePolicy) -> Verdict:
    value = macro_f1(head, labels)
    verdicts = tuple(
        _floor_verdict(label, f1, policy)
        or LabelVerdict(label, Outcome.NO_BASELINE, None, f"F1 is {f1:.3f}, without a base")
        for label, f1 in zip(labels, f1_scores(head, labels), strict=True)
    )
    failures = _failures(_macro_floor(value, policy), verdicts)
    outcome = Outcome.REGRESSED if failures else Outcome.NO_BASELINE
    return Verdict(
        outcome=outcome,
        reason=_joined(failures) or f"macro-F1 is {value:.3f}, with no base to compare it with",
        labels=verdicts,
        detectable_drop=_detectable(reference_error(head, labels), policy),
        notes=(*_invalid_notes(head, None, policy), *_set_notes(head, labels, policy)),
    )


def _against_base(
    head: Sequence[Decision],
    base: Sequence[Decision],
    labels: Sequence[str],
    policy: GatePolicy,
) -> Verdict:
    comparison = compare(head, base, labels, policy=policy)
    macro, changed = comparison.macro_f1, flips(head, base)
    outcome = _macro_outcome(macro, policy.max_drop, len(changed))
    needed = _needed(outcome, macro, len(head), policy)
    reason = macro_reason(
        outcome,
        macro,
        n=len(head),
        flips=len(changed),
        margin=policy.max_drop,
        needed=needed,
    )
    verdicts = _label_verdicts(comparison, labels, _independent(head), policy)
    failures = _failures(_macro_floor(macro.head, policy), verdicts)
    if outcome is Outcome.REGRESSED:
        failures = (reason, *failures)
    if failures:
        outcome, reason, needed = Outcome.REGRESSED, _joined(failures), None
    elif suspect := _suspect(head, policy):
        outcome, reason, needed = Outcome.INCONCLUSIVE, suspect, None
    return Verdict(
        outcome=outcome,
        reason=reason,
        macro_f1=macro,
        labels=verdicts,
        flips=changed,
        detectable_drop=_detectable(macro.standard_error or reference_error(head, labels), policy),
        examples_needed=needed,
        notes=(
            *_invalid_notes(head, base, policy),
            *_undecided_note(verdicts),
            *_set_notes(head, labels, policy),
        ),
    )


def _macro_outcome(difference: Difference, margin: float, flips: int) -> Outcome:
    if not flips:
        return Outcome.PASS
    if difference.standard_error == 0:  # one example a label: the bootstrap has nothing to vary
        return Outcome.INCONCLUSIVE
    if difference.interval.low > -margin + ROUNDING:
        return Outcome.PASS
    if difference.interval.high < 0 and difference.delta < -margin - ROUNDING:
        return Outcome.REGRESSED
    return Outcome.INCONCLUSIVE


def _needed(outcome: Outcome, macro: Difference, n: int, policy: GatePolicy) -> int | None:
    if outcome is not Outcome.INCONCLUSIVE or macro.standard_error == 0:
        return None
    return examples_needed(macro, n, margin=policy.max_drop)


def _detectable(standard_error: float, policy: GatePolicy) -> float | None:
    return detectable_drop(standard_error, margin=policy.max_drop, confidence=policy.confidence)


def _label_verdicts(
    comparison: Comparison, labels: Sequence[str], independent: Counter[str], policy: GatePolicy
) -> tuple[LabelVerdict, ...]:
    return tuple(
        _label_verdict(label, difference, independent[label], policy)
        for label, difference in zip(labels, comparison.labels, strict=True)
    )


def _label_verdict(
    label: str, difference: Difference, independent: int, policy: GatePolicy
) -> LabelVerdict:
    """Judge one label: a regression needs Holm's p-value, the margin and enough examples."""
    if below := _floor_verdict(label, difference.head, policy, difference):
        return below
    margin = _label_margin(label, policy)
    outcome = _label_outcome(difference, margin, 1 - policy.confidence)
    reason = label_reason(outcome, difference, margin=margin)
    if outcome is Outcome.REGRESSED and independent < FEW:
        outcome = Outcome.INCONCLUSIVE
        reason += f", but {independent} independent examples are too few to be sure"
    return LabelVerdict(label, outcome, difference, reason)


def _label_outcome(difference: Difference, margin: float, level: float) -> Outcome:
    untouched = difference.standard_error == 0 and difference.delta == 0
    if untouched or difference.interval.low > -margin + ROUNDING:
        return Outcome.PASS
    adjusted = 1.0 if difference.adjusted_p is None else difference.adjusted_p
    if adjusted < level and difference.delta < -margin - ROUNDING:
        return Outcome.REGRESSED
    return Outcome.INCONCLUSIVE


def _label_margin(label: str, policy: GatePolicy) -> float:
    own = policy.labels[label].max_drop if label in policy.labels else None
    return policy.label_max_drop if own is None else own


def _floor_verdict(
    label: str, f1: float, policy: GatePolicy, difference: Difference | None = None
) -> LabelVerdict | None:
    floor = policy.labels[label].min if label in policy.labels else None
    if floor is None or f1 >= floor - ROUNDING:
        return None
    value, least = apart(f1, floor)
    reason = f"F1 is {value}, below its floor of {least}"
    return LabelVerdict(label, Outcome.REGRESSED, difference, reason)


def _macro_floor(value: float, policy: GatePolicy) -> str | None:
    if policy.min is None or value >= policy.min - ROUNDING:
        return None
    shown, least = apart(value, policy.min)
    return f"macro-F1 is {shown}, below the floor of {least}"


def _failures(floor: str | None, verdicts: Sequence[LabelVerdict]) -> tuple[str, ...]:
    labels = (
        f"label {one.label!r}: {one.reason}" for one in verdicts if one.outcome is Outcome.REGRESSED
    )
    return (*((floor,) if floor else ()), *labels)


def _joined(reasons: Sequence[str]) -> str:
    more = len(reasons) - SHOWN_REASONS
    shown = "; ".join(reasons[:SHOWN_REASONS])
    return f"{shown}; and {more} more" if more > 0 else shown


def _independent(decisions: Sequence[Decision]) -> Counter[str]:
    """Count each gold label's independent examples: those of one group count once."""
    units = {
        (one.gold, one.group is not None, one.example_id if one.group is None else one.group)
        for one in decisions
    }
    return Counter(gold for gold, *_ in units)


def _suspect(head: Sequence[Decision], policy: GatePolicy) -> str | None:
    invalid = count_invalid(head)
    if invalid / len(head) <= policy.max_invalid:
        return None
    return (
        f"{share(invalid, len(head))} of the answers name no label, "
        f"more than the {100 * policy.max_invalid:.10g} % that is trusted"
    )


def _invalid_notes(
    head: Sequence[Decision], base: Sequence[Decision] | None, policy: GatePolicy
) -> tuple[str, ...]:
    notes = []
    for name, run in (("head", head), ("the base", base or ())):
        invalid, abstained = count_invalid(run), sum(one.abstained for one in run)
        if invalid:
            trusted = "" if invalid / len(run) <= policy.max_invalid else ": not to be trusted"
            notes.append(f"invalid answers of {name}: {share(invalid, len(run))}{trusted}")
        if abstained:
            notes.append(f"abstentions of {name}: {share(abstained, len(run))}")
    return tuple(notes)


def _undecided_note(verdicts: Sequence[LabelVerdict]) -> tuple[str, ...]:
    names = [one.label for one in verdicts if one.outcome is Outcome.INCONCLUSIVE]
    return (f"not decided for single labels: {', '.join(names)}",) if names else ()


def _set_notes(
    head: Sequence[Decision], labels: Sequence[str], policy: GatePolicy
) -> tuple[str, ...]:
    """Say what about the gate set and the policy limits the figures."""
    independent = _independent(head)
    few = [f"{label} ({independent[label]})" for label in labels if independent[label] < FEW]
    strange = sorted(policy.labels.keys() - set(labels))
    notes = []
    if few:
        notes.append(
            f"labels with fewer than {FEW} independent examples, whose intervals are too narrow: "
            + ", ".join(few)
        )
    if strange:
        notes.append(f"the policy names labels that the task lacks: {', '.join(strange)}")
    return tuple(notes)
