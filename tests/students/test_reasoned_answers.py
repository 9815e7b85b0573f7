"""Policy-following reasoning classifiers: the label is read after the reasoning, never out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pldgov.errors import UsageError
from pldgov.parsing import after_reasoning, final_answer
from pldgov.prompt import PromptBuilder
from pldgov.rulebook.model import Rulebook
from pldgov.students import open_student
from pldgov.students.openai_chat import read_final_label

LABELS = ("alpha", "beta")
HARMONY = (
    "<|channel|>analysis<|message|>Is it alpha? The policy says beta.<|end|>"
    "<|start|>assistant<|channel|>final<|message|>{}<|return|>"
)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("alpha", "alpha"),
        ("Criterion 2 fits, not alpha.\nAnswer: beta", "beta"),
        ("**Answer:** `beta`", "beta"),
        ("Answer: alpha? No, criterion 3.\nanswer: beta\n", "beta"),
        ("Answer:\n\nbeta", "beta"),
        ("It could be alpha.\n\nbeta\n", "beta"),
        ("<think>alpha, alpha, alpha</think>\nbeta", "beta"),
        ("alpha it is, says the template's own thought</think>beta", "beta"),
        ("<Reasoning>alpha</Reasoning>Answer: beta", "beta"),
        ('<think>alpha</think>{"label": "beta"}', "beta"),
        ('Criterion 1.\n{"label": "beta"}', "beta"),
        (HARMONY.format("Answer: beta"), "beta"),
        (HARMONY.format("beta"), "beta"),
        (
            "<|channel|>final <|constrain|>json<|message|>" + '{"label": "beta"}<|return|>',
            "beta",
        ),
        ("<think>surely alpha", None),
        ("<think>a</think>so<think>surely alpha", None),
        ("<|channel|>analysis<|message|>surely alpha", None),
        ("<think>alpha</think>", None),
        ("Answer: alpha or beta", None),
        ("alpha is meant.\nAnswer: gamma", None),
        ('{"label": ["alpha", "beta"]}', None),
        ("", None),
    ],
)
def test_the_label_is_read_after_the_reasoning(text, label):
    """What stands in thoughts, channels and earlier lines names no label; a cut thought none."""
    assert read_final_label(text, LABELS, marker="Answer:") == label


@given(st.text())
def test_a_text_without_reasoning_is_left_as_it_is(text):
    """Only tags and channels are taken for reasoning."""
    if "<" not in text:
        assert after_reasoning(text) == text


def test_another_marker():
    """The marker is the template's business; whatever stands in it is taken literally."""
    assert final_answer("Label (final): x\nmore", marker="label (final):") == "x\nmore"


@pytest.fixture
def student(endpoint, tmp_path):
    def make(**options):
        base = {"kind": "openai", "model": "m", "base_url": endpoint.url, "structured": "none"}
        return open_student("mine", base | options, root=tmp_path)

    return make


def test_over_http_the_reasoning_is_kept_and_not_read(endpoint, student, prompt, queries):
    """The stored raw text holds the reasoning; strict reading calls the same reply invalid."""
    said = "Criterion 2 fits, alpha's does not.\nAnswer: beta"
    endpoint.script = lambda _: endpoint.chat(said)
    ((_, answer),) = student(answer="final", max_tokens=2000).answer(prompt, queries(1))
    assert (answer.label, answer.raw) == ("beta", said)
    assert endpoint.received[0].body["max_tokens"] == 2000
    ((_, strict),) = student().answer(prompt, queries(1))
    assert strict.label is None


def test_over_http_harmony_in_the_text(endpoint, student, prompt, queries):
    """A server without a reasoning parser leaves the channels in the message."""
    endpoint.script = lambda _: endpoint.chat(HARMONY.format("Answer: beta"))
    ((_, answer),) = student(answer="final").answer(prompt, queries(1))
    assert answer.label == "beta"


def test_over_http_reasoning_in_a_field_of_its_own(endpoint, student, prompt, queries):
    """Servers that split the reasoning off send it beside the content; it is not read."""

    def script(_):
        reply = endpoint.chat("Answer: beta")
        reply.body["choices"][0]["message"]["reasoning_content"] = "Answer: alpha"
        return reply

    endpoint.script = script
    ((_, answer),) = student(answer="final").answer(prompt, queries(1))
    assert answer.label == "beta"


def test_reasoning_that_runs_into_the_limit_is_no_answer(
    endpoint, student, prompt, queries, caplog
):
    """It is counted as invalid, and the log says what to raise."""
    endpoint.script = lambda _: endpoint.chat("<think>it is alpha because", finish="length")
    ((_, answer),) = student(answer="final").answer(prompt, queries(1))
    assert answer.label is None
    assert "was cut off at max_tokens = 64" in caplog.text


def test_how_the_answer_is_read_is_part_of_the_fingerprint(student):
    """Stored labels were read in one way; the default's fingerprint stays what it was."""
    plain, final = student().card, student(answer="final").card
    other = student(answer="final", answer_marker="Label:").card
    assert len({plain.fingerprint, final.fingerprint, other.fingerprint}) == 3
    assert "answer" not in plain.decoding
    assert student(answer_marker="Label:").card.fingerprint == plain.fingerprint


def test_an_unknown_way_of_reading_is_refused(student):
    """Named with its option."""
    with pytest.raises(UsageError, match="answer"):
        student(answer="last")


@pytest.fixture
def policy(repository):
    """Render templates/policy.j2 for a small rulebook."""
    templates = {p.name: p.read_text("utf-8") for p in (repository / "templates").glob("*.j2")}

    def render(*rules):
        book = Rulebook.model_validate(
            {
                "schema": "pldgov.rulebook/v1",
                "name": "mail",
                "title": "Mail",
                "owner": "me",
                "task": {
                    "instruction": "Sort mail.",
                    "labels": {"alpha": "the first", "beta": "the second"},
                },
                "examples": {"train": "t.jsonl", "gate": "g.jsonl"},
                "prompt": {"template": "policy.j2"},
                "rules": [
                    {
                        "id": f"r-{i}",
                        "title": "t",
                        "status": "active",
                        "labels": list(labels),
                        "instruction": f"Rule {i}.",
                        "provenance": {"origin": "hand-written"},
                    }
                    for i, labels in enumerate(rules, start=1)
                ],
            }
        )
        return PromptBuilder(book, templates=templates, train=tuple).build().prompt.system

    return render


def test_the_policy_template_has_its_sections_and_keeps_the_order(policy):
    """Criteria are grouped by label under the numbers of the rules' own order."""
    text = policy(("beta",), ("alpha",), ("beta",), ())
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "## Instruction",
        "## Definitions",
        "## Criteria",
        "### alpha",
        "### beta",
        "### Every label",
        "## Output format",
    ]
    assert (
        "### alpha\n2. Rule 2.\n### beta\n1. Rule 1.\n3. Rule 3.\n### Every label\n- Rule 4."
        in text
    )
    assert text.endswith("\nAnswer: <label>")


def test_a_label_without_a_rule_is_said_to_have_none(policy):
    """An empty section would read like a mistake."""
    assert "### alpha\nNo criterion of its own: its definition alone.\n" in policy(("beta",))


def test_without_rules_there_is_no_section_of_criteria(policy):
    """The zero-shot comparison uses the same template."""
    assert "## Criteria" not in policy()
