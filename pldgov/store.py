"""The answer store: SQLite, safe for parallel writers, never pickle.

An answer is kept by prompt digest, student fingerprint, input digest and repeat, so an unchanged
prompt costs no student call. The file is in WAL mode with ``synchronous=NORMAL``: what ``put``
has written survives a crash of the process; a power cut may lose the last few writes (those
answers are asked for again) and leaves the file whole. WAL needs a local disk, not a network
share.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from pldgov.answer_lines import AnswerKey, dump_line, line_of, read_lines
from pldgov.errors import DataError, StorageError
from pldgov.results_json import answer_from_json, answer_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType
    from typing import TextIO

    from pldgov.results import Answer

SCHEMA_VERSION = 1
BUSY_SECONDS = 30.0
"""How long to wait for another process that is writing."""

LOOKUP_CHUNK = 500
"""Inputs of one query: SQLite before 3.32 allows 999 parameters."""

SET_PATH = "choose another place with --store, PLDGOV_STORE or store in [tool.pldgov]"
HINTS = {
    "SQLITE_BUSY": "another process holds it: let that one finish, then run again",
    "SQLITE_LOCKED": "another process holds it: let that one finish, then run again",
    "SQLITE_FULL": "the disk is full: make room and run again, answers stored so far are kept",
    "SQLITE_IOERR": "the disk failed or is full; answers stored so far are kept",
    "SQLITE_NOTADB": "it is not a store: move it away, answers are then asked for again",
    "SQLITE_CORRUPT": "it is damaged: move it away, answers are then asked for again",
}
"""What to do, by the beginning of SQLite's name for the error; else ``SET_PATH``."""

SCHEMA = """
CREATE TABLE answers (
    prompt TEXT NOT NULL,
    student TEXT NOT NULL,
    input TEXT NOT NULL,
    repeat INTEGER NOT NULL,
    answer TEXT NOT NULL,
    stored_at REAL NOT NULL,
    PRIMARY KEY (prompt, student, repeat, input)
) WITHOUT ROWID
"""
PUT = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)"
GET = "SELECT input, answer FROM answers WHERE prompt = ? AND student = ? AND repeat = ?"
COUNTS = """
SELECT count(*), count(DISTINCT prompt), count(DISTINCT student), min(stored_at), max(stored_at)
FROM answers
"""


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a store holds; ``size`` in bytes (with its write-ahead log), times in UTC."""

    path: Path
    size: int
    answers: int
    prompts: int
    students: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What an import did.

    ``conflicts`` are the keys that were already there with another answer; ``replaced`` says
    whether the imported or the older answer was kept.
    """

    added: int
    unchanged: int
    conflicts: tuple[AnswerKey, ...]
    replaced: bool


