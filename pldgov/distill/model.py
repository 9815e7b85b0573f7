"""The words of distillation: requests and replies, micro-instructions, clusters, operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pldgov.fingerprint import digest_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.results import Message

Phase = Literal["extract", "synthesize", "resolve"]
OperationKind = Literal["add", "modify", "split", "merge", "retire"]
ClusterStrategy = Literal["dbscan", "hdbscan", "kmeans", "per-label"]


@dataclass(frozen=True)
class TeacherRequest:
    """One question to a teacher.

    ``schema`` is the JSON Schema that the answer must fit. ``attempt`` is 1 for the first time,
    2 when a malformed answer is asked again with the validator's message. ``about`` names what
    the request is about (example ids, a cluster, a round) for people and reports; it is not part
    of the digest, because the teacher does not see it.
    """

    phase: Phase
    messages: tuple[Message, ...]
    schema: Mapping[str, Any]
    attempt: int = 1
    about: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all that the teacher sees; answers are recorded under it."""
        return digest_value({"messages": list(self.messages), "schema": dict(self.schema)})


@dataclass(frozen=True, slots=True)
class TeacherReply:
    """What a teacher answered, with who, how and when: this is what provenance cites.

    ``date`` is an ISO day. Tokens and cost are 0 where the teacher reports none.
    """

    request: str
    content: str
    model: str
    mode: str
    date: str
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class MicroInstruction:
    """One general instruction drawn from one labelled example (phase 1).

    ``condition`` says when it applies, ``instruction`` is the whole sentence. ``label`` is the
    label it argues for; ``suspect`` marks one that is not the example's gold label: label noise
    for people to look at, not dropped. ``request`` is the digest of the teacher request.
    """

    id: str
    example_id: str
    label: str
    condition: str
    instruction: str
    reasoning: str
    request: str
    suspect: bool = False


@dataclass(frozen=True)
class Clustering:
    """How micro-instructions fell into clusters.

    ``members`` holds the ids of each cluster's micro-instructions, ``outliers`` those in none:
    they are kept as long-tail candidates. ``findings`` says in words what is degenerate about the
    outcome (one giant cluster, no cluster, nearly all noise), nothing when it is sound.
    """

    strategy: ClusterStrategy
    members: tuple[tuple[str, ...], ...]
    outliers: tuple[str, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CitedExample:
    """An example that a drafted rule rests on (support) or must not apply to (counter)."""

    id: str
    role: Literal["support", "counter"] = "support"


@dataclass(frozen=True)
class DraftRule:
    """A rule before it stands in a rulebook.

    ``request`` and ``reply`` say which teacher answer it came from. ``lineage`` names rules it
    was split or merged from.
    """

    id: str
    title: str
    labels: tuple[str, ...]
    instruction: str
    cites: tuple[CitedExample, ...]
    request: str
    rationale: str | None = None
    priority: int = 0
    lineage: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One change of a rule set that the teacher proposes in the resolution loop.

    ``targets`` are ids of rules that it changes or removes, ``rules`` what it puts in their
    place. ``reason`` is the teacher's, in a sentence.
    """

    kind: OperationKind
    targets: tuple[str, ...]
    rules: tuple[DraftRule, ...]
    reason: str
    request: str


ConflictKind = Literal["contradiction", "duplicate", "subsumption", "counter-example"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rules, or a rule and an example it cites against, that do not go together.

    ``similarity`` is the cosine of the two conditions' embeddings, None where it is no measure.
    """

    kind: ConflictKind
    first: str
    second: str
    reason: str
    similarity: float | None = None
