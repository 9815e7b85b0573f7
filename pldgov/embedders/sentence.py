"""Vectors of a sentence-transformers model, from a folder on this machine or from the hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sentence_transformers import SentenceTransformer

from pldgov.embedders.place import place
from pldgov.embedders.unit import unit_length
from pldgov.options import parse_table
from pldgov.students.loading import quiet, reported
from pldgov.students.model_files import find_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from pldgov.students.model_files import ModelFiles


class SentenceOptions(BaseModel):
    """``model``: a folder or a hub id, at ``revision``; ``prefix`` goes before every text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["sentence-transformers"]
    model: str = Field(min_length=1)
    revision: str | None = None
    prefix: str = ""
    batch_size: int = Field(default=32, ge=1)


class SentenceEmbedder:
    """A sentence-transformers model on the CPU; a hub model is pinned to its commit.

    Code that a model brings along is not run.
    """

    def __init__(self, name: str, options: SentenceOptions, *, root: Path) -> None:
        self._where = place(name)
        self._options = options
        self._root = root
        self._found: ModelFiles | None = None

    @classmethod
    def from_options(
        cls,
        name: str,
        options: Mapping[str, Any],
        *,
        root: Path,
        students: Mapping[str, Mapping[str, Any]],  # noqa: ARG003  (every kind takes it)
    ) -> Self:
        """Return the embedder of ``[tool.pldgov.embedders.<name>]``; raises ``UsageError``."""
        return cls(name, parse_table(SentenceOptions, options, where=place(name)), root=root)

    @property
    def fingerprint(self) -> str:
        """The kind, the model's bare name, its snapshot and the prefix."""
        model = Path(self._options.model).name
        prefix = f" prefix={self._options.prefix!r}" if self._options.prefix else ""
        return f"sentence-transformers {model} {self._files.snapshot}{prefix}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit-length vectors, shape (len(texts), dimensions).

        Raises ``ProviderError`` when the model cannot be found or loaded.
        """
        files = self._files
        with quiet(), reported(files):
            model = SentenceTransformer(
                files.source,
                revision=files.revision,
                device="cpu",
                local_files_only=files.is_local,
            )
            vectors = model.encode(
                [self._options.prefix + text for text in texts],
                batch_size=self._options.batch_size,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        return unit_length(vectors.reshape(len(texts), -1), where=self._where)

    @property
    def _files(self) -> ModelFiles:
        if self._found is None:
            self._found = find_model(
                self._options.model,
                root=self._root,
                revision=self._options.revision,
                gguf_file=None,
                where=self._where,
            )
        return self._found
