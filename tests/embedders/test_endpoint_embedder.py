"""The endpoint's vectors come back for the right texts, within the budget, errors in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openai")

from pldgov.embedders import open_embedder
from pldgov.errors import BudgetError, DataError, ProviderError


def vector_of(text: str) -> list[float]:
    return [float(len(text)), float(ord(text[0])), 1.0]


def answer(endpoint, *, turned: bool = False):
    """Answer with a vector for each text; ``turned`` sends them last first."""

    def script(request):
        data = [
            {"object": "embedding", "index": n, "embedding": vector_of(text)}
            for n, text in enumerate(request.body["input"])
        ]
        usage = {"prompt_tokens": len(data), "total_tokens": len(data)}
        return endpoint.json(
            {"object": "list", "model": "e", "data": data[::-1] if turned else data, "usage": usage}
        )

    endpoint.script = script


def embedder(endpoint, **options):
    table = {"kind": "openai", "model": "e", "base_url": endpoint.url, "max_retries": 0, **options}
    return open_embedder("mine", table, root=Path())


def test_texts_are_sent_in_batches_and_come_back_in_order(endpoint):
    """Each text's vector stands in its row, whatever the order of replies and of rows."""
    answer(endpoint, turned=True)
    texts = [chr(97 + n) * (n + 1) for n in range(10)]
    vectors = embedder(endpoint, batch_size=3, dimensions=3).embed(texts)
    expected = np.array([vector_of(text) for text in texts])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(vectors, expected, atol=1e-6)
    assert sorted(len(one.body["input"]) for one in endpoint.received) == [1, 3, 3, 3]
    assert {one.path for one in endpoint.received} == {"/v1/embeddings"}
    assert all(one.body["dimensions"] == 3 for one in endpoint.received)


def test_no_text_asks_nothing(endpoint):
    """Nothing to embed costs no request."""
    assert len(embedder(endpoint).embed([])) == 0
    assert endpoint.received == []


def test_the_budget_holds_over_calls(endpoint):
    """The third request of two that are allowed is not sent."""
    answer(endpoint)
    mine = embedder(endpoint, max_requests=2, batch_size=1, concurrency=1)
    assert len(mine.embed(["a", "b"])) == 2
    with pytest.raises(BudgetError, match="max_requests"):
        mine.embed(["c"])
    assert len(endpoint.received) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": [{"index": 0, "embedding": [1.0, 2.0]}, {"index": 0, "embedding": [1.0, 2.0]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]},
        {"data": [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}]},
        {"data": [{"index": 0}, {"index": 1}]},
        {"data": "none"},
        {"vectors": []},
        {"data": [{"index": 0, "embedding": "x"}, {"index": 1, "embedding": "y"}]},
    ],
)
def test_a_reply_that_is_no_list_of_vectors_is_an_error(endpoint, body):
    """Missing, repeated, uneven and empty vectors are never taken for an answer."""
    endpoint.script = lambda _request: endpoint.json({"model": "e", **body})
    with pytest.raises(ProviderError, match="no list of 2 vectors"):
        embedder(endpoint).embed(["a", "b"])


def test_batches_of_different_length_are_an_error(endpoint):
    """Two batches that were embedded by models of different width do not go together."""
    widths = iter([2, 3])

    def script(_request):
        row = {"index": 0, "embedding": [1.0] * next(widths)}
        return endpoint.json({"model": "e", "data": [row]})

    endpoint.script = script
    with pytest.raises(ProviderError, match="different length"):
        embedder(endpoint, batch_size=1, concurrency=1).embed(["a", "b"])


def test_numbers_that_are_not_finite_are_an_error(endpoint):
    """A vector with NaN would silently spoil every distance."""
    endpoint.script = lambda _request: endpoint.json(
        {"model": "e", "data": [{"index": 0, "embedding": [float("nan"), 1.0]}]}
    )
    with pytest.raises(ProviderError, match="not finite"):
        embedder(endpoint).embed(["a"])


def test_a_text_that_is_too_long_names_its_batch(endpoint):
    """The endpoint's own reason is passed on."""
    endpoint.script = lambda _request: endpoint.error(400, "maximum context length is 8 tokens")
    with pytest.raises(DataError, match="texts 1 to 1 to embed"):
        embedder(endpoint).embed(["a"])


def test_the_fingerprint_pins_model_and_dimensions(endpoint):
    """No address and no key; other dimensions are other vectors."""
    one, other = embedder(endpoint), embedder(endpoint, dimensions=3)
    assert one.fingerprint == "openai e dimensions=all"
    assert one.fingerprint != other.fingerprint
