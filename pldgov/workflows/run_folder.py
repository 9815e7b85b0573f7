"""The folder of one run, ``.pldgov/runs/<id>/``, and the lock that keeps a second run out."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from pldgov.errors import UsageError
from pldgov.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUNS = ".pldgov/runs"


@dataclass(frozen=True)
class RunFolder:
    """Where a run keeps what it has: ``root`` is the repository's, ``rulebook`` the name."""

    root: Path
    rulebook: str
    run_id: str

    @property
    def path(self) -> Path:
        """The folder."""
        return self.root / RUNS / self.run_id

    @property
    def replies(self) -> Path:
        """The replies that this run got."""
        return self.path / "replies.jsonl"

    @property
    def recording(self) -> Path:
        """What the run computed."""
        return self.path / "recording.jsonl"

    @property
    def shown(self) -> str:
        """The folder as messages call it."""
        return f"{RUNS}/{self.run_id}"

    def earlier_replies(self) -> tuple[Path, ...]:
        """Return the replies that other runs on the same rulebook got: they are paid for, too."""
        found = sorted((self.root / RUNS).glob("*/replies.jsonl"))
        return tuple(path for path in found if path != self.replies and self._is_sibling(path))

    def write(self, name: str, text: str) -> Path:
        """Put a text into a file of the folder."""
        write_atomically(self.path / name, text.encode())
        return self.path / name

    def mark(self) -> None:
        """Say in the folder whose run it is; raises ``UsageError`` when it is another's."""
        if (self.path / "run.json").exists() and not self._is_sibling(self.replies):
            raise UsageError(
                "this run is about another rulebook", where=self.shown, hint="choose another --run"
            )
        self.write("run.json", json.dumps({"rulebook": self.rulebook}) + "\n")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep every other run on this rulebook out; raises ``UsageError`` that says who runs."""
        base = self.root / RUNS / f"{self.rulebook}.lock"
        base.parent.mkdir(parents=True, exist_ok=True)
        owner = base.with_suffix(".owner.json")
        try:
            with FileLock(base, timeout=0):
                write_atomically(owner, _me(self.run_id).encode())
                yield
                owner.unlink(missing_ok=True)
        except Timeout as error:
            raise UsageError(
                f"another run is at work on this rulebook{_who(owner)}",
                where=self.rulebook,
                hint="let it finish, or end it: what it has is kept",
            ) from error

    def _is_sibling(self, replies: Path) -> bool:
        try:
            marked = json.loads((replies.parent / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(marked.get("rulebook") == self.rulebook)


def _me(run_id: str) -> str:
    since = datetime.now(tz=UTC).isoformat(timespec="seconds")
    value = {"run": run_id, "pid": os.getpid(), "host": socket.gethostname(), "since": since}
    return json.dumps(value) + "\n"


def _who(owner: Path) -> str:
    try:
        value = json.loads(owner.read_text(encoding="utf-8"))
        return (
            f": {value['run']}, process {value['pid']} on {value['host']}, since {value['since']}"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return ""
