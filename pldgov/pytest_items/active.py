"""The hooks of the active plugin: light until a rulebook is met."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from pldgov.pytest_items import fixtures
from pldgov.pytest_items.settings import settings_of
from pldgov.pytest_items.summary import Summary
from pldgov.pytest_items.undecided import mark_report

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from pldgov.pytest_items.judging import Judging
    from pldgov.pytest_items.settings import Settings

RULEBOOK = "rulebook.yaml"
ACTIVE: pytest.StashKey[ActivePlugin] = pytest.StashKey()


class ActivePlugin:
    """Collects rulebooks, and holds what their items share in this process."""

    def __init__(self, settings: Settings, *, worker: str) -> None:
        self.settings = settings
        self.worker = worker

    @cached_property
    def judging(self) -> Judging:
        """Workspaces, student and verdicts; loads what they need when first asked for."""
        from pldgov.pytest_items.judging import Judging  # noqa: PLC0415  (heavy)

        return Judging(self.settings)

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Make a collector of each rulebook."""
        if file_path.name != RULEBOOK:
            return None
        from pldgov.pytest_items.items import RulebookFile  # noqa: PLC0415  (heavy)

        collector: RulebookFile = RulebookFile.from_parent(parent, path=file_path)
        return collector

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the report carry what an item found, to the process that sums up."""
        report = yield
        mark_report(report, item, settings=self.settings)
        return report

    def pytest_unconfigure(self) -> None:
        """Close student and store."""
        if "judging" in self.__dict__:
            self.judging.close()


def register(config: pytest.Config) -> None:
    """Register the hooks that collect and judge rulebooks."""
    settings = settings_of(config)
    workerinput: dict[str, str] | None = getattr(config, "workerinput", None)
    active = ActivePlugin(settings, worker=workerinput["workerid"] if workerinput else "main")
    config.stash[ACTIVE] = active
    config.pluginmanager.register(active, "pldgov-active")
    config.pluginmanager.register(fixtures, "pldgov-fixtures")
    if workerinput is None:
        config.pluginmanager.register(Summary(settings), "pldgov-summary")
