"""`pldgov eval`: figures, comparisons and formats."""

from __future__ import annotations

import json

import pytest
from sklearn.metrics import f1_score

from pldgov.config import load_config
from pldgov.workflows.evaluating import few_shots
from pldgov.workspace import Workspace


@pytest.fixture
def measured(governance_repo):
    """A repository whose student gets some validation examples wrong and says nothing to one."""
    repo = governance_repo()
    repo.record({"v-00": "other", "v-02": None, "v-03": "fraud"})
    return repo


def test_macro_f1_is_scikit_learns(measured, pldgov):
    """The figure is sklearn's over the task's labels; an invalid answer is a wrong one."""
    data = json.loads(pldgov("eval", "desk", "--format", "json", cwd=measured.root).stdout)
    scorecard = data["candidates"][0]["scorecard"]
    gold = ["fraud", "other"] * 5
    said = [*gold]
    said[0], said[2], said[3] = "other", "none", "fraud"
    expected = f1_score(gold, said, labels=["fraud", "other"], average="macro", zero_division=0)
    assert scorecard["macro_f1"] == pytest.approx(expected, abs=1e-12)
    assert scorecard["invalid"] == 1
    assert scorecard["n"] == 10
    assert scorecard["confusion"] == [[3, 1, 1], [1, 4, 0]]


def test_text_shows_labels_confusion_and_how_it_was_measured(measured, pldgov):
    """The terminal gets the tables and the prompt's digest."""
    text = pldgov("eval", "desk", cwd=measured.root).stdout
    assert text.startswith("desk, validation split, 10 examples, student recorded")
    assert "rulebook     0.7" in text
    assert "gold \\ answered" in text
    assert "student calls now: " in text


def test_majority_reads_nothing(measured, pldgov):
    """The majority baseline stands beside the rulebook without a prompt."""
    result = pldgov("eval", "desk", "--compare", "majority", "--format", "json", cwd=measured.root)
    data = json.loads(result.stdout)
    assert [candidate["name"] for candidate in data["candidates"]] == ["rulebook", "majority"]
    assert data["candidates"][1]["scorecard"]["accuracy"] == 0.5
    assert data["candidates"][1]["prompt"] is None


def test_markdown(measured, pldgov):
    """A job summary gets the same figures."""
    text = pldgov("eval", "desk", "--format", "markdown", cwd=measured.root).stdout
    assert "| label | precision | recall | F1 | support |" in text


@pytest.mark.parametrize("compare", ["zeroshot", "few-shot", "few-shot:0", "few-shot:x", "best"])
def test_unknown_comparisons_are_refused(measured, pldgov, compare):
    """Exit code 2, and what there is."""
    result = pldgov("eval", "desk", "--compare", compare, cwd=measured.root)
    assert result.exit_code == 2
    assert f"cannot compare with '{compare}'" in result.stderr


def test_few_shots_take_turns_over_labels_and_follow_the_seed(measured):
    """K examples, as balanced as K allows, the same for the same seed."""
    train = Workspace(load_config(measured.root)).load(measured.path).split("train")
    chosen = few_shots(train, 4, seed=0)
    assert sorted(example.label for example in chosen) == ["fraud", "fraud", "other", "other"]
    assert few_shots(train, 4, seed=0) == few_shots(tuple(reversed(train)), 4, seed=0) == chosen
    assert any(few_shots(train, 4, seed=seed) != chosen for seed in range(1, 5))


def test_more_shots_than_examples_is_an_error(measured, pldgov):
    """The error says how many there are."""
    result = pldgov("eval", "desk", "--compare", "few-shot:99", cwd=measured.root)
    assert result.exit_code == 2
    assert "asks for 99 examples, the train split has 10" in result.stderr


def test_an_unknown_student_is_answered_with_the_nearest(measured, pldgov):
    """Exit code 2 and a guess."""
    result = pldgov("eval", "desk", "--student", "recorder", cwd=measured.root)
    assert result.exit_code == 2
    assert 'did you mean "recorded"?' in result.stderr


def test_answers_are_kept_and_not_asked_again(measured, pldgov):
    """The second evaluation costs no call, even when the student is gone."""
    measured.record(committed=False)
    for path in (measured.root / "rulebooks/desk/evidence").glob("*"):
        path.unlink()
    first = pldgov("eval", "desk", cwd=measured.root)
    second = pldgov("eval", "desk", "--offline", cwd=measured.root)
    assert "student calls now: 10" in first.stdout
    assert "student calls now: 0" in second.stdout


def test_a_plot_needs_probabilities(measured, pldgov):
    """A student without scores has no reliability to plot; and the suffix must be known."""
    result = pldgov("eval", "desk", "--plot", "p.svg", cwd=measured.root)
    assert result.exit_code == 2
    assert "gives no probabilities" in result.stderr
    result = pldgov("eval", "desk", "--plot", "p.gif", cwd=measured.root)
    assert ".svg or .png" in result.stderr
