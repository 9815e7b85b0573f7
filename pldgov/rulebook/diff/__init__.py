"""The semantic diff: two revisions of a rulebook in, the changes between them out. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pldgov.changes import Change
from pldgov.rulebook.diff.examples import example_changes
from pldgov.rulebook.diff.reach import shown_by, templates_used
from pldgov.rulebook.diff.rules import RuleSides, rule_changes
from pldgov.rulebook.diff.surroundings import (
    gate_changes,
    prompt_changes,
    rulebook_changes,
    task_changes,
    template_changes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.prompt import RenderedPrompt
    from pldgov.rulebook.loading import Revision


def compare_revisions(
    base: Revision,
    head: Revision,
    *,
    base_rendered: RenderedPrompt | None = None,
    head_rendered: RenderedPrompt | None = None,
) -> tuple[Change, ...]:
    """Return every change from base to head: rules first, then what is around them.

    With both rendered prompts each change says more exactly whether it can reach the student;
    without them all that a template might show counts. Where both prompts are the same none
    can. Raises ``RulebookError`` for a revision with errors.
    """
    changes = tuple(_changes(base, head, base_rendered, head_rendered))
    if base_rendered is None or head_rendered is None:
        return changes
    if base_rendered.prompt.digest != head_rendered.prompt.digest:
        return changes
    return tuple(replace(change, reaches=False) for change in changes)


def _changes(
    base: Revision,
    head: Revision,
    base_rendered: RenderedPrompt | None,
    head_rendered: RenderedPrompt | None,
) -> Iterator[Change]:
    old, new = base.rulebook, head.rulebook
    old_text, new_text = base.document.text, head.document.text
    shown = shown_by(base, base_rendered) | shown_by(head, head_rendered)
    in_file = [
        *rule_changes(RuleSides(old, new, shown)),
        *task_changes(old, new),
        *prompt_changes(old, new, shown),
        *gate_changes(old, new),
        *rulebook_changes(base, head, shown),
    ]
    yield from in_file
    if not in_file and old_text != new_text:
        yield Change(
            "layout", "rulebook", head.path, reaches=False, field=_layout(old_text, new_text)
        )
    used = templates_used(base) | templates_used(head)
    yield from template_changes(base.templates, head.templates, used)
    yield from example_changes(base.splits, head.splits, shown)


def _layout(old: str, new: str) -> str:
    """Tell what differs between two texts that say the same."""
    same_lines = old.replace("\r\n", "\n") == new.replace("\r\n", "\n")
    return "line endings" if same_lines else "comments and layout"
