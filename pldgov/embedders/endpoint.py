"""Vectors of an OpenAI-compatible endpoint (``/embeddings``), in batches and within a budget."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from pldgov.embedders.place import place
from pldgov.embedders.unit import unit_length
from pldgov.endpoint.connection import Rejection, ServedModel, connect
from pldgov.endpoint.dispatch import dispatch
from pldgov.endpoint.options import EndpointOptions, parse_endpoint, read_key
from pldgov.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from numpy.typing import NDArray

    from pldgov.endpoint.connection import Connection
    from pldgov.endpoint.dispatch import Ask


class EndpointEmbedderOptions(EndpointOptions):
    """``dimensions`` is asked of models that shorten vectors; ``batch_size`` texts a request."""

    kind: Literal["openai"]
    dimensions: int | None = Field(default=None, ge=1)
    batch_size: int = Field(default=128, ge=1, le=2048)


class EndpointEmbedder:
    """A model behind an endpoint; the budget holds over all calls."""

    def __init__(self, name: str, options: EndpointEmbedderOptions) -> None:
        self._place = place(name)
        self._options = options
        self._budget = options.budget(self._place)
        self._served = ServedModel(options.base_url, options.served_model)

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
        return cls(name, parse_endpoint(EndpointEmbedderOptions, options, where=place(name)))

    @property
    def fingerprint(self) -> str:
        """The kind, the model id and the dimensions asked for."""
        wanted = self._options.dimensions or "all"
        return f"openai {self._options.snapshot} dimensions={wanted}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit-length vectors, shape (len(texts), dimensions).

        Raises ``ProviderError`` when the endpoint fails or answers with something else,
        ``BudgetError`` at a cap.
        """
        if not texts:
            return np.empty((0, 1), np.float32)
        self._budget.check_enforceable()
        key = read_key(self._options, where=self._place)

        @asynccontextmanager
        async def open_ask() -> AsyncIterator[Ask[range, NDArray[np.float32]]]:
            opened = connect(
                self._place, self._options, key=key, budget=self._budget, served=self._served
            )
            async with opened as connection:
                yield partial(self._ask, connection, texts)

        size = self._options.batch_size
        batches = [
            range(start, min(start + size, len(texts))) for start in range(0, len(texts), size)
        ]
        parts = dict(
            dispatch(
                open_ask,
                batches,
                concurrency=self._options.concurrency,
                has_room=self._budget.has_room,
            )
        )
        return self._together([parts[index] for index in range(len(batches))])

    async def _ask(
        self, connection: Connection, texts: Sequence[str], batch: range
    ) -> NDArray[np.float32]:
        about = f"texts {batch.start + 1} to {batch.stop} to embed"
        body: dict[str, Any] = {
            "model": self._options.model,
            "input": [texts[index] for index in batch],
            "encoding_format": "float",
        }
        if self._options.dimensions is not None:
            body["dimensions"] = self._options.dimensions
        reply = await connection.post("/embeddings", body, about)
        if isinstance(reply, Rejection):
            raise connection.refused(reply, about)
        try:
            return _vectors(reply.body["data"], len(batch))
        except (KeyError, TypeError, ValueError) as error:
            said = f"the reply is no list of {len(batch)} vectors ({error})"
            raise connection.unusable(said, about) from error

    def _together(self, parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        widths = sorted({part.shape[1] for part in parts})
        if len(widths) > 1:
            raise ProviderError(
                f"the endpoint answered with vectors of different length: {widths}",
                where=self._options.base_url,
            )
        return unit_length(np.concatenate(parts), where=self._options.base_url)


def _vectors(data: Any, count: int) -> NDArray[np.float32]:
    """Return the vectors of a reply in the order of the texts, which ``index`` gives."""
    by_index = {int(item["index"]): item["embedding"] for item in data}
    if sorted(by_index) != list(range(count)):
        raise ValueError("not one vector for each text")
    vectors = np.array([by_index[index] for index in range(count)], dtype=np.float32)
    if vectors.ndim != 2 or not vectors.shape[1]:  # noqa: PLR2004  (a matrix)
        raise ValueError("vectors of no, or of different, length")
    return vectors
