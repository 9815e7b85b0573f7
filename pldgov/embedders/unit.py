"""Vectors of unit length, whatever a model gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pldgov.errors import ProviderError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def unit_length(vectors: NDArray[Any], *, where: str) -> NDArray[np.float32]:
    """Return ``vectors``, shape (n, dimensions), each divided by its length.

    A vector of zeros says nothing: it points to all sides alike. Raises ``ProviderError`` when
    a number is not finite.
    """
    wide = np.array(vectors, dtype=np.float64, ndmin=2)
    if not np.isfinite(wide).all():
        raise ProviderError("a vector holds numbers that are not finite", where=where)
    wide[~wide.any(axis=1)] = 1.0
    units: NDArray[np.float32] = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return units.astype(np.float32)
