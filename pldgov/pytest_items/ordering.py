"""The order of rulebooks: those of one student after each other, so that it is loaded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.errors import PldgovError
from pldgov.pytest_items.items import RulebookItem

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pldgov.pytest_items.judging import Judging


def group_by_student(items: list[pytest.Item], judging: Judging) -> None:
    """Sort the rulebooks' items in place by when their student first appears.

    Other items stay where they are, and so does everything where there is one student.
    """
    places = [place for place, item in enumerate(items) if isinstance(item, RulebookItem)]
    names: dict[Path, str] = {}
    for place in places:
        path = items[place].path
        if path not in names:
            names[path] = _student(path, judging)
    order = list(dict.fromkeys(names.values()))
    if len(order) < 2:  # noqa: PLR2004  (one student)
        return
    ordered = sorted((items[place] for place in places), key=lambda i: order.index(names[i.path]))
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


def _student(path: Path, judging: Judging) -> str:
    try:
        return judging.student_name(path)
    except PldgovError:
        return ""  # its items say what is wrong
