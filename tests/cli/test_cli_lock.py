"""The lock of students: another model behind the same rulebook is never silent."""

from __future__ import annotations

import json

import pytest

from pldgov.errors import DataError
from pldgov.results import StudentCard
from pldgov.student_lock import LockedStudent, StudentLock, lock_changes, lock_text, parse_lock

LOCK = "rulebooks/desk/students.lock.json"


@pytest.fixture
def locked(governance_repo, pldgov):
    """A repository whose student is locked by a blessing, on a branch of its own."""

    def make():
        repo = governance_repo()
        assert pldgov("bless", "--reason", "first", cwd=repo.root).exit_code == 0
        repo.commit("Bless")
        return repo

    return make


def change_settings(repo, old, new):
    text = (repo.root / "pyproject.toml").read_text("utf-8")
    assert old in text
    repo.write("pyproject.toml", text.replace(old, new))


def entry(repo, name="recorded"):
    return json.loads((repo.root / LOCK).read_text("utf-8"))["students"][name]


def test_bless_locks_the_student(locked):
    """Kind, model, snapshot, decoding, how labels are decided, and the fingerprint over it."""
    found = entry(locked())
    assert (found["kind"], found["model"], found["snapshot"]) == ("fake", "tiny", "2026-11")
    assert found["decision"]["calibration"] == "none"
    assert found["fingerprint"] == StudentCard("x", "fake", "tiny", "2026-11").fingerprint
    assert found["served_model"] is None


def test_lock_alone_writes_the_same(governance_repo, pldgov):
    """No measurement is needed to pin a student."""
    repo = governance_repo()
    result = pldgov("lock", "desk", cwd=repo.root)
    assert result.exit_code == 0
    assert result.stdout == f"{LOCK}: recorded (new): fake, tiny, 2026-11\n"
    assert entry(repo)["model"] == "tiny"
    again = pldgov("lock", "desk", cwd=repo.root)
    assert again.stdout == f"{LOCK}: recorded is as it is locked\n"


@pytest.mark.parametrize(
    "verb", [("gate",), ("eval", "desk"), ("explain", "desk"), ("bless", "--reason", "x")]
)
def test_another_snapshot_is_a_loud_error(locked, pldgov, verb):
    """What changed and what to do, before anything is asked or written."""
    repo = locked()
    change_settings(repo, 'snapshot = "2026-11"', 'snapshot = "2027-01"')
    recordings = repo.root / "recordings/desk.jsonl"
    there = StudentCard("x", "fake", "tiny", "2026-11").fingerprint
    here = StudentCard("x", "fake", "tiny", "2027-01").fingerprint
    recordings.write_text(recordings.read_text("utf-8").replace(there, here), "utf-8")
    before = (repo.root / LOCK).read_text("utf-8")
    result = pldgov(*verb, cwd=repo.root)
    assert result.exit_code == 2
    assert result.stderr.startswith(
        f"error: {LOCK}: student 'recorded' is not the one that is locked: snapshot: 2026-11 -> 2027-01"
    )
    assert "pldgov compare desk --student OLD --student recorded" in result.stderr
    assert "pldgov gate desk --student recorded --against" in result.stderr
    assert "then pldgov lock desk --student recorded" in result.stderr
    assert (repo.root / LOCK).read_text("utf-8") == before


def test_another_way_to_decide_is_another_student(locked, pldgov):
    """Thresholds turn the same answers into other labels."""
    repo = locked()
    change_settings(repo, 'kind = "replay"\n', 'kind = "replay"\nabstain_below = 0.5\n')
    result = pldgov("gate", cwd=repo.root)
    assert result.exit_code == 2
    assert "abstain_below: 0.0 -> 0.5" in result.stderr


def test_a_manifest_is_of_the_locked_student(locked, pldgov):
    """Rendering needs a student for its tokens and its calibration."""
    repo = locked()
    change_settings(repo, 'kind = "replay"\n', 'kind = "replay"\nabstain_below = 0.5\n')
    plain = pldgov("render", "desk", cwd=repo.root)
    assert plain.exit_code == 0  # no student is asked for
    result = pldgov("render", "desk", "--manifest", "m.json", cwd=repo.root)
    assert result.exit_code == 2
    past = pldgov("render", "desk", "--manifest", "m.json", "--at", "HEAD", cwd=repo.root)
    assert past.exit_code == 0


