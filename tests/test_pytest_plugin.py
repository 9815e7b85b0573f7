"""The pytest plugin, run on a real governance repository."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

# Loaded before pytester takes its snapshot of sys.modules: numpy cannot be imported twice.
import numpy as np  # noqa: F401
import pytest
import sklearn.metrics  # noqa: F401
import yaml

import pldgov.pytest_items.items
import pldgov.pytest_items.judging  # noqa: F401
from pldgov.workspace import Workspace

pytest_plugins = ["pytester"]

RULEBOOK = "rulebooks/desk/rulebook.yaml"
ITEMS = ("lint", "render", "macro_f1", "label[fraud]", "label[other]")


@dataclass
class Governed:
    """A governance repository in which pytest runs."""

    repo: object
    pytester: pytest.Pytester

    def run(self, *args: str) -> pytest.RunResult:
        """Run pytest in the repository's root, in this process."""
        return self.pytester.runpytest_inprocess("-p", "no:cacheprovider", *args)

    def words(self, *args: str) -> dict[str, str]:
        """Return each item's word in a verbose run."""
        lines = self.run("-v", *args).outlines
        found = (line.split() for line in lines if "::" in line and line.endswith("%]"))
        return {words[0].rpartition("rulebook.yaml::")[2]: words[1] for words in found}

    def regress(self) -> None:
        """Make an edit after which 12 of 20 frauds are missed."""
        self.repo.branch("edit")
        self.repo.write_rulebook(rule="A changed wording.")
        self.repo.record(dict.fromkeys(self.repo.gate_ids("fraud")[:12], "other"))


@pytest.fixture
def governed(governance_repo, pytester, monkeypatch) -> Governed:
    """Make a repository whose prompt and answers are those of its base."""
    repo = governance_repo()
    monkeypatch.chdir(repo.root)
    return Governed(repo, pytester)


def test_items_of_a_rulebook(governed):
    """A rulebook is collected as lint, render, macro_f1 and one item a label."""
    result = governed.run("--collect-only", "-q")
    assert result.outlines[: len(ITEMS)] == [f"{RULEBOOK}::{name}" for name in ITEMS]


def test_an_unchanged_rulebook_passes(governed):
    """Where nothing changed all items pass, and the summary has one line with the figures."""
    result = governed.run("--pldgov-offline")
    result.assert_outcomes(passed=len(ITEMS))
    assert result.ret == 0
    line = next(line for line in result.outlines if line.startswith("PASS"))
    assert line.startswith(f"PASS {RULEBOOK}: macro-F1 1.000 -> 1.000, +0.0 points")
    assert "student recorded" in line
    assert "base main@" in line
    assert line.endswith("student calls 0")


def test_a_regression_fails_in_one_line(governed):
    """A regression fails macro_f1 and the labels with one line each, no traceback."""
    governed.regress()
    result = governed.run()
    result.assert_outcomes(passed=2, failed=3)
    assert result.ret == 1
    start = next(i for i, line in enumerate(result.outlines) if "= FAILURES =" in line)
    end = next(i for i, line in enumerate(result.outlines) if "= pldgov =" in line)
    body = [line for line in result.outlines[start + 1 : end] if not line.startswith("__")]
    assert [line.partition(": ")[0] for line in body] == [
        f"{RULEBOOK}::{name}" for name in ITEMS[2:]
    ]
    assert body[0].startswith(f"{RULEBOOK}::macro_f1: REGRESSED macro-F1 fell by 33.0 points (95 %")
    result.stdout.fnmatch_lines([f"FAILED {RULEBOOK}::macro_f1 - REGRESSED macro-F1*"])


def test_verbose_shows_at_most_five_flips(governed):
    """-v adds the first five flipped examples and how many more there are."""
    governed.regress()
    lines = governed.run("-v", "-k", "macro_f1").outlines
    assert sum(line.startswith("  broken g-") for line in lines) == 5
    assert "  broken g-00: gold fraud, fraud -> other" in lines
    assert "  ... and 7 more" in lines