class Store:
    """Answers in one SQLite file, opened (and created) at once; an ``AnswerStore``.

    It may be shared by threads, and any number of processes may open the same path; it must not
    be carried over a fork. Every method raises ``StorageError`` when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with _storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def get(
        self, prompt: str, student: str, inputs: Sequence[str], *, repeat: int = 0
    ) -> dict[str, Answer]:
        """Return the stored answers by input digest; a missing one is left out."""
        wanted = list(dict.fromkeys(inputs))
        found: dict[str, Answer] = {}
        for start in range(0, len(wanted), LOOKUP_CHUNK):
            chunk = wanted[start : start + LOOKUP_CHUNK]
            marks = ",".join("?" * len(chunk))
            query = f"{GET} AND input IN ({marks})"
            rows = self._all(query, (prompt, student, repeat, *chunk))
            found.update((digest, self._answer(text, digest)) for digest, text in rows)
        return found

    def put(
        self, prompt: str, student: str, answers: Mapping[str, Answer], *, repeat: int = 0
    ) -> None:
        """Keep answers by input digest, durably, all or none; an older one is replaced."""
        rows = [
            _row(AnswerKey(prompt, student, digest, repeat), answer)
            for digest, answer in answers.items()
        ]
        with self._transaction() as connection:
            connection.executemany(PUT, rows)

    def info(self) -> StoreInfo:
        """Return counts, size and age of what is stored."""
        answers, prompts, students, oldest, newest = self._all(COUNTS)[0]
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        with _storage_errors(self.path):
            size = sum(file.stat().st_size for file in files if file.exists())
        return StoreInfo(
            path=self.path,
            size=size,
            answers=answers,
            prompts=prompts,
            students=students,
            oldest=_moment(oldest),
            newest=_moment(newest),
        )

    def clear(
        self,
        *,
        prompt: str | None = None,
        student: str | None = None,
        older_than: timedelta | None = None,
    ) -> int:
        """Remove the answers that fit every filter given (all without one); return how many."""
        where, values = _filters(prompt, student)
        if older_than is not None:
            where, values = (
                f"{where} AND stored_at < ?",
                [*values, time.time() - older_than.total_seconds()],
            )
        with self._transaction() as connection:
            removed = connection.execute(f"DELETE FROM answers WHERE {where}", values).rowcount  # noqa: S608
        with self._lock, suppress(sqlite3.OperationalError):  # someone reads: room comes back later
            self._connection.execute("VACUUM")
        return removed

    def export(
        self, stream: TextIO, *, prompt: str | None = None, student: str | None = None
    ) -> int:
        """Write one JSON object a line, sorted by key; return how many.

        The same answers give the same bytes, so the file can be committed. Times are left out.
        ``prompt`` and ``student`` are digests or their beginnings.
        """
        where, values = _filters(prompt, student)
        query = f"SELECT prompt, student, input, repeat, answer FROM answers WHERE {where}"  # noqa: S608
        rows = self._all(f"{query} ORDER BY prompt, student, input, repeat", values)
        stream.writelines(
            line_of(AnswerKey(*key), self._answer(text, key[2])) for *key, text in rows
        )
        return len(rows)

    def import_(
        self, lines: Iterable[str], *, name: str = "import", replace: bool = False
    ) -> ImportCounts:
        """Read what ``export`` wrote, all or nothing.

        Where another answer is already stored under a key, it stays unless ``replace``. Answers
        that differ in ``seconds`` alone count as the same. Raises ``DataError`` naming the first
        line of the file ``name`` that does not fit.
        """
        added = unchanged = 0
        conflicts = []
        answers = read_lines(lines, name=name)
        with self._transaction() as connection:
            for key, answer in answers:
                held = self._held(connection, key)
                same = held is not None and _same(held, answer)
                added += held is None
                unchanged += same
                if held is not None and not same:
                    conflicts.append(key)
                if held is None or (replace and not same):
                    connection.execute(PUT, _row(key, answer))
        return ImportCounts(added, unchanged, tuple(conflicts), replaced=replace)

    def close(self) -> None:
        """Close the file; it may be called more than once."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        if not self._is_ready():
            with _storage_errors(self.path), self._setup_lock():
                # A switch to WAL fails at once, without waiting, while another process writes.
                self._connection.execute("PRAGMA journal_mode = WAL")
                with self._transaction() as connection:
                    if not self._is_ready():
                        self._create(connection)
        with _storage_errors(self.path):
            self._connection.execute("PRAGMA synchronous = NORMAL")

    def _setup_lock(self) -> FileLock:
        return FileLock(self.path.with_name(self.path.name + ".lock"), timeout=BUSY_SECONDS)

    def _is_ready(self) -> bool:
        version = self._all("PRAGMA user_version")[0][0]
        if version > SCHEMA_VERSION:
            raise StorageError(
                f"the store has schema {version}, this pldgov knows up to {SCHEMA_VERSION}",
                where=str(self.path),
                hint=f"upgrade pldgov, or {SET_PATH}",
            )
        return bool(version == SCHEMA_VERSION)

    def _create(self, connection: sqlite3.Connection) -> None:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise StorageError(
                "the file is an SQLite database, but not one of pldgov",
                where=str(self.path),
                hint=SET_PATH,
            )
        connection.execute(SCHEMA)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock, _storage_errors(self.path):
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _storage_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _held(self, connection: sqlite3.Connection, key: AnswerKey) -> Answer | None:
        values = (key.prompt, key.student, key.repeat, key.input)
        found = connection.execute(f"{GET} AND input = ?", values).fetchone()
        return None if found is None else self._answer(found[1], key.input)

    def _answer(self, text: str, digest: str) -> Answer:
        try:
            return answer_from_json(json.loads(text))
        except (ValueError, DataError) as error:
            raise StorageError(
                f"the stored answer to input {digest} cannot be read: {error}",
                where=str(self.path),
                hint="clear the store, the student is then asked again: pldgov cache clear",
            ) from error


def _row(key: AnswerKey, answer: Answer) -> tuple[str, str, str, int, str, float]:
    return (*key, dump_line(answer_to_json(answer)), time.time())


def _same(held: Answer, other: Answer) -> bool:
    """Tell whether two answers say the same; how long they took is no difference."""
    return dataclasses.replace(held, seconds=0.0) == dataclasses.replace(other, seconds=0.0)


def _filters(prompt: str | None, student: str | None) -> tuple[str, list[Any]]:
    where, values = ["1"], []
    for column, start in (("prompt", prompt), ("student", student)):
        if start is not None:
            where.append(f"substr({column}, 1, ?) = ?")
            values += [len(start), start]
    return " AND ".join(where), values


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into an error that says what to do."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a bug in the caller, such as a closed store
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        hint = next((text for start, text in HINTS.items() if name.startswith(start)), SET_PATH)
        raise StorageError(
            f"the store cannot be used: {error}", where=str(path), hint=hint
        ) from error
    except Timeout as error:
        message = f"another process has been preparing the store for {BUSY_SECONDS:.0f} seconds"
        raise StorageError(message, where=str(path), hint=HINTS["SQLITE_BUSY"]) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"the store cannot be used: {reason}", where=str(path), hint=SET_PATH
        ) from error
