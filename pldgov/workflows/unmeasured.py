"""The gate's word on a rulebook whose examples, or whose student, are not here.

Without examples that are not committed nothing can be measured, and what lint says of examples is
not known either. So there is no verdict, with one exception: where the change touches nothing that
either rests on, no answer and no finding can differ from the base's. The same goes for a student
whose weights are elsewhere, only that lint has been heard then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.errors import ExamplesAbsentError, PldgovError, StudentAbsentError
from pldgov.gate import exit_code
from pldgov.report.terminal import printable
from pldgov.results import GateReport, Outcome, Verdict
from pldgov.rulebook.loading import load_revision
from pldgov.rulebook.obtaining import absence, advice
from pldgov.workflows.gating import conditions, find_base, other_conditions, unchanged
from pldgov.workflows.sides import builder_of, side_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pldgov.ports import Source, Student
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.measure import Answering


def not_measured(head: Revision, *, answering: Answering) -> GateReport:
    """Report that a rulebook without its examples has no verdict, and how to get them."""
    verdict = Verdict(Outcome.NOT_MEASURED, _reason(head))
    return _report(head, verdict, answering=answering, by_design=True)


def not_asked(head: Revision, error: StudentAbsentError, *, answering: Answering) -> GateReport:
    """Report that a rulebook whose student is not here has no verdict, and how to get it."""
    verdict = Verdict(Outcome.NOT_MEASURED, _who_is_absent(error, answering))
    return _report(head, verdict, answering=answering, by_design=error.by_design)


def gate_unasked(
    head: Revision,
    base: Source,
    error: StudentAbsentError,
    *,
    answering: Answering,
    templates: str,
    worktree: Source,
) -> GateReport:
    """Compare a rulebook whose student is not here with what stands in ``base``.

    PASS where the prompt is the base's; where only the student could count whether it is within
    its budget, it is so if it is before anything is trimmed. Else NOT_COMPARABLE where the answers
    would change nothing about that, or NOT_MEASURED.
    """
    base_path = find_base(head, base)
    if base_path is None:
        return not_asked(head, error, answering=answering)
    before = load_revision(
        base, base_path, templates=templates, worktree=worktree, beside=head.folder
    )
    try:
        changes = conditions(head, before, answering.card, base)
        is_same = _untrimmed(head) == _untrimmed(before)
    except PldgovError as trouble:
        changes, is_same = (f"the base does not load: {trouble}",), False
    reason = _who_is_absent(error, answering)
    if changes:
        verdict = Verdict(Outcome.NOT_COMPARABLE, "; ".join(changes))
    elif is_same:
        verdict = unchanged(head.rulebook.gate, note=f"not measured: {reason}")
    else:
        verdict = Verdict(Outcome.NOT_MEASURED, reason)
    return _report(head, verdict, answering=answering, base=base.name, by_design=error.by_design)


def _untrimmed(revision: Revision) -> Hashable:
    """Return the prompt with all rules, and what decides which of them a budget takes out."""
    prompt, rules = revision.rulebook.prompt, revision.rulebook.active_rules
    digest = builder_of(revision).build().prompt.digest
    in_order = tuple(rule.instruction for rule in rules)
    return digest, prompt.budget_tokens, prompt.over_budget, in_order


def _who_is_absent(error: StudentAbsentError, answering: Answering) -> str:
    return printable(f"student {answering.card.name!r} is not available: {error}")


def gate_against_unread(
    head: Revision, base: Source, *, answering: Answering, templates: str, worktree: Source
) -> GateReport:
    """Compare a rulebook without its examples with what stands in ``base``.

    PASS where nothing changed that answers or findings rest on, NOT_COMPARABLE where the examples
    would change nothing about that, else NOT_MEASURED. Raises ``TemplateError`` where head's
    prompt does not render.
    """
    base_path = find_base(head, base)
    if base_path is None:
        return not_measured(head, answering=answering)
    before = load_revision(
        base, base_path, templates=templates, worktree=worktree, beside=head.folder
    )
    verdict = _verdict(head, before, base, answering)
    return _report(head, verdict, answering=answering, base=base.name, by_design=True)


def _verdict(head: Revision, before: Revision, base: Source, answering: Answering) -> Verdict:
    sources, prompt = builder_of(head).sources, _prompt(head, answering.student)
    try:
        if before.rulebook.examples.obtain is None:
            reason = f"the base has its examples committed; {_reason(head)}"
            return Verdict(Outcome.NOT_COMPARABLE, reason)
        changes = other_conditions(head, before, answering.card, base)
        if changes:
            return Verdict(Outcome.NOT_COMPARABLE, "; ".join(changes))
        # Without their examples some prompts do not render; what they are made of can be compared.
        is_same = head.rulebook == before.rulebook and sources == builder_of(before).sources
        if not is_same and prompt is not None and _claims(head) == _claims(before):
            is_same = prompt == _prompt(before, answering.student)
    except PldgovError as error:
        return Verdict(Outcome.NOT_COMPARABLE, f"the base does not load: {error}")
    if is_same:
        return unchanged(head.rulebook.gate, note=f"not measured: {_reason(head)}")
    return Verdict(Outcome.NOT_MEASURED, _reason(head))


def _claims(revision: Revision) -> Hashable:
    """Return what lint holds against examples: a change of it could be one for the worse."""
    rulebook = revision.rulebook
    cited = tuple(
        (rule.id, rule.status, rule.labels, rule.provenance and rule.provenance.examples)
        for rule in rulebook.rules
    )
    return rulebook.task.inputs, rulebook.examples, cited


def _prompt(revision: Revision, student: Student) -> str | None:
    """Return the prompt's digest, None where it shows, or takes to count, what is not here."""
    try:
        return side_of(revision, student).rendered.prompt.digest
    except (ExamplesAbsentError, StudentAbsentError):
        return None


def _reason(head: Revision) -> str:
    examples = head.rulebook.examples
    return f"{absence(examples, head.absent)} ({advice(examples)})"


def _report(
    head: Revision,
    verdict: Verdict,
    *,
    answering: Answering,
    base: str | None = None,
    by_design: bool = False,
) -> GateReport:
    return GateReport(
        rulebook=head.rulebook.name,
        path=head.path,
        student=answering.card,
        verdict=verdict,
        exit_code=exit_code(verdict, head.rulebook.gate),
        base=base,
        head_prompt=_prompt(head, answering.student),
        absent_by_design=by_design and verdict.outcome is Outcome.NOT_MEASURED,
    )
