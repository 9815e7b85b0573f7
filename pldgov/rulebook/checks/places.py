"""Checks of what stands beside the rulebook's file: its folder and its templates."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pldgov.rulebook.checks.subject import check
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.rulebook.checks.subject import Finding, Subject


@check(
    "unknown-template",
    severity="error",
    scope="rulebook",
    description="a template that does not exist",
    needs_all=True,
)
def unknown_template(subject: Subject) -> Iterator[Finding]:
    """Find template names that no file under templates/ has."""
    prompt = subject.rulebook.prompt
    for key, name in (("template", prompt.template), ("user_template", prompt.user_template)):
        if name not in subject.templates:
            known = sorted(subject.templates)
            either = ", ".join(known) or "the folder holds no .j2 file"
            hint = did_you_mean(name, known) or f"templates: {either}"
            yield subject.at(
                "prompt", key, message=f'there is no template "{name}" in templates/', hint=hint
            )


@check(
    "folder-name",
    severity="error",
    scope="rulebook",
    description="a rulebook whose name is not its folder's",
    needs_all=True,
)
def folder_name(subject: Subject) -> Iterator[Finding]:
    """Find rulebooks that reports and evidence would call by another name than their folder."""
    folder = posixpath.basename(posixpath.dirname(subject.document.path))
    name = subject.rulebook.name
    if folder and folder != name:
        said = f'the rulebook is named "{name}", but stands in the folder "{folder}"'
        yield subject.at("name", message=said, hint="give both the same name")


CHECKS = (unknown_template, folder_name)
