"""Another student behind the same rulebook: `pldgov compare` and `pldgov gate --against`."""

from __future__ import annotations

import json
import re

import pytest

from pldgov.dataset import Example
from pldgov.report.student_change import render_student_changes
from pldgov.results import StudentCard
from pldgov.student_lock import LockedStudent, StudentLock, lock_changes

EVIDENCE = "rulebooks/desk/evidence/recorded.json"


@pytest.fixture
def two(governance_repo):
    """The student `recorded`, always right, and `newer`, wrong about the given examples."""

    def make(wrong=None, *, split="gate"):
        repo = governance_repo()
        rows = (
            (repo.root / f"rulebooks/desk/examples/{split}.jsonl").read_text("utf-8").splitlines()
        )
        inputs = {}
        for row in map(json.loads, rows):
            inputs[Example(row["id"], {"text": row["text"]}, row["label"]).input_sha256] = row["id"]
        newer = StudentCard("newer", "fake", "tiny", "2027-01")
        lines = []
        for line in (repo.root / "recordings/desk.jsonl").read_text("utf-8").splitlines():
            said = json.loads(line)
            said["student"] = newer.fingerprint
            example = inputs.get(said["input"])
            if example in (wrong or {}):
                said["answer"]["label"] = wrong[example]
            said["answer"]["seconds"] = 0.5
            lines.append(json.dumps(said) + "\n")
        repo.write("recordings/newer.jsonl", "".join(lines))
        settings = (repo.root / "pyproject.toml").read_text("utf-8")
        table = settings[settings.index("[tool.pldgov.students.recorded]") :]
        table = table.replace("students.recorded", "students.newer").replace("2026-11", "2027-01")
        repo.write("pyproject.toml", f"{settings}\n{table}")
        return repo

    return make


def wrong(count):
    return {f"g-{2 * i:02d}": "other" for i in range(count)}


def compare(pldgov, repo, *more):
    return pldgov(
        "compare", "desk", "--student", "recorded", "--student", "newer", *more, cwd=repo.root
    )


def gate(pldgov, repo, *more):
    return pldgov("gate", "--student", "newer", "--against", "recorded", *more, cwd=repo.root)


def test_students_are_compared_pairwise(two, pldgov):
    """The first is held against: difference with its interval, labels, flips, time."""
    repo = two(wrong(5))
    result = compare(pldgov, repo, "--split", "gate", "--format", "json")
    assert result.exit_code == 0, result.output
    first, second = json.loads(result.stdout)["students"]
    assert (first["student"]["name"], first["macro_f1"], first["flips"]) == ("recorded", None, [])
    assert second["macro_f1"]["base"] == 1.0
    # 15 of 20 found: F1 of fraud 30/35, of other 40/45
    assert second["macro_f1"]["head"] == pytest.approx((30 / 35 + 40 / 45) / 2)
    assert second["macro_f1"]["interval"]["high"] < 0
    assert second["labels"]["fraud"]["head"] == pytest.approx(30 / 35)
    assert [flip["kind"] for flip in second["flips"]] == ["broken"] * 5
    assert second["scorecard"]["seconds"] == 20.0
    assert second["cost_per_1000"] is None
    assert second["lock"] == "not locked"


def test_the_table_shows_what_decides(two, pldgov):
    """A row a student, F1 by label, and the flipped examples with their text."""
    text = compare(pldgov, two(wrong(2)), "--split", "gate").stdout
    assert re.search(r"newer +0\.950 .* -5\.0 +-12\.\d to \+0\.0 +0\.0% +- +0\.500", text)
    assert "newer against recorded: 2 answers differ: 2 broken, 0 fixed" in text
    assert "broken  g-00  gold fraud: fraud -> other" in text


def test_markdown_is_escaped_and_has_the_flips(two, pldgov):
    """Names and texts are data."""
    markdown = compare(pldgov, two(wrong(2)), "--split", "gate", "--format", "markdown").stdout
    assert "### Students under desk" in markdown
    assert "<summary>newer: 2 answers differ" in markdown
    assert "| broken | g-00 |" in markdown


def test_the_lock_is_told_but_not_enforced(two, pldgov):
    """To look at another student is how a change begins."""
    repo = two()
    pldgov("lock", "desk", cwd=repo.root)
    text = compare(pldgov, repo).stdout
    assert "recorded (fake, tiny, 2026-11): locked;" in text
    assert "newer (fake, tiny, 2027-01): not locked;" in text


def test_cost_comes_from_prices(governance_repo, endpoint, pldgov):
    """What 1,000 inputs cost, by the tokens that the replies report."""
    repo = governance_repo(recorded=False)
    endpoint.script = lambda request: endpoint.chat("fraud", usage=(100, 10))
    table = f'kind = "openai"\nmodel = "m"\nbase_url = "{endpoint.url}"\nstructured = "none"\n'
    repo.write(
        "pyproject.toml",
        f"[tool.pldgov.students.a]\n{table}price_input = 2.0\nprice_output = 10.0\n"
        f"[tool.pldgov.students.b]\n{table}seed = 1\n",
    )
    result = pldgov(
        "compare", "desk", "--student", "a", "--student", "b", "--format", "json", cwd=repo.root
    )
    assert result.exit_code == 0, result.output
    first, second = json.loads(result.stdout)["students"]
    assert first["cost_per_1000"] == pytest.approx(1000 * (100 * 2 + 10 * 10) / 1e6)
    assert second["cost_per_1000"] is None


@pytest.mark.parametrize("students", [(), ("recorded",), ("recorded", "recorded")])
def test_one_student_is_no_comparison(two, pldgov, students):
    """Two different ones must be named."""
    options = [part for name in students for part in ("--student", name)]
    result = pldgov("compare", "desk", *options, cwd=two().root)
    assert result.exit_code == 2
    assert "name at least two students" in result.stderr