def test_line_style_points_into_the_rulebook(governed):
    """--tb=line names the rulebook's file, where editors can jump to."""
    governed.regress()
    result = governed.run("--tb=line", "-k", "macro_f1")
    result.stdout.fnmatch_lines([f"{governed.repo.rulebook}:1: REGRESSED macro-F1 fell by*"])


def test_junit_counts_and_figures(governed):
    """JUnit counts regressions as failures and carries the unrounded figures as properties."""
    governed.regress()
    governed.run("--junit-xml=junit.xml")
    suite = ET.parse("junit.xml").getroot().find("testsuite")
    assert (suite.get("failures"), suite.get("skipped"), suite.get("errors")) == ("3", "0", "0")
    case = next(case for case in suite if case.get("name") == "macro_f1")
    assert case.find("failure").get("message").startswith("REGRESSED macro-F1 fell by 33.0 points")
    values = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert values["verdict"] == "REGRESSED"
    assert values["student"] == "recorded"
    assert values["compared_with"].startswith("main@")
    assert len(values["base_prompt"]) == len(values["head_prompt"]) == 64
    low, delta, high = (float(values[name]) for name in ("low", "delta", "high"))
    assert low < delta < high < 0
    assert float(values["head"]) - float(values["base"]) == pytest.approx(delta)


def test_no_baseline_is_undecided(governed):
    """A rulebook that the base does not have is undecided: loud, exit status 1, what to do."""
    new = governed.repo.another("new")
    new.write_examples()
    new.write_rulebook()
    new.record()
    result = governed.run("rulebooks/new", "-v")
    assert result.ret == 1
    assert result.parseoutcomes() == {"passed": 2, "undecided": 3}
    result.stdout.fnmatch_lines(
        [
            "*::macro_f1 UNDECIDED (NO_BASELINE*",
            "NO_BASELINE rulebooks/new/rulebook.yaml: macro-F1 1.000*base none*",
            "  rulebooks/new/rulebook.yaml is new since main@*: have a first version on*",
        ]
    )


def test_the_letter_of_undecided(governed):
    """A quiet run shows undecided items as question marks."""
    governed.repo.write_rulebook(rule="Never answered.")
    result = governed.run("-q", "--pldgov-offline")
    assert result.outlines[0].startswith("..???")


def test_undecided_is_skipped_in_junit_with_its_reason(governed):
    """JUnit shows an undecided item as skipped, with the reason and the rulebook as its place."""
    governed.repo.write_rulebook(rule="Never answered.")
    governed.run("--pldgov-offline", "--junit-xml=junit.xml")
    suite = ET.parse("junit.xml").getroot().find("testsuite")
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "3")
    skipped = next(case for case in suite if case.get("name") == "macro_f1").find("skipped")
    assert "40 of 40 answers of student 'recorded' are not recorded" in skipped.get("message")
    assert skipped.text.startswith(str(governed.repo.rulebook))


def test_offline_without_answers_is_undecided(governed):
    """Offline, unknown answers leave the gate undecided though the student could give them."""
    governed.repo.write_rulebook(rule="Answered by the student only.")
    governed.repo.record(committed=False)
    assert governed.words("--pldgov-offline")["macro_f1"] == "UNDECIDED"
    assert governed.words()["macro_f1"] == "PASSED"


