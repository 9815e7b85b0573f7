"""Vectors from the texts themselves: TF-IDF of words and of letters, reduced by an SVD.

Latent semantic analysis (Deerwester et al. 1990). No download, no network, the same on every
run; on micro-instructions as near to a sentence model as they are to each other
(``benchmarks/embedders.py``). It knows no synonyms that the texts do not show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_union

from pldgov.embedders.place import place
from pldgov.embedders.unit import unit_length
from pldgov.errors import DataError
from pldgov.options import parse_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from numpy.typing import NDArray

VERSION = 1
"""Goes up whenever the same texts could get other vectors."""

_WORD_OR_MARK = r"(?u)\w+|[^\w\s]"


class TfidfOptions(BaseModel):
    """``dimensions`` of the vectors; without it a sixth of the texts' number, 16 to 128."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["tfidf"] = "tfidf"
    dimensions: int | None = Field(default=None, ge=1, le=4096)
    seed: int = Field(default=0, ge=0)


class TfidfEmbedder:
    """TF-IDF of words, word pairs and letter groups, fitted on the very texts it embeds.

    A text's vector depends on the other texts, never on their order or number of repeats.
    """

    def __init__(self, name: str, options: TfidfOptions) -> None:
        self._where = place(name)
        self._options = options

    @classmethod
    def from_options(
        cls,
        name: str,
        options: Mapping[str, Any],
        *,
        root: Path,  # noqa: ARG003  (every kind takes it)
        students: Mapping[str, Mapping[str, Any]],  # noqa: ARG003  (the same)
    ) -> Self:
        """Return the embedder of ``[tool.pldgov.embedders.<name>]``; raises ``UsageError``."""
        return cls(name, parse_table(TfidfOptions, options, where=place(name)))

    @property
    def fingerprint(self) -> str:
        """The kind, its version, dimensions and seed; the texts are the rest."""
        wanted = self._options.dimensions or "auto"
        return f"tfidf/{VERSION} dimensions={wanted} seed={self._options.seed}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit-length vectors, shape (len(texts), dimensions); fewer for few texts.

        Raises ``DataError`` for a text without a single character to go by.
        """
        for text in texts:
            if not text.strip():
                raise DataError("a text to embed is empty", where=self._where)
        distinct = sorted(set(texts))
        if not distinct:
            return np.empty((0, 1), np.float32)
        vectors = self._vectors(distinct)
        position = {text: index for index, text in enumerate(distinct)}
        return vectors[[position[text] for text in texts]]

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        weights = _tfidf(texts)
        dimensions = min(self._dimensions(len(texts)), len(texts) - 1, weights.shape[1] - 1)
        if dimensions < 1:
            return np.ones((len(texts), 1), np.float32)
        reduction = TruncatedSVD(dimensions, n_iter=10, random_state=self._options.seed)
        return unit_length(reduction.fit_transform(weights), where=self._where)

    def _dimensions(self, count: int) -> int:
        return self._options.dimensions or min(128, max(16, count // 6))


def _tfidf(texts: Sequence[str]) -> Any:
    """Return a sparse matrix: words and word pairs, beside groups of three to five letters."""
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=_WORD_OR_MARK)
    letters = TfidfVectorizer(sublinear_tf=True, ngram_range=(3, 5), analyzer="char_wb")
    return make_union(words, letters).fit_transform(texts)
