"""From the chosen rules to the files beside the rulebook: spliced, then linted, then written."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from pldgov.archive import line_of, reply_of
from pldgov.distill.placing import rule_mapping
from pldgov.errors import RulebookError, UsageError
from pldgov.prompt import PromptBuilder
from pldgov.rulebook.document import parse_document
from pldgov.rulebook.editing import insert_rule, remove_rule, replace_rule, set_value
from pldgov.workflows.distilling.settings import FILE_NAME, settings_text
from pldgov.workflows.linting import lint_revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pldgov.distill.candidates import RuleSet
    from pldgov.distill.model import Phase, TeacherReply
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Rule
    from pldgov.workflows.distilling.judging import CandidateJudge
    from pldgov.workflows.distilling.settings import DistillSettings

RECORDING = "evidence/distill.jsonl"
SUMMARY = "evidence/distill.json"


def rulebook_text(revision: Revision, rule_set: RuleSet, *, judge: CandidateJudge) -> str:
    """Return the rulebook's text with the rules and the layout of a candidate.

    Rules of people, comments and every line that need not change stay as they are. A rule that
    others were split or merged from is written as deprecated, so that its id is not used again.
    Raises ``UsageError`` when the text would not render the prompt that was measured.
    """
    text = revision.document.text
    people = [rule.id for rule in judge.kept]
    wanted = (*_placed(rule_set, judge), *_ancestors(rule_set, judge))
    text = splice_rules(text, revision.rulebook.rules, people=people, wanted=wanted)
    text = _with_layout(text, revision, rule_set, judge)
    _require_same_prompt(text, revision, rule_set, judge)
    return text


def require_lint(text: str, revision: Revision) -> None:
    """Raise ``RulebookError`` when a rulebook with this text has errors."""
    document = parse_document(text.encode(), path=revision.path)
    before = set(revision.document.problems)
    others = tuple(problem for problem in revision.problems if problem not in before)
    changed = replace(revision, document=document, problems=(*document.problems, *others))
    errors = [one for one in lint_revision(changed) if one.severity == "error"]
    if errors:
        raise RulebookError(errors)


def splice_rules(
    text: str, standing: Sequence[Rule], *, people: Sequence[str], wanted: Sequence[Rule]
) -> str:
    """Return ``text`` with the rules ``wanted`` after those of people, in this order.

    ``standing`` are the rules in the text. A rule that stands in its place is changed where it
    differs; the others are taken out and put in.
    """
    before = {rule.id: rule for rule in standing}
    in_place = _in_place([rule.id for rule in standing], set(people), [r.id for r in wanted])
    for id_ in before:
        if id_ not in people and id_ not in in_place:
            text = remove_rule(text, id_)
    after = people[-1] if people else None
    for rule in wanted:
        mapping = rule_mapping(rule, standing=before.get(rule.id))
        if rule.id in in_place:
            text = replace_rule(text, rule.id, mapping)
        else:
            text = insert_rule(text, mapping, after=after)
        after = rule.id
    return text


def written_replies(
    used: Iterable[tuple[Phase, TeacherReply]], standing: Mapping[str, str]
) -> dict[str, str]:
    """Return ``teacher/<phase>.jsonl`` as they will be: what stands there, then what is new.

    ``standing`` holds the text of each file in ``teacher/`` by its name.
    """
    known = {
        reply.request
        for text in standing.values()
        for line in text.encode().splitlines()
        if (reply := reply_of(line)) is not None
    }
    files: dict[str, str] = {}
    for phase, reply in used:
        if reply.request not in known:
            known.add(reply.request)
            name = f"{phase}.jsonl"
            files[name] = files.get(name, standing.get(name, "")) + line_of(reply)
    return files


def settings_file(folder: str, settings: DistillSettings) -> tuple[str, str]:
    """Return path and text of the ``distill.yaml``."""
    return posixpath.join(folder, FILE_NAME), settings_text(settings)


def _in_place(standing: Sequence[str], people: set[str], wanted: Sequence[str]) -> set[str]:
    """Return the ids that may stay where they are: the first of ``wanted``, after all people's."""
    last = max((row for row, id_ in enumerate(standing) if id_ in people), default=-1)
    tail = [id_ for id_ in standing[last + 1 :] if id_ in set(wanted)]
    count = 0
    while count < min(len(tail), len(wanted)) and tail[count] == wanted[count]:
        count += 1
    return set(wanted[:count])


def _placed(rule_set: RuleSet, judge: CandidateJudge) -> tuple[Rule, ...]:
    return tuple(judge.placing.rule(draft) for draft in rule_set.rules)


def _ancestors(rule_set: RuleSet, judge: CandidateJudge) -> tuple[Rule, ...]:
    """Return the rules that the chosen ones were split or merged from, through all generations."""
    known = {draft.id: draft for draft in rule_set.ancestors}
    found: dict[str, Rule] = {}
    waiting = [id_ for draft in rule_set.rules for id_ in draft.lineage]
    while waiting:
        id_ = waiting.pop(0)
        if id_ in known and id_ not in found and id_ not in rule_set.ids:
            found[id_] = judge.placing.rule(known[id_], status="deprecated")
            waiting += known[id_].lineage
    return tuple(found.values())


def _with_layout(text: str, revision: Revision, rule_set: RuleSet, judge: CandidateJudge) -> str:
    policy, layout = revision.rulebook.prompt, rule_set.layout
    if policy.template != layout.template:
        text = set_value(text, ("prompt", "template"), layout.template)
    shown = {"support": layout.support, "counter": layout.counter}
    shows_any = bool(judge.render(rule_set).examples)
    if shows_any and policy.exemplars.model_dump() != shown:
        text = set_value(text, ("prompt", "exemplars"), shown)
    return text


def _require_same_prompt(
    text: str, revision: Revision, rule_set: RuleSet, judge: CandidateJudge
) -> None:
    """Raise unless the written rulebook renders the prompt that was measured."""
    document = parse_document(text.encode(), path=revision.path)
    if document.rulebook is None:
        raise RulebookError(document.problems)
    train = revision.split("train")
    builder = PromptBuilder(document.rulebook, templates=judge.templates, train=lambda: train)
    digest = builder.build().prompt.digest
    if digest != judge.render(rule_set).prompt.digest:
        raise UsageError(
            "the rulebook as written would not render the prompt that was measured",
            where=revision.path,
            hint="a rule's priority or status stands in the way; nothing was written",
        )
