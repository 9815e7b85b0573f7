"""Embedders by name: the table of back-ends, each loaded only when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pldgov.backends import load_backend
from pldgov.embedders.place import place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pldgov.ports import Embedder

BACKENDS: Mapping[str, tuple[str, str, str | None]] = {
    # kind: (module, class, the extra that brings what it imports)
    "tfidf": ("pldgov.embedders.tfidf", "TfidfEmbedder", None),
    "student": ("pldgov.embedders.student_states", "StudentStatesEmbedder", "transformers"),
    "sentence-transformers": ("pldgov.embedders.sentence", "SentenceEmbedder", "embed"),
    "openai": ("pldgov.embedders.endpoint", "EndpointEmbedder", "openai"),
}

BUILT_IN: Mapping[str, Mapping[str, Any]] = {
    "tfidf": {"kind": "tfidf"},
    "student": {"kind": "student"},
}
"""Embedders that need no setting and no download (docs/decisions/2026-11-24-clustering.md)."""


def open_embedder(
    name: str,
    options: Mapping[str, Any],
    *,
    root: Path,
    students: Mapping[str, Mapping[str, Any]] | None = None,
) -> Embedder:
    """Return the embedder ``name`` as ``options`` (its ``[tool.pldgov.embedders.<name>]``) say.

    ``students`` are the tables of the configured students, for the kind "student"; relative
    paths count from ``root``. Raises ``UsageError`` for an unknown kind or option,
    ``ProviderError`` when a package that the kind needs is not installed.
    """
    backend = load_backend(BACKENDS, options, what="embedder", where=place(name))
    embedder: Embedder = backend.from_options(name, options, root=root, students=students or {})
    return embedder
