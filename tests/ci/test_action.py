"""The GitHub action: its own steps and scripts, run in real repositories with a base and a head."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

STEPS_OF_A_VERDICT = ["Report", "artifact", "comment", "Verdict"]


def files_of(run):
    """Return what the run left in its folder, as relative paths."""
    folder = Path(run.outputs["report-path"])
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def clone_of(repo, tmp_path, *options):
    """Clone as CI does; what the student answers is not in git, so it comes beside."""
    clone = tmp_path / "clone"
    repo.git("clone", "-q", *options, f"file://{repo.root}", str(clone))
    shutil.copytree(repo.root / "recordings", clone / "recordings")
    return clone


class TestVerdicts:
    """Each verdict ends in its status, and reviewers are told before."""

    def test_a_regression_fails_the_job_after_everybody_was_told(
        self, changed, action_run, check_sarif, check_junit
    ):
        """Report, artifact, summary, SARIF and JUnit are there, then the job fails with 1."""
        repo = changed(12)
        run = action_run(repo.root).run(sarif="true", report="true")
        assert run.status == 1
        assert run.outputs["verdict"] == "REGRESSED"
        assert run.outputs["exit-code"] == "1"
        assert run.outputs["lint-exit-code"] == "0"
        assert [name for name in run.ran if name in STEPS_OF_A_VERDICT] == STEPS_OF_A_VERDICT
        assert run.ran[-1] == "Verdict"
        assert files_of(run) == {
            "gate.json", "gate.md", "lint.json", "junit/gate.xml", "junit/lint.xml",
            "sarif/gate.sarif", "sarif/lint.sarif", "report/rulebooks/desk/index.html",
        }  # fmt: skip
        folder = Path(run.outputs["report-path"])
        assert run.used["actions/upload-artifact"]["path"] == str(folder)
        assert run.used["github/codeql-action/upload-sarif"]["sarif_file"] == f"{folder}/sarif"
        for name in ("lint", "gate"):
            check_sarif((folder / f"sarif/{name}.sarif").read_text("utf-8"))
            check_junit((folder / f"junit/{name}.xml").read_text("utf-8"))
        assert "REGRESSED" in run.summary
        assert "r-01" in run.summary

    def test_the_outputs_are_the_gates_own_figures(self, changed, action_run):
        """Fractions, unrounded, of the rulebook that decided, and all of them as JSON."""
        run = action_run(changed(12).root).run()
        report = json.loads((Path(run.outputs["report-path"]) / "gate.json").read_text("utf-8"))
        (one,) = report["rulebooks"]
        figures = one["verdict"]["macro_f1"]
        assert float(run.outputs["base-macro-f1"]) == figures["base"]
        assert float(run.outputs["macro-f1"]) == figures["head"]
        assert float(run.outputs["difference"]) == figures["head"] - figures["base"]
        assert float(run.outputs["lower"]) == figures["interval"]["low"]
        assert float(run.outputs["upper"]) == figures["interval"]["high"]
        assert run.outputs["reason"] == one["verdict"]["reason"]
        assert [row["verdict"] for row in json.loads(run.outputs["verdicts"])] == ["REGRESSED"]

    def test_the_annotation_stands_at_the_rule(self, changed, action_run):
        """What reviewers see beside the changed line comes through the log."""
        repo = changed(12)
        run = action_run(repo.root).run()
        lines = repo.rulebook.read_text("utf-8").splitlines()
        placed = [one for one in run.commands if "line" in one.properties]
        assert placed
        assert all("id: r-01" in lines[int(one.properties["line"]) - 1] for one in placed)

    def test_a_pass(self, changed, action_run):
        """Nothing is an error, and the job is green."""
        run = action_run(changed(0).root).run()
        assert run.status == 0
        assert run.outputs["verdict"] == "PASS"
        assert run.told("error") == []

    @pytest.mark.parametrize(
        ("fail_on", "status", "level"),
        [("undecided", 3, "error"), ("regressed", 0, "warning"), ("never", 0, "warning")],
    )
    def test_no_verdict_is_never_green_unless_the_workflow_says_so(
        self, changed, action_run, fail_on, status, level
    ):
        """INCONCLUSIVE fails by default; let through, it is still said aloud."""
        run = action_run(changed(2).root).run(fail_on=fail_on)
        assert run.status == status
        assert run.outputs["verdict"] == "INCONCLUSIVE"
        assert run.outputs["exit-code"] == "3"
        assert any(text.startswith("INCONCLUSIVE") for text in run.told(level))

    @pytest.mark.parametrize(("fail_on", "status"), [("regressed", 1), ("never", 0)])
    def test_a_regression_under_each_policy(self, changed, action_run, fail_on, status):
        """Only "never" lets a regression through, and says so."""
        run = action_run(changed(12).root).run(fail_on=fail_on)
        assert run.status == status
        assert run.outputs["verdict"] == "REGRESSED"
        if status == 0:
            assert any("lets through" in text for text in run.told("warning"))

    def test_of_several_rulebooks_the_worst_decides(self, changed, action_run):
        """A pass beside a regression is a regression."""
        repo = changed(12)
        repo.git("switch", "-q", "main")
        second = repo.another("aside")
        second.write_examples()
        second.write_rulebook()
        second.record()
        repo.commit("A second rulebook")
        repo.git("switch", "-q", "edit")
        repo.git("merge", "-q", "--no-edit", "main")
        run = action_run(repo.root).run(report="true")
        assert run.outputs["rulebook"] == repo.path
        rows = json.loads(run.outputs["verdicts"])
        assert [row["verdict"] for row in rows] == ["PASS", "REGRESSED"]
        assert run.status == 1
        assert "report/rulebooks/aside/index.html" in files_of(run)


class TestNoVerdict:
    """What keeps the gate from judging is said in words, and is not green."""

    def test_a_broken_rulebook(self, governance_repo, action_run, check_sarif):
        """Lint names the line; the gate is an error; SARIF and summary are there all the same."""
        repo = governance_repo()
        repo.branch("edit")
        repo.write(
            repo.path, repo.rulebook.read_text("utf-8").replace("owner: ops", "ownr: ops", 1)
        )
        repo.commit("Break")
        run = action_run(repo.root).run(sarif="true")
        assert run.status == 2
        assert (run.outputs["verdict"], run.outputs["lint-exit-code"]) == ("ERROR", "1")
        sarif = Path(run.outputs["sarif-path"]) / "lint.sarif"
        assert check_sarif(sarif.read_text("utf-8"))["results"]
        assert "ownr" in run.summary
        assert "github/codeql-action/upload-sarif" in run.used

    @pytest.mark.parametrize("blessed", [False, True])
    def test_a_shallow_clone_is_one_clear_sentence(
        self, changed, action_run, pldgov, tmp_path, blessed
    ):
        """It says what to set, once; evidence of the change itself does not stand in for a base."""
        repo = changed(12)
        if blessed:
            assert pldgov("bless", "--reason", "x", cwd=repo.root).exit_code == 0
            repo.commit("Bless")
        clone = clone_of(repo, tmp_path, "--depth", "1", "--branch", "edit")
        run = action_run(clone).run()
        assert run.status == 3
        assert run.outputs["verdict"] == "NO_BASELINE"
        assert "fetch-depth: 0" in run.outputs["reason"]
        assert "\n" not in run.outputs["reason"]
        assert "lint" in run.ran
        assert run.outputs["lint-exit-code"] == "0"
        assert "fetch-depth: 0" in run.summary
        assert len([text for text in run.told("error") if text == run.outputs["reason"]]) == 1

    def test_a_shallow_clone_that_holds_the_base_is_judged(self, changed, action_run, tmp_path):
        """Depth alone is no fault: what counts is whether the base is there."""
        repo = changed(12)
        for number in range(3):
            repo.git("switch", "-q", "main")
            repo.commit(f"Beside {number}")
        repo.git("switch", "-q", "edit")
        repo.git("rebase", "-q", "main")
        clone = clone_of(repo, tmp_path, "--depth", "2", "--no-single-branch", "--branch", "edit")
        assert repo.git("-C", str(clone), "rev-parse", "--is-shallow-repository") == "true"
        run = action_run(clone).run()
        assert (run.outputs["verdict"], run.status) == ("REGRESSED", 1)

    def test_a_target_that_was_not_fetched(self, changed, action_run, tmp_path):
        """A pull request is compared with its own target or not at all, never with itself."""
        repo = changed(12)
        clone = clone_of(repo, tmp_path, "--single-branch", "--branch", "edit")
        run = action_run(clone).run()
        assert (run.outputs["verdict"], run.status) == ("NO_BASELINE", 3)
        assert "target branch main is not here" in run.outputs["reason"]

    def test_no_key_is_undecided_and_red(self, changed, action_run):
        """As in a pull request from a fork: the sentence names the variable, and nobody waits."""
        repo = changed(12, committed=False)
        settings = repo.root / "pyproject.toml"
        settings.write_text(
            settings.read_text("utf-8").replace('student = "recorded"', 'student = "remote"', 1)
            + '\n[tool.pldgov.students.remote]\nkind = "openai"\nmodel = "m"\n'
            'api_key_env = "POLICY_KEY"\n'
        )
        repo.commit("Another student")
        run = action_run(repo.root).run()
        assert run.outputs["verdict"] == "UNDECIDED"
        assert run.outputs["exit-code"] == "4"
        assert run.status == 4
        assert "POLICY_KEY" in run.outputs["reason"]
        assert not run.outputs["reason"].startswith("error:")
        assert run.summary
        passed = action_run(repo.root).run(fail_on="regressed")
        assert passed.status == 0
        assert any(text.startswith("UNDECIDED") for text in passed.told("warning"))

    def test_answers_that_nobody_may_ask_for(self, governance_repo, action_run):
        """Offline without recorded answers: exit code 3, said in the outputs."""
        repo = governance_repo()
        repo.branch("edit")
        repo.write_rulebook(rule="Another wording.")
        repo.commit("Reword")
        run = action_run(repo.root, PLDGOV_OFFLINE="1").run()
        assert (run.outputs["verdict"], run.status) == ("UNDECIDED", 3)
        assert "are not recorded" in run.outputs["reason"]

    def test_a_new_rulebook(self, governance_repo, action_run):
        """NO_BASELINE has no difference, and its macro-F1 is told."""
        repo = governance_repo()
        repo.branch("edit")
        new = repo.another("new")
        new.write_examples()
        new.write_rulebook()
        new.record()
        repo.commit("New")
        run = action_run(repo.root).run(rulebooks="new")
        assert (run.outputs["verdict"], run.status) == ("NO_BASELINE", 3)
        assert float(run.outputs["macro-f1"]) == 1
        assert run.outputs["difference"] == run.outputs["lower"] == ""

    def test_outside_of_git(self, changed, action_run):
        """No repository is no verdict, and no crash of a script."""
        repo = changed(12)
        subprocess.run(["rm", "-rf", str(repo.root / ".git")], check=True)
        run = action_run(repo.root).run()
        assert run.outputs["exit-code"] == "3"
        assert run.status == 3


class TestComment:
    """The comment on the pull request, on a fake of GitHub's API, with the job's own token."""

    @pytest.fixture
    def in_pull_request(self, action_run, github, fake_github_module):
        """Make a run whose token may write on octo/rules#5; ``may`` False: as from a fork."""

        def make(root, *, may=True):
            event = root.parent / "event.json"
            pull = {"number": 5, "head": {"sha": "a" * 40}}
            event.write_text(json.dumps({"number": 5, "pull_request": pull}))
            one = action_run(
                root,
                GITHUB_API_URL=github.url,
                GITHUB_REPOSITORY="octo/rules",
                GITHUB_EVENT_PATH=str(event),
            )
            one.environment["_github.token"] = fake_github_module.TOKEN
            if not may:
                github.script.extend(github.refuses(on="POST") for _ in range(3))
            return one

        return make

    def test_a_failed_gate_is_commented_once_and_then_edited(
        self, changed, in_pull_request, github
    ):
        """The comment is there although the job fails; the next push edits it; its URL is told."""
        repo = changed(12)
        first = in_pull_request(repo.root).run(volume="1000")
        assert first.status == 1
        (comment,) = github.comments
        assert "r-01" in comment["body"]
        assert first.outputs["comment-url"] == comment["html_url"]
        repo.git("switch", "-q", "-C", "edit", "main")
        repo.commit("Take it back")
        second = in_pull_request(repo.root).run()
        assert second.status == 0
        assert len(github.comments) == 1
        assert second.outputs["comment-url"] == first.outputs["comment-url"]

    def test_a_fork_gets_the_summary_instead(self, changed, in_pull_request, github):
        """A token that may not write is no failure of the check; the verdict alone decides."""
        repo = changed(0)
        run = in_pull_request(repo.root, may=False).run()
        assert run.status == 0
        assert github.comments == []
        assert run.outputs["comment-url"] == ""
        assert "r-01" in run.summary

    def test_a_host_that_fails_for_good_leaves_the_verdict(self, changed, action_run):
        """No comment is a warning with its reason; the summary is there, and the gate's status."""
        repo = changed(12)
        one = action_run(repo.root, GITHUB_API_URL="no address")
        one.environment["_github.token"] = "t" * 40
        run = one.run()
        assert run.status == 1
        assert any("no comment was written (exit code 2)" in text for text in run.told("warning"))
        assert "REGRESSED" in run.summary

    def test_the_token_stands_nowhere(self, changed, in_pull_request, fake_github_module):
        """Neither log, nor summary, nor any file that is uploaded holds it."""
        run = in_pull_request(changed(12).root).run(report="true")
        files = [p for p in Path(run.outputs["report-path"]).rglob("*") if p.is_file()]
        texts = [run.log, run.summary, *(p.read_text("utf-8", "replace") for p in files)]
        assert not [text for text in texts if fake_github_module.TOKEN in text]


