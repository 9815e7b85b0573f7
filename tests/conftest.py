"""Fixtures that every test may use."""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the checkout the tests run in."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder with the real data sets; skip, saying so, where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the data sets are not here: {folder} is absent")
    return folder


def load_module(name: str):
    """Load a module of tests/, which no import path leads to."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fake_endpoint_module():
    """Load the module tests/fake_endpoint.py."""
    return load_module("fake_endpoint")


@pytest.fixture
def endpoint(fake_endpoint_module):
    """Run a scripted endpoint on loopback."""
    server = fake_endpoint_module.FakeEndpoint()
    yield server
    server.close()


@pytest.fixture(scope="session")
def fake_github_module():
    """Load the module tests/fake_github.py."""
    return load_module("fake_github")


@pytest.fixture
def github(fake_github_module):
    """Run a fake of GitHub's API on loopback."""
    server = fake_github_module.FakeGitHub()
    yield server
    server.close()


@pytest.fixture(scope="session")
def governance_repo_module():
    """Load the module tests/governance_repo.py, which no import path leads to."""
    return load_module("governance_repo")


@pytest.fixture(scope="session")
def obtained():
    """Load the module tests/obtained_repo.py: repositories whose examples are not committed."""
    return load_module("obtained_repo")


@pytest.fixture(scope="session")
def elsewhere():
    """Load the module tests/absent_student_repo.py: a rulebook whose student is not here."""
    return load_module("absent_student_repo")


@pytest.fixture(scope="session")
def built_governance_repo(governance_repo_module, tmp_path_factory: pytest.TempPathFactory):
    """Build the repository once for each set of options; copying is faster than git."""
    return functools.cache(
        lambda **options: governance_repo_module.build(
            tmp_path_factory.mktemp("governance"), **options
        )
    )


@pytest.fixture
def governance_repo(built_governance_repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a small governance repository below ``tmp_path``; see tests/governance_repo.py.

    The environment is cleared of what would change a gate: PLDGOV_* and CI's target branches.
    """
    for name in os.environ:
        if name.startswith("PLDGOV_"):
            monkeypatch.delenv(name)
    for name in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)

    def make(*, folder: str = "repo", **options):
        built = built_governance_repo(**options)
        return dataclasses.replace(built, root=shutil.copytree(built.root, tmp_path / folder))

    return make
