"""Replies of teachers in append-only JSON Lines: one reply a line, found by its request's digest.

Only an index is held in memory (16 bytes a reply: the digest's first 8 bytes and the place of the
line), and contents are read when they are asked for, so a million replies take no more room than
their index. A reply is on disk before ``put`` returns. What a killed process left of a line is
cut off when the file is opened again.
"""

from __future__ import annotations

import json
import os
import re
from array import array
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

import numpy as np

from pldgov.answer_lines import dump_line
from pldgov.distill.model import Finding, TeacherReply, Usage
from pldgov.errors import DataError, StorageError
from pldgov.files import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from io import FileIO
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

OFFSET_BITS: Final = 44
"""Bits of a place that are the offset in a file (16 TiB); those above are the file's number."""

MOST_FILES: Final = 1 << (64 - OFFSET_BITS)

_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "request": str, "content": str, "model": str, "mode": str, "date": str,
    "tokens_in": int, "tokens_out": int, "cost": (int, float),
}  # fmt: skip
_REQUIRED: Final = ("request", "content", "model", "mode", "date")
_DIGEST: Final = re.compile("[0-9a-f]{64}")


class JsonLinesArchive:
    """Replies in several files; new ones go to the end of ``path``.

    ``path`` and ``recorded`` (read only) are read once, when the archive is opened; a file that
    does not exist is empty. Where two replies to one request are recorded, the first one counts,
    ``recorded`` before ``path``. One process at a time may write to ``path``.
    """

    def __init__(self, path: Path | None = None, *, recorded: Sequence[Path] = ()) -> None:
        self._path = path
        self._files: list[Path] = [*recorded, *([path] if path else [])]
        if len(self._files) > MOST_FILES:
            raise StorageError(f"more than {MOST_FILES} files of replies", where=str(path))
        self._open: dict[int, BinaryIO] = {}
        self._new: dict[int, list[int]] = {}
        self._output: FileIO | None = None
        self._findings: list[Finding] = []
        self.spent = Usage()
        """What the replies in ``path`` took: what this run has spent so far."""
        self._keys, self._places = self._read_all()
        self._report_duplicates()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Lines that are no reply, and requests with more than one reply."""
        return tuple(self._findings)

    @property
    def size(self) -> int:
        """The number of lines that hold a reply."""
        return len(self._keys) + sum(map(len, self._new.values()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def get(self, request: str) -> TeacherReply | None:
        """Return the recorded reply to the request with this digest, None if there is none."""
        for place in self._places_of(_key(request)) if _DIGEST.fullmatch(request) else ():
            reply = self._read(place)
            if reply.request == request:
                return reply
        return None

    def put(self, *replies: TeacherReply) -> None:
        """Write replies to the end of ``path`` and wait until they are on disk.

        One to a request that has a reply already is not written. Raises ``StorageError`` when
        the system refuses; the file then ends with the last whole line.
        """
        for reply in replies:
            if self.get(reply.request) is None:
                self._append(reply)
        if self._output is not None:
            self._write(b"", sync=True)

    def close(self) -> None:
        """Close all files; the archive can still be read, which opens them again."""
        for stream in (*self._open.values(), *filter(None, [self._output])):
            stream.close()
        self._open.clear()
        self._output = None

    # -- writing --------------------------------------------------------------------------------

    def _append(self, reply: TeacherReply) -> None:
        output = self._output = self._output or self._open_output()
        offset = output.tell()
        self._write(line_of(reply).encode())
        place = (len(self._files) - 1) << OFFSET_BITS | offset
        self._new.setdefault(_key(reply.request), []).append(place)
        self.spent += Usage.of((reply,))

    def _open_output(self) -> FileIO:
        if self._path is None:
            raise StorageError("there is no file that replies could be recorded in")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            stream = self._path.open("ab", buffering=0)  # so that a kill loses nothing
            stream.seek(0, os.SEEK_END)
            sync_folder(self._path.parent)
        except OSError as error:
            raise self._refused(error) from error
        return stream

    def _write(self, data: bytes, *, sync: bool = False) -> None:
        output = self._output
        assert output is not None
        start = output.tell()
        try:
            written = 0
            while written < len(data):
                written += output.write(data[written:])
            if sync:
                os.fsync(output.fileno())
        except OSError as error:
            with suppress(OSError):
                output.truncate(start)
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> StorageError:
        return StorageError(
            f"cannot be written: {error.strerror}; the replies recorded before are kept",
            where=str(self._path),
            hint="put it right and run again",
        )

    # -- reading --------------------------------------------------------------------------------

    def _read_all(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        keys, places = array("Q"), array("Q")
        for number, path in enumerate(self._files):
            is_own = path == self._path and number == len(self._files) - 1
            for offset, reply in self._read_file(path, is_own=is_own):
                keys.append(_key(reply.request))
                places.append(number << OFFSET_BITS | offset)
                if is_own:
                    self.spent += Usage.of((reply,))
        unsorted = np.frombuffer(keys, dtype=np.uint64) if keys else np.zeros(0, np.uint64)
        order = np.argsort(unsorted, kind="stable")
        found = np.frombuffer(places, dtype=np.uint64) if places else np.zeros(0, np.uint64)
        return unsorted[order], found[order]

    def _read_file(self, path: Path, *, is_own: bool) -> Iterator[tuple[int, TeacherReply]]:
        """Yield each reply with the offset of its line; what is no reply becomes a finding."""
        offset, torn, line = 0, False, b"\n"
        try:
            with path.open("rb") as stream:
                for number, line in enumerate(stream, start=1):
                    torn = not line.endswith(b"\n")
                    try:
                        reply = reply_of(line)
                    except DataError as error:
                        reason = "the line is cut off" if torn else error.message
                        self._findings.append(
                            Finding("damaged-line", (f"{path}:{number}",), reason)
                        )
                    else:
                        if reply is not None:
                            yield offset, reply
                        torn = torn and reply is None
                    offset += len(line)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageError(f"cannot be read: {error.strerror}", where=str(path)) from error
        if is_own:
            _mend(path, line, cut_at=offset - len(line) if torn else None)

    def _places_of(self, key: int) -> list[int]:
        wanted = np.uint64(key)
        start, end = (np.searchsorted(self._keys, wanted, side) for side in ("left", "right"))
        return [int(place) for place in self._places[start:end]] + self._new.get(key, [])

    def _read(self, place: int) -> TeacherReply:
        number, offset = place >> OFFSET_BITS, place & ((1 << OFFSET_BITS) - 1)
        stream = self._open.get(number)
        if stream is None:
            stream = self._open[number] = self._files[number].open("rb")
        stream.seek(offset)
        reply = reply_of(stream.readline())
        assert reply is not None, "the file changed while it was open"
        return reply

    # -- what people should see -----------------------------------------------------------------

    def _report_duplicates(self) -> None:
        repeated = sorted(set(self._keys[1:][self._keys[1:] == self._keys[:-1]].tolist()))
        again = 0
        for key in repeated:
            first: dict[str, TeacherReply] = {}
            for reply in map(self._read, self._places_of(key)):
                earlier = first.setdefault(reply.request, reply)
                if earlier.content != reply.content:
                    said = "has two different recorded replies; the first one counts"
                    self._findings.append(
                        Finding("conflict", (reply.request,), f"the request {said}")
                    )
                elif earlier is not reply:
                    again += 1
        if again:
            said = f"{again} replies are recorded more than once, with the same content"
            self._findings.append(Finding("duplicate", (), said))


def line_of(reply: TeacherReply) -> str:
    """Return the line that records a reply, its newline included."""
    return dump_line(asdict(reply)) + "\n"


def reply_of(line: bytes) -> TeacherReply | None:
    """Return the reply that a line records, None for a blank line.

    Raises ``DataError`` for anything else.
    """
    if not line.strip():
        return None
    try:
        value = json.loads(line)
    except ValueError as error:
        raise DataError("the line is not JSON") from error
    if not isinstance(value, dict):
        raise DataError("the line is not a JSON object")
    missing = [name for name in _REQUIRED if name not in value]
    if missing:
        raise DataError(f"the line has no {', '.join(missing)}")
    wrong = [name for name in _TYPES if name in value and not _fits(value[name], _TYPES[name])]
    if wrong:
        raise DataError(f"{', '.join(wrong)}: of the wrong type")
    if not _DIGEST.fullmatch(value["request"]):
        raise DataError("request is not a SHA-256")
    return TeacherReply(**{name: value[name] for name in _TYPES if name in value})


def _fits(value: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _mend(path: Path, last_line: bytes, *, cut_at: int | None) -> None:
    """Cut off what a killed process left of a line, or give a whole last line its end."""
    try:
        if cut_at is not None:
            os.truncate(path, cut_at)
        elif not last_line.endswith(b"\n"):
            with path.open("ab") as stream:
                stream.write(b"\n")
    except OSError as error:
        raise StorageError(f"cannot be repaired: {error.strerror}", where=str(path)) from error


def _key(digest: str) -> int:
    """Return the first 8 bytes of a digest as a number; equal ones are told apart by the line."""
    return int(digest[:16], 16)