class TestInputs:
    """Each input reaches what it is for, and a wrong one is refused before anything is spent."""

    def test_rulebooks_student_base_and_volume(self, changed, action_run):
        """Several lines are several rulebooks; base and student are the gate's own options."""
        repo = changed(12)
        run = action_run(repo.root).run(
            rulebooks="desk\n\n", base="HEAD", student="recorded", volume="1000"
        )
        assert (run.outputs["verdict"], run.status) == ("PASS", 0)

    def test_an_unknown_rulebook(self, changed, action_run):
        """The nearest known name is in the annotation."""
        run = action_run(changed(0).root).run(rulebooks="desk\ndisk")
        assert run.status == 2
        assert run.outputs["verdict"] == "ERROR"
        assert any('did you mean "desk"?' in text for text in run.told("error"))

    def test_evidence_as_base(self, changed, action_run, pldgov):
        """A file is a base, too, for the gate; pages and comment do without."""
        repo = changed(0)
        assert pldgov("bless", "--reason", "x", cwd=repo.root).exit_code == 0
        repo.commit("Bless")
        run = action_run(repo.root).run(
            report="true", base="rulebooks/desk/evidence/recorded.json", rulebooks="desk"
        )
        assert (run.outputs["verdict"], run.status) == ("PASS", 0)
        assert run.told("warning") == []

    def test_a_folder_of_a_larger_repository(self, governance_repo, action_run):
        """Annotations name files from the root of the repository."""
        repo = governance_repo(folder="outer/policies")
        (repo.root / ".git").rename(repo.root.parent / ".git")
        repo.commit("Move into a folder")
        repo.branch("edit")
        repo.write_rulebook(rule="Whatever happens, the label is other.")
        repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"))
        repo.commit("Reword")
        run = action_run(repo.root.parent).run(working_directory="policies")
        assert run.outputs["verdict"] == "REGRESSED"
        places = {one.properties["file"] for one in run.commands if "file" in one.properties}
        assert places == {f"policies/{repo.path}"}

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"fail_on": "regresed"}, '"undecided", "regressed" or "never"'),
            ({"comment": "yes"}, 'input comment is "true" or "false"'),
            ({"report": "True"}, 'input report is "true" or "false"'),
            ({"sarif": "1"}, 'input sarif is "true" or "false"'),
            ({"cache": "on"}, 'input cache is "true" or "false"'),
            ({"extras": "open ai"}, "input extras is a list"),
        ],
    )
    def test_a_wrong_input_is_refused_first(self, changed, action_run, given, said):
        """Nothing is linted, asked or written; the job fails."""
        run = action_run(changed(0).root).run(**given)
        assert run.status == 2
        assert any(said in text for text in run.told("error"))
        assert "gate" not in run.ran

    def test_switches(self, changed, action_run):
        """What is switched off does not run; the summary tells the verdict all the same."""
        run = action_run(changed(0).root).run(comment="false", report="false", cache="false")
        assert run.status == 0
        assert "Report" not in run.ran
        assert run.used == {}
        assert "PASS" in run.summary

    def test_the_answers_are_kept_between_runs(self, changed, action_run):
        """The store lies where the cache looks for it."""
        repo = changed(12)
        run = action_run(repo.root).run()
        saved = run.used["actions/cache/save"]
        assert saved["path"] == run.used["actions/cache/restore"]["path"]
        assert list(repo.root.glob(saved["path"].removeprefix("./")))


