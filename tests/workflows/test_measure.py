"""Measuring: who is asked, what is kept, what the label prior rests on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pldgov.config import load_config
from pldgov.errors import ProviderError, UnjudgedError
from pldgov.results import Answer, DecisionPolicy, StudentCard
from pldgov.store import Store
from pldgov.workflows.measure import Answering, calibration_sample, measure
from pldgov.workflows.sides import builder_of
from pldgov.workspace import Workspace

CALIBRATED = DecisionPolicy(calibration="label-prior", calibration_examples=6)


class ScoringStudent:
    """Leans to `other` whatever it reads; knows fraud when it sees the gold label's examples."""

    def __init__(self, gold: dict[str, str], *, policy=None, fail_after=None):
        self.card = StudentCard("fake", "fake", "m", "1", policy=policy or DecisionPolicy())
        self.gold = gold
        self.asked: list[str] = []
        self.fail_after = fail_after

    def answer(self, prompt, queries):
        for index, query in enumerate(queries):
            if self.fail_after is not None and index >= self.fail_after:
                raise ProviderError("the endpoint is gone")
            self.asked.append(query.example_id)
            lean = {"fraud": -3.0, "other": -1.0}
            lean[self.gold[query.example_id]] += 1.5
            yield index, Answer(max(lean, key=lean.get), lean, "log-likelihood", tokens_in=7)

    def count_tokens(self, text):
        return None

    def close(self):
        pass


@pytest.fixture
def revision(governance_repo):
    repo = governance_repo(recorded=False)
    return Workspace(load_config(repo.root, environment={})).load(repo.path)


@pytest.fixture
def student(revision):
    gold = {e.id: e.label for examples in revision.splits.values() for e in examples}
    return lambda **options: ScoringStudent(gold, **options)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


def run(revision, answering, split="gate"):
    builder = builder_of(revision)
    return measure(
        builder,
        builder.build(),
        revision.split(split),
        train=revision.split("train"),
        answering=answering,
        policy=revision.rulebook.gate,
    )


def test_calibration_takes_the_lean_away(revision, student, store):
    """Raw, every answer is `other`; minus the label prior, every answer is right."""
    raw = run(revision, Answering(student(), store))
    calibrated = run(revision, Answering(student(policy=CALIBRATED), store))
    assert {d.label for d in raw.decisions} == {"other"}
    assert calibrated.scorecard.macro_f1 == 1.0
    assert calibrated.calibration.n == 6


@pytest.mark.parametrize("method", ["fitted", "matrix"])
def test_a_calibration_that_reads_gold_labels_takes_labels_in_turn(
    revision, student, store, method
):
    """It too takes the lean away, from a sample in which a rare label is not crowded out."""
    policy = DecisionPolicy(calibration=method, calibration_examples=4)
    answering = Answering(student(policy=policy), store)
    measured = run(revision, answering)
    assert measured.calibration.n == 4
    assert measured.scorecard.macro_f1 == 1.0
    rendered = builder_of(revision).build()
    train = revision.split("train")
    common, rare = (
        [e for e in train if e.label == "other"],
        [e for e in train if e.label != "other"],
    )
    sample = calibration_sample([*common, rare[0]], rendered, card=answering.card)
    assert rare[0] in sample[:2]
    assert len(sample) == 4


def test_calibration_costs_no_second_call(revision, student, store):
    """The stored raw answers serve every policy: only the training inputs are asked anew."""
    first, second = student(), student(policy=CALIBRATED)
    run(revision, Answering(first, store))
    measured = run(revision, Answering(second, store))
    assert len(first.asked) == 40
    assert measured.asked == len(second.asked) == 6
    assert all(id_.startswith("t-") for id_ in second.asked)


def test_the_prior_never_rests_on_examples_that_the_prompt_shows(revision, student):
    """Examples shown as turns are left out, and the sample does not follow the file's order."""
    builder = builder_of(revision)
    train = revision.split("train")
    card = student(policy=replace(CALIBRATED, calibration_examples=99)).card
    plain = calibration_sample(train, builder.build(), card=card)
    shown = calibration_sample(train, builder.build(shots=train[:3]), card=card)
    assert len(plain) == 10
    assert {e.id for e in plain} - {e.id for e in shown} == {e.id for e in train[:3]}
    backwards = calibration_sample(tuple(reversed(train)), builder.build(), card=card)
    assert backwards == plain


def test_recorded_answers_come_before_the_store_and_the_student(revision, student, store):
    """What is committed decides; only the rest is asked for."""
    builder = builder_of(revision)
    digest = builder.build().prompt.digest
    asked = student()
    example = revision.split("gate")[0]
    recorded = {(digest, asked.card.fingerprint): {example.input_sha256: Answer("fraud")}}
    measured = run(revision, Answering(asked, store, recorded=recorded))
    assert measured.decisions[0].label == "fraud"
    assert example.id not in asked.asked
    assert measured.asked == 39


def test_equal_inputs_are_asked_once(revision, student, store):
    """Two examples with the same text share one answer."""
    asked = student()
    twin = replace(revision.split("gate")[0], id="twin")
    builder = builder_of(revision)
    asked.gold["twin"] = twin.label
    measured = measure(
        builder,
        builder.build(),
        (*revision.split("gate"), twin),
        train=(),
        answering=Answering(asked, store),
        policy=revision.rulebook.gate,
    )
    assert measured.asked == 40
    assert len(measured.decisions) == 41


def test_a_student_that_dies_loses_nothing(revision, student, store):
    """Answers before the failure are stored; the next run asks for the rest."""
    with pytest.raises(ProviderError, match="endpoint is gone"):
        run(revision, Answering(student(fail_after=15), store))
    healthy = student()
    assert run(revision, Answering(healthy, store)).asked == 25


def test_offline_never_asks(revision, student, store):
    """Missing answers are an error that counts them, not a call."""
    asked = student()
    with pytest.raises(UnjudgedError, match="40 of 40 answers"):
        run(revision, Answering(asked, store, offline=True))
    assert asked.asked == []


def test_progress_is_told(revision, student, store):
    """Faces learn how far the student has come."""
    told = []
    answering = Answering(student(), store, progress=lambda *step: told.append(step))
    run(revision, answering)
    assert told[0] == ("asking the student", 0, 40)
    assert told[-1] == ("asking the student", 40, 40)
