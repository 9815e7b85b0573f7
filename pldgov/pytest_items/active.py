"""The hooks of the active plugin: light until a rulebook is met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pldgov.pytest_items import fixtures
from pldgov.pytest_items.settings import settings_of
from pldgov.pytest_items.shared import SHARED, Shared
from pldgov.pytest_items.summary import Summary
from pldgov.pytest_items.undecided import mark_report

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

RULEBOOK = "rulebook.yaml"


class ActivePlugin:
    """Collects rulebooks, and lets reports carry what their items found."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Make a collector of each rulebook."""
        if file_path.name != RULEBOOK:
            return None
        from pldgov.pytest_items.items import RulebookFile  # noqa: PLC0415  (heavy)

        collector: RulebookFile = RulebookFile.from_parent(parent, path=file_path)
        return collector

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Let the rulebooks of one student follow each other."""
        if not any(item.path.name == RULEBOOK for item in items):
            return
        from pldgov.pytest_items.ordering import group_by_student  # noqa: PLC0415  (heavy)

        group_by_student(items, self._shared.judging)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the report carry what an item found, to the process that sums up."""
        report = yield
        mark_report(report, item, settings=self._shared.settings)
        return report

    def pytest_unconfigure(self) -> None:
        """Close student and store."""
        self._shared.close()


def register(config: pytest.Config) -> None:
    """Register the hooks that collect and judge rulebooks."""
    settings = settings_of(config)
    workerinput: dict[str, str] | None = getattr(config, "workerinput", None)
    shared = Shared(settings, worker=workerinput["workerid"] if workerinput else "main")
    config.stash[SHARED] = shared
    config.pluginmanager.register(ActivePlugin(shared), "pldgov-active")
    config.pluginmanager.register(fixtures, "pldgov-fixtures")
    if workerinput is None:
        config.pluginmanager.register(Summary(settings), "pldgov-summary")
