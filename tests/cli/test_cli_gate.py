"""`pldgov gate`: each verdict, base and exit code, on a real repository."""

from __future__ import annotations

import dataclasses
import json
import shutil
from xml.etree import ElementTree as ET

import pytest

WRONG = "Whatever happens, the label is other."


@pytest.fixture
def changed(governance_repo):
    """A branch that rewords a rule; the new prompt's answers are wrong for some of fraud."""

    def make(wrong, *, rule=WRONG, gate=None):
        repo = governance_repo()
        repo.branch("edit")
        repo.write_rulebook(rule=rule, gate=gate)
        repo.record(dict.fromkeys(repo.gate_ids("fraud")[:wrong], "other"))
        repo.commit("Reword")
        return repo

    return make


def test_a_harmful_edit_is_regressed_with_exit_code_1(changed, pldgov):
    """The verdict comes first, then the drop with its interval and the flipped examples."""
    result = pldgov("gate", cwd=changed(12).root)
    assert result.exit_code == 1
    assert result.stdout.startswith("REGRESSED  desk\n")
    assert "12 broken, 0 fixed" in result.stdout
    assert "gold fraud: fraud -> other" in result.stdout
    assert "student calls: 0" in result.stdout


def test_an_edit_that_flips_nothing_passes(changed, pldgov):
    """Another wording with the same answers is a difference of exactly zero."""
    result = pldgov("gate", cwd=changed(0).root)
    assert result.exit_code == 0
    assert result.stdout.startswith("PASS  desk\n")


@pytest.mark.parametrize(("handling", "code"), [("pass", 0), ("fail", 1), ("undecided", 3)])
def test_too_few_flips_are_inconclusive_and_a_policy_maps_that(changed, pldgov, handling, code):
    """gate.on_inconclusive decides the exit code; the word and what would decide stay."""
    result = pldgov("gate", cwd=changed(2, gate={"on_inconclusive": handling}).root)
    assert result.exit_code == code
    assert result.stdout.startswith("INCONCLUSIVE  desk\n")
    assert "examples" in result.stdout.splitlines()[1]


def test_a_comment_costs_no_answer_at_all(governance_repo, pldgov):
    """An unchanged prompt passes even when no answer is recorded and no student may be asked."""
    repo = governance_repo(recorded=False)
    repo.record(committed=False)  # the student could answer, but may not be asked
    repo.branch("edit")
    text = repo.rulebook.read_text("utf-8")
    repo.write(repo.path, f"# A comment.\n{text.replace('A desk of two', 'A desk')}")
    result = pldgov("gate", "--offline", cwd=repo.root)
    assert result.exit_code == 0, result.output
    assert "the prompt is unchanged" in result.stdout
    assert "student calls: 0" in result.stdout


@pytest.fixture
def second(governance_repo):
    """A branch with a rulebook that main does not have."""

    def make(**gate):
        repo = governance_repo()
        repo.branch("edit")
        other = repo.another("second")
        other.write_examples()
        other.write_rulebook(gate=gate)
        return other

    return make


def test_a_new_rulebook_has_no_baseline(second, pldgov):
    """A rulebook that the base lacks is measured, and reported as NO_BASELINE."""
    repo = second()
    repo.record()
    result = pldgov("gate", cwd=repo.root)
    assert result.exit_code == 3
    expected = "NO_BASELINE  second\n  rulebooks/second/rulebook.yaml is new since main@"
    assert expected in result.stdout
    assert "PASS  desk" in result.stdout


def test_floors_hold_without_a_base(second, pldgov):
    """A new rulebook below its floor fails all the same."""
    repo = second(min=0.9)
    repo.record(dict.fromkeys(repo.gate_ids("fraud"), "other"))
    result = pldgov("gate", "second", cwd=repo.root)
    assert result.exit_code == 1
    assert "0.9" in result.stdout.splitlines()[1]


def test_a_renamed_folder_is_found_by_name_in_the_base(changed, pldgov):
    """A rulebook that moved is compared with itself, not taken for a new one."""
    repo = changed(12)
    repo.git("mv", "rulebooks/desk", "rulebooks/moved")
    repo.commit("Move")
    assert pldgov("gate", cwd=repo.root).stdout.startswith("REGRESSED  desk")


