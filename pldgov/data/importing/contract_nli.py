"""ContractNLI (Koreeda & Manning 2021): whether a contract entails a hypothesis.

Official files: train.json, dev.json and test.json of https://stanfordnlp.github.io/contract-nli/,
CC BY 4.0. One document holds its text, the character spans of its sentences and list items, and
for each of 17 hypotheses the choice and the numbers of the spans that are its evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field

from pldgov.data.importing.bm25 import Ranking
from pldgov.data.importing.official import load_document
from pldgov.dataset import Example
from pldgov.errors import DataError
from pldgov.fingerprint import digest_text

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUTS = ("premise", "hypothesis")
Premise = Literal["spans", "document"]


class _Annotation(BaseModel):
    choice: Literal["Entailment", "Contradiction", "NotMentioned"]
    spans: tuple[int, ...]


class _AnnotationSet(BaseModel):
    annotations: dict[str, _Annotation]


class _Document(BaseModel):
    id: int | str
    text: str
    spans: tuple[tuple[int, int], ...]
    annotation_sets: Annotated[tuple[_AnnotationSet, ...], Field(min_length=1)]


class _Label(BaseModel):
    hypothesis: str


class _File(BaseModel):
    documents: tuple[_Document, ...]
    labels: dict[str, _Label]


def read_contract_nli(data: bytes, *, path: str, premise: Premise = "spans") -> tuple[Example, ...]:
    """Return an example for every hypothesis of every document of an official file.

    ``premise`` is the whole ``document``, or the ``spans`` of its evidence, one a line. Where
    there is no evidence (always for NotMentioned), the spans are those most like the hypothesis
    by BM25, as many as an annotated hypothesis of the same document has, drawn by digest: the
    length of a premise then says nothing about its label. The first annotation set counts.

    Ids are ``<document>-<hypothesis key>``, groups the documents. Raises ``DataError``.
    """
    file = load_document(data, _File, path=path)
    made = [one for document in file.documents for one in _examples(document, file, path, premise)]
    if not made:
        raise DataError("the file has no annotated documents", where=path)
    return tuple(made)


def _examples(document: _Document, file: _File, path: str, premise: Premise) -> Iterator[Example]:
    contract = _Contract.of(document, f"{path}: document {document.id}")
    for key, annotation in document.annotation_sets[0].annotations.items():
        if key not in file.labels:
            raise DataError(f'there is no hypothesis "{key}"', where=contract.where)
        hypothesis = file.labels[key].hypothesis
        if premise == "document":
            text, origin = document.text, "document"
        else:
            text, origin = contract.spans_for(key, hypothesis)
        metadata = {"hypothesis_key": key, "premise_origin": origin}
        inputs = {"premise": text, "hypothesis": hypothesis}
        group = str(document.id)
        yield Example(f"{group}-{key}", inputs, annotation.choice, group, metadata)


@dataclass(frozen=True)
class _Contract:
    """One document with its passages cut out and ready to be ranked."""

    where: str
    id: str
    passages: tuple[str, ...]
    evidence: dict[str, tuple[int, ...]]
    ranking: Ranking

    @classmethod
    def of(cls, document: _Document, where: str) -> _Contract:
        for number, (start, end) in enumerate(document.spans):
            if not 0 <= start <= end <= len(document.text):
                raise DataError(f"span {number} lies outside the text", where=where)
        passages = tuple(document.text[start:end].strip() for start, end in document.spans)
        annotations = document.annotation_sets[0].annotations
        evidence = {key: one.spans for key, one in annotations.items() if one.spans}
        for key, numbers in evidence.items():
            if not all(0 <= number < len(passages) for number in numbers):
                raise DataError(f"{key} cites a span that does not exist", where=where)
        return cls(where, str(document.id), passages, evidence, Ranking(passages))

    def spans_for(self, key: str, hypothesis: str) -> tuple[str, str]:
        """Return the premise for a hypothesis, and where it comes from."""
        chosen, origin = self.evidence.get(key, ()), "evidence"
        if not chosen:
            chosen, origin = self.ranking.best(hypothesis, most=self._draw_length(key)), "bm25"
        text = "\n".join(self.passages[number] for number in sorted(chosen))
        if not text.strip():
            raise DataError(f"there is no text to stand for {key}", where=self.where)
        return text, origin

    def _draw_length(self, key: str) -> int:
        lengths = sorted(len(numbers) for numbers in self.evidence.values()) or [1]
        return lengths[int(digest_text(f"{self.id} {key}"), 16) % len(lengths)]
