"""Embedding and what rests on it: clusters, rules that say the same, rules that conflict.

All of it is recorded under what it was computed from, so that a run made again elsewhere does not
depend on another machine's rounding, and needs no embedder.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from pldgov.distill.cluster import (
    CandidateClustering,
    ClusterOptions,
    candidate_clusterings,
    cluster,
)
from pldgov.distill.duplicates import SAME, merge_duplicates
from pldgov.distill.model import CitedExample, Clustering
from pldgov.errors import DataError
from pldgov.fingerprint import digest_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.distill.model import DraftRule, MicroInstruction
    from pldgov.ports import Embedder
    from pldgov.rulebook.model import Rule
    from pldgov.workflows.distilling.recording import Recording
    from pldgov.workflows.distilling.settings import DistillSettings


@dataclass(frozen=True)
class Grouping:
    """Groups texts by meaning; ``embedder_key`` stands for the embedder in the records' keys."""

    settings: DistillSettings
    recording: Recording
    embedder: Callable[[], Embedder]
    embedder_key: str

    def clusterings(
        self, instructions: Sequence[MicroInstruction]
    ) -> tuple[CandidateClustering, ...]:
        """Return every clustering that was tried, those that are not worth a synthesis included."""
        rows = [[one.id, one.label, one.instruction] for one in instructions]
        wanted = [self.settings.clusters, self.settings.seed, self.embedder_key]
        found: list[dict[str, Any]] = self.recording.memo(
            "clusters",
            digest_value([rows, wanted]),
            lambda: [asdict(one) for one in self._cluster(instructions)],
        )
        return tuple(_clustering_from(value) for value in found)

    def distinct(
        self, rules: Sequence[DraftRule], *, kept: Sequence[Rule], context: Sequence[str]
    ) -> tuple[tuple[DraftRule, ...], int]:
        """Return the rules without those that say what another one or a rule of people says.

        Also how many were merged. ``context`` are texts embedded along, from which embedders that
        are fitted on their input learn the words of the task.
        """
        if not rules:
            return (), 0
        people = [[rule.instruction, sorted(rule.labels)] for rule in kept]
        mine = [
            [rule.id, rule.instruction, rule.labels, [[c.id, c.role] for c in rule.cites]]
            for rule in rules
        ]
        scopes = [[rule.when for rule in rules]] if any(rule.when for rule in rules) else []
        key = digest_value([mine, people, list(context), self.embedder_key, *scopes])
        found: list[Any] = self.recording.memo(
            "duplicates", key, lambda: self._distinct(rules, kept, context)
        )
        by_id = {rule.id: rule for rule in rules}
        left = tuple(
            replace(by_id[id_], cites=tuple(CitedExample(*each) for each in cites))
            for id_, cites in found
        )
        return left, len(rules) - len(left)

    def _distinct(
        self, rules: Sequence[DraftRule], kept: Sequence[Rule], context: Sequence[str]
    ) -> list[Any]:
        texts = [*(rule.instruction for rule in rules), *(rule.instruction for rule in kept)]
        vectors = self.embedder().embed([*texts, *context])
        near_people = vectors[: len(rules)] @ vectors[len(rules) : len(texts)].T >= SAME
        new = [
            index
            for index, rule in enumerate(rules)
            if not any(
                near_people[index, column] and set(other.labels) == set(rule.labels)
                for column, other in enumerate(kept)
            )
        ]
        left, _ = merge_duplicates([rules[index] for index in new], vectors=vectors[new])
        return [[rule.id, [[cite.id, cite.role] for cite in rule.cites]] for rule in left]

    def _cluster(self, instructions: Sequence[MicroInstruction]) -> tuple[CandidateClustering, ...]:
        vectors = self.embedder().embed([one.instruction for one in instructions])
        options = ClusterOptions(seed=self.settings.seed)
        if self.settings.clusters == "auto":
            return candidate_clusterings(instructions, vectors, options=options)
        asked = cluster(instructions, vectors, strategy=self.settings.clusters, options=options)
        return (CandidateClustering(asked),)


def usable_clusterings(
    tried: Sequence[CandidateClustering], *, outliers: bool
) -> tuple[Clustering, ...]:
    """Return the clusterings to synthesize from.

    Where all are degenerate, the last one that has any cluster (per label, in automatic mode) is
    taken as it is; its findings say so. Raises ``DataError`` when there is nothing to ask about.
    """
    sound = tuple(one.clustering for one in tried if one.refused is None)
    some = [one for one in sound if one.members or (outliers and one.outliers)]
    if some:
        return tuple(some)
    rest = [one.clustering for one in tried if one.clustering.members]
    if rest:
        return (rest[-1],)
    raise DataError(
        "no cluster was found, so there is nothing to synthesize rules from",
        hint="--outliers asks about instructions in no cluster; or choose --clusters per-label",
    )


def _clustering_from(value: dict[str, Any]) -> CandidateClustering:
    fields = value["clustering"]
    clustering = Clustering(
        strategy=fields["strategy"],
        members=tuple(tuple(ids) for ids in fields["members"]),
        outliers=tuple(fields["outliers"]),
        parameters=fields["parameters"],
        findings=tuple(fields["findings"]),
        notes=tuple(fields["notes"]),
    )
    return CandidateClustering(clustering, value["refused"])