def test_a_deleted_rulebook_is_named(second, pldgov):
    """Nothing gates what is gone: that is said, on stderr."""
    repo = second()
    repo.record()
    repo.commit("Two")
    repo.git("branch", "-f", "main", "HEAD")
    repo.git("rm", "-rq", "rulebooks/second")
    result = pldgov("gate", cwd=repo.root)
    assert result.exit_code == 0
    assert "rulebooks/second/rulebook.yaml is in the base and no longer here" in result.stderr


@pytest.mark.parametrize("what", ["relabel", "remove"])
def test_changed_gate_examples_are_not_comparable(governance_repo, pldgov, what):
    """Whoever bends the gate set gets no verdict, whatever the prompt does."""
    repo = governance_repo()
    repo.branch("edit")
    path = repo.root / "rulebooks/desk/examples/gate.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    lines = lines[1:] if what == "remove" else [lines[0].replace("fraud", "other"), *lines[1:]]
    path.write_text("".join(lines), "utf-8")
    result = pldgov("gate", cwd=repo.root)
    assert result.exit_code == 3
    assert result.stdout.startswith("NOT_COMPARABLE")
    assert "g-00" in result.stdout


def test_added_gate_examples_are_asked_on_both_sides(changed, pldgov):
    """More gate examples make a better gate, but the base must answer them too."""
    repo = changed(12)
    path = repo.root / "rulebooks/desk/examples/gate.jsonl"
    row = {"id": "g-99", "text": "quite another message to the desk", "label": "other"}
    path.write_text(path.read_text("utf-8") + json.dumps(row) + "\n", "utf-8")
    repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"))
    result = pldgov("gate", "--offline", cwd=repo.root)
    assert result.exit_code == 3
    assert "1 of 41 answers" in result.stderr


def test_changed_labels_are_not_comparable(governance_repo, pldgov):
    """Another label set is another task."""
    repo = governance_repo()
    repo.branch("edit")
    labels = {"fraud": "a", "other": "b", "third": "c"}
    repo.write_rulebook(task={"instruction": "Name it.", "inputs": ["text"], "labels": labels})
    result = pldgov("gate", cwd=repo.root)
    assert result.exit_code == 3
    assert "labels: fraud, other, third here, fraud, other there" in result.stdout


def test_another_student_than_the_blessed_one_is_not_comparable(
    governance_repo, governance_repo_module, pldgov
):
    """Evidence of the base that names other weights refuses the comparison."""
    repo = governance_repo()
    assert pldgov("bless", "--reason", "first", cwd=repo.root).exit_code == 0
    repo.commit("Evidence")
    repo.branch("edit")
    settings = repo.root / "pyproject.toml"
    settings.write_text(settings.read_text("utf-8").replace("2026-11", "2026-12"), "utf-8")
    old = governance_repo_module.STUDENT
    new = dataclasses.replace(old, snapshot="2026-12")
    answers = repo.root / "recordings/desk.jsonl"
    answers.write_text(answers.read_text("utf-8").replace(old.fingerprint, new.fingerprint))
    assert pldgov("gate", cwd=repo.root).exit_code == 2  # not the locked student
    assert pldgov("lock", cwd=repo.root).exit_code == 0
    result = pldgov("gate", cwd=repo.root)
    assert result.exit_code == 3, result.output
    assert "2026-12" in result.stdout
    assert "in the blessed evidence" in result.stdout


