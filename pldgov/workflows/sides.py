"""A revision's prompt as a student gets it. Of its own, so that rendering loads no statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.prompt import PromptBuilder, render_within_budget

if TYPE_CHECKING:
    from pldgov.ports import Student
    from pldgov.prompt import RenderedPrompt
    from pldgov.rulebook.loading import Revision


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a revision and its prompt."""

    revision: Revision
    rendered: RenderedPrompt
    builder: PromptBuilder


def builder_of(revision: Revision, *, folder: str = "templates") -> PromptBuilder:
    """Return what renders the prompts of a revision."""
    return PromptBuilder(
        revision.rulebook,
        templates=revision.templates,
        train=lambda: revision.split("train"),
        folder=folder,
    )


def side_of(revision: Revision, student: Student) -> Side:
    """Render a revision's prompt as it would be deployed for a student.

    Raises ``RulebookError``, ``TemplateError``, ``DataError``, ``UsageError``.
    """
    builder = builder_of(revision)
    rendered = render_within_budget(builder, revision.rulebook, count_tokens=student.count_tokens)
    return Side(revision=revision, rendered=rendered, builder=builder)
