"""Writing examples: deterministic, complete, all or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pldgov.data.parsing import parse_examples
from pldgov.data.writing import format_examples, write_examples
from pldgov.dataset import Example
from pldgov.errors import DataError, StorageError


def test_the_keys_stand_in_a_fixed_order():
    """Id, inputs, label, group, metadata: the same examples give the same bytes."""
    examples = [
        Example("a", {"context": "c", "text": "é"}, "x", "g", {"why": [1], "b": None}),
        Example("b", {"context": "c", "text": "t"}, "y"),
    ]
    assert format_examples(examples).decode() == (
        '{"id": "a", "context": "c", "text": "é", "label": "x", "group": "g", "why": [1], "b": null}\n'
        '{"id": "b", "context": "c", "text": "t", "label": "y"}\n'
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: not text.isspace()
)
written = st.builds(
    Example,
    id=texts,
    inputs=st.fixed_dictionaries({"text": texts, "more": texts}),
    label=texts,
    group=st.none() | texts,
    metadata=st.dictionaries(
        texts.map("m_{}".format), st.none() | st.integers() | texts | st.lists(texts)
    ),
)


@settings(deadline=None)  # other jobs may hold the machine up
@given(st.lists(written, min_size=1, max_size=5, unique_by=lambda example: example.id))
def test_what_is_written_is_read_back(examples):
    """Whatever the texts hold, reading gives the examples that were written."""
    data = format_examples(examples)
    read, problems = parse_examples(data, path="x.jsonl", inputs=["text", "more"])
    assert [one.code for one in problems if one.severity == "error"] == []
    assert list(read) == examples
    assert [one.metadata for one in read] == [one.metadata for one in examples]
    assert data.count(b"\n") == len(examples)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"label": "y"}, 'cannot be called "label"'),
        ({"group": "y"}, 'cannot be called "group"'),
        ({"score": float("nan")}, "cannot be written as JSON"),
        ({"when": object()}, "cannot be written as JSON"),
        ({"half": "\ud83d"}, "cannot be written as JSON"),
    ],
)
def test_metadata_that_cannot_be_written_is_refused(metadata, words):
    """A field that would be lost or break the file is an error that names the example."""
    with pytest.raises(DataError, match=words) as caught:
        format_examples([Example("a", {"text": "t"}, "x", None, metadata)])
    assert caught.value.where == "example 'a'"


def test_a_bad_example_leaves_the_old_file(tmp_path):
    """Nothing is written unless everything can be."""
    path = tmp_path / "train.jsonl"
    write_examples(path, [Example("a", {"text": "t"}, "x")])
    before = path.read_bytes()
    with pytest.raises(DataError):
        write_examples(path, [Example("b", {"text": "t"}, "x", None, {"id": 1})])
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path):
    """A file in the place of the folder is said so."""
    (tmp_path / "taken").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        write_examples(tmp_path / "taken" / "train.jsonl", [])
