"""The words of distillation: requests and replies, micro-instructions, clusters, operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pldgov.fingerprint import digest_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pldgov.questions import Message

Phase = Literal["extract", "synthesize", "resolve"]
FindingKind = Literal[
    "awaiting",  # answers by file that are not there yet
    "sent-back",  # an answer that was asked again, with the reason
    "set-aside",  # one that was no better the second time: not used
    "rejected",  # one that tries to command its reader: not used, not asked again
    "label-suspect",  # the teacher argues for another label than the gold one: used, and listed
    "unknown-id",  # an answer or citation about something that was not asked about: dropped
    "duplicate",  # a second answer to one question: dropped
    "conflict",  # a second, different answer to one question: dropped
    "unknown-answer",  # an answer by file that belongs to no request
    "failed-answer",  # an answer by file that is an error of the batch API: asked again
    "damaged-line",  # a line of a file of answers that is no answer
    "short-cues",  # cues of fewer words than were asked for: left out
    "weak-cue",  # a word that training examples of other labels hold more often: dropped
    "wrong-role",  # a citation whose role does not go with its example's label: dropped
]
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
class Usage:
    """What teacher answers took: calls, tokens, and money in the currency of the prices."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.cost + other.cost,
        )

    @classmethod
    def of(cls, replies: Iterable[TeacherReply]) -> Usage:
        """Return what these replies took together."""
        total = cls()
        for reply in replies:
            total += cls(1, reply.tokens_in, reply.tokens_out, reply.cost)
        return total


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that people should see about a run; ``about`` names what it is about."""

    kind: FindingKind
    about: tuple[str, ...]
    message: str


Result = TypeVar("Result")


@dataclass(frozen=True)
class Step(Generic[Result]):
    """How far a phase has come with the replies that are recorded.

    ``requests`` are those whose replies are missing: with them recorded, running the phase again
    goes on from there. ``result`` is final once nothing is missing; before that it is what the
    recorded replies give. ``usage`` is what the replies that were read took.
    """

    result: tuple[Result, ...]
    requests: tuple[TeacherRequest, ...] = ()
    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()

    @property
    def done(self) -> bool:
        """Whether every reply that the phase needs is recorded."""
        return not self.requests


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
    outcome (one giant cluster, no cluster, nearly all noise), nothing when it is sound. ``notes``
    say what else a reader should know, above all what is approximate.
    """

    strategy: ClusterStrategy | Literal["per-value"]
    members: tuple[tuple[str, ...], ...]
    outliers: tuple[str, ...] = ()
    parameters: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CitedExample:
    """An example that a drafted rule rests on (support) or must not apply to (counter)."""

    id: str
    role: Literal["support", "counter"] = "support"


@dataclass(frozen=True)
class DraftRule:
    """A rule before it stands in a rulebook.

    ``request`` says which teacher answer its wording came from, ``first_request`` which one the
    rule itself came from where a later answer modified it. ``lineage`` names rules it was split
    (one) or merged (several) from. ``when``: input field and phrases, as in a rulebook's rule.
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
    first_request: str | None = None
    when: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Operation:
    """One change of a rule set that the teacher proposes in the resolution loop.

    ``targets`` are ids of rules that it changes or removes, ``rules`` what it puts in their
    place. ``reason`` is the teacher's, in a sentence; ``examples`` are the ids that it cites.
    """

    kind: OperationKind
    targets: tuple[str, ...]
    rules: tuple[DraftRule, ...]
    reason: str
    request: str
    examples: tuple[str, ...] = ()


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
