"""Students by name: the table of back-ends, each loaded only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pldgov.errors import ProviderError, UsageError
from pldgov.suggest import did_you_mean

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
    kind = str(options.get("kind", ""))
    if kind not in BACKENDS:
        raise UsageError(
            f"unknown kind of student {kind!r}",
            where=f"[tool.pldgov.students.{name}]",
            hint=did_you_mean(kind, BACKENDS) or f"one of {', '.join(BACKENDS)}",
        )
    module, class_name, extra = BACKENDS[kind]
    try:
        backend = getattr(import_module(module), class_name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pldgov"):
            raise  # a broken installation, not a missing extra
        raise missing_package(name, error, extra) from error
    student: Student = backend.from_options(name, options, root=root)
    return student


def missing_package(name: str, error: ModuleNotFoundError, extra: str | None) -> ProviderError:
    """Return the error that names the extra which brings the missing module."""
    return ProviderError(
        f"student {name!r} needs the package {error.name!r}, which is not installed",
        where=f"[tool.pldgov.students.{name}]",
        hint=f"pip install 'pldgov[{extra}]'" if extra else None,
    )
