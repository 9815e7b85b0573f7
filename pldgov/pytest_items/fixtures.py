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
    StudentAbsentError,
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
    with _told(request):
        return _judging(request).named(_name(request))


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Student:
    """Return the student, opened once for the whole run and closed at its end.

    Whose: of the rulebook that the fixture ``rulebook`` would give, else the default one.
    """
    with _told(request):
        return _judging(request).student(_name(request))


@pytest.fixture
def scorecard(request: pytest.FixtureRequest, rulebook: Path) -> Scorecard:
    """Return how the student does under the rulebook on its gate split; measured once a run."""
    with _told(request):
        return _judging(request).scorecard(rulebook)


def _judging(request: pytest.FixtureRequest) -> Judging:
    return request.config.stash[SHARED].judging


def _name(request: pytest.FixtureRequest) -> str | None:
    """Return the name of the rulebook that a test is about, None where nothing says so."""
    marker = request.node.get_closest_marker("pldgov")
    return marker.args[0] if marker and marker.args else _judging(request).settings.rulebook


@contextmanager
def _told(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tell errors in one line; without a verdict the test is undecided, as a gate would be."""
    try:
        yield
    except (ExamplesAbsentError, StudentAbsentError) as error:
        by_design = isinstance(error, ExamplesAbsentError) or error.by_design
        leave_undecided(request.node, " ".join(str(error).split()), by_design=by_design)
    except (UnjudgedError, ProviderError, BudgetError) as error:
        leave_undecided(request.node, " ".join(str(error).split()))
    except PldgovError as error:
        pytest.fail(str(error), pytrace=False)
