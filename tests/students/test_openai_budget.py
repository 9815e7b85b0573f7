"""Budgets in requests, tokens and money: kept by the student, and by the book-keeping alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pldgov.endpoint.budget import Budget, Caps
from pldgov.errors import BudgetError
from pldgov.students import open_student


@pytest.fixture
def student(endpoint, tmp_path):
    """Open the chat student with caps, on the scripted endpoint."""

    def make(**options):
        base = {"kind": "openai", "model": "m", "base_url": endpoint.url, "structured": "none"}
        return open_student("mine", base | options, root=tmp_path)

    return make


def run(student, prompt, queries):
    """Return the indices answered before the budget ended the run, and what it said."""
    got = []
    with pytest.raises(BudgetError) as caught:
        got.extend(index for index, _ in student.answer(prompt, queries))
    return got, str(caught.value)


@pytest.mark.parametrize("concurrency", [1, 3, 16])
def test_openai_max_requests_is_kept_exactly(endpoint, student, prompt, queries, concurrency):
    """Not one request more is sent, and every answer that was paid for is yielded."""
    endpoint.script = lambda request: endpoint.chat("alpha", delay=0.01)
    capped = student(max_requests=10, concurrency=concurrency)
    got, said = run(capped, prompt, queries(50))
    assert len(endpoint.received) == len(got) == 10
    assert "would pass max_requests (so far: 10 requests, " in said


def test_openai_retries_count_as_requests(endpoint, student, prompt, queries):
    """A storm of retries cannot pass the cap on requests."""
    endpoint.script = lambda request: endpoint.error(500, headers={"retry-after-ms": "1"})
    got, said = run(student(max_requests=4, max_retries=20), prompt, queries(5))
    assert got == []
    assert len(endpoint.received) == 4
    assert "max_requests" in said


@pytest.mark.parametrize("concurrency", [1, 8])
def test_openai_tokens_never_pass_their_cap(endpoint, student, prompt, queries, concurrency):
    """What is in flight is reckoned with, so the cap holds though requests overlap."""
    endpoint.script = lambda request: endpoint.chat("alpha", usage=(90, 10), delay=0.01)
    got, said = run(student(max_tokens_total=1050, concurrency=concurrency), prompt, queries(40))
    assert len(got) == 10
    assert "max_tokens_total" in said


def test_openai_money_is_capped(endpoint, student, prompt, queries):
    """Prices are per million tokens, input and output apart."""
    endpoint.script = lambda request: endpoint.chat("alpha", usage=(100_000, 50_000))
    capped = student(max_cost=2.0, price_input=1.0, price_output=8.0)
    got, said = run(capped, prompt, queries(9))
    assert len(got) == 4
    assert "max_cost (so far: 4 requests, 600000 tokens, cost 2.0000)" in said


def test_openai_budget_holds_over_several_calls(endpoint, student, prompt, queries):
    """Base and head of a gate are paid from one purse."""
    capped = student(max_requests=5)
    assert len(list(capped.answer(prompt, queries(3)))) == 3
    got, _ = run(capped, prompt, queries(3))
    assert len(got) == 2


@pytest.mark.parametrize("prices", [{}, {"price_input": 1.0}, {"price_output": 1.0}])
def test_openai_money_cap_without_price_refuses_to_start(
    endpoint, student, prompt, queries, prices
):
    """An unknown price is told before any request."""
    got, said = run(student(max_cost=1.0, **prices), prompt, queries(3))
    assert (got, endpoint.received) == ([], [])
    assert "price_input and price_output" in said


@pytest.mark.parametrize("caps", [{"max_tokens_total": 99}, {"max_cost": 1.0}])
def test_openai_cap_without_usage_stops(endpoint, student, prompt, queries, caps):
    """An endpoint that reports no tokens cannot be held to a cap on them."""
    endpoint.script = lambda request: endpoint.chat("alpha", usage=None)
    prices = {"price_input": 1.0, "price_output": 1.0}
    _, said = run(student(**caps, **prices), prompt, queries(3))
    assert "reports no usage" in said
    assert len(endpoint.received) == 1


def test_openai_missing_usage_is_fine_without_a_cap(endpoint, student, prompt, queries):
    """Without caps an endpoint need not report tokens."""
    endpoint.script = lambda request: endpoint.chat("alpha", usage=None)
    ((_, answer),) = student().answer(prompt, queries(1))
    assert (answer.tokens_in, answer.tokens_out) == (0, 0)


@given(
    sizes=st.lists(st.integers(0, 100), min_size=1, max_size=40),
    cap=st.integers(1, 500),
    flight=st.integers(1, 8),
)
def test_openai_budget_is_passed_only_by_a_dearer_request(sizes, cap, flight):
    """Whatever the sizes and the overlap, the cap is passed by growth of the dearest at most."""
    budget = Budget(Caps(tokens=cap), "here")
    in_flight = []
    growth = largest = 0
    try:
        for size in sizes:
            while len(in_flight) >= flight or not budget.has_room(len(in_flight)):
                budget.spend((in_flight.pop(0), 0))
            in_flight.append(size)
            growth += flight * max(0, size - largest)
            largest = max(largest, size)
    except BudgetError:
        assert not in_flight
    for size in in_flight:
        budget.spend((size, 0))
    assert budget.tokens <= cap + growth
