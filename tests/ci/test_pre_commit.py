""".pre-commit-hooks.yaml with the real pre-commit: it builds the hooks' environment and runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
HOOKS = REPOSITORY / ".pre-commit-hooks.yaml"
INSTALLED = ("pldgov", "templates", "rulebooks/desk-routing", ".github/actions/pldgov", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")  # fmt: skip


def test_pre_commit_accepts_the_manifest():
    """pre-commit's own check finds nothing."""
    done = subprocess.run(["pre-commit", "validate-manifest", HOOKS], check=False)
    assert done.returncode == 0


def test_what_init_writes_is_a_valid_configuration(pldgov, tmp_path):
    """The scaffolded .pre-commit-config.yaml passes the same check."""
    assert pldgov("init", "policies", cwd=tmp_path).exit_code == 0
    config = tmp_path / "policies/.pre-commit-config.yaml"
    assert subprocess.run(["pre-commit", "validate-config", config], check=False).returncode == 0


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """What this checkout would publish, as a repository of one commit; and its commit id."""
    folder = tmp_path_factory.mktemp("published")
    for name in INSTALLED:
        source, target = REPOSITORY / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for arguments in (("init", "-qb", "main"), ("add", "-A"), ("commit", "-qm", "Publish")):
        git(folder, *arguments)
    return folder, git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def pre_commit(published, tmp_path_factory):
    """Run pre-commit in a repository; skip where the hooks' packages cannot be installed."""
    home = tmp_path_factory.mktemp("pre-commit")
    folder, revision = published
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        **os.environ, "PATH": path, "PRE_COMMIT_HOME": str(home), "PRE_COMMIT_COLOR": "never"
    }  # fmt: skip

    def run(repo, *arguments, hooks):
        config = {"repos": [{"repo": str(folder), "rev": revision, "hooks": hooks}]}
        repo.write(".pre-commit-config.yaml", yaml.safe_dump(config))
        repo.git("add", "-A")
        done = subprocess.run(
            ["pre-commit", *arguments],
            cwd=repo.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if "No matching distribution found" in done.stdout:
            pytest.skip("the hooks' packages cannot be installed: no package index is reached")
        return done.returncode, done.stdout

    run.environment = environment
    return run


@pytest.mark.slow
class TestHooks:
    """Each hook in a real repository, in one environment that pre-commit built."""

    LINT = ({"id": "pldgov-lint"},)
    FMT = ({"id": "pldgov-fmt"},)
    CHECK = ({"id": "pldgov-fmt", "args": ["--check"]},)
    RENDER = ({"id": "pldgov-render", "args": ["desk", "-o", "prompt.txt"]},)

    @pytest.fixture
    def formatted(self, governance_repo, pldgov):
        """A repository whose rulebook has the one layout already."""
        repo = governance_repo()
        assert pldgov("fmt", cwd=repo.root).exit_code == 0
        repo.commit("Format")
        return repo

    def test_a_good_rulebook_passes(self, formatted, pre_commit):
        """Lint and fmt have nothing to say."""
        code, said = pre_commit(formatted, "run", "--all-files", hooks=[*self.LINT, *self.FMT])
        assert code == 0, said
        assert said.count("Passed") == 2

    def test_a_bad_rulebook_fails_with_its_line(self, formatted, pre_commit):
        """The commit is refused, and the problem has path, line and column."""
        text = formatted.rulebook.read_text("utf-8")
        formatted.write(formatted.path, text.replace("owner:", "ownr:", 1))
        code, said = pre_commit(formatted, "run", hooks=list(self.LINT))
        assert code == 1
        line = text.splitlines().index("owner: ops@example.org") + 1
        assert f"{formatted.path}:{line}:1: error: " in said

    def test_a_change_of_examples_is_linted_too(self, formatted, pre_commit):
        """An example that a rule cites is gone: only the examples file is in the commit."""
        file = formatted.root / "rulebooks/desk/examples/train.jsonl"
        file.write_text("".join(file.read_text("utf-8").splitlines(keepends=True)[1:]), "utf-8")
        code, said = pre_commit(formatted, "run", hooks=list(self.LINT))
        assert code == 1
        assert "t-00" in said

    def test_other_files_are_none_of_its_business(self, formatted, pre_commit):
        """A commit without rules or templates skips lint and fmt."""
        formatted.write("notes.md", "Notes.\n")
        _, said = pre_commit(formatted, "run", "--files", "notes.md", hooks=[*self.LINT, *self.FMT])
        assert said.count("Skipped") == 2

    def test_fmt_writes_the_files_that_pre_commit_names(self, formatted, pre_commit):
        """The file is formatted, the commit refused once, and the next one passes."""
        before = formatted.rulebook.read_text("utf-8")
        formatted.write(formatted.path, before.replace("rules:\n", "rules:   \n", 1))
        code, said = pre_commit(formatted, "run", hooks=list(self.FMT))
        assert code == 1
        assert "files were modified by this hook" in said
        assert formatted.rulebook.read_text("utf-8") == before
        formatted.git("add", "-A")
        assert pre_commit(formatted, "run", hooks=list(self.FMT))[0] == 0

    def test_fmt_can_only_check(self, formatted, pre_commit):
        """With --check the file stays as it is."""
        text = formatted.rulebook.read_text("utf-8").replace("rules:\n", "rules:   \n", 1)
        formatted.write(formatted.path, text)
        code, said = pre_commit(formatted, "run", hooks=list(self.CHECK))
        assert code == 1
        assert f"{formatted.path}: would be formatted" in said
        assert formatted.rulebook.read_text("utf-8") == text

    def test_a_stale_prompt(self, formatted, pre_commit, pldgov):
        """It passes while the committed prompt is the rendered one, and fails once it is not."""
        assert pldgov("render", "desk", "-o", "prompt.txt", cwd=formatted.root).exit_code == 0
        assert pre_commit(formatted, "run", hooks=list(self.RENDER))[0] == 0
        formatted.write("prompt.txt", "Edited by hand.\n")
        code, said = pre_commit(formatted, "run", hooks=list(self.RENDER))
        assert code == 1
        assert "prompt.txt: is stale" in said

    def test_it_stops_a_real_commit(self, formatted, pre_commit):
        """Installed as git's hook it refuses the commit, and nothing is committed."""
        pre_commit(formatted, "install", hooks=list(self.LINT))
        head = formatted.git("rev-parse", "HEAD")
        text = formatted.rulebook.read_text("utf-8")
        formatted.write(formatted.path, text.replace("owner:", "ownr:", 1))
        formatted.git("add", "-A")
        done = subprocess.run(
            ["git", "-c", "user.name=T", "-c", "user.email=t@e.org", "commit", "-m", "Break"],
            cwd=formatted.root,
            env=pre_commit.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert "unknown-key" in done.stdout + done.stderr
        assert formatted.git("rev-parse", "HEAD") == head
