"""Clusters by the strategy that was asked for, the same in any order, degenerate ones said so."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN

from pldgov.distill import cluster as clusters
from pldgov.distill import density, neighbours
from pldgov.distill.calibrate_eps import calibrate_eps, neighbourhood
from pldgov.distill.cluster import (
    STRATEGIES,
    ClusterOptions,
    candidate_clusterings,
    cluster,
    default_min_samples,
)
from pldgov.distill.density import NOISE, dbscan, density_forest
from pldgov.distill.hierarchy import hdbscan
from pldgov.distill.model import MicroInstruction
from pldgov.distill.neighbours import joined, near_pairs
from pldgov.errors import UsageError


def micro(number: int, label: str = "a") -> MicroInstruction:
    return MicroInstruction(f"m-{number:04}", f"e-{number}", label, "", "", "", "")


def unit(vectors) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def groups(*sizes: int, noise: int = 0, spread: float = 0.35, dimensions: int = 24, seed: int = 0):
    """Return unit vectors in groups of these sizes, then noise, and the group of each."""
    source = np.random.default_rng(seed)
    centres = unit(source.standard_normal((len(sizes), dimensions)))
    truth = np.repeat(np.arange(len(sizes)), sizes)
    near = unit(centres[truth] + spread * unit(source.standard_normal((len(truth), dimensions))))
    far = unit(source.standard_normal((noise, dimensions))) if noise else near[:0]
    return np.concatenate([near, far]), np.concatenate([truth, np.full(noise, -1)])


def instructions_of(truth, labels="abc"):
    return [micro(n, labels[t % len(labels)]) for n, t in enumerate(truth.tolist())]


def members_of(truth):
    """Return what the clusters should be: ids by group, largest first, then by first id."""
    found = [
        tuple(micro(n).id for n in np.flatnonzero(truth == group).tolist())
        for group in sorted(set(truth.tolist()) - {-1})
    ]
    return tuple(sorted(found, key=lambda ids: (-len(ids), ids[0])))


def same_partition(labels, others) -> bool:
    pairs = set(zip(labels.tolist(), others.tolist(), strict=True))
    return len(pairs) == len(set(labels.tolist())) == len(set(others.tolist()))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_clear_groups_are_found_by_every_strategy(strategy):
    """Three groups of unlike size come out as they went in, largest first, ids in order."""
    vectors, truth = groups(20, 35, 15)
    found = cluster(instructions_of(truth), vectors, strategy=strategy)
    assert found.strategy == strategy
    assert found.members == members_of(truth)
    assert found.outliers == ()
    assert found.findings == ()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_order_of_the_instructions_does_not_matter(strategy):
    """Shuffled instructions, with their vectors, give the same value."""
    vectors, truth = groups(14, 11, 9, 8, noise=10, spread=0.8)
    instructions = instructions_of(truth)
    shuffled = np.random.default_rng(5).permutation(len(truth))
    again = cluster([instructions[i] for i in shuffled], vectors[shuffled], strategy=strategy)
    assert again == cluster(instructions, vectors, strategy=strategy)


def test_outliers_are_kept():
    """Noise is no cluster, and none of it is lost."""
    vectors, truth = groups(30, 30, noise=3, spread=0.2, dimensions=96)
    found = cluster(instructions_of(truth), vectors, strategy="dbscan")
    assert found.outliers == tuple(f"m-{n:04}" for n in range(60, 63))
    assert len(found.members) == 2


def test_degenerate_outcomes_are_findings_of_the_asked_strategy():
    """One giant cluster, none, and nearly all noise are said; no other algorithm steps in."""
    vectors, truth = groups(20, 20, noise=4)
    instructions = instructions_of(truth)
    giant = cluster(instructions, vectors, strategy="dbscan", options=ClusterOptions(eps=1.9))
    assert giant.strategy == "dbscan"
    assert giant.findings == ("one giant cluster: 44 of 44 clustered micro-instructions",)
    none = cluster(instructions, vectors, strategy="dbscan", options=ClusterOptions(eps=1e-6))
    assert none.findings == ("no cluster: all 44 micro-instructions are outliers",)
    assert len(none.outliers) == 44
    vectors, truth = groups(3, 3, noise=44, spread=0.05)
    options = ClusterOptions(eps=0.05, min_samples=3)
    noise = cluster(instructions_of(truth), vectors, strategy="dbscan", options=options)
    assert noise.findings == ("nearly all noise: 44 of 50 micro-instructions",)


def test_points_all_alike_are_one_giant_cluster_or_none():
    """Equal vectors, which no eps can part, end in a finding whatever the strategy."""
    vectors = np.tile(unit(np.ones((1, 4))), (12, 1))
    for strategy in STRATEGIES:
        found = cluster([micro(n) for n in range(12)], vectors, strategy=strategy)
        assert found.findings, strategy


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_few_instructions_are_no_trouble(strategy, count):
    """From none to five instructions, every id comes back exactly once."""
    vectors = (
        unit(np.random.default_rng(0).standard_normal((count, 6)))
        if count
        else np.empty((0, 6), np.float32)
    )
    found = cluster([micro(n) for n in range(count)], vectors, strategy=strategy)
    ids = [one for members in (*found.members, found.outliers) for one in members]
    assert sorted(ids) == [micro(n).id for n in range(count)]


@pytest.mark.parametrize(
    "options",
    [{"eps": 0}, {"eps": 2.5}, {"eps": float("nan")}, {"min_samples": 0}, {"clusters": 0}],
)
def test_options_that_cannot_be_are_refused(options):
    """A distance outside its range, and a number below one, are usage errors."""
    with pytest.raises(UsageError):
        ClusterOptions(**options)


def test_vectors_must_belong_to_instructions():
    """Another number of vectors, or more clusters than instructions, is refused."""
    vectors, truth = groups(5, 5)
    with pytest.raises(UsageError, match="9 micro-instructions have 10 vectors"):
        cluster(instructions_of(truth)[:9], vectors, strategy="dbscan")
    with pytest.raises(UsageError, match="cannot make 11 clusters of 10 different"):
        cluster(
            instructions_of(truth), vectors, strategy="kmeans", options=ClusterOptions(clusters=11)
        )


def test_kmeans_makes_as_many_clusters_as_asked():
    """A given number is kept, and no number is chosen by the silhouette."""
    vectors, truth = groups(12, 12, 12)
    options = ClusterOptions(clusters=5)
    found = cluster(instructions_of(truth), vectors, strategy="kmeans", options=options)
    assert len(found.members) == 5
    assert found.parameters["clusters"] == 5


def test_per_label_never_mixes_labels():
    """Two labels in the same place stay apart; a label that does not fall apart is one cluster."""
    vectors, _ = groups(16, spread=0.3)
    instructions = [micro(n, "ab"[n % 2]) for n in range(16)]
    found = cluster(instructions, vectors, strategy="per-label")
    assert [len(ids) for ids in found.members] == [8, 8]
    assert {micro(n).id for n in range(0, 16, 2)} in map(set, found.members)
    assert len(found.notes) == 2
    assert '"a" does not fall apart' in found.notes[0]


def test_candidates_are_sound_and_distinct():
    """Equal outcomes and degenerate ones are refused with the reason; the first is kept."""
    vectors, truth = groups(20, 35, 15)
    found = candidate_clusterings(
        instructions_of(truth), vectors, strategies=["hdbscan", "kmeans", "per-label"]
    )
    kept = [one.clustering for one in found if one.refused is None]
    assert [one.strategy for one in kept] == ["hdbscan"]
    assert {one.refused for one in found if one.refused} == {"the same clusters as hdbscan gives"}
    alike = np.tile(vectors[:1], (70, 1))
    found = candidate_clusterings(instructions_of(truth), alike, strategies=["dbscan", "kmeans"])
    assert all(one.refused for one in found)


def test_a_smaller_calibrated_eps_is_a_candidate_too():
    """DBSCAN is tried at the calibrated eps and at a tighter one, unless eps is given."""
    vectors, truth = groups(30, 30, 30, 30, noise=20, spread=0.9, dimensions=12)
    instructions = instructions_of(truth)
    wide, tight = [
        c.clustering for c in candidate_clusterings(instructions, vectors, strategies=["dbscan"])
    ]
    assert tight.parameters["eps"] < wide.parameters["eps"]
    given = ClusterOptions(eps=0.3)
    assert (
        len(candidate_clusterings(instructions, vectors, strategies=["dbscan"], options=given)) == 1
    )


def test_the_default_of_min_samples_grows_to_the_published_value():
    """About the logarithm of the number, from 3 to 6."""
    assert [default_min_samples(n) for n in (0, 10, 50, 150, 1000, 10**6)] == [3, 3, 4, 5, 6, 6]


@pytest.mark.parametrize("eps", [0.05, 0.2, 0.5, 0.8])
def test_dbscan_agrees_with_scikit_learn(eps):
    """Core points share clusters as in scikit-learn's DBSCAN, and outliers are the same."""
    vectors, _ = groups(25, 25, 20, 20, noise=30, spread=0.9, dimensions=10)
    found = dbscan(near_pairs(vectors, eps), len(vectors), min_samples=4)
    reference = DBSCAN(eps=eps, min_samples=4, metric="cosine", algorithm="brute").fit(vectors)
    core = reference.core_sample_indices_
    assert same_partition(found[core], reference.labels_[core])
    assert np.array_equal(found == NOISE, reference.labels_ == NOISE)


