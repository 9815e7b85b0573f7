"""`pldgov init`: a repository that passes lint and gate as it stands."""

from __future__ import annotations

import subprocess

import pytest


@pytest.fixture
def scaffold(pldgov, tmp_path):
    """A folder with what `pldgov init` writes."""
    result = pldgov("init", "policies", cwd=tmp_path)
    assert result.exit_code == 0, result.output
    return tmp_path / "policies"


def test_everything_a_governance_repository_needs_is_there(scaffold):
    """Settings, rulebook, examples, templates, workflow, owners, hooks, ignore file."""
    for path in (
        "pyproject.toml",
        "README.md",
        ".gitignore",
        ".pre-commit-config.yaml",
        ".github/CODEOWNERS",
        ".github/workflows/pldgov.yml",
        "rulebooks/desk-routing/rulebook.yaml",
        "rulebooks/desk-routing/examples/gate.jsonl",
        "rulebook.schema.json",
        "templates/turns.j2",
    ):
        assert (scaffold / path).is_file(), path
    assert (scaffold / "templates/teacher/extract.j2").is_file()
    action = scaffold / ".github/actions/pldgov"
    assert (action / "action.yml").is_file()
    assert not [path for path in scaffold.rglob("*.py") if action not in path.parents]
    assert not (scaffold / "templates/tasks").exists()
    assert not (scaffold / "rulebooks/desk-routing/evidence/ledger.jsonl").exists()


def test_it_passes_lint_fmt_and_gate_as_it_stands(scaffold, pldgov):
    """Before any commit, and without asking a student."""
    assert pldgov("lint", "--strict", cwd=scaffold).exit_code == 0
    assert pldgov("fmt", "--check", cwd=scaffold).exit_code == 0
    gate = pldgov("gate", "--offline", cwd=scaffold)
    assert gate.exit_code == 0, gate.output
    assert gate.stdout.startswith("PASS  desk-routing")


def test_its_rules_are_what_the_recorded_distillation_gives(scaffold, pldgov):
    """Replies and decisions come along, so the example shows how a rulebook is made again."""
    check = pldgov("distill", "desk-routing", "--teacher", "replay", "--check", cwd=scaffold)
    assert check.exit_code == 0, check.output
    assert "the run gives this rulebook, byte for byte" in check.stdout


def test_it_passes_the_gate_after_the_first_commit(scaffold, pldgov):
    """With history the base is the merge base, and nothing has changed."""
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    for arguments in (("init", "-qb", "main"), ("add", "-A"), ("commit", "-qm", "Start")):
        subprocess.run(["git", *identity, *arguments], cwd=scaffold, check=True)
    gate = pldgov("gate", "--offline", cwd=scaffold)
    assert gate.exit_code == 0, gate.output
    assert "base     main@" in gate.stdout


def test_nothing_is_overwritten_unless_asked(scaffold, pldgov):
    """A second init names what is there; --force overwrites."""
    (scaffold / "README.md").write_text("mine")
    refused = pldgov("init", ".", cwd=scaffold)
    assert refused.exit_code == 2
    assert "would be overwritten" in refused.stderr
    assert (scaffold / "README.md").read_text() == "mine"
    assert pldgov("init", ".", "--force", cwd=scaffold).exit_code == 0
    assert (scaffold / "README.md").read_text() != "mine"


def test_doctor_finds_nothing_wrong(scaffold, pldgov):
    """Every line is ok or an optional package that is missing."""
    result = pldgov("doctor", cwd=scaffold)
    assert "settings: " in result.stdout
    assert "rulebooks: rulebooks/desk-routing/rulebook.yaml" in result.stdout
    # Outside git there is nothing to compare with; that is said.
    assert "not a git repository" in result.stdout
    assert result.exit_code == 2


def test_doctor_names_a_wrong_setting(scaffold, pldgov):
    """A student that is not there is wrong, with the nearest known name."""
    result = pldgov("doctor", "--student", "smollm", cwd=scaffold)
    assert 'did you mean "smollm2"?' in result.stdout
    assert result.exit_code == 2
