"""What was computed once and need not be again: the student's decisions, clusters, token counts.

Each record has a key over everything it depends on, so a record is true wherever its key fits.
The labels that were decided are recorded and not the scores behind them: a run needs no more, and
a hundred candidates take some fifty kilobytes instead of megabytes. With the file committed beside
the rulebook, anyone makes the rulebook again without student, embedder or network, and rounding
on another machine cannot change the outcome.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from io import FileIO
    from pathlib import Path

    Key = tuple[str, str]

Kind = Literal["student", "clusters", "duplicates", "conflicts", "tokens", "decisions"]


class Recording:
    """Records by kind and key; new ones go to the end of ``path`` as they come.

    ``committed`` are files to read only. What cannot be read in any file is passed over: it is
    computed again.
    """

    def __init__(self, path: Path, *, committed: Iterable[Path] = ()) -> None:
        self._path = path
        self._records: dict[Key, Any] = {}
        self._used: dict[Key, None] = {}
        self._output: FileIO | None = None
        for each in (*committed, path):
            self._read(each)

    def get(self, kind: Kind, key: str) -> Any:
        """Return the recorded value, None if there is none."""
        value = self._records.get((kind, key))
        if value is not None:
            self._used[kind, key] = None
        return value

    def put(self, kind: Kind, key: str, value: Any) -> None:
        """Record a value, which must be JSON and not None."""
        self._records[kind, key] = value
        self._used[kind, key] = None
        self._append(_line(kind, key, value).encode())

    def memo(self, kind: Kind, key: str, compute: Callable[[], Any]) -> Any:
        """Return the recorded value, computing and recording it where there is none."""
        value = self.get(kind, key)
        if value is None:
            value = compute()
            self.put(kind, key, value)
        return value

    def text(self) -> str:
        """Return the records that this run used, in the order in which it first did."""
        return "".join(_line(*key, self._records[key]) for key in self._used)

    def close(self) -> None:
        """Close the file."""
        if self._output is not None:
            self._output.close()
            self._output = None

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_bytes().splitlines()
        except OSError:
            return
        for line in lines:
            try:
                row = json.loads(line)
                self._records[str(row["kind"]), str(row["key"])] = row["value"]
            except (ValueError, KeyError, TypeError):
                continue  # cut off by a kill

    def _append(self, line: bytes) -> None:
        if self._output is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._output = self._path.open("ab", buffering=0)
            if self._output.tell() and not _ends_with_newline(self._path):
                line = b"\n" + line
        self._output.write(line)


def _line(kind: str, key: str, value: Any) -> str:
    return json.dumps({"kind": kind, "key": key, "value": value}, ensure_ascii=False) + "\n"


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read() == b"\n"
