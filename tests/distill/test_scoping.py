"""Values of a field in the place of clusters: which, and by which words they are known."""

import pytest

from pldgov.dataset import Example
from pldgov.distill.model import MicroInstruction
from pldgov.distill.scoping import MOST_VALUES, by_value
from pldgov.errors import DataError, UsageError

COPY = "The receiver may make a copy in some circumstances."
HIRE = "The receiver may not solicit employees."
SHARE = "The receiver may share with employees."


def example(number, claim, label="yes"):
    return Example(f"e-{number}", {"text": f"text {number}", "claim": claim}, label)


def micro(number, *, about="", label="yes"):
    return MicroInstruction(
        id=f"m-{number}", example_id=f"e-{number}", label=label, condition=about,
        instruction="Say so.", reasoning="", request="0" * 64,
    )  # fmt: skip


def test_every_value_is_a_cluster_with_the_words_that_tell_it():
    """Largest first; one word where one is enough, that which the instructions use most."""
    train = [example(1, COPY), example(2, HIRE, "no"), example(3, COPY), example(4, SHARE)]
    given = [micro(3, about="a copy is allowed"), micro(2), micro(1, about="copy"), micro(4)]
    clustering, kinds = by_value(given, field="claim", train=train)
    assert clustering.strategy == "per-value"
    assert clustering.members == (("m-1", "m-3"), ("m-2",), ("m-4",))
    assert [kind.value for kind in kinds] == [COPY, HIRE, SHARE]
    assert [kind.phrase for kind in kinds] == ["copy", "solicit", "share"]
    assert kinds[0].when == (("claim", ("copy",)),)


def test_labels_are_counted_over_the_whole_training_part():
    """The usual label of a kind is a fact about all examples, not about those asked about."""
    train = [example(n, COPY, "no" if n % 3 else "yes") for n in range(9)]
    _, (kind,) = by_value([micro(1, label="no")], field="claim", train=train)
    assert kind.counts == (("no", 6), ("yes", 3))


def test_as_many_words_as_it_takes():
    """Where every word stands in another value, more words in a row do."""
    train = [example(1, "may not share"), example(2, "may share"), example(3, "not may")]
    _, kinds = by_value([micro(1), micro(2)], field="claim", train=train)
    assert [kind.phrase for kind in kinds] == ["not share", "may share"]


def test_a_value_that_stands_in_another_one_cannot_be_told():
    """It would show its rule with the other one's inputs too, which nobody asked for."""
    train = [example(1, "may share"), example(2, "may share widely")]
    with pytest.raises(DataError, match="no words tell 'may share' from the other values"):
        by_value([micro(1)], field="claim", train=train)


def test_a_field_that_is_none_or_sorts_nothing_is_refused():
    """The error names the setting and says how many values there are."""
    with pytest.raises(UsageError, match="no input field 'claims'"):
        by_value([micro(1)], field="claims", train=[example(1, COPY)])
    many = [example(n, f"value {n}x") for n in range(MOST_VALUES + 1)]
    with pytest.raises(UsageError, match="'claim' has 101 values, more than 100"):
        by_value([micro(1)], field="claim", train=many)
