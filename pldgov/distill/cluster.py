"""Clusters of micro-instructions (phase 2), by the strategy that was asked for and no other.

The published setting is DBSCAN at a fixed eps, which falls over on other embeddings: one giant
cluster, or none. Here eps is calibrated on the data, what is degenerate is said in ``findings``,
and ``candidate_clusterings`` tries the strategies openly: which one serves the student is
decided by the student on the validation split, never by geometry.

Nothing depends on the order of the micro-instructions: they are taken by id. Clusters come
largest first, then by their first id; members in the order of ids.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np

from pldgov.distill.calibrate_eps import calibrate_eps, neighbourhood
from pldgov.distill.density import NOISE, dbscan
from pldgov.distill.hierarchy import hdbscan
from pldgov.distill.model import Clustering, ClusterStrategy
from pldgov.distill.neighbours import near_pairs
from pldgov.distill.partition import kmeans, silhouette
from pldgov.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from pldgov.distill.model import MicroInstruction

    Floats = NDArray[np.float32]
    Labels = NDArray[np.intp]

STRATEGIES: tuple[ClusterStrategy, ...] = get_args(ClusterStrategy)

PUBLISHED_MIN_SAMPLES = 6
GIANT_SHARE = 0.7
"""One cluster with more than this share of all that is clustered is a degenerate outcome."""
NOISE_SHARE = 0.8
"""So is a larger share of outliers than this."""
STRUCTURE = 0.25
"""Below this mean silhouette there is "no substantial structure" (Kaufman & Rousseeuw 1990)."""
TIGHTER = 0.7
"""A second DBSCAN candidate gives up 30 % of what eps is calibrated on for tighter clusters."""


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """How to cluster; None is calibrated on the data.

    ``eps`` is a cosine distance (DBSCAN), ``min_samples`` the size of a dense neighbourhood
    (DBSCAN, HDBSCAN; HDBSCAN's least cluster too), ``clusters`` the number asked of k-means.
    ``eps_goal`` below 1 calibrates a smaller eps (see ``calibrate_eps``).
    """

    eps: float | None = None
    min_samples: int | None = None
    clusters: int | None = None
    eps_goal: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no clustering can do."""
        if self.eps is not None and not 0 < self.eps <= 2:  # noqa: PLR2004  (a cosine distance)
            raise UsageError(f"eps is a cosine distance above 0 and at most 2, not {self.eps}")
        for name in ("min_samples", "clusters"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}")


@dataclass(frozen=True, slots=True)
class CandidateClustering:
    """A clustering that was tried; ``refused`` says why it is not worth a synthesis, else None."""

    clustering: Clustering
    refused: str | None = None


def cluster(
    instructions: Sequence[MicroInstruction],
    vectors: Floats,
    *,
    strategy: ClusterStrategy,
    options: ClusterOptions = ClusterOptions(),
) -> Clustering:
    """Return the clusters of ``instructions``; row i of ``vectors`` (unit length) is the i-th's.

    The strategy is the one asked for, whatever comes out; ``findings`` says what is degenerate.
    Raises ``UsageError`` for options that do not go together with the data.
    """
    if len(instructions) != len(vectors):
        raise UsageError(f"{len(instructions)} micro-instructions have {len(vectors)} vectors")
    order = sorted(range(len(instructions)), key=lambda index: instructions[index].id)
    ordered = [instructions[index] for index in order]
    if not ordered:
        return Clustering(strategy, (), findings=("there is nothing to cluster",))
    outcome = _RUN[strategy](ordered, vectors[order], options)
    return _clustering(strategy, ordered, outcome)


def candidate_clusterings(
    instructions: Sequence[MicroInstruction],
    vectors: Floats,
    *,
    strategies: Sequence[ClusterStrategy] = STRATEGIES,
    options: ClusterOptions = ClusterOptions(),
) -> tuple[CandidateClustering, ...]:
    """Return what each strategy makes of the data; DBSCAN also with a smaller calibrated eps.

    Degenerate outcomes, and those that equal an earlier one, are refused with the reason: the
    others are candidates between which the student's validation score decides.
    """
    tried = [
        cluster(instructions, vectors, strategy=strategy, options=one)
        for strategy in strategies
        for one in _variants(strategy, options)
    ]
    candidates: list[CandidateClustering] = []
    seen: dict[tuple[tuple[str, ...], ...], Clustering] = {}
    for clustering in tried:
        refused = "; ".join(clustering.findings) or None
        earlier = seen.setdefault(clustering.members, clustering)
        if earlier is not clustering and refused is None:
            refused = f"the same clusters as {earlier.strategy} gives"
        candidates.append(CandidateClustering(clustering, refused))
    return tuple(candidates)


def default_min_samples(count: int) -> int:
    """Return about the natural logarithm of ``count``, from 3 up to the published 6."""
    return max(3, min(PUBLISHED_MIN_SAMPLES, round(math.log(max(count, 1)))))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Labels by position, and what led to them."""

    labels: Labels
    parameters: Mapping[str, float]
    notes: tuple[str, ...] = ()


def _variants(strategy: ClusterStrategy, options: ClusterOptions) -> tuple[ClusterOptions, ...]:
    if strategy == "dbscan" and options.eps is None:
        return options, replace(options, eps_goal=TIGHTER * options.eps_goal)
    return (options,)


def _dbscan(
    instructions: Sequence[MicroInstruction], vectors: Floats, options: ClusterOptions
) -> _Outcome:
    count = len(instructions)
    min_samples = options.min_samples or default_min_samples(count)
    if options.eps is not None:
        blocks = near_pairs(vectors, options.eps, seed=options.seed)
        labels = dbscan(blocks, count, min_samples=min_samples)
        return _Outcome(labels, {"eps": options.eps, "min_samples": min_samples})
    near = neighbourhood(vectors, min_samples=min_samples, seed=options.seed)
    found = calibrate_eps(near.forest, goal=options.eps_goal)
    notes = _limits(near.radius)
    if found is None:
        said = "no eps gives two clusters: the micro-instructions are spread out evenly"
        return _Outcome(np.full(count, NOISE), {"min_samples": min_samples}, (*notes, said))
    eps, share = found
    labels = dbscan([near.pairs.within(eps)], count, min_samples=min_samples)
    parameters = {"eps": eps, "min_samples": min_samples, "share_beyond_largest": share}
    return _Outcome(labels, parameters, notes)


def _hdbscan(
    instructions: Sequence[MicroInstruction], vectors: Floats, options: ClusterOptions
) -> _Outcome:
    min_samples = options.min_samples or default_min_samples(len(instructions))
    near = neighbourhood(vectors, min_samples=min_samples, seed=options.seed)
    labels = hdbscan(near.forest, min_cluster_size=max(min_samples, 2))
    return _Outcome(labels, {"min_samples": min_samples}, _limits(near.radius))


def _kmeans(
    _instructions: Sequence[MicroInstruction], vectors: Floats, options: ClusterOptions
) -> _Outcome:
    fit = kmeans(vectors, clusters=options.clusters, seed=options.seed)
    parameters = {"clusters": float(fit.clusters)}
    if fit.silhouette is not None:
        parameters["silhouette"] = fit.silhouette
    return _Outcome(fit.labels, parameters, fit.notes)


def _per_label(
    instructions: Sequence[MicroInstruction], vectors: Floats, options: ClusterOptions
) -> _Outcome:
    """Run DBSCAN within each label; a label that does not fall apart is one cluster.

    It falls apart when the outcome is not degenerate and the mean silhouette shows structure.
    """
    labels = np.full(len(instructions), NOISE)
    parameters: dict[str, float] = {}
    notes: list[str] = []
    by_label = defaultdict(list)
    for position, instruction in enumerate(instructions):
        by_label[instruction.label].append(position)
    for label, positions in sorted(by_label.items()):
        inner = [instructions[position] for position in positions]
        outcome = _dbscan(inner, vectors[positions], options)
        found = outcome.labels
        parameters |= {f"{name} ({label})": value for name, value in outcome.parameters.items()}
        if _degenerate(found) or not _structured(vectors[positions], found):
            notes.append(f'"{label}" does not fall apart: it is one cluster')
            found = np.zeros(len(positions), np.intp)
        labels[positions] = np.where(found == NOISE, NOISE, found + labels.max() + 1)
    return _Outcome(labels, parameters, tuple(notes))


_RUN: Mapping[
    ClusterStrategy,
    Callable[[Sequence[MicroInstruction], Floats, ClusterOptions], _Outcome],
] = {"dbscan": _dbscan, "hdbscan": _hdbscan, "kmeans": _kmeans, "per-label": _per_label}


def _structured(vectors: Floats, labels: Labels) -> bool:
    clustered = labels != NOISE
    judged = silhouette(vectors[clustered], labels[clustered])
    return judged is not None and judged >= STRUCTURE


def _limits(radius: float) -> tuple[str, ...]:
    if radius >= 2:  # noqa: PLR2004  (the largest cosine distance)
        return ()
    return (f"distances above {radius:.3f} are taken as far apart, for time and memory",)


def _degenerate(labels: Labels) -> tuple[str, ...]:
    """Return what is degenerate about an outcome, in words."""
    sizes = Counter(labels[labels != NOISE].tolist())
    clustered, outliers = sum(sizes.values()), int(np.count_nonzero(labels == NOISE))
    if not sizes:
        return (f"no cluster: all {len(labels)} micro-instructions are outliers",)
    found = []
    largest = max(sizes.values())
    if largest > GIANT_SHARE * clustered:
        found.append(f"one giant cluster: {largest} of {clustered} clustered micro-instructions")
    if outliers > NOISE_SHARE * len(labels):
        found.append(f"nearly all noise: {outliers} of {len(labels)} micro-instructions")
    return tuple(found)


def _clustering(
    strategy: ClusterStrategy, instructions: Sequence[MicroInstruction], outcome: _Outcome
) -> Clustering:
    members: dict[int, list[str]] = defaultdict(list)
    for instruction, label in zip(instructions, outcome.labels.tolist(), strict=True):
        members[label].append(instruction.id)
    outliers = tuple(members.pop(NOISE, ()))
    return Clustering(
        strategy=strategy,
        members=tuple(sorted(map(tuple, members.values()), key=lambda ids: (-len(ids), ids[0]))),
        outliers=outliers,
        parameters=dict(outcome.parameters),
        findings=_degenerate(outcome.labels),
        notes=outcome.notes,
    )