def test_a_student_without_answers_is_undecided(governed):
    """A student that cannot answer says nothing about the rulebook: undecided, exit status 1."""
    governed.repo.write_rulebook(rule="Never answered.")
    result = governed.run()
    assert result.parseoutcomes() == {"passed": 2, "undecided": 3}
    assert result.ret == 1
    result.stdout.fnmatch_lines(["UNDECIDED *", "  *no recorded answer for example*"])


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (None, "*no key: the environment variable OPENAI_API_KEY is not set*"),
        ("x", "*needs the package 'openai'*pip install 'pldgov?openai?'*"),
    ],
)
def test_no_key_or_package_is_undecided(governed, monkeypatch, key, said):
    """Without the student's key or package the gate is undecided and names what is missing."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if key:
        monkeypatch.setenv("OPENAI_API_KEY", key)
        monkeypatch.setitem(sys.modules, "openai", None)
    settings = (governed.repo.root / "pyproject.toml").read_text("utf-8")
    far = '[tool.pldgov.students.far]\nkind = "openai"\nmodel = "m"\n'
    governed.repo.write("pyproject.toml", f"{settings}\n{far}")
    governed.repo.write_rulebook(rule="Never answered.")
    result = governed.run("--pldgov-student=far")
    assert result.parseoutcomes() == {"passed": 2, "undecided": 3}
    assert result.ret == 1
    result.stdout.fnmatch_lines([said])


def test_a_missing_base_that_was_asked_for_is_undecided(governed):
    """--pldgov-base with a revision that does not exist leaves the gate undecided."""
    result = governed.run("--pldgov-base", "no-such-branch", "-k", "macro_f1")
    assert result.parseoutcomes() == {"undecided": 1, "deselected": 4}
    assert result.ret == 1


def test_base_option_overrides_the_default(governed):
    """--pldgov-base compares with another revision than the default branch."""
    governed.regress()
    governed.repo.commit("Regress")
    assert governed.words("--pldgov-base", "HEAD")["macro_f1"] == "PASSED"
    assert governed.words()["macro_f1"] == "FAILED"


@pytest.mark.parametrize("how", ["option", "ini"])
def test_undecided_can_be_accepted(governed, how):
    """--pldgov-undecided=skip, or the ini key, makes undecided items skipped and the run green."""
    governed.repo.write_rulebook(rule="Never answered.")
    given = ["--pldgov-undecided=skip"] if how == "option" else ["-o", "pldgov_undecided=skip"]
    result = governed.run(*given)
    result.assert_outcomes(passed=2, skipped=3)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["UNDECIDED *"])


def test_an_unknown_handling_of_undecided_is_a_usage_error(governed):
    """An ini value that means nothing stops the run."""
    result = governed.run("-o", "pldgov_undecided=ignore")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*pldgov_undecided: 'ignore' is neither fail nor skip"])


@pytest.mark.parametrize(("handling", "word"), [("pass", "PASSED"), ("fail", "FAILED")])
def test_the_policy_maps_undecided(governed, handling, word):
    """gate.on_no_baseline decides whether a first version passes or fails, labels included."""
    new = governed.repo.another("new")
    new.write_examples()
    new.write_rulebook(gate={"on_no_baseline": handling})
    new.record()
    words = governed.words("rulebooks/new")
    assert [words[name] for name in ITEMS[2:]] == [word] * 3


def test_an_undecided_label_does_not_hold_up_a_passing_gate(governed):
    """A label that is not decided is shown as such; the exit status is that of `pldgov gate`."""
    governed.repo.write_rulebook(rule="Other.", gate={"max_drop": 0.5, "label_max_drop": 0.02})
    governed.repo.record({"g-00": "other", "g-01": "fraud"})
    words = governed.words()
    assert words["macro_f1"] == "PASSED"
    assert words["label[fraud]"] == "UNDECIDED"
    result = governed.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["  note: not decided for single labels: fraud, other"])


def test_an_inconclusive_gate(governed):
    """A drop that the examples cannot tell from chance is undecided and says what would decide."""
    governed.repo.write_rulebook(rule="Other.", gate={"label_max_drop": 1.0})
    governed.repo.record({"g-00": "other", "g-01": "fraud"})
    result = governed.run("-k", "macro_f1")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["INCONCLUSIVE *", "*would decide: label more gate examples*"])


def test_a_broken_rulebook_fails_item_by_item(governed):
    """What is wrong is listed by lint, in a line each; the others fail in one line."""
    governed.repo.write_rulebook(text="schema: pldgov.rulebook/v1\nname: desk\nbad: 1\n")
    result = governed.run()
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            f"{RULEBOOK}::lint: * errors in the rulebook:",
            f"{RULEBOOK}:1:1: the rulebook lacks *",
            f'{RULEBOOK}:3:1: unknown key "bad"*',
            f"{RULEBOOK}::render: the rulebook has * errors, the first: *",
            f"{RULEBOOK}::macro_f1: the rulebook has * errors, the first: *",
            f"ERROR {RULEBOOK}: the rulebook has *",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize("text", ["", "rules: [", "\tx: 1\n"])
def test_texts_that_are_no_rulebook_fail_without_a_crash(governed, text):
    """An empty file and YAML that does not parse give three failures, no collection error."""
    governed.repo.write_rulebook(text=text)
    governed.run().assert_outcomes(failed=3)


def test_one_lint_error_is_one_line(governed):
    """A single problem is the failure's one line, with its place."""
    governed.repo.write_rulebook(prompt={"template": "plan.j2"})
    result = governed.run("-k", "lint")
    result.stdout.fnmatch_lines([f"{RULEBOOK}::lint: {RULEBOOK}:*plan.j2*plain.j2*"])


