"""Evaluation: a rulebook's prompt on one split, beside the prompts and baselines it must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.errors import UsageError
from pldgov.fingerprint import digest_text
from pldgov.metrics import majority_decisions, score
from pldgov.prompt import count_prompt_tokens
from pldgov.results import Candidate, EvalReport
from pldgov.students.pinned import count_if_here
from pldgov.suggest import did_you_mean
from pldgov.workflows.measure import measure
from pldgov.workflows.sides import side_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.dataset import Example, SplitName
    from pldgov.prompt import RenderedPrompt
    from pldgov.rulebook.loading import Revision
    from pldgov.workflows.measure import Answering
    from pldgov.workflows.sides import Side

COMPARISONS = ("zero-shot", "few-shot", "majority")


def evaluate(
    revision: Revision,
    *,
    split: SplitName,
    answering: Answering,
    compare: Sequence[str] = (),
    seed: int = 0,
) -> EvalReport:
    """Measure the rulebook on ``split``, then each comparison.

    A comparison is ``zero-shot`` (the same template without rules), ``few-shot:K`` (that and K
    training examples as turns, spread over the labels) or ``majority``. Raises ``UsageError``
    for any other, ``ExamplesAbsentError`` without the examples.
    """
    revision.require("train", split)
    side = side_of(revision, answering.student)
    plans = [("rulebook", side.rendered)]
    for name in compare:
        rendered = _rendered(name, side, seed=seed)
        if rendered is not None:
            plans.append((name, rendered))
    candidates = [
        _candidate(name, rendered, side, split, answering=answering) for name, rendered in plans
    ]
    if "majority" in compare:
        candidates.append(_majority(side, split))
    return EvalReport(
        rulebook=revision.rulebook.name,
        split=split,
        student=answering.card,
        candidates=tuple(candidates),
    )


def _rendered(name: str, side: Side, *, seed: int) -> RenderedPrompt | None:
    kind, _, count = name.partition(":")
    if kind == "majority" and not count:
        return None
    if kind == "zero-shot" and not count:
        return side.builder.build(())
    if kind == "few-shot" and count.isdecimal() and int(count) > 0:
        train = side.revision.split("train")
        return side.builder.build((), shots=few_shots(train, int(count), seed=seed))
    raise UsageError(
        f"cannot compare with {name!r}",
        where="--compare",
        hint=did_you_mean(kind, COMPARISONS) or "zero-shot, few-shot:K or majority",
    )


def few_shots(train: Sequence[Example], count: int, *, seed: int) -> tuple[Example, ...]:
    """Return ``count`` training examples, the labels taking turns, chosen by seeded digest.

    Raises ``UsageError`` when there are not as many.
    """
    if count > len(train):
        raise UsageError(
            f"asks for {count} examples, the train split has {len(train)}", where="few-shot"
        )
    by_label: dict[str, list[Example]] = {}
    for example in sorted(train, key=lambda item: digest_text(f"{seed} {item.id}")):
        by_label.setdefault(example.label, []).append(example)
    columns = [by_label[label] for label in sorted(by_label)]
    depth = max(map(len, columns))
    ordered = [column[row] for row in range(depth) for column in columns if row < len(column)]
    return tuple(ordered[:count])


def _candidate(
    name: str, rendered: RenderedPrompt, side: Side, split: SplitName, *, answering: Answering
) -> Candidate:
    measured = measure(
        side.builder,
        rendered,
        side.revision.split(split),
        train=side.revision.split("train"),
        answering=answering,
        policy=side.revision.rulebook.gate,
        stage=f"asking the student: {name}",
    )
    return Candidate(
        name=name,
        scorecard=measured.scorecard,
        prompt=rendered.prompt.digest,
        tokens=count_prompt_tokens(rendered.prompt, count_if_here(answering.student)),
        asked=measured.asked,
    )


def _majority(side: Side, split: SplitName) -> Candidate:
    examples = side.revision.split(split)
    decisions = majority_decisions((e.label for e in side.revision.split("train")), examples)
    rulebook = side.revision.rulebook
    return Candidate(
        name="majority", scorecard=score(decisions, rulebook.labels, policy=rulebook.gate)
    )
