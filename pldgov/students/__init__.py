"""Students by name: the table of back-ends, each loaded only when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pldgov import backends
from pldgov.backends import load_backend
from pldgov.errors import StudentAbsentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pldgov.ports import Student

BACKENDS: Mapping[str, tuple[str, str, str | None]] = {
    # kind: (module, class, the extra that brings what it imports)
    "transformers": ("pldgov.students.local", "LocalStudent", "transformers"),
    "smollm2": ("pldgov.students.smollm2", "SmolLM2Student", "transformers"),
    "openai": ("pldgov.students.openai_chat", "OpenAIStudent", "openai"),
    "decisions": ("pldgov.students.decisions", "DecisionsStudent", "openai"),
    "replay": ("pldgov.students.replay", "ReplayStudent", None),
}

BUILT_IN: Mapping[str, Mapping[str, Any]] = {
    "smollm2": {"kind": "smollm2", "calibration": "label-prior"},
}
"""Students that need no setting; a table of the same name in the configuration replaces them."""


def open_student(name: str, options: Mapping[str, Any], *, root: Path) -> Student:
    """Return the student ``name`` as ``options`` (its ``[tool.pldgov.students.<name>]``) say.

    Relative paths in the options count from ``root``. Raises ``UsageError`` for an unknown kind
    or option, ``ProviderError`` when a package that the kind needs is not installed.
    """
    backend = load_backend(
        BACKENDS, options, what="student", where=f"[tool.pldgov.students.{name}]"
    )
    student: Student = backend.from_options(name, options, root=root)
    return student


def missing_package(
    name: str, error: ModuleNotFoundError, extra: str | None, *, by_design: bool = False
) -> StudentAbsentError:
    """Return the error that names the extra which brings the missing module."""
    said = backends.missing_package(
        error, extra=extra, where=f"[tool.pldgov.students.{name}]", who=f"student {name!r}"
    )
    return StudentAbsentError(said.message, where=said.where, hint=said.hint, by_design=by_design)
