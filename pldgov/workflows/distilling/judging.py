"""Candidates before the student: rendered as they would be deployed, measured on validation."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pldgov.distill.candidates import Judged
from pldgov.errors import UnjudgedError
from pldgov.fingerprint import digest_value
from pldgov.metrics import macro_f1
from pldgov.prompt import PromptBuilder, count_prompt_tokens
from pldgov.results import Decision, DecisionPolicy, StudentCard
from pldgov.rulebook.model import Exemplars
from pldgov.workflows.distilling.outcome import Awaited, PauseError
from pldgov.workflows.measure import calibration_sample, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.distill.candidates import Layout, RuleSet
    from pldgov.distill.placing import Placing
    from pldgov.prompt import RenderedPrompt
    from pldgov.rulebook.model import Rule, Rulebook
    from pldgov.workflows.distilling.recording import Recording
    from pldgov.workflows.measure import Answering

NO_LABEL = "-"


@dataclass(frozen=True)
class Deciding:
    """The student as a run sees it: recorded decisions first, and only then the student itself.

    ``ask`` opens it; nothing is opened while everything is recorded, and a dry run asks nothing.
    """

    card: StudentCard
    recording: Recording
    ask: Callable[[], Answering]
    dry_run: bool = False

    @classmethod
    def of(
        cls,
        name: str,
        *,
        recording: Recording,
        ask: Callable[[], Answering],
        recorded: bool,
        dry_run: bool = False,
    ) -> Deciding:
        """Return the student ``name``: who it is now, or with ``recorded`` who it was then."""
        known = recording.get("student", name) if recorded else None
        if known is not None:
            return cls(_card_from(known), recording, ask, dry_run)
        card = ask().card
        if recording.get("student", name) != _card_to(card):
            recording.put("student", name, _card_to(card))
        return cls(card, recording, ask, dry_run)

    def tokens(self, rendered: RenderedPrompt) -> int | None:
        """Return the prompt's tokens, None when this student cannot count."""
        key = digest_value([rendered.prompt.digest, self.card.fingerprint])

        def count() -> int:
            found = count_prompt_tokens(rendered.prompt, self._answering().student.count_tokens)
            return -1 if found is None else found

        tokens: int = self.recording.memo("tokens", key, count)
        return None if tokens < 0 else tokens

    def decide(
        self,
        builder: PromptBuilder,
        rendered: RenderedPrompt,
        examples: Sequence[Example],
        *,
        train: Sequence[Example],
        rulebook: Rulebook,
        stage: str,
    ) -> tuple[Decision, ...]:
        """Return the label of each example; ``train`` is only read for the label prior."""
        sample = calibration_sample(train, rendered, card=self.card)
        key = digest_value(
            [
                rendered.prompt.digest,
                self.card.fingerprint,
                asdict(self.card.policy),
                [example.input_sha256 for example in examples],
                [example.input_sha256 for example in sample],
            ]
        )
        labels = rulebook.labels

        def measured() -> str:
            done = measure(
                builder,
                rendered,
                examples,
                train=train,
                answering=self._answering(),
                policy=rulebook.gate,
                stage=stage,
            )
            return _packed([one.label for one in done.decisions], labels)

        said = _unpacked(self.recording.memo("decisions", key, measured), labels)
        return tuple(
            Decision(example.id, example.label, label, group=example.group)
            for example, label in zip(examples, said, strict=True)
        )

    def calls(self, examples: Sequence[Example], train: Sequence[Example]) -> int:
        """Return about how many answers a candidate takes."""
        calibrated = self.card.policy.calibration != "none"
        prior = min(len(train), self.card.policy.calibration_examples) if calibrated else 0
        return len(examples) + prior

    def _answering(self) -> Answering:
        if self.dry_run:
            raise PauseError(Awaited("resolve", 0, student=True))
        answering = self.ask()
        if answering.card.fingerprint != self.card.fingerprint:
            raise UnjudgedError(
                "decisions that are not recorded are needed, and the student is not the one that "
                "was recorded",
                where=f"student {self.card.name!r}",
                hint="distil again without --check and --offline",
            )
        return answering


