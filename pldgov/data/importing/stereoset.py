"""StereoSet (Nadeem, Bethke & Reddy 2021): which kind of bias a stereotype expresses.

Official file: data/dev.json of https://github.com/moinnadeem/StereoSet, CC BY-SA 4.0. Each item
has a target term, a context and three sentences, one of them the stereotypical one. In the
intrasentence part the context holds the word BLANK, and each sentence is the filled context.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from pldgov.data.importing.official import load_document
from pldgov.data.similarity import normalise
from pldgov.dataset import Example
from pldgov.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUTS = ("context", "sentence")


class _Sentence(BaseModel):
    sentence: str
    gold_label: Literal["stereotype", "anti-stereotype", "unrelated", "related"]


class _Item(BaseModel):
    id: str
    target: str
    bias_type: Literal["gender", "profession", "race", "religion"]
    context: str
    sentences: tuple[_Sentence, ...]


class _Data(BaseModel):
    intrasentence: tuple[_Item, ...]
    intersentence: tuple[_Item, ...]


class _File(BaseModel):
    data: _Data


def read_stereoset(data: bytes, *, path: str) -> tuple[Example, ...]:
    """Return an example for every item of an official file: its bias type is the label.

    The inputs are the context and the stereotypical sentence, the group is the target term
    (without case), the metadata the ``subset``. Raises ``DataError``.
    """
    file = load_document(data, _File, path=path)
    examples = tuple(
        example
        for subset in ("intrasentence", "intersentence")
        for example in _examples(getattr(file.data, subset), subset, path)
    )
    if not examples:
        raise DataError("the file has no items", where=path)
    return examples


def _examples(items: tuple[_Item, ...], subset: str, path: str) -> Iterator[Example]:
    for item in items:
        stereotypes = [one.sentence for one in item.sentences if one.gold_label == "stereotype"]
        if len(stereotypes) != 1:
            raise DataError(
                f"the item has {len(stereotypes)} stereotypical sentences, not one",
                where=f"{path}: data.{subset}: item {item.id}",
            )
        inputs = {"context": item.context, "sentence": stereotypes[0]}
        group = normalise(item.target)
        yield Example(item.id, inputs, item.bias_type, group, {"subset": subset})