def test_a_border_point_joins_its_nearest_core_point():
    """A point within eps of two clusters joins the nearer one, whichever comes first."""
    angles = np.radians([0, 1, 2, 3, 4, 17.5, 30, 31, 32, 33, 34])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    eps = float(1 - np.cos(np.radians(14)))
    labels = dbscan(near_pairs(vectors, eps), 11, min_samples=5)
    assert labels[5] == labels[6] != labels[0]
    labels = dbscan(near_pairs(vectors[::-1].copy(), eps), 11, min_samples=5)
    assert labels[5] == labels[4] != labels[10]


def test_memory_is_bounded_without_another_outcome(monkeypatch):
    """Thinning what is kept, here after every block, changes no label."""
    vectors, _ = groups(60, 50, 40, noise=50, spread=0.8)
    monkeypatch.setattr(neighbours, "_ROWS", 16)
    whole = dbscan(near_pairs(vectors, 0.4), len(vectors), min_samples=5)
    monkeypatch.setattr(density, "MOST_PAIRS", 10)
    thinned = dbscan(near_pairs(vectors, 0.4), len(vectors), min_samples=5)
    assert same_partition(whole, thinned)
    assert len(set(whole.tolist())) > 2


@pytest.mark.parametrize("radius", [0.2, 0.5, 0.9])
def test_cells_lose_no_pair(monkeypatch, radius):
    """Skipping by the bound finds the very pairs that comparing everything finds."""
    vectors, _ = groups(150, 100, 50, noise=100, spread=0.6)
    everything = joined(near_pairs(vectors, radius))
    monkeypatch.setattr(neighbours, "FEW", 10)
    skipped = joined(near_pairs(vectors, radius))
    assert set(zip(skipped.first.tolist(), skipped.second.tolist(), strict=True)) == set(
        zip(everything.first.tolist(), everything.second.tolist(), strict=True)
    )
    assert len(skipped) == len(everything) > 0
    assert (skipped.first < skipped.second).all()


