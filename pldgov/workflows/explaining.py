"""Attribution: each rule left out once, within a budget of student calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pldgov.attribution import (
    ExampleExplanation,
    Explanation,
    NotMeasured,
    RuleEffect,
    RuleOnExample,
)
from pldgov.dataset import SPLIT_NAMES
from pldgov.differences import compare
from pldgov.errors import BudgetError, UsageError
from pldgov.gate import flips
from pldgov.rule_coverage import rule_coverage
from pldgov.suggest import did_you_mean
from pldgov.workflows.measure import count_missing, measure
from pldgov.workflows.sides import side_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from pldgov.dataset import Example, SplitName
    from pldgov.prompt import RenderedPrompt
    from pldgov.results import Decision
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Rule
    from pldgov.workflows.measure import Answering, Measurement
    from pldgov.workflows.sides import Side


@dataclass
class Budget:
    """How many student calls may still be made; ``most`` None means no limit."""

    most: int | None = None
    asked: int = 0
    not_measured: list[NotMeasured] = field(default_factory=list)
    stopped_by: Literal["budget", "offline"] | None = None

    def has_room(self, calls: int) -> bool:
        """Tell whether so many more calls may be made."""
        return self.most is None or self.asked + calls <= self.most


def explain_rules(
    revision: Revision,
    *,
    split: SplitName,
    answering: Answering,
    today: dt.date,
    rules: Sequence[str] = (),
    max_calls: int | None = None,
    review_after_days: int | None = None,
) -> Explanation:
    """Measure what each active rule (or those in ``rules``) does on ``split``.

    A rule whose prompt needs more calls than are left, or any while offline, is not measured and
    is named so. Raises ``BudgetError`` or ``UnjudgedError`` when not even all rules together can
    be measured, ``UsageError`` for a rule that is not there or not active.
    """
    revision.require("train", split)
    side = side_of(revision, answering.student)
    examples, budget = revision.split(split), Budget(max_calls)
    chosen = _chosen(revision, rules)
    whole = _measure_all(side, examples, answering=answering, budget=budget)
    effects = tuple(
        _effect(rule, whole, without)
        for rule, without in _left_out(side, chosen, examples, answering=answering, budget=budget)
    )
    flipped = {flip.example_id for effect in effects for flip in effect.flips}
    return Explanation(
        rulebook=revision.rulebook.name,
        split=split,
        student=answering.card,
        prompt=side.rendered.prompt.digest,
        n=len(examples),
        macro_f1=whole.scorecard.macro_f1,
        interval=whole.scorecard.interval,
        effects=effects,
        not_measured=tuple(budget.not_measured),
        stopped_by=budget.stopped_by,
        coverage=rule_coverage(
            revision.rulebook,
            today=today,
            review_after_days=review_after_days,
            trimmed=side.rendered.trimmed,
        ),
        texts={e.id: side.builder.user_text(e, ()) for e in examples if e.id in flipped},
        asked=budget.asked,
    )


def explain_example(
    revision: Revision,
    example_id: str,
    *,
    answering: Answering,
    split: SplitName | None = None,
    rules: Sequence[str] = (),
    max_calls: int | None = None,
) -> ExampleExplanation:
    """Ask about one example under all rules and without each; see ``explain_rules``.

    The example is looked for in ``split``, or in all of them. Raises ``UsageError`` when it is
    not there.
    """
    revision.require("train")
    found, example = _find(revision, example_id, split)
    side, budget = side_of(revision, answering.student), Budget(max_calls)
    chosen = _chosen(revision, rules)
    whole = _measure_all(side, (example,), answering=answering, budget=budget).decisions[0]
    without = tuple(
        RuleOnExample(rule.id, decision.label, _gold_probability(decision))
        for rule, measured in _left_out(
            side, chosen, (example,), answering=answering, budget=budget
        )
        for decision in measured.decisions
    )
    return ExampleExplanation(
        rulebook=revision.rulebook.name,
        split=found,
        student=answering.card,
        prompt=side.rendered.prompt.digest,
        example=example.id,
        text=side.builder.user_text(example, ()),
        gold=example.label,
        label=whole.label,
        gold_probability=_gold_probability(whole),
        without=without,
        not_measured=tuple(budget.not_measured),
        stopped_by=budget.stopped_by,
        shown=_is_shown(side.rendered, example),
        asked=budget.asked,
    )


def _chosen(revision: Revision, rules: Sequence[str]) -> tuple[Rule, ...]:
    """Return the active rules with these ids (default: all), in the rulebook's order."""
    active = {rule.id: rule for rule in revision.rulebook.active_rules}
    known = {rule.id: rule.status for rule in revision.rulebook.rules}
    for id_ in rules:
        if id_ not in known:
            raise UsageError(
                f"there is no rule {id_!r}",
                where=revision.path,
                hint=did_you_mean(id_, known) or f"known are {', '.join(known)}",
            )
        if id_ not in active:
            raise UsageError(
                f"rule {id_!r} is {known[id_]}, so it reaches no student",
                where=revision.path,
                hint="only active rules have an effect",
            )
    return tuple(rule for id_, rule in active.items() if not rules or id_ in rules)


