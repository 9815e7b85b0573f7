"""What the tests about continuous integration share: schemas, and repositories with a change."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
import xmlschema
from click.testing import CliRunner
from junitparser import JUnitXml

from pldgov.cli import cli

SCHEMAS = Path(__file__).with_name("schemas")
HARMFUL = "Whatever happens, the label is other."


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


def read_annotation(line: str) -> SimpleNamespace:
    """Read a workflow command as GitHub's runner does: level, properties, message."""
    assert line.startswith("::")
    end = line.index("::", 2)
    level, _, rest = line[2:end].partition(" ")
    properties = {}
    for part in rest.strip().split(","):
        name, equals, value = part.partition("=")
        if equals:
            properties[name.strip()] = _unescape(value, ("%0D", "%0A", "%3A", "%2C", "%25"))
    message = _unescape(line[end + 2 :], ("%0D", "%0A", "%25"))
    return SimpleNamespace(level=level, properties=properties, message=message)


def _unescape(text: str, codes: tuple[str, ...]) -> str:
    for code in codes:  # %25 comes last, as in the runner
        text = text.replace(code, bytes.fromhex(code[1:]).decode())
    return text


@pytest.fixture(scope="session")
def annotations():
    """Read the workflow commands of a log; other lines are left out."""
    return lambda text: [
        read_annotation(line) for line in text.split("\n") if line.startswith("::")
    ]
