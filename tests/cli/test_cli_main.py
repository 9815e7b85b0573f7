"""The boundary: exit codes, messages, help and start-up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from pldgov.cli import VERBS, cli


def test_help_lists_every_verb_without_loading_one(repository):
    """`pldgov --help` is fast: no verb's module is imported."""
    program = (
        "import sys\nfrom pldgov.cli import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "loaded = [name for name in sys.modules if name.startswith('pldgov.cli.')]\n"
        "print(loaded, file=sys.stderr)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stderr == "[]\n"
    assert all(f"\n  {verb} " in run.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_loads_and_has_help(pldgov, tmp_path, verb):
    """The table of verbs leads to commands that exist, and their help says what they do."""
    result = pldgov(verb, "--help", cwd=tmp_path)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Usage: cli {verb}")


def test_a_misspelt_verb_is_answered_with_the_nearest(pldgov, tmp_path):
    """Exit code 2 and a guess."""
    result = pldgov("rendr", cwd=tmp_path)
    assert result.exit_code == 2
    assert 'did you mean "render"?' in result.stderr


def test_an_unknown_option_is_exit_code_2(pldgov, tmp_path):
    """Click's own usage errors keep their code."""
    assert pldgov("gate", "--bogus", cwd=tmp_path).exit_code == 2


def test_a_bug_is_exit_code_70_with_a_request_to_report(pldgov, tmp_path, monkeypatch):
    """An unexpected exception shows its traceback and asks for a report."""

    def fail(*_):
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(type(cli), "get_command", fail)
    result = pldgov("lint", cwd=tmp_path)
    assert result.exit_code == 70
    assert "ZeroDivisionError: boom" in result.stderr
    assert "This is a bug in pldgov" in result.stderr


def test_an_empty_folder_is_told_about_init(pldgov, tmp_path):
    """The first thing a newcomer does wrong is answered with what to do."""
    result = pldgov("lint", cwd=tmp_path)
    assert result.exit_code == 2
    assert "pldgov init" in result.stderr


def test_a_closed_pipe_is_not_a_traceback(repository):
    """`pldgov render ... | head -c 1` ends quietly."""
    run = subprocess.run(
        f"{sys.executable} -m pldgov schema | head -c 1",
        shell=True,
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "{"
    assert "Traceback" not in run.stderr


SLOW_STUDENT = """
import time
from pldgov.results import Answer, StudentCard

class SlowStudent:
    card = StudentCard(name="slow", kind="fake", model="slow", snapshot="1")
    @classmethod
    def from_options(cls, name, options, *, root):
        return cls()
    def answer(self, prompt, queries):
        for index in range(len(queries)):
            time.sleep(0.05)
            yield index, Answer(label="other")
    def count_tokens(self, text):
        return None
    def close(self):
        pass
"""


@pytest.fixture
def slow(governance_repo):
    """A repository whose student takes its time, and the command that evaluates it."""
    repo = governance_repo(recorded=False)
    repo.write("slow_student.py", SLOW_STUDENT)
    repo.write(
        "run.py",
        # Ctrl-C is heeded even where the tests run in the background and inherit it as ignored.
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys\nfrom pldgov.students import BACKENDS\nfrom pldgov.cli import cli\n"
        "BACKENDS['slow'] = ('slow_student', 'SlowStudent', None)\n"
        "cli.main(sys.argv[1:])\n",
    )
    table = '[tool.pldgov]\nstudent = "slow"\n[tool.pldgov.students.slow]\nkind = "slow"\n'
    repo.write("pyproject.toml", table)

    def start():
        return subprocess.Popen(
            [sys.executable, "run.py", "eval", "desk", "--split", "gate"],
            cwd=repo.root,
            env={**os.environ, "PYTHONPATH": str(repo.root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return repo, start


def asked_for(text: str) -> int:
    return int(text.split("student calls now: ")[1].split(";", maxsplit=1)[0])


def test_ctrl_c_keeps_what_was_answered(slow):
    """Interrupted: exit code 130; the next run asks only for what is missing."""
    repo, start = slow
    process = start()
    deadline = time.monotonic() + 60
    while not (repo.root / ".pldgov/locks").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted" in said
    text, said = start().communicate(timeout=60)
    assert 0 < asked_for(text) < 40, said


def test_two_gates_at_once_ask_once(slow):
    """Two processes on one store: the second waits and reads what the first was told."""
    _, start = slow
    both = [start(), start()]
    texts = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(map(asked_for, texts)) == [0, 40]