class TestUntrusted:
    """Rulebooks, examples and names come from whoever opens the pull request."""

    HOSTILE = '::error::forged\n::stop-commands::x\n##[error]forged $(touch pwned) `touch pwned` "; touch pwned; ${{ github.token }}'

    def test_nothing_of_the_repository_is_imported(self, changed, action_run):
        """Modules at the root that are named like installed ones are not run."""
        repo = changed(0)
        for name in ("pldgov", "yaml", "json", "click", "sitecustomize"):
            repo.write(f"{name}.py", "raise SystemExit('the repository was imported')\n")
        repo.commit("Trap")
        run = action_run(repo.root).run()
        assert (run.outputs["verdict"], run.status) == ("PASS", 0)

    def test_a_rulebook_cannot_speak_to_the_runner(self, governance_repo, action_run):
        """Its text reaches log, outputs and summary as text only."""
        repo = governance_repo()
        repo.branch("edit")
        content = yaml.safe_load(repo.rulebook.read_text("utf-8"))
        content[self.HOSTILE] = self.HOSTILE
        content["task"]["labels"][self.HOSTILE] = self.HOSTILE
        repo.write(repo.path, yaml.safe_dump(content, sort_keys=False))
        repo.commit("Hostile")
        run = action_run(repo.root).run()
        assert run.status == 2
        assert "forged" in run.log
        assert not [one for one in run.commands if one.message == "forged"]
        assert {one.level for one in run.commands} <= {"error", "warning", "notice"}
        assert not list(repo.root.rglob("pwned"))

    def test_a_label_cannot_write_outputs(self, governance_repo, action_run):
        """A reason with line breaks in it stays one output."""
        repo = governance_repo()
        label = "other\nverdict=PASS\nexit-code=0"
        labels = {"fraud": "money somebody took", label: "everything else"}
        rulebook = yaml.safe_load(repo.rulebook.read_text("utf-8"))
        rulebook["task"]["labels"] = labels
        rulebook["rules"][1]["labels"] = [label]
        for rule in rulebook["rules"]:
            for cited in rule["provenance"]["examples"]:
                del cited["sha256"]
        repo.write(repo.path, yaml.safe_dump(rulebook, sort_keys=False))
        for split in ("train", "validation", "gate"):
            file = repo.root / f"rulebooks/desk/examples/{split}.jsonl"
            rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
            for row in rows:
                row["label"] = label if row["label"] == "other" else row["label"]
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        repo.record()
        repo.commit("Labels of two lines")
        repo.branch("edit")
        rulebook["rules"][0]["instruction"] = "Whatever happens, the label is other."
        repo.write(repo.path, yaml.safe_dump(rulebook, sort_keys=False))
        repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], label))
        repo.commit("Reword")
        run = action_run(repo.root).run()
        assert run.outputs["verdict"] == "REGRESSED"
        assert run.outputs["exit-code"] == "1"
        assert run.status == 1
        assert "verdict=PASS" in run.outputs["reason"]

    def test_hostile_inputs_are_only_values(self, changed, action_run):
        """An input never becomes a part of a script."""
        repo = changed(0)
        run = action_run(repo.root).run(rulebooks=self.HOSTILE, base=self.HOSTILE)
        assert run.status == 2
        assert not list(repo.root.parent.rglob("pwned"))
        assert not [one for one in run.commands if one.message == "forged"]


