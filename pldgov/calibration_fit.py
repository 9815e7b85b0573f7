"""The numbers of a calibration that fit gold labels best: penalised log loss, minimised by SciPy.

Scores come as log probabilities of shape (examples, labels), centred by label; gold labels as
column numbers. Every label that is there weighs the same, however many examples it has.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OFFSET_PENALTY, SLOPE_PENALTY = 0.1, 1.0
"""What an offset, and the log of the slope, of 1 costs, squared, beside nats of log loss."""

MATRIX_OFFSET_PENALTY, MATRIX_PENALTY = 0.05, 3.0
"""What an offset, and a weight that is 1 away from the identity's, costs, squared, in nats.

Of the penalties 1, 3, 10 and 30, 3 was the best or next to it on the validation splits of
bank-triage, contract-nli and desk-routing, with 32 to 100 training examples.
"""


def least_loss(scores: Floats, gold: NDArray[np.int64]) -> list[float]:
    """Return the offsets (one a column) and the log slope that fit best."""
    import numpy as np  # noqa: PLC0415  (slow to import, and only a fit needs it)

    columns = scores.shape[1]
    measured, seen = _log_loss(gold, columns)

    def loss(point: Floats) -> tuple[float, Floats]:
        offsets, slope = point[:-1], math.exp(point[-1])
        value, error = measured(slope * scores + offsets)
        by_slope = slope * float((error * scores).sum())
        return (
            value
            + OFFSET_PENALTY * float(offsets @ offsets)
            + SLOPE_PENALTY * float(point[-1] ** 2),
            np.append(
                seen * (error.sum(axis=0) + 2 * OFFSET_PENALTY * offsets),
                by_slope + 2 * SLOPE_PENALTY * point[-1],
            ),
        )

    best: list[float] = _minimum(loss, np.zeros(columns + 1)).tolist()
    return best


def least_loss_of_matrix(
    scores: Floats, gold: NDArray[np.int64]
) -> tuple[list[float], list[list[float]]]:
    """Return the offsets, and the weights of shape (labels, labels), that fit best.

    Row by row the weights of all scores for one label.
    """
    import numpy as np  # noqa: PLC0415  (slow to import, and only a fit needs it)

    columns = scores.shape[1]
    measured, seen = _log_loss(gold, columns)

    def loss(point: Floats) -> tuple[float, Floats]:
        offsets, away = point[:columns], point[columns:].reshape(columns, columns)
        value, error = measured(scores @ (np.eye(columns) + away).T + offsets)
        by_offset = error.sum(axis=0) + 2 * MATRIX_OFFSET_PENALTY * offsets
        by_weight = error.T @ scores + 2 * MATRIX_PENALTY * away
        return (
            value
            + MATRIX_OFFSET_PENALTY * float(offsets @ offsets)
            + MATRIX_PENALTY * float((away**2).sum()),
            np.concatenate([seen * by_offset, (seen[:, None] * by_weight).ravel()]),
        )

    found = _minimum(loss, np.zeros(columns + columns * columns))
    weights = np.eye(columns) + found[columns:].reshape(columns, columns)
    best: tuple[list[float], list[list[float]]] = (found[:columns].tolist(), weights.tolist())
    return best


def _log_loss(
    gold: NDArray[np.int64], columns: int
) -> tuple[Callable[[Floats], tuple[float, Floats]], NDArray[np.bool_]]:
    """Return the log loss of fitted scores with its gradient, and which labels are there.

    Nothing tells the numbers of a label that is not, and no news is no evidence: they stay.
    """
    import numpy as np  # noqa: PLC0415  (slow to import, and only a fit needs it)
    from scipy.special import log_softmax  # noqa: PLC0415  (the same)

    counts = np.bincount(gold, minlength=columns)
    weight = len(gold) / (np.count_nonzero(counts) * counts[gold])
    told = np.eye(columns)[gold]

    def measured(fitted: Floats) -> tuple[float, Floats]:
        logs = log_softmax(fitted, axis=1)
        value = -float(weight @ logs[np.arange(len(gold)), gold])
        return value, weight[:, None] * (np.exp(logs) - told)

    return measured, counts > 0


def _minimum(loss: Callable[[Floats], tuple[float, Floats]], start: Floats) -> Floats:
    from scipy.optimize import minimize  # noqa: PLC0415  (slow to import, and only a fit needs it)

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-12})
    point: Floats = found.x
    return point
