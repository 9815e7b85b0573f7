"""The third state of an item: no verdict could be given, which is neither green nor red.

For pytest such an item is skipped, so that every other plugin knows what to do with it (JUnit:
``<skipped>`` with the reason); the terminal shows it apart and the exit status counts it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from pldgov.pytest_items.settings import Settings


@dataclass(frozen=True, slots=True)
class Undecided:
    """Why an item has no verdict.

    ``blocks`` is false where the gate lets the change pass, ``by_design`` true where nothing else
    is in the way than what most machines lack: examples that are not committed, or weights.
    """

    reason: str
    blocks: bool = True
    by_design: bool = False


_UNDECIDED: pytest.StashKey[Undecided] = pytest.StashKey()
FACTS: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
"""What an item found, as values that JSON can hold."""


def leave_undecided(
    item: pytest.Item, reason: str, *, blocks: bool = True, by_design: bool = False
) -> NoReturn:
    """End the item without a verdict; see ``Undecided``."""
    item.stash[_UNDECIDED] = Undecided(reason, blocks, by_design)
    pytest.skip(reason)


def mark_report(report: pytest.TestReport, item: pytest.Item, *, settings: Settings) -> None:
    """Write on a report whether its item is undecided, and what it found.

    Both become attributes of the report that xdist carries to the controller; facts go as JSON
    text, because xdist takes only plain values.
    """
    said = item.stash.get(_UNDECIDED, None)
    if said is not None and report.skipped:
        path, line, _ = item.reportinfo()
        report.longrepr = (str(path), (line or 0) + 1, said.reason)
        vars(report)["pldgov_undecided"] = {
            "blocks": said.blocks and settings.fails(by_design=said.by_design),
            "accepted": not settings.undecided_fails,
        }
    if report.when == "call" and FACTS in item.stash:
        vars(report)["pldgov_facts"] = json.dumps(item.stash[FACTS])
