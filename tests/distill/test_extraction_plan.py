"""Which examples are asked about, and what a plan says before anything is spent."""

import random

import pytest

from pldgov.dataset import Example
from pldgov.distill.extract import extract
from pldgov.distill.model import Usage
from pldgov.distill.planning import plan_requests
from pldgov.distill.sampling import sample_examples
from pldgov.errors import UsageError

TRAIN = [
    Example(f"e-{i}", {"text": str(i), "kind": f"k{i % 3}"}, "rare" if i % 10 == 0 else "common")
    for i in range(200)
]


def count(chosen, label):
    return sum(example.label == label for example in chosen)


def test_sample_keeps_the_shares_of_labels():
    """A tenth of the sample has the label of a tenth of the examples."""
    chosen = sample_examples(TRAIN, 50, seed=1)
    assert (len(chosen), count(chosen, "rare")) == (50, 5)


def test_sample_can_be_balanced():
    """Balanced, each label has half, as far as there are examples."""
    assert count(sample_examples(TRAIN, 20, seed=1, balanced=True), "rare") == 10
    assert count(sample_examples(TRAIN, 100, seed=1, balanced=True), "rare") == 20


def test_sample_covers_every_stratum_first():
    """With few examples, every label and field value is there before any is there twice."""
    chosen = sample_examples(TRAIN, 6, seed=1, by=["kind"])
    assert {(e.label, e.inputs["kind"]) for e in chosen} == {
        (label, f"k{n}") for label in ("rare", "common") for n in range(3)
    }


def test_sample_grows_at_the_end_and_ignores_the_order_of_the_file():
    """A larger sample begins with the smaller one; the seed decides, not the file."""
    mixed = random.Random(0).sample(TRAIN, k=len(TRAIN))
    assert sample_examples(TRAIN, 60, seed=1)[:30] == sample_examples(mixed, 30, seed=1)
    assert sample_examples(TRAIN, 30, seed=1) != sample_examples(TRAIN, 30, seed=2)
    assert len(sample_examples(TRAIN, None, seed=1)) == 200
    assert sample_examples((), 5, seed=1) == ()


def test_sample_says_which_field_is_missing():
    """A field that no example has is a usage error that lists those there are."""
    with pytest.raises(UsageError, match=r"hypothesis.*one of text, kind"):
        sample_examples(TRAIN, 5, seed=1, by=["hypothesis"])


def test_plan_counts_calls_tokens_and_money(prompts, archive, examples):
    """Without recorded replies the plan reckons answers by the example, and prices them."""
    requests = extract(examples(5), prompts=prompts, archive=archive, per_request=2).requests
    plan = plan_requests(
        "extract", requests, recorded=Usage(), price=lambda i, o: (i + 2 * o) / 1000
    )
    size = sum(len(m["content"]) for r in requests for m in r.messages)
    assert (plan.requests, plan.recorded, plan.tokens_out, plan.measured) == (3, 0, 5 * 220, False)
    assert size / 4 < plan.tokens_in < size / 3
    assert plan.cost == (plan.tokens_in + 2 * plan.tokens_out) / 1000


def test_plan_learns_from_recorded_replies(prompts, archive, examples):
    """With recorded replies the answers are reckoned like those; no price gives no cost."""
    requests = extract(examples(4), prompts=prompts, archive=archive).requests
    plan = plan_requests("extract", requests, recorded=Usage(2, 0, 101), price=lambda i, o: None)
    assert (plan.tokens_out, plan.measured, plan.recorded, plan.cost) == (202, True, 2, None)
