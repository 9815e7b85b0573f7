"""Rulebooks with students of their own, as pytest items; also students that are not here."""

from __future__ import annotations

# Loaded before pytester takes its snapshot of sys.modules: numpy cannot be imported twice.
import numpy as np  # noqa: F401
import pytest
import sklearn.metrics  # noqa: F401

import pldgov.pytest_items.items
import pldgov.pytest_items.judging
import pldgov.pytest_items.ordering
import pldgov.students.local
import pldgov.workflows.unmeasured  # noqa: F401

pytest_plugins = ["pytester"]

REWORDED = "If a stranger spent the money, the label is fraud."
GATED = ("macro_f1", "label[fraud]", "label[other]")


@pytest.fixture
def absent(governance_repo, elsewhere, monkeypatch):
    """Make a branch of a repository whose rulebook `second` has a student that is not here."""

    def make(*, reworded=True, **options):
        second = elsewhere.settle(governance_repo(), **options)
        second.branch("edit")
        if reworded:
            second.write_rulebook(rule=REWORDED)
        monkeypatch.chdir(second.root)
        return second

    return make


@pytest.fixture
def run(pytester):
    """Run pytest where we are and return (exit status, lines, word of each item by its id)."""

    def go(*arguments):
        result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-v", *arguments)
        found = (line.split() for line in result.outlines if "::" in line and line.endswith("%]"))
        words = {words[0].removeprefix("rulebooks/"): words[1] for words in found}
        return result.ret, result.outlines, words

    return go


def test_absent_weights_are_undecided_and_do_not_fail_the_run(absent, run, elsewhere):
    """As for examples that most machines lack: told, listed, exit status 0; others are judged."""
    absent()
    status, lines, words = run("rulebooks")
    assert status == 0
    assert [words[f"second/rulebook.yaml::{name}"] for name in GATED] == ["UNDECIDED"] * 3
    assert {word for item, word in words.items() if item.startswith("desk/")} == {"PASSED"}
    line = next(line for line in lines if line.startswith("NOT_MEASURED"))
    assert line.startswith(f"NOT_MEASURED rulebooks/second/rulebook.yaml: {elsewhere.WHY}")
    assert lines[lines.index(line) + 1] == f"  {elsewhere.WHY}: get what is not here, and run again"
    assert "3 undecided" in lines[-1]


@pytest.mark.parametrize(("how", "status"), [("fail", 1), ("skip", 0)])
def test_the_option_decides_where_it_is_given(absent, run, how, status):
    """A job that has the weights asks for fail."""
    absent()
    assert run("rulebooks", f"--pldgov-undecided={how}")[0] == status


def test_a_model_that_nothing_says_how_to_get_fails_the_run(absent, run):
    """A typo in the settings is not by design."""
    absent(obtain=None, model="./models/bgi")
    status, _, words = run("rulebooks")
    assert status == 1
    assert words["second/rulebook.yaml::macro_f1"] == "UNDECIDED"
    assert words["desk/rulebook.yaml::macro_f1"] == "PASSED"


def test_an_unchanged_rulebook_passes(absent, run):
    """No answer is needed, so no student."""
    absent(reworded=False)
    status, _, words = run("rulebooks")
    assert status == 0
    assert set(words.values()) == {"PASSED"}


def test_committed_answers_are_judged_without_the_weights(absent, run, elsewhere):
    """The lock says whose they are: a regression fails wherever pytest runs."""
    second = absent()
    elsewhere.lock(second)
    elsewhere.record(second, dict.fromkeys(second.gate_ids("fraud")[:12], "other"))
    second.git("stash", "--quiet", "--include-untracked")
    second.git("switch", "--quiet", "main")
    elsewhere.lock(second)
    elsewhere.record(second)
    second.commit("Answers")
    recorded = "rulebooks/second/evidence/big.answers.jsonl"
    base = (second.root / recorded).read_text("utf-8")
    second.git("switch", "--quiet", "-c", "again")
    second.write_rulebook(rule=REWORDED)
    elsewhere.record(second, dict.fromkeys(second.gate_ids("fraud")[:12], "other"))
    assert (second.root / recorded).read_text("utf-8").startswith(base)
    status, _, words = run("rulebooks")
    assert status == 1
    assert words["second/rulebook.yaml::macro_f1"] == "FAILED"


