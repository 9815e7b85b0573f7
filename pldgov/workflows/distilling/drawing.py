"""The rule sets that a teacher drew, of every clustering, asked for together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.distill.model import DraftRule, Step, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.distill.cluster import CandidateClustering
    from pldgov.distill.model import Clustering, Finding, TeacherRequest


@dataclass(frozen=True)
class Drawn:
    """One drawn set of rules, and where it comes from."""

    name: str
    rules: tuple[DraftRule, ...]
    clusters: int
    outliers: int
    merged: int = 0


def joined(draws: Sequence[tuple[Clustering, Step[tuple[DraftRule, ...]]]]) -> Step[Drawn]:
    """Return the sets of all clusterings; a request that two of them make is made once."""
    result: list[Drawn] = []
    requests: dict[str, TeacherRequest] = {}
    findings: dict[Finding, None] = {}
    usage = Usage()
    for clustering, step in draws:
        for number, rules in enumerate(step.result, start=1):
            name = f"{clustering.strategy}, {len(clustering.members)} clusters, draw {number}"
            sizes = len(clustering.members), len(clustering.outliers)
            result.append(Drawn(name, rules, *sizes))
        requests |= {request.digest: request for request in step.requests}
        findings |= dict.fromkeys(step.findings)
        usage += step.usage
    return Step(tuple(result), tuple(requests.values()), tuple(findings), usage)


def clustering_notes(tried: Sequence[CandidateClustering]) -> list[str]:
    """Return what came of each clustering that was tried, in a sentence each."""
    notes = []
    for one in tried:
        shape = f"{len(one.clustering.members)} clusters, {len(one.clustering.outliers)} outliers"
        told = "; ".join((*one.clustering.findings, *one.clustering.notes))
        refused = f" - not used: {one.refused}" if one.refused else ""
        said = f" ({told})" if told and not one.refused else ""
        notes.append(f"clustering by {one.clustering.strategy}: {shape}{said}{refused}")
    return notes
