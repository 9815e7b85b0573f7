"""The command line inside the tests of history."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from pldgov.cli import cli


@pytest.fixture
def pldgov(monkeypatch):
    """Run `pldgov ...` in a folder and return click's result (exit_code, stdout, stderr)."""

    def run(*arguments: object, cwd):
        monkeypatch.chdir(cwd)
        return CliRunner().invoke(cli, [str(argument) for argument in arguments])

    return run
