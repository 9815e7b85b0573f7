"""Phase 1: from each labelled example one general instruction, by a teacher that sees the label.

The teacher is shown the task, the labels, and an example's inputs and gold label; no other field.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

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
from pldgov.distill.entities import leaks, quotes, words_of
from pldgov.distill.labels import exact_label, names_label
from pldgov.distill.model import Finding, MicroInstruction, Step, TeacherRequest
from pldgov.distill.requests import Complaint, Reading, merge, settle
from pldgov.distill.vagueness import no_test, vague

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.distill.model import TeacherReply
    from pldgov.distill.prompts import TeacherPrompts
    from pldgov.ports import ReplyArchive
    from pldgov.rulebook.model import Task

Text = Annotated[str, Field(min_length=1)]


class _Extracted(TeacherAnswer):
    example: Text
    reasoning: Text
    condition: Text
    instruction: Text
    label: Text


class _Answer(TeacherAnswer):
    answers: list[_Extracted]


@dataclass(frozen=True)
class ShownForExtraction:
    """An example as the template of the extraction request sees it; ``inputs`` is JSON."""

    id: str
    label: str
    inputs: str


def extract(
    examples: Sequence[Example],
    *,
    prompts: TeacherPrompts,
    archive: ReplyArchive,
    per_request: int = 1,
) -> Step[MicroInstruction]:
    """Return the instructions that the recorded replies give, and the requests without a reply.

    One request asks about ``per_request`` examples. Instructions come in the order of
    ``examples``, at most one each. Raises ``TemplateError`` for the teacher's templates.
    """
    allowed = words_of((prompts.task.instruction, *_label_texts(prompts.task)))
    schema = extraction_schema(tuple(prompts.task.labels))
    packs = [examples[i : i + per_request] for i in range(0, len(examples), per_request)]
    step = merge(
        settle(
            _request(pack, schema, prompts),
            ExtractionReader({one.id: one for one in pack}, prompts.task, allowed),
            archive=archive,
            prompts=prompts,
        )
        for pack in packs
    )
    order = {example.id: position for position, example in enumerate(examples)}
    return replace(step, result=tuple(sorted(step.result, key=lambda one: order[one.example_id])))


def extraction_schema(labels: Sequence[str]) -> dict[str, Any]:
    """Return the JSON Schema of an extraction answer."""
    names = ("example", "reasoning", "condition", "instruction")
    item = object_schema(
        {**dict.fromkeys(names, TEXT_SCHEMA), "label": choice_schema(labels)},
    )
    return object_schema({"answers": list_schema(item)})


@dataclass(frozen=True)
class ExtractionReader:
    """Reads replies about some examples; ``allowed`` are words that are no leak."""

    examples: Mapping[str, Example]
    task: Task
    allowed: frozenset[str]
    repeats_all: bool = False

    def read(
        self, reply: TeacherReply, *, only: frozenset[str] | None
    ) -> Reading[MicroInstruction]:
        """Read the instructions; each example has one, a complaint, or a finding."""
        asked = set(self.examples) if only is None else set(self.examples) & only
        answer = read_answer(_Answer, reply.content)
        if isinstance(answer, tuple):
            problems = f"the answer {'; '.join(answer)}"
            return Reading(
                complaints=tuple(Complaint(id_, problems, "malformed") for id_ in self._in(asked)),
                usable=False,
            )
        chosen, findings = self._choose(answer, asked)
        items: list[MicroInstruction] = []
        complaints: list[Complaint] = []
        for id_ in self._in(asked):
            if id_ not in chosen:
                complaints.append(Complaint(id_, "there is no answer about it", "missing"))
                continue
            said = chosen[id_]
            reason = hostile((said.instruction, said.condition))
            wrong = () if reason else tuple(self._complaints(said))
            complaints += wrong
            if reason:
                findings.append(Finding("rejected", (id_,), f"the instruction {reason}"))
            elif not wrong:
                items.append(self._instruction(said, reply))
        findings += [_suspect(item) for item in items if item.suspect]
        return Reading(tuple(items), tuple(complaints), tuple(findings))

    def _in(self, asked: set[str]) -> list[str]:
        return [id_ for id_ in self.examples if id_ in asked]

    def _choose(
        self, answer: _Answer, asked: set[str]
    ) -> tuple[dict[str, _Extracted], list[Finding]]:
        """Return the first answer about each example that was asked about."""
        chosen: dict[str, _Extracted] = {}
        findings: list[Finding] = []
        for said in answer.answers:
            if said.example in chosen:
                repeated = "two answers about one example; the first one counts"
                findings.append(Finding("duplicate", (said.example,), repeated))
            elif said.example in asked:
                chosen[said.example] = said
            elif said.example not in self.examples:  # else: asked about before, and settled
                unknown = "an answer about an example that was not asked about"
                findings.append(Finding("unknown-id", (printable(said.example),), unknown))
        return chosen, findings

    def _complaints(self, said: _Extracted) -> Iterator[Complaint]:
        id_, inputs = said.example, tuple(self.examples[said.example].inputs.values())
        label = exact_label(said.label, self.task.labels)
        if label is None:
            yield Complaint(id_, f'label: "{said.label}" is no label of the task', "label")
        elif not names_label(said.instruction, label):
            yield Complaint(id_, f'instruction: does not name the label "{label}"', "label")
        for field, problem in (
            ("instruction", vague(said.instruction)),
            ("condition", no_test(said.condition)),
        ):
            if problem:
                yield Complaint(id_, f"{field}: {problem}", "vague")
        for field, found in (
            ("instruction", leaks(said.instruction, inputs, allowed=self.allowed)),
            ("condition", leaks(said.condition, inputs, allowed=self.allowed)),
            ("reasoning", quotes(said.reasoning, inputs)),
        ):
            for leak in found:
                yield Complaint(id_, f"{field}: {leak}; say it in general words", "leak")

    def _instruction(self, said: _Extracted, reply: TeacherReply) -> MicroInstruction:
        example = self.examples[said.example]
        label = exact_label(said.label, self.task.labels)
        assert label is not None
        return MicroInstruction(
            id=f"m-{example.id}",
            example_id=example.id,
            label=label,
            condition=one_line(said.condition),
            instruction=one_line(said.instruction),
            reasoning=one_line(said.reasoning),
            request=reply.request,
            suspect=label != example.label,
        )


def _request(
    examples: Sequence[Example], schema: Mapping[str, Any], prompts: TeacherPrompts
) -> TeacherRequest:
    shown = tuple(
        ShownForExtraction(
            example.id, example.label, json.dumps(dict(example.inputs), ensure_ascii=False)
        )
        for example in examples
    )
    return TeacherRequest(
        phase="extract",
        messages=prompts.messages("extract", {"examples": shown}),
        schema=schema,
        about=tuple(example.id for example in examples),
    )


def _suspect(item: MicroInstruction) -> Finding:
    said = f'the teacher argues for "{item.label}" instead of the label that people gave'
    return Finding("label-suspect", (item.example_id,), said)


def _label_texts(task: Task) -> Iterator[str]:
    for label, description in task.labels.items():
        yield from (label, description)
