"""Fixtures for users' own tests about a rulebook; nothing is loaded before one is used."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pldgov.errors import (
    BudgetError,
    ExamplesAbsentError,
    PldgovError,
    ProviderError,
    UnjudgedError,
)
from pldgov.pytest_items.shared import SHARED
from pldgov.pytest_items.undecided import leave_undecided

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pldgov.ports import Student
    from pldgov.pytest_items.judging import Judging
    from pldgov.results import Scorecard


@pytest.fixture
def rulebook(request: pytest.FixtureRequest) -> Path:
    """Return the rulebook's file.

    Which one: ``@pytest.mark.pldgov("name")``, else the ini key ``pldgov_rulebook``, else the
    only one there is.
    """
    judging = _judging(request)
    marker = request.node.get_closest_marker("pldgov")
    name = marker.args[0] if marker and marker.args else judging.settings.rulebook
    with _told(request):
        return judging.named(name)


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Student:
    """Return the student, opened once for the whole run and closed at its end."""
    with _told(request):
        return _judging(request).student()


@pytest.fixture
def scorecard(request: pytest.FixtureRequest, rulebook: Path) -> Scorecard:
    """Return how the student does under the rulebook on its gate split; measured once a run."""
    with _told(request):
        return _judging(request).scorecard(rulebook)


def _judging(request: pytest.FixtureRequest) -> Judging:
    return request.config.stash[SHARED].judging


@contextmanager
def _told(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tell errors in one line; without a verdict the test is undecided, as a gate would be."""
    try:
        yield
    except (UnjudgedError, ProviderError, BudgetError) as error:
        leave_undecided(request.node, " ".join(str(error).split()))
    except ExamplesAbsentError as error:
        leave_undecided(request.node, " ".join(str(error).split()), lacks_examples=True)
    except PldgovError as error:
        pytest.fail(str(error), pytrace=False)
