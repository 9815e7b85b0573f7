"""The end of a run: the gate split is touched, once, and all figures are put together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pldgov.distill.summary import (
    CandidateLine,
    Effect,
    LabelLine,
    Line,
    OperationLine,
    PhaseLine,
    RoundLine,
    Summary,
)
from pldgov.errors import PldgovError
from pldgov.metrics import majority_decisions, score
from pldgov.prompt import PromptBuilder, count_prompt_tokens
from pldgov.workflows.distilling.judging import with_layout
from pldgov.workflows.evaluating import few_shots
from pldgov.workflows.measure import measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from pldgov.distill.candidates import Judged
    from pldgov.prompt import RenderedPrompt
    from pldgov.results import Scorecard
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.distilling.judging import CandidateJudge
    from pldgov.workflows.distilling.outcome import Outcome
    from pldgov.workflows.distilling.rounds import Round, Tried
    from pldgov.workflows.measure import Answering


def summarize(
    outcome: Outcome,
    revision: Revision,
    *,
    ask: Callable[[], Answering],
    gate: bool = True,
    wall_seconds: float | None = None,
) -> Summary:
    """Return the summary of a finished run; with ``gate`` the gate split is measured for it.

    A student that cannot be asked leaves the gate's lines out, and a note says why.
    """
    assert outcome.best is not None
    assert outcome.judge is not None
    judge, best = outcome.judge, outcome.best
    calls = judge.calls
    notes = list(outcome.notes)
    lines: tuple[Line, ...] = ()
    if gate:
        try:
            lines = _gate_lines(outcome, revision, ask())
        except PldgovError as error:
            notes.append(f"the gate split was not measured: {error}")
    used = outcome.usage.items()
    return Summary(
        rulebook=revision.rulebook.name,
        run_id=outcome.run_id,
        student=judge.deciding.card.name,
        seed=outcome.settings.seed,
        examples={"train": len(judge.train), "validation": len(judge.validation)}
        | ({"gate": len(revision.split("gate"))} if lines else {}),
        gate=lines,
        validation=_validation(judge, best),
        chosen=candidate_line(best),
        teacher=tuple(
            PhaseLine(phase, one.calls, one.tokens_in, one.tokens_out, one.cost)
            for phase, one in used
        ),
        figures=dict(outcome.figures),
        rounds=tuple(map(_round_line, outcome.rounds)),
        effects=tuple(Effect(*pair) for pair in (outcome.pruned.effects if outcome.pruned else ())),
        removed=outcome.pruned.removed if outcome.pruned else (),
        candidates=tuple(map(candidate_line, judge.archive)),
        student_calls=calls,
        findings=tuple((f.kind, ", ".join(f.about), f.message) for f in outcome.findings),
        notes=tuple(notes),
        wall_seconds=wall_seconds,
    )


def candidate_line(one: Judged) -> CandidateLine:
    """Return one candidate as people and plots read it."""
    layout = one.rule_set.layout
    return CandidateLine(
        number=one.number,
        step=one.step,
        prompt=one.prompt,
        rules=one.rule_set.ids,
        template=layout.template,
        support=layout.support,
        counter=layout.counter,
        size=one.size,
        macro_f1=one.macro_f1,
        refused=one.refused,
    )


def _gate_lines(outcome: Outcome, revision: Revision, answering: Answering) -> tuple[Line, ...]:
    """Measure on the gate split: majority, zero-shot, few-shot, after synthesis, final."""
    judge, best, first = outcome.judge, outcome.best, outcome.first
    assert judge is not None
    assert best is not None
    assert first is not None
    rulebook = with_layout(revision.rulebook, best.rule_set.layout)
    train = revision.split("train")
    builder = PromptBuilder(rulebook, templates=revision.templates, train=lambda: train)
    count = len(judge.rulebook_of(best.rule_set).active_rules)
    plans = [
        ("zero-shot", builder.build(()), 0),
        (f"few-shot ({count} examples)", _few_shot(builder, revision, count, outcome), 0),
        _plan("after synthesis", first, judge),
        _plan("final", best, judge),
    ]
    gate, labels, policy = revision.split("gate"), rulebook.labels, rulebook.gate
    majority = score(majority_decisions((e.label for e in train), gate), labels, policy=policy)
    lines = [_line("majority", majority)]
    for name, rendered, rules in plans:
        done = measure(
            builder,
            rendered,
            gate,
            train=train,
            answering=answering,
            policy=policy,
            stage=f"gate: {name}",
        )
        tokens = count_prompt_tokens(rendered.prompt, answering.student.count_tokens)
        seconds = done.scorecard.seconds / done.scorecard.n or None
        lines.append(
            replace(_line(name, done.scorecard), rules=rules, tokens=tokens, seconds=seconds)
        )
    return tuple(lines)


def _plan(name: str, judged: Judged, judge: CandidateJudge) -> tuple[str, RenderedPrompt, int]:
    rendered = judge.render(judged.rule_set)
    return name, rendered, len(rendered.rules)


def _few_shot(
    builder: PromptBuilder, revision: Revision, count: int, outcome: Outcome
) -> RenderedPrompt:
    train = revision.split("train")
    shots = few_shots(train, min(count, len(train)), seed=outcome.settings.seed)
    return builder.build((), shots=shots)


def _line(name: str, scorecard: Scorecard) -> Line:
    assert scorecard.interval is not None
    return Line(
        name=name,
        macro_f1=scorecard.macro_f1,
        low=scorecard.interval.low,
        high=scorecard.interval.high,
        labels=tuple(
            LabelLine(one.label, one.f1, one.f1_interval.low, one.f1_interval.high)
            for one in scorecard.labels
            if one.f1_interval is not None
        ),
    )


def _validation(judge: CandidateJudge, best: Judged) -> tuple[float, float, float]:
    """Return macro-F1 and interval of the chosen candidate; its decisions are recorded."""
    decisions = judge.decide(best.rule_set, judge.validation, stage="validation")
    scorecard = score(decisions, judge.rulebook.labels, policy=judge.rulebook.gate)
    assert scorecard.interval is not None
    return scorecard.macro_f1, scorecard.interval.low, scorecard.interval.high


def _round_line(one: Round) -> RoundLine:
    return RoundLine(
        number=one.number,
        sampled=one.sampled,
        wrong=one.wrong,
        before=one.before,
        after=one.after,
        operations=tuple(map(_operation_line, one.tried)),
    )


def _operation_line(tried: Tried) -> OperationLine:
    operation = tried.operation
    outcome = "accepted" if tried.accepted else "refused"
    return OperationLine(
        kind=operation.kind,
        targets=operation.targets,
        rules=tuple(rule.id for rule in operation.rules),
        examples=operation.examples,
        reason=operation.reason,
        outcome="proposal" if tried.proposal else outcome,
        alone=tried.alone,
    )
