"""The small world that distillations are tested in."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def world():
    """Load the module tests/distilling_world.py, which no import path leads to."""
    path = Path(__file__).resolve().parent.parent / "distilling_world.py"
    spec = importlib.util.spec_from_file_location("distilling_world", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
