"""Rulebooks whose examples are not committed, as pytest items."""

from __future__ import annotations

# Loaded before pytester takes its snapshot of sys.modules: numpy cannot be imported twice.
import numpy as np  # noqa: F401
import pytest
import sklearn.metrics  # noqa: F401

import pldgov.pytest_items.items
import pldgov.pytest_items.judging
import pldgov.workflows.unmeasured  # noqa: F401

pytest_plugins = ["pytester"]

RULEBOOK = "rulebooks/desk/rulebook.yaml"
ITEMS = ("lint", "render", "macro_f1", "label[fraud]", "label[other]")
REWORDED = "If a stranger spent the money, the label is fraud."


@pytest.fixture
def bare(governance_repo, obtained, monkeypatch):
    """Make a branch of such a repository, without the examples."""

    def make(**changes):
        repo = obtained.obtain(governance_repo(), **changes)
        repo.branch("edit")
        obtained.lose(repo)
        monkeypatch.chdir(repo.root)
        return repo

    return make


@pytest.fixture
def run(pytester):
    """Run pytest where we are and return (exit status, lines, word of each item)."""

    def go(*arguments):
        result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-v", *arguments)
        found = (line.split() for line in result.outlines if "::" in line and line.endswith("%]"))
        words = {words[0].rpartition("::")[2]: words[1] for words in found}
        return result.ret, result.outlines, words

    return go


def test_an_unchanged_rulebook_passes_and_the_summary_tells_what_was_not_looked_at(
    bare, run, obtained
):
    """Green for what is known; the absent examples stand in the summary, with how to get them."""
    bare()
    status, lines, words = run()
    assert status == 0
    assert words == dict.fromkeys(ITEMS, "PASSED")
    start = next(i for i, line in enumerate(lines) if "= pldgov =" in line)
    summary = lines[start + 1 : start + 4]
    assert summary[0].startswith(f"PASS {RULEBOOK}: the prompt is unchanged")
    assert summary[1].startswith("  note: not measured: its examples are not committed")
    assert summary[2].startswith(f"warning: {RULEBOOK}:12:1: its examples are not committed")
    assert all(f"to get them: {obtained.HOW}" in line for line in summary[1:])


def test_a_change_is_undecided_and_does_not_fail_the_run(bare, run, obtained):
    """Neither green nor red: `UNDECIDED`, listed with what to do, and exit status 0."""
    bare().write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES)
    status, lines, words = run()
    assert status == 0
    assert words == {
        **dict.fromkeys(ITEMS, "UNDECIDED"),
        **dict.fromkeys(("lint", "render"), "PASSED"),
    }
    line = next(line for line in lines if line.startswith("NOT_MEASURED"))
    assert line.startswith(f"NOT_MEASURED {RULEBOOK}: its examples are not committed")
    after = lines[lines.index(line) + 1]
    assert f"(to get them: {obtained.HOW}): get what is not here, and run again" in after
    assert "3 undecided" in lines[-1]


@pytest.mark.parametrize(("how", "status"), [("fail", 1), ("skip", 0)])
def test_the_option_decides_where_it_is_given(bare, run, obtained, how, status):
    """A job that has the examples asks for fail; skip is what it is for every other reason."""
    bare().write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES)
    given, _, words = run(f"--pldgov-undecided={how}")
    assert given == status
    assert words["macro_f1"] == {"fail": "UNDECIDED", "skip": "SKIPPED"}[how]


def test_a_prompt_that_shows_examples_is_undecided(bare, run, obtained):
    """`render` cannot render, says why in its own line when it runs alone, and does not fail."""
    bare(prompt={"template": "showing.j2", "user_template": "user.j2"})
    status, lines, words = run()
    assert status == 0
    assert words == {**dict.fromkeys(ITEMS, "PASSED"), "render": "UNDECIDED"}
    status, lines, words = run("-k", "render")
    assert status == 0
    line = next(line for line in lines if line.startswith(f"UNDECIDED {RULEBOOK}::render: "))
    assert "not here: examples/train.jsonl" in line
    assert f"to get them: {obtained.HOW}" in line


def test_taking_examples_out_of_git_fails_the_run(bare, run):
    """Against a base that had them committed the missing verdict counts as any other."""
    bare()
    status, _, words = run("--pldgov-base", "HEAD~1")
    assert status == 1
    assert words["macro_f1"] == "UNDECIDED"


def test_errors_that_need_no_example_fail(bare, run, obtained):
    """Absent examples hide no broken rulebook."""
    bare().write_rulebook(examples=obtained.EXAMPLES, name="other")
    status, _, words = run()
    assert status == 1
    assert words["lint"] == "FAILED"


def test_a_test_that_wants_figures_is_undecided(bare, run, obtained):
    """The fixture `scorecard` says how to get the examples; the run does not fail."""
    repo = bare()
    repo.write("test_own.py", "def test_it(scorecard):\n    assert scorecard.macro_f1 > 0.5\n")
    status, lines, words = run("test_own.py")
    assert status == 0
    assert words == {"test_it": "UNDECIDED"}
    line = next(line for line in lines if line.startswith("UNDECIDED test_own.py::test_it: "))
    assert f"to get them: {obtained.HOW}" in line


def test_with_the_examples_a_regression_fails(governance_repo, obtained, monkeypatch, run):
    """Where they are, items judge as for any other rulebook."""
    repo = obtained.obtain(governance_repo())
    repo.branch("edit")
    repo.write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES)
    repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"))
    monkeypatch.chdir(repo.root)
    status, _, words = run()
    assert status == 1
    assert words["macro_f1"] == "FAILED"
