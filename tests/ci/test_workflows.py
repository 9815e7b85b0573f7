"""Workflows, the action and what `pldgov init` writes of them: schemas, rights and no injection."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
ACTION = REPOSITORY / ".github/actions/pldgov"
SCRIPTS = sorted((ACTION / "scripts").glob("*.sh"))
WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
SCAFFOLDED = REPOSITORY / "pldgov/scaffold/.github/workflows/pldgov.yml"
RULES = [REPOSITORY / ".github/workflows/rules.yml", SCAFFOLDED]


def run(*command, **options):
    """Run a tool; return its exit code and all that it said."""
    done = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **options,
    )
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def action():
    return yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def steps(action):
    """The steps that run a script, by the script's name."""
    found = {}
    for step in action["runs"]["steps"]:
        if "run" in step:
            name = re.fullmatch(r'bash "\$GITHUB_ACTION_PATH/scripts/(\w+\.sh)"', step["run"])
            assert name, f"a step that is no script: {step['run']}"
            found[name[1]] = step
    return found


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.github-actions", ACTION / "action.yml"),
        *(("vendor.github-workflows", path) for path in (*WORKFLOWS, SCAFFOLDED)),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_the_published_schema_holds(schema, path):
    """Workflows and action are what GitHub's schemas describe."""
    code, said = run("check-jsonschema", "--builtin-schema", schema, path)
    assert code == 0, said


@pytest.mark.parametrize("script", [*SCRIPTS, REPOSITORY / ".ci/run"], ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script):
    """Every script of the action is clean, and that of CI."""
    code, said = run("shellcheck", "-x", script.name, cwd=script.parent)
    assert code == 0, said


def test_no_security_finding(tmp_path, pldgov):
    """Zizmor finds no injection, no excess right and nothing unpinned, here and after init."""
    assert pldgov("init", "policies", cwd=tmp_path).exit_code == 0
    settings = REPOSITORY / ".github/zizmor.yml"
    for folder in (REPOSITORY / ".github", tmp_path / "policies/.github"):
        code, said = run("zizmor", "--offline", "-q", "--config", settings, folder)
        assert code == 0, said


class TestAction:
    """What the schema cannot say of the action."""

    def test_every_script_is_a_step_and_takes_values_from_the_environment(self, steps):
        """No `${{ }}` stands where a shell would read it."""
        assert {path.name for path in SCRIPTS} - steps.keys() == {"common.sh"}
        for path in SCRIPTS:
            assert "${{" not in path.read_text("utf-8"), path

    @pytest.mark.parametrize(
        "script", [path for path in SCRIPTS if path.name != "common.sh"], ids=lambda path: path.name
    )
    def test_a_step_gives_its_script_what_it_reads(self, steps, script):
        """Each variable that a script or what it sources reads is in the step, and no other."""
        text = script.read_text("utf-8")
        common = (ACTION / "scripts/common.sh").read_text("utf-8")
        names = r"INPUT_[A-Z_]+|FOLDER|[A-Z]+_CODE|ARTIFACT_URL|VERDICT|REASON"
        wanted = set(re.findall(rf"\$\{{?({names})\b", text))
        if "pldgov comment" in text:
            wanted.add("GITHUB_TOKEN")  # pldgov reads it itself
        if "compared" in text:
            wanted |= set(re.findall(r"INPUT_BASE", common))
        assert steps[script.name]["env"].keys() == wanted

    def test_every_input_is_described_and_used(self, action):
        """An input that nothing reads would be a promise not kept."""
        used = set(re.findall(r"inputs\.([\w-]+)", yaml.safe_dump(action["runs"])))
        assert used == action["inputs"].keys()
        assert all(one["description"].strip() for one in action["inputs"].values())

    def test_every_output_is_written(self, action, steps):
        """An output's name is one that its step's script, or the verdict's own, writes."""
        written = {
            script: set(
                re.findall(
                    r"\boutput ([a-z0-9-]+) ", (ACTION / "scripts" / script).read_text("utf-8")
                )
            )
            for script in steps
        }
        rows = re.findall(
            r'^        "([a-z0-9-]+)": ',
            (ACTION / "scripts/outputs.py").read_text("utf-8"),
            re.MULTILINE,
        )
        by_id = {step.get("id"): name for name, step in steps.items()}
        for name, one in action["outputs"].items():
            step, output = re.search(r"steps\.(\w+)\.outputs\.([\w-]+)", one["value"]).groups()
            known = written.get(by_id.get(step, ""), set()) | (
                set(rows) if step == "gate" else set()
            )
            assert step == "artifact" or output in known, name
            assert one["description"].strip()

    def test_the_documentation_has_every_input_and_output(self, action):
        """docs/ci.md names them all."""
        text = (REPOSITORY / "docs/ci.md").read_text("utf-8")
        for name in (*action["inputs"], *action["outputs"]):
            assert f"`{name}`" in text, name


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
class TestRulesWorkflow:
    """The workflow for changes of rules, here and as `pldgov init` writes it."""

    def test_it_runs_without_rights_over_the_repository(self, path):
        """`pull_request`, never with the target's secrets; rights to read, and to comment."""
        workflow = yaml.safe_load(path.read_text("utf-8"))
        assert set(workflow[True]) == {"pull_request"}  # YAML 1.1 reads `on` as true
        assert "pull_request_target" not in path.read_text("utf-8")
        assert workflow["permissions"] == {}
        (job,) = workflow["jobs"].values()
        assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
        assert workflow["concurrency"]["cancel-in-progress"] is True

    def test_it_sees_rules_and_templates_and_all_history(self, path):
        """Without them the gate would have nothing to judge, or nothing to compare with."""
        workflow = yaml.safe_load(path.read_text("utf-8"))
        assert {"rulebooks/**", "templates/**"} <= set(workflow[True]["pull_request"]["paths"])
        (job,) = workflow["jobs"].values()
        checkout = job["steps"][0]
        assert checkout["uses"].startswith("actions/checkout@")
        assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}

    def test_it_gives_only_inputs_that_the_action_has(self, path, action):
        """A misspelt input is a warning that nobody reads."""
        workflow = yaml.safe_load(path.read_text("utf-8"))
        (job,) = workflow["jobs"].values()
        (use,) = [s for s in job["steps"] if s.get("uses", "") == "./.github/actions/pldgov"]
        assert use["with"].keys() <= action["inputs"].keys()


def test_what_init_writes_runs_as_it_stands(tmp_path, pldgov, action_run):
    """The scaffolded action, in the scaffolded repository, passes a harmless change."""
    assert pldgov("init", "policies", cwd=tmp_path).exit_code == 0
    root = tmp_path / "policies"
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    for arguments in (
        ("init", "-qb", "main"),
        ("add", "-A"),
        ("commit", "-qm", "Start"),
        ("switch", "-qc", "edit"),
    ):
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True)
    rulebook = root / "rulebooks/desk-routing/rulebook.yaml"
    rulebook.write_text(rulebook.read_text("utf-8") + "# A remark.\n")
    subprocess.run(["git", *identity, "commit", "-qam", "Remark"], cwd=root, check=True)
    one = action_run(root, folder=root / ".github/actions/pldgov", PLDGOV_OFFLINE="1")
    run = one.run()
    assert (run.outputs["verdict"], run.status) == ("PASS", 0), run.log
