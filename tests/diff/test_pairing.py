"""Which rulebook of one side is which of the other."""

from __future__ import annotations

import pytest

from pldgov.rulebook.diff.pairing import Pair, pair_rulebooks
from pldgov.rulebook.model import Rulebook


def book(name, *ids):
    rules = [{"id": id_, "title": id_, "instruction": f"Do {id_}."} for id_ in ids]
    return Rulebook.model_validate(
        {
            "schema": "pldgov.rulebook/v1",
            "name": name,
            "title": name,
            "owner": "ops",
            "task": {"instruction": "Decide.", "labels": {"a": "A", "b": "B"}},
            "examples": {"train": "train.jsonl", "gate": "gate.jsonl"},
            "prompt": {"template": "plain.j2"},
            "rules": rules,
        }
    )


def pair(base, head):
    return pair_rulebooks(base, head, read_base=base.get, read_head=head.get)


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ({"a": book("a", "r-1")}, {"a": book("b", "r-9")}, [("a", "a")]),
        ({"a": book("a", "r-1")}, {"b": book("a", "r-9")}, [("a", "b")]),
        ({"a": book("a", "r-1", "r-2")}, {"b": book("b", "r-1", "r-2", "r-3")}, [("a", "b")]),
        ({"a": book("a", "r-1")}, {"b": book("b", "r-9")}, [("a", None), (None, "b")]),
        ({"a": None}, {"b": None}, [("a", None), (None, "b")]),
        ({"a": book("a")}, {"b": book("b")}, [("a", None), (None, "b")]),
        (
            {"a": book("a", "r-1"), "b": book("b", "r-1", "r-2")},
            {"c": book("c", "r-1", "r-2"), "d": book("a", "r-1")},
            [("b", "c"), ("a", "d")],
        ),
        ({}, {}, []),
    ],
    ids=["path", "name", "rules", "neither", "unreadable", "empty", "name first", "none"],
)
def test_rulebooks_are_paired(base, head, expected):
    """By path; else by name; else by more than half of their rules."""
    assert pair(base, head) == tuple(Pair(*one) for one in expected)
