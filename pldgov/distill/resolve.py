"""Phase 3: failures, successes and conflicts go to the teacher, which proposes operations."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import Field

from pldgov.distill.answers import (
    TEXT_SCHEMA,
    TeacherAnswer,
    choice_schema,
    list_schema,
    object_schema,
    one_line,
    printable,
    read_answer,
)
from pldgov.distill.commands import hostile
from pldgov.distill.drafting import RuleCheck, SaidRule, rule_schema
from pldgov.distill.entities import words_of
from pldgov.distill.model import Finding, Operation, OperationKind, TeacherRequest
from pldgov.distill.operations import misshapen
from pldgov.distill.requests import WHOLE_ANSWER, Complaint, Reading, merge, settle
from pldgov.fingerprint import digest_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.distill.model import Conflict, DraftRule, Step, TeacherReply
    from pldgov.distill.prompts import TeacherPrompts
    from pldgov.distill.requests import Reason
    from pldgov.ports import ReplyArchive
    from pldgov.results import Decision
    from pldgov.rulebook.model import Rule

Text = Annotated[str, Field(min_length=1)]


class _SaidOperation(TeacherAnswer):
    kind: OperationKind
    targets: list[Text]
    rules: list[SaidRule]
    examples: list[Text]
    reason: Text


class _Answer(TeacherAnswer):
    operations: list[_SaidOperation]


@dataclass(frozen=True)
class ShownAnswer:
    """An example that the student was asked about, as the template sees it; ``inputs`` is JSON."""

    id: str
    label: str
    answer: str
    inputs: str


@dataclass(frozen=True)
class ShownStanding:
    """A rule of the present set as the template sees it; ``people``: it is not to be rewritten."""

    id: str
    labels: tuple[str, ...]
    instruction: str
    cites: tuple[str, ...]
    people: bool = False


@dataclass(frozen=True)
class Observed:
    """What the student got wrong and right, labels in turn."""

    failures: tuple[tuple[Example, str | None], ...]
    successes: tuple[tuple[Example, str | None], ...]


def observe(
    examples: Sequence[Example],
    decisions: Sequence[Decision],
    *,
    failures: int,
    successes: int,
    seed: int,
) -> Observed:
    """Return that many failures and successes, labels in turn, chosen by seeded digest."""
    said = {decision.example_id: decision.label for decision in decisions}
    known = [example for example in examples if example.id in said]
    wrong = [example for example in known if said[example.id] != example.label]
    right = [example for example in known if said[example.id] == example.label]
    return Observed(
        failures=tuple((e, said[e.id]) for e in labels_in_turn(wrong, seed=seed)[:failures]),
        successes=tuple((e, said[e.id]) for e in labels_in_turn(right, seed=seed)[:successes]),
    )


def labels_in_turn(examples: Iterable[Example], *, seed: int) -> tuple[Example, ...]:
    """Return the examples, one of each label, then the next of each, in a seeded order."""
    columns: dict[str, list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda one: digest_text(f"{seed}:{one.id}")):
        columns[example.label].append(example)
    depth = max(map(len, columns.values()), default=0)
    return tuple(
        columns[label][row]
        for row in range(depth)
        for label in sorted(columns)
        if row < len(columns[label])
    )


def propose(
    rules: Sequence[DraftRule],
    observed: Observed,
    *,
    kept: Sequence[Rule],
    conflicts: Sequence[Conflict],
    examples: Mapping[str, Example],
    prompts: TeacherPrompts,
    archive: ReplyArchive,
    number: int,
    most: int,
) -> Step[Operation]:
    """Return the operations that round ``number`` proposes, at most ``most``, and what is missing.

    ``kept`` are people's rules: an operation may target them, and is then only a proposal.
    ``examples`` are those of the train split by id. Rules in the result have no id yet. Raises
    ``TemplateError`` for the teacher's templates.
    """
    standing = (*map(_standing_kept, kept), *map(_standing, rules))
    shown = [example for example, _ in (*observed.failures, *observed.successes)]
    cited = {id_ for one in standing for id_ in one.cites}
    citable = {id_: examples[id_] for id_ in sorted(cited) if id_ in examples}
    citable |= {example.id: example for example in shown}
    request = _request(standing, observed, conflicts, prompts=prompts, number=number, most=most)
    task = prompts.task
    reader = ResolutionReader(
        RuleCheck(
            labels=tuple(task.labels),
            citable=citable,
            allowed=words_of((task.instruction, *task.labels, *task.labels.values())),
            most_words=prompts.rule_words,
        ),
        targets=frozenset(one.id for one in standing),
        most=most,
    )
    return merge([settle(request, reader, archive=archive, prompts=prompts)])


def resolution_schema(labels: Sequence[str]) -> dict[str, Any]:
    """Return the JSON Schema of a resolution answer."""
    operation = object_schema(
        {
            "kind": choice_schema(get_args(OperationKind)),
            "targets": list_schema(TEXT_SCHEMA),
            "rules": list_schema(rule_schema(labels)),
            "examples": list_schema(TEXT_SCHEMA),
            "reason": TEXT_SCHEMA,
        }
    )
    return object_schema({"operations": list_schema(operation)})


@dataclass(frozen=True)
class ResolutionReader:
    """Reads the operations of one round; a second answer stands for the whole first one.

    ``targets`` are the ids of the rules that were shown.
    """

    check: RuleCheck
    targets: Collection[str]
    most: int
    repeats_all: bool = True

    def read(self, reply: TeacherReply, *, only: frozenset[str] | None) -> Reading[Operation]:
        """Read the operations, in the order in which the teacher gives them."""
        answer = read_answer(_Answer, reply.content)
        if isinstance(answer, tuple):
            told = tuple(Complaint(WHOLE_ANSWER, problem, "malformed") for problem in answer)
            return Reading(complaints=told, usable=False)
        items: list[Operation] = []
        complaints: list[Complaint] = []
        findings: list[Finding] = []
        for number, said in enumerate(answer.operations[: self.most], start=1):
            read = self._operation(said, f"operation {number}", reply, last=only is not None)
            items += read.items
            complaints += read.complaints
            findings += read.findings
        return Reading(tuple(items), tuple(complaints), tuple(findings))

    def _operation(
        self, said: _SaidOperation, about: str, reply: TeacherReply, *, last: bool
    ) -> Reading[Operation]:
        reason = hostile((said.reason,))
        if reason:
            return Reading(findings=(Finding("rejected", (about,), f"its reason {reason}"),))
        wrong: list[tuple[Reason, str]] = []
        shape = misshapen(said.kind, targets=len(set(said.targets)), rules=len(said.rules))
        if shape:
            wrong.append(("malformed", shape))
        unknown = [target for target in said.targets if target not in self.targets]
        wrong += [("citation", f"targets: {printable(id_)} is no rule here") for id_ in unknown]
        examples, findings = self._examples(said, about)
        wrong += [("citation", f"examples: {each.message}") for each in findings if not last]
        if not examples:
            wrong.append(("citation", "examples: cites no example that was shown"))
        drafts = [self.check.draft(rule, request=reply.request, last=last) for rule in said.rules]
        findings += [finding for draft in drafts for finding in draft.findings]
        told = [Complaint(about, message, kind) for kind, message in wrong]
        told += [replace(each, about=about) for draft in drafts for each in draft.complaints]
        if told or any(draft.rule is None for draft in drafts):
            return Reading(complaints=tuple(told), findings=tuple(findings))
        operation = Operation(
            kind=said.kind,
            targets=tuple(dict.fromkeys(said.targets)),
            rules=tuple(draft.rule for draft in drafts if draft.rule),
            reason=one_line(said.reason),
            request=reply.request,
            examples=examples,
        )
        return Reading((operation,), (), tuple(findings))

    def _examples(self, said: _SaidOperation, about: str) -> tuple[tuple[str, ...], list[Finding]]:
        known = tuple(dict.fromkeys(id_ for id_ in said.examples if id_ in self.check.citable))
        findings = [
            Finding("unknown-id", (about, printable(id_)), f"{printable(id_)} was not shown")
            for id_ in said.examples
            if id_ not in self.check.citable
        ]
        return known, findings


def _request(
    standing: Sequence[ShownStanding],
    observed: Observed,
    conflicts: Sequence[Conflict],
    *,
    prompts: TeacherPrompts,
    number: int,
    most: int,
) -> TeacherRequest:
    variables = {
        "rules": tuple(standing),
        "failures": tuple(_shown(*each) for each in observed.failures),
        "successes": tuple(_shown(*each) for each in observed.successes),
        "conflicts": tuple(f"{each.first} / {each.second}: {each.reason}" for each in conflicts),
        "most": most,
    }
    return TeacherRequest(
        phase="resolve",
        messages=prompts.messages("resolve", variables),
        schema=resolution_schema(tuple(prompts.task.labels)),
        about=(f"round {number}",),
    )


def _shown(example: Example, answer: str | None) -> ShownAnswer:
    inputs = json.dumps(dict(example.inputs), ensure_ascii=False)
    return ShownAnswer(example.id, example.label, answer or "(no label)", inputs)


def _standing(rule: DraftRule) -> ShownStanding:
    cites = tuple(cite.id for cite in rule.cites)
    return ShownStanding(rule.id, rule.labels, rule.instruction, cites)


def _standing_kept(rule: Rule) -> ShownStanding:
    cites = tuple(cite.id for cite in rule.provenance.examples) if rule.provenance else ()
    return ShownStanding(rule.id, rule.labels, rule.instruction.strip(), cites, people=True)