def test_a_prompt_that_only_the_student_can_count_is_undecided(absent, run, elsewhere):
    """`render` cannot tell whether it is within its budget; by design that fails nothing."""
    budget = {"template": "plain.j2", "user_template": "user.j2", "budget_tokens": 40}
    absent().write_rulebook(prompt=budget)
    status, lines, words = run("rulebooks", "-k", "render")
    assert status == 0
    assert words["second/rulebook.yaml::render"] == "UNDECIDED"
    assert any(f"(to get it: {elsewhere.HOW})" in line for line in lines)


def test_fixtures_are_about_the_rulebook_s_own_student(absent, run):
    """By marker; what needs the absent one is undecided, too."""
    second = absent()
    second.write(
        "test_own.py",
        "import pytest\n"
        "@pytest.mark.pldgov('second')\n"
        "def test_figures(scorecard):\n    assert scorecard.n\n"
        "@pytest.mark.pldgov('second')\n"
        "def test_second(student):\n    assert student.name == 'big'\n"
        "@pytest.mark.pldgov('desk')\n"
        "def test_desk(student):\n    assert student.name == 'recorded'\n"
        "def test_default(student):\n    assert student.name == 'recorded'\n",
    )
    status, _, words = run("test_own.py")
    assert words == {
        "test_own.py::test_figures": "UNDECIDED",
        "test_own.py::test_second": "PASSED",
        "test_own.py::test_desk": "PASSED",
        "test_own.py::test_default": "PASSED",
    }
    assert status == 0


@pytest.mark.parametrize("option", ["--pldgov-student=recorded", None])
def test_option_and_variable_go_before_the_table(absent, run, monkeypatch, option):
    """Then nobody misses the student that is not here."""
    second = absent()
    second.record()
    second.git("switch", "--quiet", "main")
    second.write_rulebook()
    second.record()
    if option is None:
        monkeypatch.setenv("PLDGOV_STUDENT", "recorded")
    status, _, words = run("rulebooks", *([option] if option else []))
    assert status == 0
    assert set(words.values()) == {"PASSED"}


def test_an_unknown_rulebook_in_the_table_fails_every_gate(absent, run):
    """Nobody knows who was meant, so nothing is green that should not be; lint goes on."""
    second = absent(reworded=False)
    text = (second.root / "pyproject.toml").read_text("utf-8")
    second.write("pyproject.toml", text.replace('second = "big"', 'secnod = "big"'))
    status, lines, words = run("rulebooks")
    assert status == 1
    assert {words[f"{name}/rulebook.yaml::macro_f1"] for name in ("desk", "second")} == {"FAILED"}
    assert words["desk/rulebook.yaml::lint"] == "PASSED"
    assert any("there is no rulebook 'secnod' (did you mean" in line for line in lines)


def test_rulebooks_of_one_student_follow_each_other(absent, run):
    """So each is loaded once; other tests, and the items of a rulebook, keep their order."""
    second = absent(reworded=False)
    third = second.another("third")
    third.write_examples()
    third.write_rulebook(gate={"on_no_baseline": "pass"})
    third.record()
    second.write("rulebooks/test_between.py", "def test_it():\n    pass\n")
    status, _, words = run("rulebooks")
    assert status == 0
    names = [item.split("/")[0] for item in words]
    # The place of the test among all items stays; rulebooks are sorted around it.
    assert list(dict.fromkeys(names)) == ["desk", "third", "test_between.py::test_it", "second"]
    items = [item.rpartition("::")[2] for item in words if item.startswith("third/")]
    assert items == ["lint", "render", *GATED]
