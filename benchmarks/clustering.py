"""How long 100,000 micro-instructions take to cluster, and how much memory that needs.

Run: ``python benchmarks/clustering.py [--count N] [--strategy NAME ...]``. Vectors of 384
dimensions in 300 clusters of very different sizes, a tenth of them noise; within a cluster the
cosine is about 0.65, as between instructions of one topic under a sentence model. Each strategy
runs in a process of its own, so that the peak of memory is its own; embedding is left out. CPU
seconds stand beside the wall clock, for a machine that does other work too.
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import os
import platform
import resource
import sys
import time

import numpy as np
import scipy
import sklearn
from sklearn.metrics import adjusted_mutual_info_score

import pldgov
from pldgov.distill.cluster import STRATEGIES, ClusterOptions, cluster
from pldgov.distill.model import MicroInstruction

DIMENSIONS, CLUSTERS, NOISE, COSINE = 384, 300, 0.1, 0.65
LABELS = ("billing", "cards", "loans", "security", "transfers")


def make_vectors(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors and the cluster that each was drawn from (-1 for noise)."""
    source = np.random.default_rng(seed)
    centres = _unit(source.standard_normal((CLUSTERS, DIMENSIONS), dtype=np.float32))
    weights = 1 / np.sqrt(np.arange(1, CLUSTERS + 1))
    truth = source.choice(CLUSTERS, count, p=weights / weights.sum())
    truth[source.random(count) < NOISE] = -1
    spread = _unit(source.standard_normal((count, DIMENSIONS), dtype=np.float32))
    inside = np.float32(COSINE**0.5) * centres[truth] + np.float32((1 - COSINE) ** 0.5) * spread
    return _unit(np.where(truth[:, None] >= 0, inside, spread)), truth


def make_instructions(truth: np.ndarray) -> list[MicroInstruction]:
    """Return micro-instructions that have a label and an id; a cluster has one label."""
    return [
        MicroInstruction(f"m-{i:06}", f"e-{i}", LABELS[t % len(LABELS)], "", "", "", "")
        for i, t in enumerate(truth.tolist())
    ]


def measure(strategy: str, count: int, eps: float | None) -> None:
    """Cluster once and print what it took and what came out."""
    vectors, truth = make_vectors(count)
    instructions = make_instructions(truth)
    wall, cpu = time.perf_counter(), time.process_time()
    found = cluster(instructions, vectors, strategy=strategy, options=ClusterOptions(eps=eps))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    place = {member: n for n, members in enumerate(found.members) for member in members}
    labels = [place.get(one.id, -1) for one in instructions]
    agreement = adjusted_mutual_info_score(truth, labels)
    print(
        f"{strategy}{'' if eps is None else f' at eps {eps}'}: {wall:.1f} s, CPU {cpu:.1f} s, "
        f"peak {peak:.2f} GiB; {len(found.members)} clusters, {len(found.outliers)} outliers, "
        f"adjusted mutual information {agreement:.2f}"
    )
    shown = {name: round(value, 3) for name, value in found.parameters.items()}
    for line in (*found.findings, *found.notes, *([str(shown)] if len(shown) < 5 else [])):
        print(f"  {line}")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time the clustering of micro-instructions.")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--strategy", nargs="*", default=list(STRATEGIES), choices=STRATEGIES)
    parser.add_argument("--eps", type=float, help="a fixed eps for dbscan")
    chosen = parser.parse_args()
    print(
        f"{dt.datetime.now(tz=dt.UTC).date()}, pldgov {pldgov.__version__}, {platform.machine()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, "
        f"scikit-learn {sklearn.__version__}; {chosen.count} vectors of {DIMENSIONS} dimensions"
    )
    processes = multiprocessing.get_context("spawn")
    for strategy in chosen.strategy:
        eps = chosen.eps if strategy == "dbscan" else None
        process = processes.Process(target=measure, args=(strategy, chosen.count, eps))
        process.start()
        process.join()


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
