"""SARIF, JUnit and annotations of lint and gate, held to what their readers publish."""

from __future__ import annotations

import json

import pytest
import yaml

from pldgov.problems import Problem
from pldgov.report.github import annotation
from pldgov.report.lint_junit import render_lint_junit
from pldgov.report.lint_sarif import render_lint_sarif

HARMFUL = "Whatever happens, the label is other."
HOSTILE = 'a, b: c=d %25 100 %\r\n::error::x\n"<&>" \x00\x1b[0m \ud800 ]](http://e) ✓'


def uri_of(result):
    return result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def line_of(result):
    return result["locations"][0]["physicalLocation"]["region"]["startLine"]


class TestLint:
    """What lint says of a rulebook with problems."""

    @pytest.fixture
    def broken(self, governance_repo):
        """A rulebook that misses a key, names an unknown one and cites nobody."""
        repo = governance_repo()
        text = repo.rulebook.read_text("utf-8")
        repo.write(repo.path, text.replace("owner: ops", "ownr: ops", 1).replace("t-00", "t-99"))
        return repo

    def test_sarif_keeps_to_the_schema_and_gives_lines(self, broken, pldgov, check_sarif):
        """Each result has its rule, level and the very line of the problem."""
        result = pldgov("lint", "--format", "sarif", cwd=broken.root)
        assert result.exit_code == 1
        run = check_sarif(result.stdout)
        found = {one["ruleId"]: one for one in run["results"]}
        lines = broken.rulebook.read_text("utf-8").splitlines()
        assert lines[line_of(found["unknown-key"]) - 1].startswith("ownr:")
        assert found["unknown-key"]["level"] == "error"
        rules = run["tool"]["driver"]["rules"]
        assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])

    def test_sarif_without_problems(self, governance_repo, pldgov, check_sarif):
        """A clean run has results, none: a service then closes what it knew."""
        result = pldgov("lint", "--format", "sarif", cwd=governance_repo().root)
        assert result.exit_code == 0
        assert check_sarif(result.stdout)["results"] == []

    def test_junit_keeps_to_the_schema(self, broken, pldgov, check_junit):
        """A failed case for each error, with its line."""
        suites = list(check_junit(pldgov("lint", "--format", "junit", cwd=broken.root).stdout))
        assert sum(suite.failures for suite in suites) >= 2

    def test_annotations_are_read_as_they_were_meant(self, broken, pldgov, annotations):
        """File and line of each problem come out of GitHub's own way of reading."""
        said = annotations(pldgov("lint", "--format", "github", cwd=broken.root).stdout)
        one = next(a for a in said if "unknown-key" in a.properties["title"])
        assert one.level == "error"
        assert one.properties["file"] == broken.path
        assert one.properties["title"] == "pldgov lint: unknown-key"

    def test_hostile_text_breaks_no_format(self, check_sarif, check_junit):
        """Control characters, XML, links and lone surrogates in a message stay a message."""
        text = HOSTILE.replace("\ud800", "")
        problem = Problem("rulebooks/a b,c/rulebook.yaml", 3, 5, "unknown-key", text)
        run = check_sarif(render_lint_sarif([problem], paths=[problem.path], descriptions={}))
        (result,) = run["results"]
        assert "](" not in result["message"]["text"]
        assert uri_of(result) == "rulebooks/a%20b%2Cc/rulebook.yaml"
        problem = Problem(problem.path, 3, 5, "unknown-key", HOSTILE)
        (suite,) = check_junit(render_lint_junit([problem], paths=[problem.path]))
        (case,) = suite
        assert "::error::x" in case.result[0].message