@pytest.mark.parametrize("min_samples", [1, 2, 5])
def test_hdbscan_agrees_with_scikit_learn(min_samples):
    """The forest gives what scikit-learn finds from all distances."""
    vectors, _ = groups(40, 30, 25, noise=20, spread=0.7)
    pairs = joined(near_pairs(vectors, 2.0))
    forest = density_forest(pairs, len(vectors), min_samples=min_samples, radius=2.0)
    found = hdbscan(forest, min_cluster_size=6)
    distances = 1 - vectors.astype(np.float64) @ vectors.T
    np.fill_diagonal(distances, 0)
    distances = np.maximum((distances + distances.T) / 2, 0)
    model = HDBSCAN(6, min_samples=min_samples, metric="precomputed", copy=True)
    assert same_partition(found, model.fit(distances).labels_)
    assert len(set(found.tolist())) >= 3


def test_the_calibrated_eps_is_the_best_of_all():
    """No other eps leaves more points in clusters other than the largest."""
    vectors, _ = groups(30, 25, 20, 15, noise=25, spread=0.9, dimensions=12)
    near = neighbourhood(vectors, min_samples=4)
    eps, share = calibrate_eps(near.forest)

    def share_at(radius):
        pairs = near.pairs.within(radius)
        counts = 1 + np.bincount(np.append(pairs.first, pairs.second), minlength=len(vectors))
        labels = dbscan([pairs], len(vectors), min_samples=4)
        sizes = np.bincount(labels[(counts >= 4) & (labels != NOISE)], minlength=1)
        return (sizes.sum() - sizes.max()) / len(vectors)

    best = max(share_at(radius) for radius in np.linspace(0.01, 1.2, 400))
    assert share == pytest.approx(share_at(eps))
    assert share >= 0.95 * best > 0


