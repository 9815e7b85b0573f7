"""A small valid rulebook that tests change in one place each."""

from __future__ import annotations

from pathlib import Path

import pytest

VALID = Path(__file__).with_name("valid.yaml")


@pytest.fixture
def valid_text() -> str:
    """Return the text of a rulebook without a problem."""
    return VALID.read_text("utf-8")
