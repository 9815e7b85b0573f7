"""Running pldgov's command line inside the tests."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from pldgov.cli import cli

REWORDED = "If somebody else spent or took the money, the label is fraud."


@pytest.fixture
def pldgov(monkeypatch):
    """Run `pldgov ...` in a folder and return click's result (exit_code, stdout, stderr)."""

    def run(*arguments: object, cwd):
        monkeypatch.chdir(cwd)
        return CliRunner().invoke(cli, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def edited(governance_repo):
    """A branch whose first rule is reworded and whose answers are wrong for some of fraud."""

    def make(wrong=12, *, rule=REWORDED, recorded=True, **changes):
        repo = governance_repo()
        repo.branch("edit")
        repo.write_rulebook(rule=rule, **changes)
        if recorded:
            repo.record(dict.fromkeys(repo.gate_ids("fraud")[:wrong], "other"))
        repo.commit("Reword")
        return repo

    return make
