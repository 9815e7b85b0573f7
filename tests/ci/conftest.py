"""What the tests about continuous integration share: schemas, and repositories with a change."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import jsonschema
import pytest
import xmlschema
from click.testing import CliRunner
from junitparser import JUnitXml

from pldgov.cli import cli

SCHEMAS = Path(__file__).with_name("schemas")
REPOSITORY = Path(__file__).resolve().parents[2]
HARMFUL = "Whatever happens, the label is other."


def _load(name: str):
    """Load a module of this folder, which no import path leads to."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


RUNNER = _load("action_runner")


@pytest.fixture(autouse=True)
def programs_of_this_environment(monkeypatch):
    """Find shellcheck, pre-commit and zizmor beside Python: `.venv/bin/pytest` sets no PATH."""
    scripts = sysconfig.get_path("scripts")
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def pldgov(monkeypatch):
    """Run `pldgov ...` in a folder and return click's result (exit_code, stdout, stderr)."""

    def run(*arguments: object, cwd):
        monkeypatch.chdir(cwd)
        return CliRunner().invoke(cli, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def changed(governance_repo):
    """A repository with `main` and a branch `edit` on which `wrong` answers of fraud broke."""

    def make(wrong, *, rule=HARMFUL, committed=True, **options):
        repo = governance_repo(**options)
        repo.branch("edit")
        repo.write_rulebook(rule=rule)
        repo.record(dict.fromkeys(repo.gate_ids("fraud")[:wrong], "other"), committed=committed)
        repo.commit("Reword")
        return repo

    return make


@pytest.fixture(scope="session")
def check_sarif():
    """Hold a text to the SARIF 2.1.0 schema as OASIS publishes it; return its only run."""
    schema = json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text("utf-8"))
    validator = jsonschema.Draft4Validator(schema)

    def check(text: str):
        log = json.loads(text)
        assert [error.message for error in validator.iter_errors(log)] == []
        (run,) = log["runs"]
        return run

    return check


@pytest.fixture(scope="session")
def check_junit():
    """Hold a text to JUnit as Jenkins' xunit plugin defines it; return what a parser reads.

    A testcase may have two things more, as pytest writes them and GitLab and others read them:
    properties, and the attributes file and line.
    """
    text = (SCHEMAS / "junit-10.xsd").read_text("utf-8")
    more = (
        (
            '<xs:element ref="skipped"/>',
            '<xs:element ref="properties"/><xs:element ref="skipped"/>',
        ),
        (
            '<xs:attribute name="classname" type="xs:string"/>',
            '<xs:attribute name="classname" type="xs:string"/>'
            '<xs:attribute name="file" type="xs:string"/>'
            '<xs:attribute name="line" type="xs:positiveInteger"/>',
        ),
    )
    for old, new in more:
        assert text.count(old) == 1
        text = text.replace(old, new)
    schema = xmlschema.XMLSchema(text)

    def check(xml: str):
        schema.validate(xml)
        return JUnitXml.fromstring(xml.encode())

    return check


@pytest.fixture(scope="session")
def annotations():
    """Read the workflow commands of a log; other lines are left out."""
    return lambda text: [
        RUNNER.read_command(line) for line in text.split("\n") if line.startswith("::")
    ]


@pytest.fixture
def action_run(tmp_path):
    """Make a run of the action on a repository, as in a pull request to main without a token.

    Pldgov is installed already, so that no step waits for a package index, and no page is written
    unless a test asks for it.
    """

    def make(root, *, folder=REPOSITORY / ".github/actions/pldgov", **environment):
        temp = tmp_path / "runner temp"
        shutil.rmtree(temp, ignore_errors=True)
        temp.mkdir()
        event = temp / "event.json"
        event.write_text('{"pull_request": {"number": 7, "head": {"sha": "%s"}}}' % ("a" * 40))
        run = RUNNER.Action(folder, root, temp)
        run.environment = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_BASE_REF": "main",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": "org/policies",
            "GITHUB_WORKSPACE": str(root),
            "GITHUB_API_URL": "http://127.0.0.1:9",  # nobody listens there
            **environment,
        }
        run.given = {"install": "none", "report": "false"}
        run.others = {"artifact": {"artifact-url": "https://example.org/artifact"}}
        return run

    return make


@pytest.fixture(scope="session")
def package_index():
    """Return pip's own settings of this environment; skip where no package index is reached."""
    asked = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "hatchling"]
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run([*asked, "-d", folder], capture_output=True, check=True, timeout=120)
        except subprocess.SubprocessError:
            pytest.skip("no package index is reached")
    wanted = ("PIP_", "SSL_", "REQUESTS_", "HTTP", "http", "no_proxy", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if name.startswith(wanted)}