class TestGate:
    """What the gate says of a change, where reviewers look."""

    def test_sarif_stands_at_the_rule_that_changed(self, changed, pldgov, check_sarif):
        """The result's line is the changed rule's, and it names the answers that broke."""
        repo = changed(12)
        result = pldgov("gate", "--format", "sarif", cwd=repo.root)
        assert result.exit_code == 1
        run = check_sarif(result.stdout)
        (one,) = run["results"]
        assert (one["ruleId"], one["level"]) == ("gate-regressed", "error")
        assert uri_of(one) == repo.path
        line = repo.rulebook.read_text("utf-8").splitlines()[line_of(one) - 1]
        assert line.lstrip("- ").startswith("id: r-01")
        assert (
            "rule r-01: reworded; 12 answers that broke concern it most" in one["message"]["text"]
        )
        assert run["automationDetails"]["id"] == "pldgov-gate/"

    def test_sarif_of_a_pass_has_no_result(self, changed, pldgov, check_sarif):
        """Nothing is wrong with a change that passes."""
        result = pldgov("gate", "--format", "sarif", cwd=changed(0).root)
        assert result.exit_code == 0
        run = check_sarif(result.stdout)
        assert run["results"] == []
        assert run["tool"]["driver"]["rules"] == []

    def test_no_verdict_is_a_warning_never_nothing(self, changed, pldgov, check_sarif, annotations):
        """INCONCLUSIVE is told in SARIF and in annotations, at the rule that changed."""
        repo = changed(2)
        run = check_sarif(pldgov("gate", "--format", "sarif", cwd=repo.root).stdout)
        assert {one["level"] for one in run["results"]} == {"warning"}
        assert run["results"][0]["ruleId"] == "gate-inconclusive"
        said = annotations(pldgov("gate", "--format", "github", cwd=repo.root).stdout)
        assert {one.level for one in said} == {"warning"}
        assert said[-1].properties["line"] == str(line_of(run["results"][0]))

    def test_a_new_rulebook_without_a_base(self, governance_repo, pldgov, check_sarif):
        """NO_BASELINE stands on the first line: no rule is to blame."""
        repo = governance_repo()
        new = repo.another("new")
        new.write_examples()
        new.write_rulebook()
        new.record()
        run = check_sarif(pldgov("gate", "new", "--format", "sarif", cwd=repo.root).stdout)
        (one,) = run["results"]
        assert (one["ruleId"], line_of(one)) == ("gate-no-baseline", 1)

    def test_a_change_of_template_blames_no_rule(self, governance_repo, pldgov, check_sarif):
        """The result falls back to the rulebook."""
        repo = governance_repo()
        repo.branch("edit")
        template = repo.root / "templates/plain.j2"
        template.write_text("Always say other.\n" + template.read_text("utf-8"))
        repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"))
        run = check_sarif(pldgov("gate", "--format", "sarif", cwd=repo.root).stdout)
        assert [line_of(one) for one in run["results"]] == [1]

    def test_of_two_changed_rules_the_one_that_broke_more_comes_first(
        self, governance_repo, pldgov, check_sarif
    ):
        """A rule that was removed is marked too, where the rules begin."""
        repo = governance_repo()
        repo.branch("edit")
        content = yaml.safe_load(repo.rulebook.read_text("utf-8"))
        content["rules"][0]["instruction"] = "Nobody ever takes any money."
        del content["rules"][1]
        repo.write_rulebook(text=yaml.safe_dump(content, sort_keys=False))
        repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"))
        run = check_sarif(pldgov("gate", "--format", "sarif", cwd=repo.root).stdout)
        told = [one["message"]["text"].partition("\n")[2] for one in run["results"]]
        assert len(told) == 2
        assert any(text.startswith("rule r-02: removed") for text in told)
        removed = next(one for one in run["results"] if "r-02" in one["message"]["text"])
        lines = repo.rulebook.read_text("utf-8").splitlines()
        assert lines[line_of(removed) - 1] == "rules:"

    def test_junit_keeps_to_the_schema(self, changed, pldgov, check_junit):
        """A failed case for macro-F1 and none that is skipped in silence."""
        (suite,) = check_junit(pldgov("gate", "--format", "junit", cwd=changed(12).root).stdout)
        assert suite.name == "rulebooks/desk/rulebook.yaml"
        failed = [case.name for case in suite if case.is_failure]
        assert "macro_f1" in failed

    def test_junit_of_an_undecided_gate(self, changed, pldgov, check_junit):
        """No verdict is skipped, with its reason."""
        (suite,) = check_junit(pldgov("gate", "--format", "junit", cwd=changed(2).root).stdout)
        skipped = [case for case in suite if case.is_skipped]
        assert any("INCONCLUSIVE" in case.result[0].message for case in skipped)


