"""What items and fixtures of one process share, found through pytest's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pldgov.pytest_items.judging import Judging
    from pldgov.pytest_items.settings import Settings

SHARED: pytest.StashKey[Shared] = pytest.StashKey()


@dataclass
class Shared:
    """The settings, the process's name among xdist's workers, and what is opened on demand."""

    settings: Settings
    worker: str

    @cached_property
    def judging(self) -> Judging:
        """Workspaces, student and verdicts; loads what they need when first asked for."""
        from pldgov.pytest_items.judging import Judging  # noqa: PLC0415  (heavy)

        return Judging(self.settings)

    def close(self) -> None:
        """Close student and store, if they were opened."""
        if "judging" in self.__dict__:
            self.judging.close()