class TestBase:
    """Where the base comes from, and what is said when it cannot be had."""

    def test_a_revision_by_name(self, changed, pldgov):
        """--base takes any git revision."""
        repo = changed(12)
        assert pldgov("gate", "--base", "HEAD", cwd=repo.root).exit_code == 0
        assert pldgov("gate", "--base", "main", cwd=repo.root).exit_code == 1

    def test_a_missing_revision(self, governance_repo, pldgov):
        """A base that git does not know is no verdict, with a hint."""
        result = pldgov("gate", "--base", "nowhere", cwd=governance_repo().root)
        assert result.exit_code == 3
        assert "git knows no revision 'nowhere'" in result.stderr

    def test_an_evidence_file(self, changed, pldgov):
        """Blessed evidence serves as base, wherever it lies."""
        repo = changed(0)
        assert pldgov("bless", "--reason", "first", cwd=repo.root).exit_code == 0
        repo.commit("Evidence")
        repo.write_rulebook(rule="Another wording still.")
        repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"))
        evidence = "rulebooks/desk/evidence/recorded.json"
        result = pldgov("gate", "--base", evidence, cwd=repo.root)
        assert result.exit_code == 1, result.output
        assert "evidence of desk (recorded)" in result.stdout

    def test_a_missing_evidence_file(self, governance_repo, pldgov):
        """A path that is no file is a usage error, not a missing revision."""
        result = pldgov("gate", "--base", "no/such.json", cwd=governance_repo().root)
        assert result.exit_code == 2
        assert "no such evidence file" in result.stderr

    def test_a_file_that_is_no_evidence(self, governance_repo, pldgov):
        """Anything else is named as what it is not."""
        repo = governance_repo()
        repo.write("some.json", "{}")
        result = pldgov("gate", "--base", "some.json", cwd=repo.root)
        assert result.exit_code == 2
        assert "not an evidence file" in result.stderr

    def test_stale_evidence_is_refused(self, governance_repo, pldgov):
        """Evidence on another gate set is an error, never a warning."""
        repo = governance_repo()
        pldgov("bless", "--reason", "first", cwd=repo.root)
        path = repo.root / "rulebooks/desk/examples/gate.jsonl"
        lines = path.read_text("utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[:-2]), "utf-8")
        evidence = "rulebooks/desk/evidence/recorded.json"
        result = pldgov("gate", "--base", evidence, cwd=repo.root)
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT_COMPARABLE")
        assert "gate set" in result.stdout

    def test_no_repository(self, governance_repo, pldgov):
        """Without git there is no baseline, unless evidence was blessed."""
        repo = governance_repo()
        assert pldgov("bless", "--reason", "first", cwd=repo.root).exit_code == 0
        shutil.rmtree(repo.root / ".git")
        with_evidence = pldgov("gate", cwd=repo.root)
        (repo.root / "rulebooks/desk/evidence/recorded.json").unlink()
        without = pldgov("gate", cwd=repo.root)
        assert with_evidence.exit_code == 0, with_evidence.output
        assert "evidence of desk" in with_evidence.stdout
        assert without.exit_code == 3
        assert "NO_BASELINE" in without.stdout
        assert "not a git repository" in without.stdout

    def test_no_commit_yet(self, governance_repo, pldgov):
        """A repository without a commit has no base either."""
        repo = governance_repo()
        repo.git("update-ref", "-d", "HEAD")
        result = pldgov("gate", cwd=repo.root)
        assert result.exit_code == 3
        assert "no commit yet" in result.stdout

    def test_a_detached_head(self, changed, pldgov):
        """CI checks out commits, not branches: the merge base is the same."""
        repo = changed(12)
        repo.git("checkout", "-q", "--detach")
        assert pldgov("gate", cwd=repo.root).exit_code == 1

    def test_a_shallow_clone(self, changed, pldgov, tmp_path):
        """A cut-off history is named as the reason, with what to set."""
        repo = changed(12)
        clone = tmp_path / "clone"
        source = f"file://{repo.root}"
        repo.git("clone", "-q", "--depth", "1", "--branch", "edit", source, str(clone))
        result = pldgov("gate", "--base", "main", cwd=clone)
        assert result.exit_code == 3
        assert "fetch-depth: 0" in result.output

    def test_a_pull_request_names_its_target(self, changed, pldgov, monkeypatch):
        """In CI the base is where HEAD left the target branch, not main."""
        repo = changed(12)
        repo.git("branch", "release", "HEAD")
        monkeypatch.setenv("GITHUB_BASE_REF", "release")
        result = pldgov("gate", cwd=repo.root)
        assert result.exit_code == 0
        assert "release@" in result.stdout

    @pytest.mark.parametrize("branch", ["release", "main"])
    def test_a_target_that_is_not_here_is_never_replaced(
        self, changed, pldgov, monkeypatch, tmp_path, branch
    ):
        """In what CI checked out, no other branch and no evidence stands in for the target."""
        repo = changed(12)
        assert pldgov("bless", "--reason", "first", cwd=repo.root).exit_code == 0
        repo.commit("Evidence")
        clone = tmp_path / "clone"
        repo.git("clone", "-q", "--single-branch", "--branch", "edit", str(repo.root), str(clone))
        shutil.copytree(repo.root / "recordings", clone / "recordings")
        monkeypatch.setenv("GITHUB_BASE_REF", branch)
        monkeypatch.setenv("GITHUB_WORKSPACE", str(clone))
        result = pldgov("gate", cwd=clone)
        assert result.exit_code == 3
        assert f"the target branch '{branch}' is not here" in result.stderr
        assert "fetch-depth: 0" in result.stderr
        monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))  # a scratch repository of the run
        assert pldgov("gate", cwd=clone).exit_code == 0