class TestCodeQuality:
    """GitLab's Code Quality report, with the fields that its documentation asks for."""

    def read(self, text):
        rows = json.loads(text)
        for row in rows:
            assert row.keys() == {
                "check_name", "description", "severity", "fingerprint", "location",
            }  # fmt: skip
            assert row["severity"] in {"info", "minor", "major", "critical", "blocker"}
            assert row["location"].keys() == {"path", "lines"}
            assert row["location"]["lines"]["begin"] >= 1
        assert len({row["fingerprint"] for row in rows}) == len(rows)
        return rows

    def test_lint(self, governance_repo, pldgov):
        """Each problem once, at its line; nothing for a clean rulebook."""
        repo = governance_repo()
        assert self.read(pldgov("lint", "--format", "gitlab", cwd=repo.root).stdout) == []
        text = repo.rulebook.read_text("utf-8")
        repo.write(repo.path, text.replace("owner: ops", "ownr: ops"))
        rows = self.read(pldgov("lint", "--format", "gitlab", cwd=repo.root).stdout)
        lines = repo.rulebook.read_text("utf-8").splitlines()
        found = [row for row in rows if row["check_name"] == "unknown-key"]
        assert len(found) > 1
        assert all("ownr:" in lines[row["location"]["lines"]["begin"] - 1] for row in found)
        assert {row["severity"] for row in found} == {"major"}

    @pytest.mark.parametrize(
        ("wrong", "check", "severity"),
        [(12, "gate-regressed", "major"), (2, "gate-inconclusive", "minor")],
    )
    def test_gate(self, changed, pldgov, wrong, check, severity):
        """One finding at the rule that changed."""
        repo = changed(wrong)
        (row,) = self.read(pldgov("gate", "--format", "gitlab", cwd=repo.root).stdout)
        assert (row["check_name"], row["severity"]) == (check, severity)
        line = repo.rulebook.read_text("utf-8").splitlines()[row["location"]["lines"]["begin"] - 1]
        assert "id: r-01" in line

    def test_a_pass(self, changed, pldgov):
        """Nothing is found."""
        result = pldgov("gate", "--format", "gitlab", cwd=changed(0).root)
        assert (result.exit_code, json.loads(result.stdout)) == (0, [])


class TestPlaces:
    """Forges count paths from the root of the repository, people from where they stand."""

    @pytest.mark.parametrize("verb", ["gate", "lint"])
    def test_a_folder_of_a_larger_repository(
        self, governance_repo, pldgov, check_sarif, annotations, tmp_path, verb
    ):
        """SARIF and annotations name the folder; text does not."""
        repo = governance_repo(folder="outer/policies")
        (repo.root / ".git").rename(repo.root.parent / ".git")
        repo.commit("Move into a folder")
        repo.branch("edit")
        repo.write_rulebook(rule=HARMFUL)
        repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"))
        if verb == "lint":
            repo.write(repo.path, repo.rulebook.read_text("utf-8").replace("t-00", "t-99"))
        sarif = tmp_path / "out.sarif"
        result = pldgov(verb, "--format", "github", "--also", f"sarif={sarif}", cwd=repo.root)
        assert result.exit_code == 1, result.output
        place = f"policies/{repo.path}"
        assert {one.properties["file"] for one in annotations(result.stdout)} == {place}
        assert {uri_of(one) for one in check_sarif(sarif.read_text("utf-8"))["results"]} == {place}
        assert "policies/" not in pldgov(verb, cwd=repo.root).stdout


class TestAlso:
    """One run writes for several readers."""

    def test_every_format_of_one_run(self, changed, pldgov, tmp_path):
        """Each file holds what --format alone gives, and the exit code is the gate's."""
        repo = changed(12)
        also = [f"{name}={tmp_path / name}" for name in ("json", "junit", "sarif", "markdown")]
        options = [part for one in also for part in ("--also", one)]
        result = pldgov("gate", *options, cwd=repo.root)
        assert result.exit_code == 1
        assert result.stdout.startswith("REGRESSED  desk\n")
        for name in ("junit", "sarif", "markdown"):
            alone = pldgov("gate", "--format", name, cwd=repo.root).stdout
            assert (tmp_path / name).read_text("utf-8") == alone

    @pytest.mark.parametrize("given", ["nope=x", "json", "json=", "=x", ""])
    @pytest.mark.parametrize("verb", ["lint", "gate"])
    def test_what_is_no_format_and_file(self, governance_repo, pldgov, verb, given):
        """A wrong value is refused before anything is measured."""
        result = pldgov(verb, "--also", given, cwd=governance_repo().root)
        assert result.exit_code == 2
        assert "is not a format and a file" in result.stderr
        assert "sarif" in result.stderr


@pytest.mark.parametrize(
    "text", [HOSTILE, "a%0Ab", "100%", "%25", ":,", "\r\n", "::set-output name=a::b"]
)
def test_an_annotation_survives_the_runners_own_reading(annotations, text):
    """Whatever stands in message, path or title comes out as it went in, on one line."""
    line = annotation("error", text, path=text, line=3, column=7, title=text)
    assert "\n" not in line
    assert "\r" not in line
    (read,) = annotations(line)
    assert read.message == text
    assert read.properties == {"file": text, "line": "3", "col": "7", "title": text}
