"""Answers survive the way to JSON and back; anything else is refused by name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pldgov.errors import DataError
from pldgov.results import Answer
from pldgov.results_json import answer_from_json, answer_to_json

numbers = st.floats(allow_nan=False, allow_infinity=False)
scored = st.tuples(
    st.dictionaries(st.text(), numbers, min_size=1),
    st.sampled_from(["log-likelihood", "probability"]),
)


@given(
    label=st.none() | st.text(),
    scored=st.just((None, None)) | scored,
    raw=st.none() | st.text(),
    tokens=st.tuples(*[st.integers(0, 10**9)] * 3),
    seconds=st.floats(0, 1e6),
)
def test_answer_round_trip(label, scored, raw, tokens, seconds):
    """Every answer comes back equal through JSON text."""
    answer = Answer(label, *scored, raw, tokens[0], tokens[1], seconds, tokens[2])
    assert answer_from_json(json.loads(json.dumps(answer_to_json(answer)))) == answer


def test_only_the_label_is_needed():
    """A line written by hand may leave out everything but the label."""
    assert answer_from_json({"label": "a"}) == Answer("a")
    assert answer_from_json({"label": None, "raw": "?"}) == Answer(None, raw="?")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "must be a JSON object"),
        ({}, 'no "label"'),
        ({"label": 3}, '"label"'),
        ({"label": "a", "labell": "b"}, "unknown field 'labell' of an answer (did you mean"),
        ({"label": "a", "raw": 1}, '"raw"'),
        ({"label": "a", "tokens_in": True}, '"tokens_in"'),
        ({"label": "a", "tokens_out": -1}, '"tokens_out"'),
        ({"label": "a", "truncated": 1.5}, '"truncated"'),
        ({"label": "a", "seconds": float("nan")}, '"seconds"'),
        ({"label": "a", "seconds": "1"}, '"seconds"'),
        ({"label": "a", "scores": {"a": 1.0}}, "go together"),
        ({"label": "a", "score_kind": "probability"}, "go together"),
        ({"label": "a", "scores": {"a": None}, "score_kind": "probability"}, "'a' has no finite"),
        ({"label": "a", "scores": [], "score_kind": "probability"}, '"scores"'),
        ({"label": "a", "scores": {"a": 1.0}, "score_kind": "logit"}, '"score_kind"'),
    ],
)
def test_what_is_no_answer_is_refused(value, said):
    """The error names the field that does not fit."""
    with pytest.raises(DataError) as caught:
        answer_from_json(value)
    assert said in str(caught.value)
