"""The pytest plugin's entry point: options, a marker, and the question whether to do anything.

Every pytest run on a machine with pldgov installed imports this module, so it imports the
standard library only, and opens one file. What collects and judges rulebooks is in
``pldgov.pytest_items`` and is loaded where ``[tool.pldgov]`` exists or an option asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_TABLES = (b"[tool.pldgov]", b"[tool.pldgov.")
_ASKING = ("base", "student", "offline", "report", "undecided", "rulebook")
"""Settings that switch the plugin on: a setting without effect would be a gate that is not run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options and the ini keys of the same meaning."""
    group = parser.getgroup("pldgov", "pldgov: rulebooks and their gates")
    group.addoption(
        "--pldgov",
        action="store_true",
        help="collect rulebook.yaml files even where pyproject.toml has no [tool.pldgov]",
    )
    group.addoption(
        "--pldgov-base",
        metavar="REF|FILE",
        help="git revision or evidence file that the gate compares with "
        "(default: where HEAD left the default branch)",
    )
    group.addoption("--pldgov-student", metavar="NAME", help="student by name")
    group.addoption(
        "--pldgov-offline",
        action="store_true",
        default=None,
        help="never ask a student; recorded answers only",
    )
    group.addoption(
        "--pldgov-report",
        metavar="FILE",
        help="write all verdicts as JSON, as `pldgov gate --format json` does",
    )
    group.addoption(
        "--pldgov-undecided",
        choices=("fail", "skip"),
        help="what undecided gates do to the exit status: fail makes it 1 (the default, but for "
        "examples that are not committed and not here), skip accepts them as skipped tests",
    )
    parser.addini("pldgov_base", "as --pldgov-base")
    parser.addini("pldgov_student", "as --pldgov-student")
    parser.addini("pldgov_offline", "as --pldgov-offline", type="bool", default=None)
    parser.addini("pldgov_report", "as --pldgov-report")
    parser.addini("pldgov_undecided", "as --pldgov-undecided")
    parser.addini("pldgov_rulebook", "name of the rulebook that the fixtures are about")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the active part where it is wanted."""
    config.addinivalue_line(
        "markers", "pldgov(rulebook): the rulebook that the pldgov fixtures are about, by name"
    )
    if _is_asked_for(config) or _has_table(config.rootpath):
        # Loaded here and not above: an unused plugin must cost nothing.
        from pldgov.pytest_items.active import register  # noqa: PLC0415

        register(config)


def _is_asked_for(config: pytest.Config) -> bool:
    if config.getoption("--pldgov"):
        return True
    return any(
        config.getoption(f"pldgov_{name}", None) is not None
        or config.getini(f"pldgov_{name}") not in (None, "")
        for name in _ASKING
    )


def _has_table(root: Path) -> bool:
    """Tell whether the root's pyproject.toml has settings, without the cost of parsing it."""
    try:
        text = (root / "pyproject.toml").read_bytes()
    except OSError:
        return False
    return any(table in text for table in _TABLES)
