"""Lint findings in five formats: each as its reader expects it, whatever the messages hold."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from pldgov.problems import Problem
from pldgov.report.lint_github import render_lint_github
from pldgov.report.lint_json import render_lint_json
from pldgov.report.lint_junit import render_lint_junit
from pldgov.report.lint_sarif import render_lint_sarif
from pldgov.report.lint_text import render_lint_text

PATHS = ("rulebooks/a b/rulebook.yaml", "rulebooks/c/rulebook.yaml")
PROBLEMS = (
    Problem(PATHS[0], 3, 5, "unknown-key", 'unknown key "x"', 'did you mean "y"?'),
    Problem(PATHS[0], 9, 1, "leakage", "100 %\nof <a> & \x1b[0m ::error::", None, "error", "r-1"),
    Problem(PATHS[0], 9, 2, "unpinned-example", "cites", "run: x", "warning", "r-1"),
)


def test_text_is_a_line_each_and_a_summary():
    """Each finding is one line with place, severity, message, hint and code; then the count."""
    lines = render_lint_text(PROBLEMS, paths=PATHS).splitlines()
    assert lines[0] == f'{PATHS[0]}:3:5: error: unknown key "x" (did you mean "y"?) [unknown-key]'
    assert lines[2].endswith("warning: cites (run: x) [unpinned-example]")
    assert lines[-1] == "2 errors, 1 warning in 2 rulebooks"
    assert len(lines) == 4
    assert render_lint_text((), paths=PATHS[:1]) == "no problem in 1 rulebook\n"


def test_json_holds_every_field():
    """The JSON has counts and every field of every problem."""
    value = json.loads(render_lint_json(PROBLEMS, paths=PATHS))
    assert value["schema"] == "pldgov.lint/v1"
    assert (value["errors"], value["warnings"], value["rulebooks"]) == (2, 1, list(PATHS))
    assert Problem(**value["problems"][1]) == PROBLEMS[1]


def test_github_commands_cannot_be_broken_out_of():
    """A message with line breaks, colons or commands stays one command on one line."""
    lines = render_lint_github(PROBLEMS, paths=PATHS).splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(
        f"::error file={PATHS[0]},line=3,col=5,title=pldgov lint%3A unknown-key::"
    )
    assert lines[1].endswith("::100 %25%0Aof <a> & \x1b[0m ::error::")
    assert lines[2].startswith("::warning ")


def test_sarif_keeps_to_the_standard():
    """Rules are found by index and described, paths are URIs; tests/ci holds it to the schema."""
    value = json.loads(render_lint_sarif(PROBLEMS, paths=PATHS, descriptions={"leakage": "a leak"}))
    run = value["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        problem.code for problem in PROBLEMS
    ]
    assert rules[0]["shortDescription"] == {"text": "A leak."}
    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == "rulebooks/a%20b/rulebook.yaml"


def test_a_sarif_fingerprint_survives_moved_lines():
    """The same finding some lines further down is the same finding."""
    moved = Problem(PATHS[0], 30, 5, "unknown-key", 'unknown key "x"', 'did you mean "y"?')
    prints = [
        json.loads(render_lint_sarif([problem], paths=PATHS, descriptions={}))["runs"][0]["results"][0]["partialFingerprints"]
        for problem in (PROBLEMS[0], moved)
    ]  # fmt: skip
    assert prints[0] == prints[1]


def test_junit_counts_errors_as_failures():
    """Each rulebook is a suite, each error a failure, a clean rulebook a passed case."""
    root = ET.fromstring(render_lint_junit(PROBLEMS, paths=PATHS))
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    first, second = root.findall("testsuite")
    assert (first.get("name"), first.get("failures"), second.get("failures")) == (
        PATHS[0],
        "2",
        "0",
    )
    failures = [case.find("failure") for case in first.findall("testcase")]
    assert [failure.get("type") for failure in failures] == ["unknown-key", "leakage"]
    assert "\N{REPLACEMENT CHARACTER}[0m" in failures[1].text
    assert "warning: " in first.find("system-out").text
    assert second.find("testcase").get("name") == "lint"


@pytest.mark.parametrize(
    "render", [render_lint_text, render_lint_json, render_lint_github, render_lint_junit]
)
def test_nothing_found_is_a_report_too(render):
    """Without problems each format still gives a whole report that ends with a newline."""
    assert render((), paths=PATHS).endswith("\n")
