"""The plugin's fixtures, in users' own tests about a rulebook."""

from __future__ import annotations

# Loaded before pytester takes its snapshot of sys.modules: numpy cannot be imported twice.
import numpy as np  # noqa: F401
import pytest
import sklearn.metrics  # noqa: F401

import pldgov.pytest_items.judging  # noqa: F401
from pldgov.students.replay import ReplayStudent

pytest_plugins = ["pytester"]


@pytest.fixture
def repo(governance_repo, pytester, monkeypatch):
    """Make a governance repository and enter it, after pytester entered its own folder."""
    made = governance_repo()
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def run(repo, pytester):
    """Write a user's test module, then run it."""

    def write_and_run(text: str, *args: str) -> pytest.RunResult:
        repo.write("test_mine.py", text)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "test_mine.py", *args)

    return write_and_run


USES_ALL = """
import pytest
from pldgov.questions import Query

@pytest.mark.pldgov("desk")
def test_desk(rulebook, scorecard):
    assert rulebook.parts[-3:] == ("rulebooks", "desk", "rulebook.yaml")
    assert scorecard.n == 40
    assert {score.label: score.f1 for score in scorecard.labels} == {"fraud": 1.0, "other": 1.0}

def test_student(student):
    assert student.card.name == "recorded"
"""


def test_fixtures_in_use(run):
    """The three fixtures give the file, the open student and its scorecard."""
    run(USES_ALL).assert_outcomes(passed=2)


def test_the_student_is_closed_at_the_end(run, monkeypatch):
    """One student serves all tests, and is closed once the run is over."""
    closed = []
    monkeypatch.setattr(ReplayStudent, "close", lambda self: closed.append(self.name))
    result = run(
        "import pytest\n"
        "@pytest.mark.parametrize('i', range(3))\n"
        "def test_it(student, scorecard, i):\n    pass\n"
    )
    result.assert_outcomes(passed=3)
    assert closed == ["recorded"]


def test_the_only_rulebook_needs_no_name(run):
    """Without a marker the only rulebook is meant."""
    run("def test_it(rulebook):\n    assert rulebook.is_file()\n").assert_outcomes(passed=1)


def test_several_rulebooks_need_a_name(repo, run):
    """Among several, a marker or the ini key chooses; without one the test errs in a line."""
    other = repo.another("other")
    other.write_examples()
    other.write_rulebook()
    text = "def test_it(rulebook):\n    assert rulebook.parent.name == 'other'\n"
    result = run(text)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*holds 2 rulebooks (name one: *"])
    run(text, "-o", "pldgov_rulebook=other").assert_outcomes(passed=1)
    marked = f"import pytest\n@pytest.mark.pldgov('other')\n{text}"
    run(marked, "-o", "pldgov_rulebook=desk").assert_outcomes(passed=1)


def test_an_unknown_name_errs_in_a_line(run):
    """A marker with a name that no rulebook has is answered with the nearest name."""
    result = run("import pytest\n@pytest.mark.pldgov('desc')\ndef test_it(rulebook):\n    pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["desc: there is no such rulebook*did you mean*desk*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_scorecard_without_answers_is_undecided(repo, run):
    """A test whose scorecard cannot be had is undecided like a gate, with exit status 1."""
    repo.write_rulebook(rule="Never answered.")
    result = run("def test_it(scorecard):\n    pass\n", "--pldgov-offline")
    assert result.parseoutcomes() == {"undecided": 1}
    assert result.ret == 1
    result.stdout.fnmatch_lines(["UNDECIDED test_mine.py::test_it: *are not recorded*"])


def test_the_student_is_not_lent_out_offline(run):
    """Offline no test gets hold of the student, which it could ask."""
    result = run("def test_it(student):\n    pass\n", "--pldgov-offline")
    assert result.parseoutcomes() == {"undecided": 1}


def test_a_broken_rulebook_errs_in_a_line(repo, run):
    """The scorecard of a rulebook with errors lists them, without a traceback."""
    repo.write_rulebook(text="name: desk\n")
    result = run("def test_it(scorecard):\n    pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the rulebook lacks*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_users_fixtures_win(repo, run):
    """A project's own fixture of the same name hides the plugin's."""
    repo.write("conftest.py", "import pytest\n@pytest.fixture\ndef student():\n    return 'mine'\n")
    run("def test_it(student):\n    assert student == 'mine'\n").assert_outcomes(passed=1)
