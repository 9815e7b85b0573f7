"""Checks of what stands beside the rulebook's file: its folder, its templates, its neighbours."""

from __future__ import annotations

import posixpath
import unicodedata
from typing import TYPE_CHECKING

from pldgov.dataset import SPLIT_NAMES
from pldgov.rulebook.checks.subject import check
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
    "unknown-field",
    severity="error",
    description="a field in a rule's `when` that is no input of the task",
)
def unknown_field(subject: Subject) -> Iterator[Finding]:
    """Find rules that would wait for a field that no example has."""
    known = subject.rulebook.task.inputs
    for index, rule in enumerate(subject.rulebook.rules):
        for field in rule.when:
            if field not in known:
                yield subject.in_rule(
                    index,
                    "when",
                    field,
                    at_key=True,
                    message=f'rule "{rule.id}" asks for "{field}", which is no input of the task',
                    hint=did_you_mean(field, known) or f"inputs: {', '.join(known)}",
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


NAME_CLASH = "name-clash"


@check(
    NAME_CLASH,
    severity="error",
    scope="rulebook",
    description="rulebooks, templates or example files whose names differ only in case, if at all",
)
def name_clash(subject: Subject) -> Iterator[Finding]:
    """Find files of which a case-insensitive disk keeps one; rulebooks: ``clashing_rulebooks``."""
    prompt = subject.rulebook.prompt
    for key, name in (("template", prompt.template), ("user_template", prompt.user_template)):
        for other in _twins(name, subject.templates) if name in subject.templates else ():
            said = f'the templates "{name}" and "{other}" differ only in case'
            yield subject.at("prompt", key, message=said, hint=_ONE_IS_LOST)
    specs = [(split, getattr(subject.rulebook.examples, split)) for split in SPLIT_NAMES]
    seen: dict[str, str] = {}
    for split, spec in specs:
        if spec is None:
            continue
        known = seen.setdefault(_folded(spec), spec)
        if known != spec:
            said = f'the example files "{known}" and "{spec}" differ only in case'
            yield subject.at("examples", split, message=said, hint=_ONE_IS_LOST)


_ONE_IS_LOST = "on Windows and macOS one overwrites the other: rename one"


def clashing_rulebooks(paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return message and hint for each rulebook whose folder an earlier one's clashes with.

    The paths are those of the files, relative to one root. Two rulebooks of one name in different
    folders clash too: a name leads to one of them only.
    """
    found: dict[str, tuple[str, str]] = {}
    by_folder: dict[str, str] = {}
    by_name: dict[str, str] = {}
    for path in paths:
        folder = posixpath.dirname(path)
        twin = by_folder.setdefault(_folded(folder), folder)
        namesake = by_name.setdefault(_folded(posixpath.basename(folder)), folder)
        if twin != folder:
            found[path] = f'the folders "{twin}" and "{folder}" differ only in case', _ONE_IS_LOST
        elif namesake != folder:
            name = posixpath.basename(folder)
            said = f'"{namesake}" and "{folder}" are both called "{name}"'
            found[path] = said, "a name must lead to one rulebook: rename one"
    return found


def _twins(name: str, names: Iterable[str]) -> list[str]:
    return sorted(one for one in names if one != name and _folded(one) == _folded(name))


def _folded(name: str) -> str:
    """Return what a disk that ignores case and composition takes a name for."""
    return unicodedata.normalize("NFC", name).casefold()


CHECKS = (unknown_template, unknown_field, folder_name, name_clash)
