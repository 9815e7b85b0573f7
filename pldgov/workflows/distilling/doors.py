"""What a run reaches the world through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pldgov.distill.model import Phase, Usage
    from pldgov.distill.planning import Plan
    from pldgov.ports import Embedder, Progress, ReplyArchive, Teacher
    from pldgov.workflows.distilling.recording import Recording
    from pldgov.workflows.measure import Answering


@dataclass(frozen=True)
class Doors:
    """What a run reaches the world through; everything is opened only when it is needed.

    ``archive`` gives the replies of a phase, ``usage`` what those that were read took.
    ``teacher`` opens a phase's teacher. ``recorded`` trusts the student that decisions were
    recorded of. ``plan`` is told what will be asked; with ``dry_run`` nothing is.
    """

    archive: Callable[[Phase], ReplyArchive]
    usage: Callable[[], Mapping[Phase, Usage]]
    recording: Recording
    teacher: Callable[[Phase], Teacher]
    embedder: Callable[[], Embedder]
    embedder_key: str
    ask: Callable[[], Answering]
    recorded: bool = False
    dry_run: bool = False
    progress: Progress | None = None
    plan: Callable[[Plan], None] = lambda _: None
