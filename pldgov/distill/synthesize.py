"""Phase 2, second half: from the instructions of each cluster to a few rules that cite examples."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pldgov.distill.answers import TeacherAnswer, list_schema, object_schema, read_answer
from pldgov.distill.cues import CueCheck
from pldgov.distill.drafting import RuleCheck, SaidRule, rule_schema
from pldgov.distill.entities import words_of
from pldgov.distill.model import DraftRule, Step, TeacherRequest
from pldgov.distill.requests import WHOLE_ANSWER, Complaint, Reading, merge, settle
from pldgov.distill.rule_ids import rule_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.distill.model import Clustering, Finding, MicroInstruction, TeacherReply
    from pldgov.distill.prompts import TeacherPrompts
    from pldgov.distill.scoping import Kind
    from pldgov.ports import ReplyArchive


class _Answer(TeacherAnswer):
    rules: list[SaidRule]


@dataclass(frozen=True)
class Part:
    """What one request is about: a cluster, or a part of a large one.

    ``name`` says which, for people. ``outliers``: these instructions are in no cluster. ``kind``:
    the kind of input that all of them are about, and that the rules are to be shown with.
    """

    name: str
    members: tuple[MicroInstruction, ...]
    outliers: bool = False
    kind: Kind | None = None


def synthesize(
    clustering: Clustering,
    instructions: Sequence[MicroInstruction],
    *,
    examples: Sequence[Example],
    prompts: TeacherPrompts,
    archive: ReplyArchive,
    candidates: int = 1,
    max_per_request: int = 60,
    outliers: bool = False,
    taken: Collection[str] = (),
    kinds: Sequence[Kind] = (),
) -> Step[tuple[DraftRule, ...]]:
    """Return ``candidates`` sets of rules, and the requests without a reply.

    Every set comes from its own requests; the first of several is the one of a single draw.
    ``outliers`` asks about the instructions in no cluster as well, label by label. ``taken``
    holds ids that no new rule may have, ``kinds`` what each cluster is about where clusters are
    kinds of input. Raises ``TemplateError`` for the teacher's templates.
    """
    known = {example.id: example for example in examples}
    parts = plan_parts(
        clustering, instructions, max_per_request=max_per_request, tail=outliers, kinds=kinds
    )
    draws = [
        _draw(parts, draw, known, prompts=prompts, archive=archive)
        for draw in range(1, candidates + 1)
    ]
    return Step(
        result=tuple(_with_ids(draw.result, taken) for draw in draws),
        requests=tuple(request for draw in draws for request in draw.requests),
        findings=tuple(finding for draw in draws for finding in draw.findings),
        usage=sum((draw.usage for draw in draws[1:]), draws[0].usage),
    )


def plan_parts(
    clustering: Clustering,
    instructions: Sequence[MicroInstruction],
    *,
    max_per_request: int,
    tail: bool = False,
    kinds: Sequence[Kind] = (),
) -> tuple[Part, ...]:
    """Return what each request is about: clusters in order, large ones in even parts."""
    by_id = {each.id: each for each in instructions}
    about: Sequence[Kind | None] = kinds or [None] * len(clustering.members)
    groups: list[tuple[str, list[MicroInstruction], bool, Kind | None]] = [
        (f"cluster {number}", [by_id[id_] for id_ in members], False, kind)
        for number, (members, kind) in enumerate(
            zip(clustering.members, about, strict=True), start=1
        )
    ]
    if tail:
        loose: dict[str, list[MicroInstruction]] = defaultdict(list)
        for id_ in clustering.outliers:
            loose[by_id[id_].label].append(by_id[id_])
        groups += [(f"outliers: {label}", loose[label], True, None) for label in sorted(loose)]
    return tuple(
        Part(
            name if count == 1 else f"{name}, part {number} of {count}",
            tuple(piece),
            is_tail,
            kind,
        )
        for name, members, is_tail, kind in groups
        for number, count, piece in _even(members, max_per_request)
    )


def synthesis_schema(labels: Sequence[str], *, cued: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of a synthesis answer, ``cued`` with words for each rule."""
    return object_schema({"rules": list_schema(rule_schema(labels, cued=cued))})