def test_warnings_of_lint_are_told(governed):
    """Warnings do not fail; the summary lists them."""
    content = yaml.safe_load(governed.repo.rulebook.read_text("utf-8"))
    governed.repo.write_rulebook(rules=content["rules"][:1])
    result = governed.run("-k", "lint")
    result.assert_outcomes(passed=1, deselected=4)
    result.stdout.fnmatch_lines(
        [f'warning: {RULEBOOK}:*no active rule argues for the label "other"*']
    )


def test_a_template_error_fails_render(governed):
    """A template that does not render fails in one line that names the variable."""
    governed.repo.write("templates/plain.j2", "{{ nothing_such }}{{ task }}{{ labels }}{{ rules }}")
    result = governed.run("-k", "render")
    result.assert_outcomes(failed=1, deselected=4)
    result.stdout.fnmatch_lines([f"{RULEBOOK}::render: templates/plain.j2*nothing_such*"])


def test_render_opens_no_student_without_need(governed):
    """A prompt whose bytes fit the budget renders without a student; else a student counts."""
    governed.repo.write_rulebook(
        prompt={"template": "plain.j2", "user_template": "user.j2", "budget_tokens": 5000}
    )
    unknown = ("--pldgov-student=nobody", "-k", "render")
    governed.run(*unknown).assert_outcomes(passed=1, deselected=4)
    governed.repo.write_rulebook(
        prompt={"template": "plain.j2", "user_template": "user.j2", "budget_tokens": 5}
    )
    governed.run(*unknown).assert_outcomes(failed=1, deselected=4)


def test_a_bug_is_shown_with_its_traceback(governed, monkeypatch):
    """An exception that pldgov does not raise on purpose is shown as pytest shows any other."""
    monkeypatch.setattr(Workspace, "gate", lambda *_args, **_given: 1 / 0)
    result = governed.run("-k", "macro_f1")
    result.assert_outcomes(failed=1, deselected=4)
    result.stdout.fnmatch_lines(["*judging.py*", "E*ZeroDivisionError*"])