@dataclass
class CandidateJudge:
    """Measures candidates, each prompt once, and keeps all of them.

    ``kept`` are the rules of people: they stand first in every candidate. ``known`` is the whole
    train split, of which ``train`` is what is left after a validation split was cut from it.
    With ``on_train`` a candidate is measured on the training examples that it does not show, too:
    where validation is small, a candidate that is best on it alone is often so by chance.
    ``most_calls`` bounds the answers that all candidates together may take, whether they are
    asked now or were before: so that a run that is repeated goes the same way.
    """

    rulebook: Rulebook
    templates: Mapping[str, str]
    train: Sequence[Example]
    validation: Sequence[Example]
    kept: tuple[Rule, ...]
    placing: Placing
    deciding: Deciding
    known: Sequence[Example]
    on_train: bool = False
    most_calls: int | None = None
    calls: int = 0
    archive: list[Judged] = field(default_factory=list)
    _known: dict[str, Judged] = field(default_factory=dict)
    _builders: dict[Layout, PromptBuilder] = field(default_factory=dict)

    def __call__(self, rule_set: RuleSet, *, step: str) -> Judged:
        """Return the candidate with its macro-F1, or with the reason why it was not measured."""
        rendered = self.render(rule_set)
        known = self._known.get(rendered.prompt.digest)
        if known is not None:
            return replace(known, rule_set=rule_set, step=step)
        judged = self._judge(rule_set, rendered, step)
        judged = replace(judged, number=len(self.archive) + 1)
        self._known[judged.prompt] = judged
        self.archive.append(judged)
        return judged

    def fitting(self, rule_set: RuleSet, *, step: str) -> Judged:
        """Return the candidate, without as many rules as it takes to keep the token budget.

        Those that rest on the fewest examples go first, the last of a label only when there is no
        other.
        """
        budget = self.rulebook.prompt.budget_tokens
        while budget is not None and len(rule_set.rules) > 1 and self._size(rule_set) > budget:
            rule_set = rule_set.without(_least_founded(rule_set))
        return self(rule_set, step=step)

    def affordable(self) -> bool:
        """Tell whether one more candidate can be measured."""
        needed = self._calls()
        return self.most_calls is None or self.calls + needed <= self.most_calls

    def render(self, rule_set: RuleSet) -> RenderedPrompt:
        """Return the prompt that a rulebook with these rules has."""
        return self._builder(rule_set.layout).build(self.rulebook_of(rule_set).active_rules)

    def rulebook_of(self, rule_set: RuleSet) -> Rulebook:
        """Return the rulebook with these rules after those of people."""
        placed = tuple(self.placing.rule(draft) for draft in rule_set.rules)
        return with_layout(self.rulebook, rule_set.layout).model_copy(
            update={"rules": (*self.kept, *placed)}
        )

    def decide(
        self, rule_set: RuleSet, examples: Sequence[Example], *, stage: str
    ) -> tuple[Decision, ...]:
        """Return what the student says about examples under a candidate."""
        self.calls += len(examples)
        return self.deciding.decide(
            self._builder(rule_set.layout),
            self.render(rule_set),
            examples,
            train=self.train,
            rulebook=self.rulebook,
            stage=stage,
        )

    def _judge(self, rule_set: RuleSet, rendered: RenderedPrompt, step: str) -> Judged:
        size = self._size(rule_set)
        judged = Judged(rule_set, step, rendered.prompt.digest, size)
        budget = self.rulebook.prompt.budget_tokens
        if budget is not None and size > budget:
            return replace(judged, refused=f"{size} tokens are over the budget of {budget}")
        if not self.affordable():
            return replace(judged, refused=f"would pass max_student_calls ({self.most_calls})")
        self.calls += self._calls()
        decisions = self.deciding.decide(
            self._builder(rule_set.layout),
            rendered,
            (*self.validation, *self._unshown(rendered)),
            train=self.train,
            rulebook=self.rulebook,
            stage=step,
        )
        return replace(judged, macro_f1=macro_f1(decisions, self.rulebook.labels))

    def _calls(self) -> int:
        """Return about how many answers a candidate takes."""
        calls = self.deciding.calls(self.validation, self.train)
        return max(calls, len(self.validation) + len(self.train)) if self.on_train else calls

    def _unshown(self, rendered: RenderedPrompt) -> tuple[Example, ...]:
        """Return the training examples to measure on: none that the prompt shows with its label."""
        shown = {id_ for id_, _ in rendered.examples}
        return tuple(one for one in self.train if one.id not in shown) if self.on_train else ()

    def _size(self, rule_set: RuleSet) -> int:
        rendered = self.render(rule_set)
        tokens = self.deciding.tokens(rendered)
        return _bytes(rendered) if tokens is None else tokens

    def _builder(self, layout: Layout) -> PromptBuilder:
        if layout not in self._builders:
            self._builders[layout] = PromptBuilder(
                with_layout(self.rulebook, layout),
                templates=self.templates,
                train=lambda: self.known,
            )
        return self._builders[layout]


def with_layout(rulebook: Rulebook, layout: Layout) -> Rulebook:
    """Return the rulebook shown in another layout."""
    shown = Exemplars(support=layout.support, counter=layout.counter)
    changes = {"template": layout.template, "exemplars": shown}
    return rulebook.model_copy(update={"prompt": rulebook.prompt.model_copy(update=changes)})


def _least_founded(rule_set: RuleSet) -> str:
    """Return the id of the rule that is missed least, of equals the latest."""
    per_label = Counter(rule.labels[0] for rule in rule_set.rules)
    ranked = [
        (per_label[rule.labels[0]] == 1, len(rule.cites), -row, rule.id)
        for row, rule in enumerate(rule_set.rules)
    ]
    return min(ranked)[-1]


def _bytes(rendered: RenderedPrompt) -> int:
    return sum(len(message["content"].encode()) for message in rendered.prompt.messages)


def _packed(said: Sequence[str | None], labels: Sequence[str]) -> str:
    place = {label: str(index) for index, label in enumerate(labels)}
    return " ".join(NO_LABEL if label is None else place[label] for label in said)


def _unpacked(text: str, labels: Sequence[str]) -> list[str | None]:
    return [None if each == NO_LABEL else labels[int(each)] for each in text.split()]


def _card_to(card: StudentCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "kind": card.kind,
        "model": card.model,
        "snapshot": card.snapshot,
        "decoding": dict(card.decoding),
        "policy": {**asdict(card.policy), "thresholds": dict(card.policy.thresholds)},
        "fingerprint": card.fingerprint,
    }


def _card_from(value: Mapping[str, Any]) -> StudentCard:
    return StudentCard(
        name=value["name"],
        kind=value["kind"],
        model=value["model"],
        snapshot=value["snapshot"],
        decoding=value["decoding"],
        policy=DecisionPolicy(**value["policy"]),
        recorded_fingerprint=value["fingerprint"],
    )
