"""When the pytest plugin does something, and what it costs when it does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

HEAVY = ["torch", "transformers", "openai", "sklearn", "numpy", "git", "pydantic", "yaml", "jinja2"]
HEAVY += ["click"]
IMPORTED = """
import sys

def test_nothing_heavy_is_imported():
    import pytest
    heavy = {heavy!r}
    assert [name for name in heavy if name in sys.modules] == []
    assert [name for name in sys.modules if name.startswith("pldgov")] == {loaded!r}
"""
LIGHT = ["pldgov", "pldgov.pytest_plugin"]


def run(*args: str, cwd) -> subprocess.CompletedProcess:
    """Run pytest in a process of its own, as a user does."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def plain(tmp_path, monkeypatch):
    """Make a project that has nothing to do with pldgov, though a rulebook.yaml lies in it."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n[tool.pldgovernor]\n")
    (folder / "rulebook.yaml").write_text("x: 1\n")
    (folder / "test_plain.py").write_text(IMPORTED.format(heavy=HEAVY, loaded=LIGHT))
    return folder


def test_unused_it_imports_nothing(plain):
    """In another project pytest imports no heavy package and nothing of pldgov but the plugin."""
    done = run("--capture=no", cwd=plain)
    assert done.returncode == 0, done.stdout


def test_unused_it_prints_nothing(plain):
    """In another project the output is the same with and without the plugin."""
    (plain / "test_plain.py").write_text("def test_nothing():\n    pass\n")
    with_plugin = run(cwd=plain).stdout
    without = run("-p", "no:pldgov", cwd=plain).stdout
    assert with_plugin.partition(" in ")[0] == without.partition(" in ")[0]
    assert "1 passed" in with_plugin


def test_active_it_imports_nothing_heavy_until_a_rulebook_is_met(plain):
    """In a governance repository, tests that are about no rulebook start as light as before."""
    (plain / "pyproject.toml").write_text("[tool.pldgov]\n")
    loaded = "sorted(n for n in sys.modules if n.startswith('pldgov'))"
    text = IMPORTED.format(heavy=HEAVY, loaded="?").replace("== '?'", f"== {loaded}")
    (plain / "test_plain.py").write_text(
        text.replace(
            "[name for name in sys.modules", "sorted(name for name in sys.modules"
        ).replace('startswith("pldgov")]', 'startswith("pldgov"))')
    )
    done = run("test_plain.py", cwd=plain)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def collected(plain):
    """Tell whether the rulebook of the plain project is collected by a run with these options."""

    def collect(*args: str) -> bool:
        return "rulebook.yaml::lint" in run("--collect-only", *args, cwd=plain).stdout

    return collect


def test_unused_it_collects_nothing(collected):
    """Without settings or options a rulebook.yaml is any other file."""
    assert not collected()


@pytest.mark.parametrize(
    "asked",
    [
        ("--pldgov",),
        ("--pldgov-base=HEAD",),
        ("--pldgov-student=x",),
        ("--pldgov-offline",),
        ("--pldgov-report=x.json",),
        ("--pldgov-undecided=fail",),
        ("-o", "pldgov_student=x"),
        ("-o", "pldgov_offline=true"),
    ],
)
def test_options_switch_it_on(collected, asked):
    """Every option and ini key switches the plugin on: none is silently without effect."""
    assert collected(*asked)


@pytest.mark.parametrize("table", ["[tool.pldgov]", "[tool.pldgov.students.x]"])
def test_settings_switch_it_on(plain, collected, table):
    """A [tool.pldgov] table, or one below it, switches the plugin on."""
    (plain / "pyproject.toml").write_text(f"{table}\n")
    assert collected()


def test_it_can_be_switched_off(plain, collected):
    """-p no:pldgov wins over settings."""
    (plain / "pyproject.toml").write_text("[tool.pldgov]\n")
    assert not collected("-p", "no:pldgov")


def test_the_marker_is_registered_where_unused(plain):
    """The marker is known to --strict-markers where the plugin does nothing."""
    (plain / "test_plain.py").write_text(
        "import pytest\n@pytest.mark.pldgov('x')\ndef test_nothing():\n    pass\n"
    )
    assert run("--strict-markers", cwd=plain).returncode == 0


@pytest.mark.parametrize("name", ["rulebook", "student", "scorecard"])
def test_fixtures_are_not_defined_where_unused(plain, name):
    """The short fixture names belong to the project while the plugin does nothing."""
    (plain / "test_plain.py").write_text(f"def test_it({name}):\n    pass\n")
    assert f"fixture '{name}' not found" in run(cwd=plain).stdout


NO_SOCKET = """
import sys

def refuse(event, arguments):
    if event.startswith("socket."):
        raise AssertionError(event)

sys.addaudithook(refuse)
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""


def without_socket(folder, *args: str) -> subprocess.CompletedProcess:
    """Run pytest in a process in which whatever touches a socket raises."""
    return subprocess.run(
        [sys.executable, "-c", NO_SOCKET, *args],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_socket_is_opened(plain, governance_repo):
    """Neither the unused plugin nor a whole gate from recorded answers touches a socket."""
    assert without_socket(plain).returncode == 0
    judged = without_socket(governance_repo().root, "--pldgov-offline")
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "5 passed" in judged.stdout