class TestInstalling:
    """What pip is asked for."""

    @pytest.fixture
    def tiny(self, tmp_path):
        """A package of one file, as a wheel: pip needs no index for it."""
        path = tmp_path / "tiny_policy-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("tiny_policy.py", "")
            info = "tiny_policy-1.0.dist-info"
            wheel.writestr(
                f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-policy\nVersion: 1.0\n"
            )
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")
        return path

    @pytest.mark.parametrize("into", ["install", "no_deps"])
    def test_requirements_a_line(self, changed, action_run, tiny, tmp_path, into):
        """Each line is one requirement, blanks in it and around it included."""
        site = tmp_path / "site"
        given = {"install": "none"} | {into: f"\n{tiny}\n\n"}
        run = action_run(changed(0).root, PIP_TARGET=str(site), PIP_NO_INDEX="1").run(**given)
        assert run.status == 0, run.log
        assert (site / "tiny_policy.py").is_file()

    def test_what_cannot_be_installed_fails_and_says_so(self, changed, action_run):
        """The words of pip stand in the log; the last step says that nothing was judged."""
        run = action_run(changed(0).root, PIP_NO_INDEX="1").run(install="no-such-policy-package")
        assert run.status != 0
        assert "No matching distribution found" in run.log
        assert any("lint and gate did not run" in text for text in run.told("error"))
        assert "gate" not in run.ran

    def test_pldgov_that_is_not_there(self, changed, action_run, tmp_path):
        """With "install: none" and no pldgov the sentence says what to do."""
        python = tmp_path / "bin/python"
        python.parent.mkdir()
        base = Path(sys.base_prefix) / "bin/python3"
        python.symlink_to(base if base.exists() else sys._base_executable)
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        one = action_run(changed(0).root, PATH=path, PYTHONNOUSERSITE="1")
        run = one.run()
        assert run.status == 2
        assert any('leave out "install: none"' in text for text in run.told("error"))

    @pytest.mark.slow
    def test_by_default_pldgov_comes_with_the_action(
        self, changed, action_run, tmp_path, package_index
    ):
        """The checkout that holds the action is what pip builds and installs."""
        site = tmp_path / "site"
        one = action_run(changed(0).root, PIP_TARGET=str(site), **package_index)
        run = one.run(install="", extras="parquet")
        assert run.status == 0, run.log
        assert (site / "pldgov/scaffold_shared/.github/actions/pldgov/action.yml").is_file()
        assert (site / "pyarrow").is_dir()