def test_settings_that_do_not_fit_are_a_collection_error(governed):
    """An unknown key of [tool.pldgov] stops the run with one line."""
    governed.repo.write("pyproject.toml", '[tool.pldgov]\nstudnet = "x"\n')
    result = governed.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*unknown key 'studnet' (did you mean*"])


def test_an_unknown_student_fails(governed):
    """--pldgov-student with a name that nobody has fails and lists the known ones."""
    result = governed.run("--pldgov-student", "recodred", "-k", "macro_f1")
    result.assert_outcomes(failed=1, deselected=4)
    result.stdout.fnmatch_lines(["*there is no student 'recodred'*did you mean*recorded*"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([f"{RULEBOOK}::macro_f1"], ["macro_f1"]),
        ([f"{RULEBOOK}::label[fraud]"], ["label[fraud]"]),
        (["-k", "label"], ["label[fraud]", "label[other]"]),
        ([RULEBOOK, "--deselect", f"{RULEBOOK}::lint"], list(ITEMS[1:])),
    ],
)
def test_items_can_be_selected(governed, arguments, expected):
    """Node ids, -k and --deselect choose among the items."""
    result = governed.run("--collect-only", "-q", *arguments)
    found = [line for line in result.outlines if "::" in line]
    assert found == [f"{RULEBOOK}::{name}" for name in expected]


def test_collecting_judges_nothing(governed):
    """--collect-only asks no student and reads no example."""
    for split in ("train", "validation", "gate"):
        (governed.repo.rulebook.parent / f"examples/{split}.jsonl").unlink()
    result = governed.run("--collect-only", "-q")
    assert result.ret == 0
    assert not (governed.repo.root / ".pldgov").exists()


def test_one_gate_run_for_all_items(governed, monkeypatch):
    """macro_f1 and the labels share one gate run."""
    calls = []
    judge = Workspace.gate
    monkeypatch.setattr(
        Workspace, "gate", lambda *args, **given: calls.append(args) or judge(*args, **given)
    )
    governed.run().assert_outcomes(passed=len(ITEMS))
    assert len(calls) == 1


def test_report_file(governed):
    """--pldgov-report writes what `pldgov gate --format json` does, and whom it could not judge."""
    governed.regress()
    broken = governed.repo.another("broken")
    broken.write_rulebook(text="")
    governed.run("--pldgov-report", "out/gate.json")
    content = json.loads(Path("out/gate.json").read_text("utf-8"))
    assert content["schema"] == "pldgov.gate/v1"
    (gate,) = content["rulebooks"]
    assert gate["path"] == RULEBOOK
    assert gate["verdict"]["outcome"] == "REGRESSED"
    assert len(gate["verdict"]["flips"]) == 12
    assert gate["verdict"]["flips"][0]["text"]
    assert [each["path"] for each in content["unjudged"]] == ["rulebooks/broken/rulebook.yaml"]


def test_a_report_that_cannot_be_written_is_said(governed):
    """A report file below a file is an error with its own exit status, not a crash."""
    result = governed.run("--pldgov-report", "pyproject.toml/gate.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["error: --pldgov-report is not written: *"])


@pytest.mark.parametrize("workers", ["0", "2"])
def test_xdist_changes_nothing(governed, workers):
    """-n 0 and -n 2 give the items, summary, report and exit status of a plain run.

    The student is asked for head's 40 answers, however many processes want them.
    """
    repo = governed.repo
    repo.branch("edit")
    repo.write_rulebook(rule="A changed wording.")
    repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"), committed=False)
    new = repo.another("new")
    new.write_examples()
    new.write_rulebook()
    new.record()
    plain = _outcome(governed, "plain")
    for file in (repo.root / ".pldgov").glob("store*"):
        file.unlink()
    spread = _outcome(governed, "spread", "-n", workers)
    assert spread == plain
    assert plain["exit"] == 1
    assert plain["counts"] == {"passed": 4, "failed": 3, "undecided": 3}
    assert [gate["asked"] for gate in plain["report"]["rulebooks"]] == [40, 0]


def _outcome(governed: Governed, name: str, *args: str) -> dict:
    files = f"--junit-xml={name}.xml", f"--pldgov-report={name}.json"
    result = governed.run(*files, "-p", "xdist", *args)
    lines = result.outlines
    section = next(i for i, line in enumerate(lines) if "= pldgov =" in line)
    cases = ET.parse(f"{name}.xml").getroot().iter("testcase")
    return {
        "exit": result.ret,
        "counts": result.parseoutcomes(),
        "summary": lines[section + 1 : section + 4],
        "report": _timeless(json.loads(Path(f"{name}.json").read_text("utf-8"))),
        "cases": sorted(
            (
                case.get("classname"),
                case.get("name"),
                [child.tag for child in case],
                [(p.get("name"), p.get("value")) for p in case.iter("property")],
                [child.get("message") for child in case],
            )
            for case in cases
        ),
    }


def _timeless(report: dict) -> dict:
    for gate in report["rulebooks"]:
        if gate["scorecard"]:
            del gate["scorecard"]["seconds"]
    return report