def test_a_gate_wants_a_locked_student_and_an_eval_does_not(locked, pldgov):
    """Trying out a student is free; judging a rule with one that nobody blessed is not."""
    repo = locked()
    settings = (repo.root / "pyproject.toml").read_text("utf-8")
    table = settings[settings.index("[tool.pldgov.students.recorded]") :]
    other = table.replace("students.recorded", "students.other") + "abstain_below = 0.5\n"
    repo.write("pyproject.toml", settings + other.replace('snapshot = "2026-11"', 'snapshot = "x"'))
    lines = (repo.root / "recordings/desk.jsonl").read_text("utf-8")
    there = StudentCard("x", "fake", "tiny", "2026-11").fingerprint
    here = StudentCard("x", "fake", "tiny", "x").fingerprint
    repo.write("recordings/desk.jsonl", lines + lines.replace(there, here))
    assert pldgov("eval", "desk", "--student", "other", cwd=repo.root).exit_code == 0
    result = pldgov("gate", "--student", "other", cwd=repo.root)
    assert result.exit_code == 2
    assert "student 'other' is not locked for this rulebook, only recorded" in result.stderr


def test_recorded_answers_of_the_locked_student_are_his_own(locked, pldgov):
    """A replay under another name keeps the fingerprint, with or without the spelt-out student."""
    repo = locked()
    fingerprint = StudentCard("x", "fake", "tiny", "2026-11").fingerprint
    settings = (repo.root / "pyproject.toml").read_text("utf-8")
    table = settings[settings.index("[tool.pldgov.students.recorded]") :]
    named = table.replace("students.recorded", "students.ci")
    bare = f'[tool.pldgov.students.bare]\nkind = "replay"\npath = "recordings/*.jsonl"\nstudent = "{fingerprint}"\n'
    repo.write("pyproject.toml", settings + named + bare)
    for name in ("ci", "bare"):
        result = pldgov("eval", "desk", "--student", name, "--split", "gate", cwd=repo.root)
        assert result.exit_code == 0, result.output
    assert pldgov("gate", "--student", "ci", cwd=repo.root).exit_code == 0
    locked_as = pldgov("lock", "desk", "--student", "ci", cwd=repo.root)
    assert locked_as.stdout == f"{LOCK}: recorded is as it is locked\n"
    refused = pldgov("lock", "desk", "--student", "bare", cwd=repo.root)
    assert refused.exit_code == 2
    assert "only the fingerprint of these recorded answers is known" in refused.stderr


def test_check_tells_a_difference_and_writes_nothing(locked, pldgov):
    """Exit code 1 and what changed; then locking it makes the gate work again."""
    repo = locked()
    assert pldgov("lock", "--check", cwd=repo.root).exit_code == 0
    change_settings(repo, 'kind = "replay"\n', 'kind = "replay"\nabstain_below = 0.5\n')
    before = (repo.root / LOCK).read_text("utf-8")
    result = pldgov("lock", "--check", cwd=repo.root)
    assert (result.exit_code, (repo.root / LOCK).read_text("utf-8")) == (1, before)
    assert f"{LOCK}: recorded changed\n  abstain_below: 0.0 -> 0.5\n" == result.stdout
    assert pldgov("lock", cwd=repo.root).exit_code == 0
    assert pldgov("eval", "desk", cwd=repo.root).exit_code == 0


def test_a_student_can_be_forgotten(locked, pldgov):
    """The last one leaves an empty lock, which demands nothing."""
    repo = locked()
    assert pldgov("lock", "desk", "--forget", "recorded", cwd=repo.root).exit_code == 0
    assert json.loads((repo.root / LOCK).read_text("utf-8"))["students"] == {}
    assert pldgov("gate", cwd=repo.root).exit_code == 0
    again = pldgov("lock", "desk", "--forget", "recorded", cwd=repo.root)
    assert again.exit_code == 2
    assert "student 'recorded' is not locked (locked are none)" in again.stderr
    both = pldgov("lock", "desk", "--forget", "recorded", "--check", cwd=repo.root)
    assert both.exit_code == 2


def test_the_pytest_plugin_holds_to_the_lock_too(locked, pytester_like):
    """`macro_f1` is no pass with another student."""
    repo = locked()
    change_settings(repo, 'kind = "replay"\n', 'kind = "replay"\nabstain_below = 0.5\n')
    status, said = pytester_like(repo)
    assert status != 0
    assert "student 'recorded' is not the one that is locked" in said


@pytest.fixture
def pytester_like():
    """Run the plugin in a process of its own over the repository's rulebooks."""
    import subprocess
    import sys

    def run(repo):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "rulebooks"],
            cwd=repo.root,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a lock of students"),
        ("[]", "not a lock of students"),
        ('{"schema": "pldgov.students-lock/v9", "students": {}}', "unknown schema"),
        ('{"schema": "pldgov.students-lock/v1"}', "not a lock of students"),
        ('{"schema": "pldgov.students-lock/v1", "students": {"a": {}}}', "not a lock of students"),
    ],
)
def test_a_broken_lock_is_refused(locked, pldgov, text, said):
    """A file that cannot be read demands a repair, never nothing."""
    repo = locked()
    repo.write(LOCK, text)
    result = pldgov("gate", cwd=repo.root)
    assert result.exit_code == 2
    assert said in result.stderr
    assert LOCK in result.stderr


