"""How well each embedder tells micro-instructions apart, label by label.

Run: ``python benchmarks/embedders.py FILE.jsonl [--text why] [--label label] [--sentence MODEL]``.
``FILE`` holds one JSON object a line with a text and its label. For each embedder it prints the
share of nearest neighbours (the first one, the first five) that have the text's own label, the
adjusted mutual information and V-measure between labels and k-means clusters (mean over three
seeds), and what ``candidate_clusterings`` makes of the vectors. Labels are no truth about
clusters (a good cluster may be half a label): they only tell vectors apart that carry meaning
from such as do not. An embedder that cannot run here is skipped, and the reason printed.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score, v_measure_score

from pldgov.distill.cluster import candidate_clusterings
from pldgov.distill.model import MicroInstruction
from pldgov.embedders import open_embedder
from pldgov.errors import PldgovError

NUMBERS, SEEDS = (5, 13, 25), (0, 1, 2)


def purity(vectors: np.ndarray, labels: np.ndarray, neighbours: int) -> float:
    """Return the share of nearest neighbours that have the text's own label."""
    similar = vectors @ vectors.T - 3 * np.eye(len(vectors))
    nearest = np.argsort(-similar, axis=1, kind="stable")[:, :neighbours]
    return float((labels[nearest] == labels[:, None]).mean())


def agreement(vectors: np.ndarray, labels: np.ndarray, number: int) -> tuple[float, float]:
    """Return adjusted mutual information and V-measure of k-means clusters."""
    found = [KMeans(number, n_init=4, random_state=seed).fit_predict(vectors) for seed in SEEDS]
    ami = [adjusted_mutual_info_score(labels, one) for one in found]
    return float(np.mean(ami)), float(np.mean([v_measure_score(labels, one) for one in found]))


def measure(name: str, options: dict, texts: list[str], labels: np.ndarray) -> None:
    """Print one embedder's figures."""
    start = time.perf_counter()
    try:
        vectors = open_embedder(name, options, root=Path()).embed(texts)
    except PldgovError as error:
        print(f"{name}: skipped: {error}")
        return
    seconds = time.perf_counter() - start
    near = ", ".join(f"{purity(vectors, labels, k):.3f} of {k}" for k in (1, 5))
    print(f"{name}: {vectors.shape[1]} dimensions, {seconds:.1f} s; neighbours alike {near}")
    for number in NUMBERS:
        ami, v_measure = agreement(vectors, labels, number)
        print(f"  k-means {number}: AMI {ami:.3f}, V-measure {v_measure:.3f}")
    instructions = [
        MicroInstruction(f"m-{i:06}", f"e-{i}", label, "", text, "", "")
        for i, (text, label) in enumerate(zip(texts, labels.tolist(), strict=True))
    ]
    for candidate in candidate_clusterings(instructions, vectors):
        one = candidate.clustering
        place = {member: n for n, members in enumerate(one.members) for member in members}
        ami = adjusted_mutual_info_score(labels, [place.get(i.id, -1) for i in instructions])
        print(
            f"  {one.strategy}: {len(one.members)} clusters, {len(one.outliers)} outliers, "
            f"AMI {ami:.3f}" + (f"; refused: {candidate.refused}" if candidate.refused else "")
        )


def main() -> None:
    """Measure every embedder on one file."""
    parser = argparse.ArgumentParser(description="Compare embedders on labelled texts.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--text", default="why")
    parser.add_argument("--label", default="label")
    parser.add_argument("--student", default="smollm2")
    parser.add_argument("--layer", type=int, nargs="*", default=[])
    parser.add_argument("--sentence", help="folder or hub id of a sentence-transformers model")
    chosen = parser.parse_args()
    rows = [json.loads(line) for line in chosen.file.read_text("utf-8").splitlines()]
    texts, labels = (
        [row[chosen.text] for row in rows],
        np.array([row[chosen.label] for row in rows]),
    )
    print(f"{len(texts)} texts of {len(set(labels.tolist()))} labels")
    measure("tfidf", {"kind": "tfidf"}, texts, labels)
    for layer in (None, *chosen.layer):
        options = {"kind": "student", "student": chosen.student, "layer": layer}
        measure(f"student {chosen.student}, layer {layer or 'middle'}", options, texts, labels)
    sentence = {"kind": "sentence-transformers", "model": chosen.sentence or ""}
    if chosen.sentence is None:
        print("sentence-transformers: skipped: no --sentence")
    else:
        measure("sentence-transformers", sentence, texts, labels)


if __name__ == "__main__":
    main()
