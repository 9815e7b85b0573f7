"""The replay student: the recorded answers, under the recorded fingerprint, or a clear error."""

import json

import pytest

from pldgov.answer_lines import AnswerKey, line_of
from pldgov.errors import DataError, ProviderError, UsageError
from pldgov.results import Answer, DecisionPolicy, StudentCard
from pldgov.students import open_student

CARD = StudentCard("gpt", "openai", "m", "m-2026", {"mode": "chat", "temperature": 0.0})
ANSWERS = (
    Answer("alpha", raw="alpha", tokens_in=9, tokens_out=1, seconds=0.25),
    Answer(None, raw="?"),
    Answer("beta", scores={"alpha": 0.1, "beta": 0.9}, score_kind="probability"),
)


@pytest.fixture
def record(tmp_path, prompt, queries):
    """Write the answers of a student to a file, the first query's first."""

    def write(name="recorded.jsonl", answers=ANSWERS, *, student=CARD.fingerprint, repeat=0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        asked = zip(queries(len(answers)), answers, strict=True)
        lines = [
            line_of(AnswerKey(prompt.digest, student, query.sha256, repeat), answer)
            for query, answer in asked
        ]
        path.write_text("".join(lines), encoding="utf-8")
        return path

    return write


@pytest.fixture
def replay(tmp_path):
    """Open a replay student in the temporary folder."""

    def make(path="recorded.jsonl", **options):
        return open_student("ci", {"kind": "replay", "path": path, **options}, root=tmp_path)

    return make


def test_replay_gives_the_recorded_answers(record, replay, prompt, queries):
    """Every field of every answer comes back, for the inputs asked for."""
    record()
    student = replay()
    assert dict(student.answer(prompt, queries(3))) == dict(enumerate(ANSWERS))
    assert dict(student.answer(prompt, queries(3)[2:])) == {0: ANSWERS[2]}
    assert student.count_tokens("x") is None
    student.close()


def test_replay_stands_under_the_recorded_fingerprint(record, replay):
    """Answers are stored and compared as the recorded student's; the policy is this table's."""
    record()
    card = replay(abstain_below=0.5).card
    assert card.fingerprint == CARD.fingerprint
    assert (card.name, card.kind) == ("ci", "replay")
    assert card.policy == DecisionPolicy(abstain_below=0.5)


def test_replay_can_carry_the_whole_recorded_card(record, replay):
    """With the recorded student spelt out, everything but the name is that student's."""
    record()
    student = {"kind": "openai", "model": "m", "snapshot": "m-2026"}
    card = replay(student=student | {"decoding": dict(CARD.decoding)}).card
    assert (card.kind, card.model, card.snapshot) == ("openai", "m", "m-2026")
    assert card.decoding == CARD.decoding
    assert card.fingerprint == CARD.fingerprint
    with pytest.raises(UsageError, match=f"no answers of student .*{CARD.fingerprint}"):
        _ = replay(student=student).card


def test_replay_missing_answer_names_its_key(record, replay, prompt, queries):
    """What is there is yielded; the error then names prompt, student, input and example."""
    path = record()
    got = []
    with pytest.raises(ProviderError) as caught:
        got.extend(replay().answer(prompt, queries(5)))
    assert [index for index, _ in got] == [0, 1, 2]
    said = str(caught.value)
    assert said.startswith(f"{path.name}: no recorded answer for example 'e-3' (and 1 more)")
    assert prompt.digest in said
    assert CARD.fingerprint in said
    assert queries(5)[3].sha256 in said
    assert "nothing is recorded for this prompt" not in said


def test_replay_other_prompt_is_told_apart(record, replay, prompt, queries):
    """When the prompt itself changed, the error says that nothing is recorded for it."""
    record()
    changed = type(prompt)("Another text.", prompt.labels, prompt.user_template)
    with pytest.raises(ProviderError, match="nothing is recorded for this prompt"):
        list(replay().answer(changed, queries(1)))


def test_replay_asks_which_student(record, replay, prompt, queries):
    """A file of several students needs ``student``; the error lists them, and a prefix is enough."""
    record("recorded/a.jsonl")
    record("recorded/b.jsonl", (Answer("beta"),), student="b" * 64)
    with pytest.raises(UsageError) as caught:
        _ = replay("recorded/*.jsonl").card
    assert CARD.fingerprint in str(caught.value)
    assert "b" * 64 in str(caught.value)
    chosen = replay(["recorded/a.jsonl", "recorded/b.jsonl"], student="bbbb")
    assert dict(chosen.answer(prompt, queries(1))) == {0: Answer("beta")}
    with pytest.raises(UsageError, match="no answers of student cccc"):
        _ = replay("recorded/*.jsonl", student="cccc").card


def test_replay_repeats_are_apart(record, replay, prompt, queries):
    """``repeat`` chooses which of several askings is replayed."""
    record(answers=(Answer("beta"),), repeat=1)
    assert dict(replay(repeat=1).answer(prompt, queries(1))) == {0: Answer("beta")}
    with pytest.raises(ProviderError, match="repeat 0"):
        list(replay().answer(prompt, queries(1)))


def test_replay_same_answer_twice_is_fine_another_one_is_not(record, replay):
    """Files may overlap as long as they agree; time alone is no difference."""
    record("a.jsonl", (Answer("alpha", seconds=1.0),))
    record("b.jsonl", (Answer("alpha", seconds=2.0),))
    assert replay("?.jsonl").card.fingerprint == CARD.fingerprint
    record("c.jsonl", (Answer("beta"),))
    with pytest.raises(DataError, match=r"c\.jsonl: two different answers"):
        _ = replay("?.jsonl").card


def test_replay_reads_absolute_paths_and_patterns(record, replay, tmp_path):
    """A path outside the repository is taken as it is, also with brackets in a folder's name."""
    record("odd [folder]/a.jsonl")
    for path in (tmp_path / "odd [folder]" / "a.jsonl", tmp_path / "**" / "*.jsonl"):
        assert replay(str(path)).card.fingerprint == CARD.fingerprint


def test_replay_needs_a_file(replay, tmp_path):
    """No such file, no match, a folder and an empty file are errors with the table's name."""
    (tmp_path / "empty.jsonl").write_text("\n")
    for path in ("recorded.jsonl", "*.jsonlines", "."):
        with pytest.raises(UsageError, match=r"students\.ci\]: path: no file"):
            _ = replay(path).card
    with pytest.raises(UsageError, match=r"no answers in .*empty\.jsonl"):
        _ = replay("empty.jsonl").card
    with pytest.raises(UsageError, match="path"):
        replay("")


def test_replay_bad_line_has_its_place(record, replay, prompt):
    """A line that is no answer is an error with path and line."""
    path = record()
    good = path.read_text()
    wrong = {"prompt": "p", "student": "s", "input": "i", "answer": {"label": 1}}
    for line in ("{", json.dumps(wrong), "[]"):
        path.write_text(good + line + "\n")
        with pytest.raises(DataError, match=r"recorded\.jsonl:4: "):
            _ = replay().card
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        _ = replay().card