def test_an_upgrade_that_changes_nothing_passes(two, pldgov):
    """Exit code 0; the verdict's notes name every changed part of the student."""
    result = gate(pldgov, two())
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("PASS  desk\n")
    assert "base     student recorded (fake, tiny, 2026-11), prompt" in result.stdout
    assert "note: student: snapshot: 2026-11 -> 2027-01" in result.stdout


def test_a_worse_student_is_regressed(two, pldgov):
    """The margins are those of any other change."""
    result = gate(pldgov, two(wrong(12)))
    assert result.exit_code == 1
    assert result.stdout.startswith("REGRESSED  desk\n")
    assert "12 broken, 0 fixed" in result.stdout


def test_the_gate_of_an_upgrade_wants_no_lock_of_the_new_one(two, pldgov):
    """It is the way to a lock; the old one has to be who was locked."""
    repo = two()
    assert pldgov("lock", "desk", cwd=repo.root).exit_code == 0
    assert gate(pldgov, repo).exit_code == 0
    settings = (repo.root / "pyproject.toml").read_text("utf-8")
    repo.write(
        "pyproject.toml",
        settings.replace('kind = "replay"\n', 'kind = "replay"\nabstain_below = 0.1\n', 1),
    )
    result = gate(pldgov, repo)
    assert result.exit_code == 2
    assert "student 'recorded' is not the one that is locked" in result.stderr


def test_an_old_student_that_is_gone_is_judged_by_its_evidence(two, pldgov):
    """The committed decisions of the old student do without its server."""
    repo = two(wrong(12))
    assert pldgov("bless", "--reason", "first", cwd=repo.root).exit_code == 0
    (repo.root / "recordings/desk.jsonl").unlink()
    result = pldgov("gate", "--student", "newer", "--against", EVIDENCE, cwd=repo.root)
    assert result.exit_code == 1, result.output
    assert "base     evidence of desk (recorded), prompt" in result.stdout
    assert "note: student: snapshot: 2026-11 -> 2027-01" in result.stdout


def test_evidence_without_the_whole_student_still_says_what_differs(two, pldgov):
    """Files written before evidence held the decision policy."""
    repo = two()
    pldgov("bless", "--reason", "first", cwd=repo.root)
    data = json.loads((repo.root / EVIDENCE).read_text("utf-8"))
    del data["student"]["decision"]
    repo.write(EVIDENCE, json.dumps(data))
    result = pldgov("gate", "--student", "newer", "--against", EVIDENCE, cwd=repo.root)
    assert result.exit_code == 0, result.output
    assert "note: student: fake tiny 2026-11 -> fake tiny 2027-01\n" in result.stdout


def test_evidence_of_another_prompt_is_not_comparable(two, pldgov):
    """Then not the student alone has changed."""
    repo = two()
    pldgov("bless", "--reason", "first", cwd=repo.root)
    repo.write_rulebook(rule="Another wording.")
    result = pldgov("gate", "--student", "newer", "--against", EVIDENCE, cwd=repo.root)
    assert result.exit_code == 3, result.output
    assert result.stdout.startswith("NOT_COMPARABLE  desk\n")
    assert "an upgrade is judged under an unchanged rulebook" in result.stdout


def test_the_same_student_is_nothing_to_judge(two, pldgov):
    """By table or by evidence."""
    repo = two()
    pldgov("bless", "--reason", "first", cwd=repo.root)
    for against in ("recorded", EVIDENCE):
        result = pldgov("gate", "--student", "recorded", "--against", against, cwd=repo.root)
        assert result.exit_code == 2
        assert "--against" in result.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--base", "main"), "say which side is the base"),
        (("--against", "nobody"), "there is no student 'nobody'"),
        (("--against", "no.json"), "there is no such evidence file"),
    ],
)
def test_wrong_uses_are_told(two, pldgov, more, said):
    """Exit code 2."""
    result = gate(pldgov, two(), *more)
    assert result.exit_code == 2
    assert said in result.stderr


def lock(**students):
    return StudentLock("p", {name: LockedStudent(card) for name, card in students.items()})


def test_a_change_of_lock_is_a_section_of_a_review():
    """Part by part, with the verdict where there is one, else the word that there is none."""
    old = StudentCard("desk", "openai", "m", "m-1")
    new = StudentCard("desk", "openai", "m", "m-2 | <b>")
    changes = lock_changes(lock(desk=old), lock(desk=new, more=old))
    text = render_student_changes(changes)
    assert text.startswith("### Another student answers\n")
    assert "**desk** (changed)" in text
    assert "**more** (new)" in text
    assert "| snapshot | m-1 | m-2 &#124; &lt;b&gt; |" in text
    assert "**Not judged.**" in text
    assert render_student_changes(()) == ""


def test_a_judged_change_shows_the_verdict(two):
    """The section holds the gate's own Markdown."""
    from pldgov.config import load_config
    from pldgov.workflows.upgrading import gate_students
    from pldgov.workspace import Workspace

    repo = two(wrong(12))
    workspace = Workspace(load_config(repo.root, environment={}))
    with (
        workspace.answering((repo.path,), student="newer") as new,
        workspace.answering((repo.path,), student="recorded") as old,
    ):
        report = gate_students(workspace.load(repo.path), new=new, old=old)
        changes = lock_changes(lock(desk=old.card), lock(desk=new.card))
    text = render_student_changes(changes, reports=(report,))
    assert "### REGRESSED: desk" in text
    assert "Not judged" not in text
