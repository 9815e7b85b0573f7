"""The changes around the rules: task, prompt and gate policy, templates, the rulebook itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pldgov.changes import Change, ChangeKind, Subject
from pldgov.rulebook.diff.words import compare_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pydantic import BaseModel

    from pldgov.rulebook.diff.reach import Shown
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Rulebook


def task_changes(base: Rulebook, head: Rulebook) -> Iterator[Change]:
    """Yield what the student decides now and did not before; all of it reaches the student."""
    yield from _fields("task", "task", base.task, head.task, reaches=lambda _: True)
    if base.labels != head.labels and sorted(base.labels) == sorted(head.labels):
        yield Change(
            kind="task",
            subject="task",
            name="labels",
            reaches=True,
            field="order",
            before=list(base.labels),
            after=list(head.labels),
        )


def prompt_changes(base: Rulebook, head: Rulebook, shown: Shown) -> Iterator[Change]:
    """Yield the changes of how the rules become a prompt."""
    trims = "trim" in {base.prompt.over_budget, head.prompt.over_budget}

    def reaches(key: str) -> bool:
        if key in {"budget_tokens", "over_budget"}:
            return trims
        return key != "exemplars" or shown.shows_examples

    yield from _fields("prompt-policy", "prompt", base.prompt, head.prompt, reaches=reaches)


def gate_changes(base: Rulebook, head: Rulebook) -> Iterator[Change]:
    """Yield the changes of when a change may be merged; none reaches the student."""
    yield from _fields("gate-policy", "gate", base.gate, head.gate, reaches=lambda _: False)


def rulebook_changes(base: Revision, head: Revision, shown: Shown) -> Iterator[Change]:
    """Yield a rulebook that has moved, and what describes it to people."""
    old, new = base.rulebook, head.rulebook
    if base.path != head.path:
        yield Change("renamed", "rulebook", "path", False, before=base.path, after=head.path)
    if old.name != new.name:
        yield Change("renamed", "rulebook", "name", False, before=old.name, after=new.name)
    if old.title != new.title:
        yield Change(
            "retitled", "rulebook", "title", shown.says("title"), before=old.title, after=new.title
        )
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    for key in ("owner", "description", "examples", "metadata"):
        if before[key] != after[key]:
            yield Change("metadata", "rulebook", key, False, before=before[key], after=after[key])


def template_changes(
    base: Mapping[str, str], head: Mapping[str, str], used: Collection[str]
) -> Iterator[Change]:
    """Yield the changes of the templates that the prompt of either side is made with."""
    for name in sorted(used):
        before, after = (texts.get(name) for texts in (base, head))
        if before == after:
            continue
        old, new = (text and text.replace("\r\n", "\n") for text in (before, after))
        yield Change(
            kind="template",
            subject="template",
            name=name,
            reaches=old != new,
            before=before,
            after=after,
            wording=compare_words(old or "", new or ""),
        )


def _fields(
    kind: ChangeKind, subject: Subject, old: BaseModel, new: BaseModel, *, reaches: Any
) -> Iterator[Change]:
    """Yield a change for each key that differs; one for each entry of a mapping."""
    if old == new:
        return
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    for key in before:
        for field, was, now in _entries(before[key], after[key]):
            is_text = isinstance(was, str) and isinstance(now, str)
            yield Change(
                kind=kind,
                subject=subject,
                name=key,
                reaches=reaches(key),
                field=field,
                before=was,
                after=now,
                wording=compare_words(was, now) if is_text else (),
            )


def _entries(before: Any, after: Any) -> Iterator[tuple[str | None, Any, Any]]:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        if before != after:
            yield None, before, after
        return
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)
