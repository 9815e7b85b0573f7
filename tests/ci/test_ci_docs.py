"""docs/ci.md: its snippets keep to the published schemas, and their commands are run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "docs/ci.md").read_text("utf-8")


@pytest.fixture(scope="module")
def snippets():
    """The YAML of the page in order: GitHub, GitLab, pre-commit."""
    found = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert len(found) == 3
    return found


@pytest.mark.parametrize(
    ("number", "schema"), [(0, "vendor.github-workflows"), (1, "vendor.gitlab-ci")]
)
def test_the_published_schema_holds(snippets, tmp_path, number, schema):
    """The workflow and the GitLab job are what both forges' schemas describe."""
    file = tmp_path / "snippet.yml"
    file.write_text(snippets[number], "utf-8")
    done = subprocess.run(
        ["check-jsonschema", "--builtin-schema", schema, file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_gives_inputs_that_the_action_has(snippets):
    """Nothing in it is misspelt."""
    (job,) = yaml.safe_load(snippets[0])["jobs"].values()
    action = yaml.safe_load((REPOSITORY / ".github/actions/pldgov/action.yml").read_text("utf-8"))
    use = job["steps"][-1]
    assert ".github/actions/pldgov@" in use["uses"]
    assert use["with"].keys() <= action["inputs"].keys()


def test_the_hooks_are_those_that_are_offered(snippets, tmp_path):
    """The tool accepts the configuration, and it names every hook."""
    file = tmp_path / ".pre-commit-config.yaml"
    file.write_text(snippets[2], "utf-8")
    assert subprocess.run(["pre-commit", "validate-config", file], check=False).returncode == 0
    (repo,) = yaml.safe_load(snippets[2])["repos"]
    offered = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["id"] for hook in repo["hooks"]] == [hook["id"] for hook in offered]


@pytest.mark.parametrize(("wrong", "code"), [(12, 1), (2, 3), (0, 0)])
def test_the_gitlab_job_does_what_it_says(changed, snippets, tmp_path, check_junit, wrong, code):
    """Its commands run in a clone; reports are there whatever the verdict, which is its status."""
    repo = changed(wrong)
    clone = tmp_path / "clone"
    repo.git(
        "clone", "-q", "--single-branch", "--branch", "edit", f"file://{repo.root}", str(clone)
    )
    shutil.copytree(repo.root / "recordings", clone / "recordings")
    (job,) = yaml.safe_load(snippets[1]).values()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CI_PROJECT_DIR": str(clone),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    fetch = [line for line in job["before_script"] if line.startswith("git ")]
    statuses = [
        subprocess.run(
            ["bash", "-e", "-c", "\n".join(lines)], cwd=clone, env=environment, check=False
        ).returncode
        for lines in ([*fetch, *job["script"]], job["after_script"])
    ]
    assert statuses == [code, 0]
    folder = clone / "pldgov-report"
    for place in (job["artifacts"]["reports"]["junit"], job["artifacts"]["reports"]["codequality"]):
        files = sorted(clone.glob(place))
        assert [file.name.split(".")[0] for file in files] == ["gate", "lint"]
        for file in files:
            text = file.read_text("utf-8")
            assert (
                check_junit(text) if file.suffix == ".xml" else isinstance(json.loads(text), list)
            )
    assert "<html" in (folder / "diff.html").read_text("utf-8")


def test_the_transcript_of_the_gate_is_what_it_prints(changed, pldgov):
    """The figures, the rule and its line are those of the very command."""
    shown = re.search(
        r"\$ pldgov gate (--format github[^\n]*)\n(.*?)\(exit code (\d)\)", TEXT, re.DOTALL
    )
    repo = changed(12)
    result = pldgov("gate", *shown[1].split(), cwd=repo.root)
    assert result.stdout == shown[2]
    assert result.exit_code == int(shown[3])
