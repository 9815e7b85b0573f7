"""What the plugin was told, by option or ini key."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The plugin's settings; None and False leave the word to ``[tool.pldgov]``.

    ``report`` is the file for the verdicts, ``undecided`` what items without a verdict come to
    (fail or skip), ``rulebook`` the name of the rulebook that the fixtures are about.
    """

    root: Path
    base: str | None = None
    student: str | None = None
    offline: bool = False
    report: Path | None = None
    undecided: str | None = None
    rulebook: str | None = None

    @property
    def undecided_fails(self) -> bool:
        """Tell whether undecided items make the exit status 1."""
        return self.undecided != "skip"

    def fails(self, *, by_design: bool) -> bool:
        """Tell whether such an undecided item makes the exit status 1.

        Examples that are not committed, and weights that have to be got, are absent from most
        machines ``by_design``: that fails only where it was asked for.
        """
        return self.undecided == "fail" if by_design else self.undecided_fails


def settings_of(config: pytest.Config, *, environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings: option, else ``PLDGOV_*`` variable, else ini key.

    Raises ``pytest.UsageError`` for a value of ``pldgov_undecided`` that means nothing.
    """

    def told(name: str) -> Any:
        given = config.getoption(f"pldgov_{name}", None)
        if given is None and not environment.get(f"PLDGOV_{name.upper()}"):
            given = config.getini(f"pldgov_{name}")
        return given or None

    undecided = told("undecided")
    if undecided not in (None, "fail", "skip"):
        raise pytest.UsageError(f"pldgov_undecided: {undecided!r} is neither fail nor skip")
    report = told("report")
    return Settings(
        root=config.rootpath,
        base=told("base"),
        student=told("student"),
        offline=bool(told("offline")),
        report=config.invocation_params.dir / report if report else None,
        undecided=undecided,
        rulebook=told("rulebook"),
    )