@dataclass(frozen=True)
class SynthesisReader:
    """Reads replies about one part; a second answer stands for the whole first one."""

    check: RuleCheck
    may_be_empty: bool = False
    kind: Kind | None = None
    repeats_all: bool = True

    def read(self, reply: TeacherReply, *, only: frozenset[str] | None) -> Reading[DraftRule]:
        """Read the rules, in the order in which the teacher gives them."""
        answer = read_answer(_Answer, reply.content)
        if isinstance(answer, tuple):
            told = tuple(Complaint(WHOLE_ANSWER, problem, "malformed") for problem in answer)
            return Reading(complaints=told, usable=False)
        if not answer.rules and not self.may_be_empty:
            empty = Complaint(WHOLE_ANSWER, "rules: must not be empty", "missing")
            return Reading(complaints=(empty,), usable=False)
        drafted = [
            self.check.draft(said, request=reply.request, last=only is not None)
            for said in answer.rules
        ]
        findings: tuple[Finding, ...] = tuple(f for each in drafted for f in each.findings)
        return Reading(
            items=tuple(
                replace(each.rule, when=(*(self.kind.when if self.kind else ()), *each.rule.when))
                for each in drafted
                if each.rule
            ),
            complaints=tuple(c for each in drafted for c in each.complaints),
            findings=findings,
        )


def _draw(
    parts: Sequence[Part],
    draw: int,
    known: Mapping[str, Example],
    *,
    prompts: TeacherPrompts,
    archive: ReplyArchive,
) -> Step[DraftRule]:
    task = prompts.task
    schema = synthesis_schema(tuple(task.labels), cued=prompts.cues is not None)
    allowed = words_of((task.instruction, *task.labels, *task.labels.values()))
    checks = {kind: _cue_check(kind, known, prompts) for kind in {part.kind for part in parts}}
    return merge(
        settle(
            _request(part, draw, schema, prompts),
            SynthesisReader(
                RuleCheck(
                    labels=tuple(task.labels),
                    citable={each.example_id: known[each.example_id] for each in part.members},
                    allowed=allowed,
                    most_words=prompts.rule_words,
                    cues=checks[part.kind],
                ),
                may_be_empty=part.outliers,
                kind=part.kind,
            ),
            archive=archive,
            prompts=prompts,
        )
        for part in parts
    )


def _cue_check(
    kind: Kind | None, known: Mapping[str, Example], prompts: TeacherPrompts
) -> CueCheck | None:
    """Return what cues are held against: the training examples of a kind, None for all."""
    if prompts.cues is None:
        return None
    of_kind = (e for e in known.values() if not kind or e.inputs[kind.field] == kind.value)
    return CueCheck(
        prompts.cues, tuple(of_kind), deciding=prompts.deciding, least_words=prompts.cue_words
    )


def _request(
    part: Part, draw: int, schema: Mapping[str, Any], prompts: TeacherPrompts
) -> TeacherRequest:
    variables = {"instructions": part.members, "outliers": part.outliers, "draw": draw}
    if part.kind:
        del variables["outliers"]
        variables["kind"] = part.kind
    return TeacherRequest(
        phase="synthesize",
        messages=prompts.messages("synthesize", variables),
        schema=schema,
        about=(part.name, f"draw {draw}"),
    )


def _even(
    members: Sequence[MicroInstruction], most: int
) -> Iterator[tuple[int, int, Sequence[MicroInstruction]]]:
    """Yield ``(number, count, piece)``: pieces of at most ``most``, of nearly one size."""
    count = -(-len(members) // most)
    for number in range(count):
        start, end = (len(members) * each // count for each in (number, number + 1))
        yield number + 1, count, members[start:end]


def _with_ids(rules: Iterable[DraftRule], taken: Collection[str]) -> tuple[DraftRule, ...]:
    used = set(taken)
    named: list[DraftRule] = []
    for rule in rules:
        id_ = rule_id(rule.title, taken=used)
        used.add(id_)
        named.append(replace(rule, id=id_))
    return tuple(named)