def test_a_lock_edited_by_hand_is_refused(locked):
    """The fingerprint covers the parts."""
    repo = locked()
    text = (repo.root / LOCK).read_text("utf-8").replace('"tiny"', '"huge"')
    with pytest.raises(DataError, match="not that of its parts"):
        parse_lock(text, path=LOCK)


def test_changes_between_two_locks_are_named_part_by_part():
    """What a pull request shows: students that are new, gone, or other than before."""

    def lock(**cards):
        return StudentLock("p", {n: LockedStudent(c, s) for n, (c, s) in cards.items()})

    old = StudentCard("a", "openai", "m", "m-1", {"temperature": 0.0})
    new = StudentCard("a", "openai", "m", "m-2", {"temperature": 0.0, "seed": 1})
    before = lock(a=(old, "m-1"), gone=(old, None), same=(old, "m-1"))
    after = lock(a=(new, "m-2"), come=(new, None), same=(old, "m-1"))
    changes = {one.name: one for one in lock_changes(before, after)}
    assert list(changes) == ["a", "come", "gone"]
    assert [str(part) for part in changes["a"].parts] == [
        "snapshot: m-1 -> m-2",
        "decoding.seed: (none) -> 1",
        "served model: m-1 -> m-2",
    ]
    assert (changes["come"].before, changes["gone"].after) == (None, None)
    assert lock_text(parse_lock(lock_text(after), path="p")) == lock_text(after)


@pytest.fixture
def served(governance_repo, endpoint):
    """A repository whose student is behind the loopback endpoint; ``says`` is the model it reports."""

    def make(says="m-1", **options):
        repo = governance_repo(recorded=False)
        rows = "".join(f"{key} = {json.dumps(value)}\n" for key, value in options.items())
        repo.write(
            "pyproject.toml",
            '[tool.pldgov]\nstudent = "ours"\n\n[tool.pldgov.students.ours]\nkind = "openai"\n'
            f'model = "m"\nbase_url = "{endpoint.url}"\nstructured = "none"\n{rows}',
        )
        repo.commit("Ask the endpoint")
        answer_as(endpoint, repo, says)
        return repo

    return make


def answer_as(endpoint, repo, model):
    gold = {}
    for name in ("train", "validation", "gate"):
        lines = (
            (repo.root / f"rulebooks/desk/examples/{name}.jsonl").read_text("utf-8").splitlines()
        )
        gold |= {row["text"]: row["label"] for row in map(json.loads, lines)}
    endpoint.script = lambda request: endpoint.chat(gold[request.user.strip()], model=model)


def test_lock_asks_once_as_which_model_the_endpoint_answers(served, endpoint, pldgov):
    """One request; the alias in the settings is told to be pinned."""
    repo = served()
    result = pldgov("lock", "desk", cwd=repo.root)
    assert result.exit_code == 0, result.output
    assert entry(repo, "ours")["served_model"] == "m-1"
    assert len(endpoint.received) == 1
    assert "it answers as 'm-1'; set served_model to that" in result.stderr


def test_lock_offline_asks_nothing_and_keeps_what_it_knew(served, endpoint, pldgov):
    """Of the same student only: the id that was seen stays."""
    repo = served()
    pldgov("lock", "desk", cwd=repo.root)
    result = pldgov("lock", "desk", "--offline", cwd=repo.root)
    assert result.exit_code == 0
    assert len(endpoint.received) == 1
    assert entry(repo, "ours")["served_model"] == "m-1"


def test_bless_locks_the_id_that_replies_reported(served, pldgov):
    """No further request is needed: the gate examples' replies said it."""
    repo = served()
    assert pldgov("bless", "--reason", "first", cwd=repo.root).exit_code == 0
    assert entry(repo, "ours")["served_model"] == "m-1"


@pytest.mark.parametrize("verb", ["gate", "eval"])
def test_a_served_model_other_than_the_locked_one_stops_the_run(served, endpoint, pldgov, verb):
    """The provider changed what stands behind the name: exit code 4, and the way on."""
    repo = served()
    pldgov("lock", "desk", cwd=repo.root)
    repo.commit("Lock")
    answer_as(endpoint, repo, "m-2")
    repo.write_rulebook(rule="Another wording, so that something has to be asked.")
    result = pldgov(verb, "desk", cwd=repo.root)
    assert result.exit_code == 4
    assert f"the endpoint answered as 'm-2', but {LOCK} says 'm-1'" in result.stderr
    assert "give the new model a table of its own with served_model set" in result.stderr
    assert len(endpoint.received) == 2  # one to lock, one that was refused


def test_check_finds_out_what_the_store_hides(served, endpoint, pldgov):
    """With every answer stored nothing is asked, so a check asks once of its own accord."""
    repo = served()
    pldgov("lock", "desk", cwd=repo.root)
    answer_as(endpoint, repo, "m-2")
    result = pldgov("lock", "desk", "--check", cwd=repo.root)
    assert result.exit_code == 1
    assert "served model: m-1 -> m-2" in result.stdout
