"""The decisions student against the real ``/v1/systemone`` of ``transformers serve``."""

import pytest

from pldgov.errors import ProviderError
from pldgov.questions import Prompt, Query
from pldgov.students import open_student

pytestmark = pytest.mark.slow

LABELS = {"sports": "About sports.", "cooking": "About food.", "cars": "About cars."}
PROMPT = Prompt("What is the message about?", LABELS, "{{ text }}")
QUERIES = tuple(
    Query(f"e-{i}", f"{i:064x}", text)
    for i, text in enumerate(("The striker kicked the ball.", "Fry the onions.", "The engine."))
)


@pytest.fixture
def student(transformers_server, tmp_path):
    """Open the decisions student on the real server."""

    def make(**options):
        base = {
            "kind": "decisions",
            "dialect": "systemone",
            "model": transformers_server.model,
            "base_url": transformers_server.url,
            "timeout": 120,
        }
        return open_student("judge", base | options, root=tmp_path)

    return make


@pytest.mark.parametrize("rules_in", ["instructions", "state"])
def test_decisions_served_gives_probabilities(student, rules_in):
    """A chat model is usable: every label has a probability, they sum to 1, the best is chosen."""
    answers = dict(student(rules_in=rules_in, concurrency=2).answer(PROMPT, QUERIES))
    assert sorted(answers) == [0, 1, 2]
    for answer in answers.values():
        assert list(answer.scores) == list(LABELS)
        assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-4)
        assert answer.label == max(answer.scores, key=answer.scores.get)
        assert answer.score_kind == "probability"
        assert answer.tokens_in > 20
        assert answer.tokens_out == 0


def test_decisions_served_equals_the_pipeline(student, smollm2_folder):
    """Through the server or through transformers' own pipeline: the same probabilities."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    torch.set_num_threads(2)
    question = {"type": "choice", "instructions": PROMPT.system, "criteria": LABELS}
    decide = transformers.pipeline(
        "decision", model=str(smollm2_folder), dtype=torch.float32, device="cpu"
    )
    expected = decide({"state": QUERIES[0].text, "questions": {"label": question}})["label"]
    ((_, answer),) = student().answer(PROMPT, QUERIES[:1])
    assert answer.label == expected["choice"]
    assert answer.scores == pytest.approx(expected["probabilities"], abs=1e-4)


def test_decisions_served_has_its_limits(student):
    """More labels than the server can read are refused with the server's own words."""
    many = Prompt("Which?", {f"label-{i}": "One." for i in range(27)}, "{{ text }}")
    with pytest.raises(ProviderError, match="at most 26 options"):
        list(student().answer(many, QUERIES[:1]))


def test_decisions_served_label_order_counts(student):
    """Labels are read in the prompt's order, whatever their names, and reach the right keys."""
    turned = Prompt(PROMPT.system, dict(reversed(LABELS.items())), PROMPT.user_template)
    ((_, answer),) = student().answer(turned, QUERIES[:1])
    assert list(answer.scores) == ["cars", "cooking", "sports"]
