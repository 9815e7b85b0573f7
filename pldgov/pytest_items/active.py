"""What the plugin registers once it is active."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def register(config: pytest.Config) -> None:
    """Register the hooks that collect and judge rulebooks."""
    del config
