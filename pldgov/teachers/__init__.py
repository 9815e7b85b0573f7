"""Teachers by name: the table of back-ends, each loaded only when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pldgov.backends import load_backend
from pldgov.distill.model import Usage
from pldgov.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pldgov.ports import Teacher

BACKENDS: Mapping[str, tuple[str, str, str | None]] = {
    # kind: (module, class, the extra that brings what it imports)
    "openai": ("pldgov.teachers.openai_chat", "OpenAITeacher", "openai"),
    "batch": ("pldgov.teachers.batch", "BatchTeacher", "openai"),
    "replay": ("pldgov.teachers.replay", "ReplayTeacher", None),
}

BUILT_IN: Mapping[str, Mapping[str, Any]] = {"replay": {"kind": "replay"}}
"""Teachers that need no setting; a table of the same name in the configuration replaces them."""

_NOTHING = Usage()


def open_teacher(
    name: str,
    options: Mapping[str, Any],
    *,
    root: Path,
    folder: Path,
    spent: Usage = _NOTHING,
    submit: bool = False,
) -> Teacher:
    """Return the teacher ``name`` as ``options`` (its ``[tool.pldgov.teachers.<name>]``) say.

    Relative paths in the options count from ``root``. ``folder`` is the run's: a teacher that
    answers by files writes and reads there. ``spent`` is what the run has taken before, on which
    its caps count on. ``submit`` sends files to a batch API.

    Raises ``UsageError`` for an unknown kind or option, ``ProviderError`` when a package that
    the kind needs is not installed.
    """
    where = f"[tool.pldgov.teachers.{name}]"
    backend = load_backend(BACKENDS, options, what="teacher", where=where)
    kind = options["kind"]
    if submit and kind != "batch":
        raise UsageError(
            f"a teacher of kind {kind!r} has nothing to submit",
            where=where,
            hint='only the kind "batch" writes files that a batch API takes',
        )
    extra = {"submit": submit} if kind == "batch" else {}
    teacher: Teacher = backend.from_options(
        name, options, root=root, folder=folder, spent=spent, **extra
    )
    return teacher
