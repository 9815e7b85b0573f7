"""What people install: the wheel, outside of this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as an index would get it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(repository)],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("pldgov-*.whl")
    return built


def test_it_carries_what_init_copies_and_the_types(wheel):
    """Templates, example, schema and py.typed are in it; tests and the hard example are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (
        "pldgov/py.typed",
        "pldgov/rulebook/rulebook.schema.json",
        "pldgov/report/page/page.html.j2",
        "pldgov/report/page/page.css",
        "pldgov/report/page/page.js",
        "pldgov/scaffold/pyproject.toml",
        "pldgov/scaffold_shared/.github/actions/pldgov/scripts/gate.sh",
        "pldgov/scaffold_shared/templates/plain.j2",
        "pldgov/scaffold_shared/rulebooks/desk-routing/rulebook.yaml",
    ):
        assert path in names, path
    assert not any(name.startswith("tests/") or "bank-triage" in name for name in names)


def test_it_scaffolds_lints_gates_and_renders(wheel, tmp_path):
    """Unpacked elsewhere, the wheel does the main job on its own files."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = subprocess.run(
        [sys.executable, "-c", "import pldgov; print(pldgov.__file__)"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert where.startswith(str(site))
    for arguments in (
        ["init", "policies"],
        ["lint", "policies"],
        ["gate", "policies", "--offline"],
        ["render", "policies/rulebooks/desk-routing"],
    ):
        run = subprocess.run(
            [sys.executable, "-m", "pldgov", *arguments],
            cwd=tmp_path,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