def _measure_all(
    side: Side, examples: Sequence[Example], *, answering: Answering, budget: Budget
) -> Measurement:
    """Measure the prompt with all rules, without which nothing can be said."""
    train = side.revision.split("train")
    missing = count_missing(side.rendered, examples, train=train, answering=answering)
    if not answering.offline and not budget.has_room(missing):
        raise BudgetError(
            f"the prompt with all rules needs {missing} student calls, {budget.most} are allowed; "
            "nothing was measured",
            where="--max-calls",
            hint="allow more; answers that are stored cost none",
        )
    return _measure(side, side.rendered, examples, answering=answering, budget=budget)


def _left_out(
    side: Side,
    rules: Sequence[Rule],
    examples: Sequence[Example],
    *,
    answering: Answering,
    budget: Budget,
) -> Iterator[tuple[Rule, Measurement]]:
    """Yield each rule with the measurement without it; note those that cannot be measured."""
    active = side.revision.rulebook.active_rules
    shown = [rule for rule in active if rule.id in side.rendered.rules]
    for rule in rules:
        rendered = side.builder.build([one for one in shown if one.id != rule.id])
        train = side.revision.split("train")
        missing = count_missing(rendered, examples, train=train, answering=answering)
        if missing and (answering.offline or not budget.has_room(missing)):
            budget.stopped_by = "offline" if answering.offline else "budget"
            budget.not_measured.append(NotMeasured(rule.id, missing))
            continue
        yield rule, _measure(side, rendered, examples, answering=answering, budget=budget)


def _measure(
    side: Side,
    rendered: RenderedPrompt,
    examples: Sequence[Example],
    *,
    answering: Answering,
    budget: Budget,
) -> Measurement:
    measured = measure(
        side.builder,
        rendered,
        examples,
        train=side.revision.split("train"),
        answering=answering,
        policy=side.revision.rulebook.gate,
        stage="leaving out each rule",
    )
    budget.asked += measured.asked
    return measured


def _effect(rule: Rule, whole: Measurement, without: Measurement) -> RuleEffect:
    labels = tuple(whole.rendered.prompt.labels)
    found = compare(whole.decisions, without.decisions, labels, policy=whole.policy)
    return RuleEffect(
        rule=rule.id,
        prompt=without.rendered.prompt.digest,
        macro_f1=found.macro_f1,
        labels=dict(zip(labels, found.labels, strict=True)),
        flips=flips(whole.decisions, without.decisions),
    )


def _find(
    revision: Revision, example_id: str, split: SplitName | None
) -> tuple[SplitName, Example]:
    names = (split,) if split else tuple(name for name in SPLIT_NAMES if name in revision.splits)
    ids: list[str] = []
    for name in names:
        for example in revision.split(name):
            if example.id == example_id:
                return name, example
            ids.append(example.id)
    raise UsageError(
        f"there is no example {example_id!r} in {' or '.join(names)}",
        where=revision.path,
        hint=did_you_mean(example_id, ids) or "ids stand in the examples files",
    )


def _gold_probability(decision: Decision) -> float | None:
    return None if decision.probabilities is None else decision.probabilities.get(decision.gold)


def _is_shown(rendered: RenderedPrompt, example: Example) -> bool:
    turns = {turn.example_id for turn in rendered.prompt.turns}
    return example.id in turns | {id_ for id_, _ in rendered.examples}
