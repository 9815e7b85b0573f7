"""Rules in a teacher's words: their form, and whether they may stand in a rulebook.

Shared by every phase in which a teacher writes rules: a rule is plain text without commands, is
no vague advice, names its label, carries nothing over from the examples that it cites, and rests
on examples that it was shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from pldgov.distill.answers import (
    TEXT_SCHEMA,
    TeacherAnswer,
    choice_schema,
    list_schema,
    object_schema,
    one_line,
    printable,
)
from pldgov.distill.commands import hostile
from pldgov.distill.cues import NO_CUES
from pldgov.distill.entities import leaks
from pldgov.distill.labels import exact_label, names_label
from pldgov.distill.model import CitedExample, DraftRule, Finding
from pldgov.distill.requests import Complaint
from pldgov.distill.vagueness import vague

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.distill.cues import CueCheck

Text = Annotated[str, Field(min_length=1)]


class SaidCitation(TeacherAnswer):
    """A citation as a teacher writes it."""

    id: Text
    role: Literal["support", "counter"]


class SaidRule(TeacherAnswer):
    """A rule as a teacher writes it."""

    title: Text
    labels: Annotated[list[Text], Field(min_length=1)]
    instruction: Text
    rationale: str
    cites: list[SaidCitation]
    cues: list[str] = Field(default_factory=list)


def rule_schema(labels: Sequence[str], *, cued: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of a rule that a teacher writes, ``cued`` with its cues."""
    citation = object_schema({"id": TEXT_SCHEMA, "role": choice_schema(("support", "counter"))})
    return object_schema(
        {
            "title": TEXT_SCHEMA,
            "labels": list_schema(choice_schema(labels)),
            "instruction": TEXT_SCHEMA,
            "rationale": TEXT_SCHEMA,
            "cites": list_schema(citation),
            **({"cues": list_schema(TEXT_SCHEMA)} if cued else {}),
        }
    )


@dataclass(frozen=True)
class Drafted:
    """What a rule in a teacher's words came to: a rule without id, or the reasons why not."""

    rule: DraftRule | None = None
    complaints: tuple[Complaint, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class RuleCheck:
    """Checks rules against the examples that the teacher was shown.

    ``citable`` are the examples by id that a rule may cite, ``allowed`` words that are no leak,
    ``most_words`` the most an instruction may have. ``cues`` checks those of a rule, where rules
    have any.
    """

    labels: tuple[str, ...]
    citable: Mapping[str, Example]
    allowed: frozenset[str]
    most_words: int | None = None
    cues: CueCheck | None = None

    def draft(self, said: SaidRule, *, request: str, last: bool) -> Drafted:
        """Return the rule, without id, or what is wrong with it.

        With ``last`` there is no other try: bad citations are dropped, and only a rule that then
        rests on nothing is refused for them.
        """
        title = printable(said.title)
        reason = hostile((said.title, said.instruction, said.rationale))
        if reason:
            return Drafted(findings=(Finding("rejected", (title,), f"the rule {reason}"),))
        named = [(label, exact_label(label, self.labels)) for label in said.labels]
        labels = tuple(dict.fromkeys(label for _, label in named if label))
        cites, dropped = self._citations(said, labels)
        wrong = [
            *(
                Complaint(title, f'labels: "{said_}" is no label of the task', "label")
                for said_, label in named
                if label is None
            ),
            *self._wording(said, title, labels, cites),
            *(_complaint(title, finding) for finding in dropped if not last),
        ]
        read = self.cues.read(said.cues, labels=labels, title=title) if self.cues else NO_CUES
        wrong += [Complaint(title, f"cues: {problem}", "cue") for problem in read.problems]
        if not any(cite.role == "support" for cite in cites):
            wrong.append(Complaint(title, "cites: no supporting example", "citation"))
        if wrong:
            return Drafted(complaints=tuple(wrong), findings=tuple(dropped) if last else ())
        rule = DraftRule(
            id="",
            title=title,
            labels=labels,
            instruction=one_line(said.instruction),
            cites=tuple(cites),
            request=request,
            rationale=one_line(said.rationale) or None,
            when=read.when,
        )
        return Drafted(rule, findings=(*dropped, *read.findings))

    def _wording(
        self, said: SaidRule, title: str, labels: Sequence[str], cites: Sequence[CitedExample]
    ) -> Iterator[Complaint]:
        problem = vague(said.instruction)
        if problem:
            yield Complaint(title, f"instruction: {problem}", "vague")
        words = len(said.instruction.split())
        if self.most_words is not None and words > self.most_words:
            message = f"instruction: {words} words, at most {self.most_words} are asked for"
            yield Complaint(title, message, "length")
        if labels and not names_label(said.instruction, labels[0]):
            message = f'instruction: does not name the label "{labels[0]}"'
            yield Complaint(title, message, "label")
        inputs = tuple(text for cite in cites for text in self.citable[cite.id].inputs.values())
        texts = {"title": said.title, "instruction": said.instruction, "rationale": said.rationale}
        for field, text in texts.items():
            for leak in leaks(text, inputs, allowed=self.allowed):
                yield Complaint(title, f"{field}: {leak}; say it in general words", "leak")

    def _citations(
        self, said: SaidRule, labels: Sequence[str]
    ) -> tuple[list[CitedExample], list[Finding]]:
        """Return the citations that hold, each example once, and a finding for each other one."""
        cites: dict[str, CitedExample] = {}
        dropped: list[Finding] = []
        title = printable(said.title)
        for cite in said.cites:
            example = self.citable.get(cite.id)
            if example is None:
                message = "cites an example that is not among those it was drawn from"
                dropped.append(Finding("unknown-id", (title, printable(cite.id)), message))
            elif (cite.role == "support") != (example.label in labels):
                message = f'cites as {cite.role} an example labelled "{example.label}"'
                dropped.append(Finding("wrong-role", (title, printable(cite.id)), message))
            else:
                cites.setdefault(cite.id, CitedExample(cite.id, cite.role))
        return list(cites.values()), dropped


def _complaint(title: str, finding: Finding) -> Complaint:
    return Complaint(title, f"cites: {finding.about[1]}: {finding.message}", "citation")