class TestFormats:
    """The same verdict for every reader."""

    def test_json(self, changed, pldgov):
        """Every figure is there, unrounded, with texts of the flipped examples."""
        data = json.loads(pldgov("gate", "--format", "json", cwd=changed(12).root).stdout)
        (rulebook,) = data["rulebooks"]
        assert rulebook["verdict"]["outcome"] == "REGRESSED"
        assert rulebook["verdict"]["macro_f1"]["head"] < rulebook["verdict"]["macro_f1"]["base"]
        assert {flip["kind"] for flip in rulebook["verdict"]["flips"]} == {"broken"}
        assert all(flip["text"] for flip in rulebook["verdict"]["flips"])

    def test_junit(self, changed, pldgov):
        """A regression counts as a failure, with its reason in the message."""
        root = ET.fromstring(pldgov("gate", "--format", "junit", cwd=changed(12).root).stdout)
        (suite,) = root
        assert int(suite.get("failures")) >= 1
        macro = next(case for case in suite if case.get("name") == "macro_f1")
        assert "macro-F1 fell" in macro.find("failure").get("message")
        figures = {p.get("name"): float(p.get("value")) for p in macro.find("properties")}
        assert figures["head"] - figures["base"] == pytest.approx(figures["delta"])

    def test_junit_undecided_is_skipped_not_green(self, changed, pldgov):
        """No verdict is a skip with a reason, never a silent pass."""
        root = ET.fromstring(pldgov("gate", "--format", "junit", cwd=changed(2).root).stdout)
        assert root[0].get("failures") == "0"
        assert "INCONCLUSIVE" in root[0][0].find("skipped").get("message")

    def test_github(self, changed, pldgov):
        """An annotation on the rulebook's file."""
        text = pldgov("gate", "--format", "github", cwd=changed(12).root).stdout
        assert text.startswith("::error file=rulebooks/desk/rulebook.yaml,title=REGRESSED desk::")

    def test_markdown_escapes_what_people_wrote(self, governance_repo, pldgov):
        """A message with Markdown and HTML in it cannot change the report."""
        repo = governance_repo()
        path = repo.root / "rulebooks/desk/examples/gate.jsonl"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for row in rows[:30:2]:
            row["text"] += " </details><script>alert(1)</script> | [x](http://e) @team"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        repo.record()
        repo.commit("Nasty")
        repo.branch("edit")
        repo.write_rulebook(rule=WRONG)
        repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"))
        text = pldgov("gate", "--format", "markdown", cwd=repo.root).stdout
        assert text.startswith("### REGRESSED: desk")
        assert "<script" not in text
        assert text.count("</details>") == 1
        assert "](http" not in text
        assert "@team" not in text


def test_a_broken_rulebook_is_exit_code_2_with_every_problem(governance_repo, pldgov):
    """All problems with line and column, none of them a traceback."""
    repo = governance_repo()
    text = repo.rulebook.read_text("utf-8")
    repo.write(repo.path, text.replace("title:", "titel:", 1).replace("owner:", "owners:", 1))
    result = pldgov("gate", cwd=repo.root)
    assert result.exit_code == 2
    assert "titel" in result.stderr
    assert "owners" in result.stderr
    assert "rulebooks/desk/rulebook.yaml:" in result.stderr


def test_offline_without_answers_is_no_verdict(governance_repo, pldgov):
    """A missing answer is exit code 3 and says how many are missing."""
    repo = governance_repo()
    repo.branch("edit")
    repo.write_rulebook(rule=WRONG)
    result = pldgov("gate", "--offline", cwd=repo.root)
    assert result.exit_code == 3
    assert "40 of 40 answers of student 'recorded' are not recorded" in result.stderr


def test_a_rule_that_cites_a_gate_example_is_not_judged(governance_repo, pldgov):
    """Leakage makes every figure worthless: exit code 2 with the place, from gate and bless."""
    repo = governance_repo()
    repo.branch("edit")
    text = repo.rulebook.read_text("utf-8")
    repo.write(repo.path, text.replace("id: t-00", "id: g-00", 1))
    repo.record()
    repo.commit("Leak")
    gate = pldgov("gate", cwd=repo.root)
    bless = pldgov("bless", "--reason", "x", cwd=repo.root)
    assert (gate.exit_code, bless.exit_code) == (2, 2)
    assert "g-00" in gate.stderr
    assert "[leakage]" in gate.stderr
    assert "[leakage]" in bless.stderr