def test_the_calibrated_eps_lies_in_a_gap():
    """Distances moved by rounding on another machine give the same clusters."""
    vectors, truth = groups(30, 25, 20, noise=15, spread=0.8)
    found = cluster(instructions_of(truth), vectors, strategy="dbscan")
    shaken = unit(vectors + np.random.default_rng(1).normal(0, 1e-6, vectors.shape))
    again = cluster(instructions_of(truth), shaken, strategy="dbscan")
    assert again.members == found.members
    assert again.outliers == found.outliers


def test_no_eps_for_what_is_spread_out_evenly():
    """Corners of a simplex, each as far from every other, have no eps: said, not made up."""
    vectors = np.eye(12, dtype=np.float32)
    found = cluster([micro(n) for n in range(12)], vectors, strategy="dbscan")
    assert found.findings == ("no cluster: all 12 micro-instructions are outliers",)
    assert "no eps gives two clusters" in found.notes[0]


def test_large_inputs_say_what_is_left_out(monkeypatch):
    """Where not every distance is looked at, the notes say so, and clear groups are still found."""
    monkeypatch.setattr(neighbours, "FEW", 100)
    monkeypatch.setattr("pldgov.distill.calibrate_eps.FEW", 100)
    monkeypatch.setattr("pldgov.distill.calibrate_eps._SAMPLE", 50)
    vectors, truth = groups(60, 50, 40, spread=0.3)
    for strategy in ("dbscan", "hdbscan"):
        found = cluster(instructions_of(truth), vectors, strategy=strategy)
        assert len(found.members) == 3
        assert len(found.outliers) < 8
        assert all(
            set(ids) <= set(group)
            for ids, group in zip(found.members, members_of(truth), strict=True)
        )
        assert "are taken as far apart" in found.notes[0]
    monkeypatch.setattr("pldgov.distill.partition.LEARNT_FROM", 100)
    found = cluster(instructions_of(truth), vectors, strategy="kmeans")
    assert found.members == members_of(truth)
    assert found.notes == ("the centres were learnt from 100 micro-instructions",)


def test_every_strategy_runs():
    """The table of strategies is complete."""
    assert set(clusters._RUN) == set(STRATEGIES)
