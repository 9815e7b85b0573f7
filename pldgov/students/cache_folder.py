"""The user's cache folder: digests of big files, and folders that are built once and checked."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from platformdirs import user_cache_dir

from pldgov.errors import StorageError
from pldgov.files import write_atomically
from pldgov.fingerprint import digest_file

if TYPE_CHECKING:
    from collections.abc import Callable

MANIFEST = "manifest.json"
WAIT = 1800
"""Seconds to wait for another process that is building the same folder."""

SMALL = 1 << 20
"""Files below this size are digested anew each time."""

logger = logging.getLogger("pldgov")


def cache_folder() -> Path:
    """Return the folder for what can be made again: ``PLDGOV_CACHE_DIR``, or the system's place."""
    chosen = os.environ.get("PLDGOV_CACHE_DIR")
    return Path(chosen).expanduser().resolve() if chosen else Path(user_cache_dir("pldgov", False))


def remembered_digest(path: Path) -> str:
    """Return the SHA-256 of a file, computed once as long as size and time of change stay."""
    stat = path.stat()
    if stat.st_size < SMALL:
        return digest_file(path)
    notes = cache_folder() / "digests.json"
    known, key = _read_notes(notes), str(path.resolve())
    stamp = [stat.st_size, stat.st_mtime_ns]
    noted = known.get(key)
    if isinstance(noted, list) and noted[:2] == stamp:
        return str(noted[2])
    digest = digest_file(path)
    with suppress(StorageError):  # a note not taken costs time, nothing else
        write_atomically(notes, json.dumps({**known, key: [*stamp, digest]}, indent=1).encode())
    return digest


def _read_notes(path: Path) -> dict[str, Any]:
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def built_folder(folder: Path, build: Callable[[Path], None], *, room: int) -> Path:
    """Return ``folder``, made by ``build`` unless it is there and whole.

    It appears in one step, complete, with a manifest of its files; one process builds, others
    wait. A folder that does not match its manifest is built anew, with a warning in the log.
    ``room`` is the number of bytes that the disk must have free. Raises ``StorageError``.
    """
    if _is_whole(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock", timeout=WAIT):
            if not _is_whole(folder):
                _replace(folder, build, room)
    except Timeout as error:
        raise StorageError(
            "another process holds the lock", where=f"{folder}.lock", hint="end it, or wait"
        ) from error
    except OSError as error:
        raise _refused(folder, error.strerror or str(error)) from error
    return folder


def _replace(folder: Path, build: Callable[[Path], None], room: int) -> None:
    if folder.exists():
        logger.warning("%s is damaged or incomplete; it is built anew", folder)
    for leftover in folder.parent.glob(f"{folder.name}.part-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    free = shutil.disk_usage(folder.parent).free
    if free < room:
        raise _refused(folder, f"{room >> 20} MiB are needed, {free >> 20} MiB are free")
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.part-", dir=folder.parent))
    try:
        build(part)
        _write_manifest(part)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_manifest(folder: Path) -> None:
    files = {
        path.name: {"size": path.stat().st_size, "sha256": remembered_digest(path)}
        for path in sorted(folder.iterdir())
    }
    write_atomically(folder / MANIFEST, json.dumps({"files": files}, indent=1).encode())


def _is_whole(folder: Path) -> bool:
    """Tell whether every file of the manifest is there with its size and digest."""
    files = _read_notes(folder / MANIFEST).get("files")
    if not isinstance(files, dict):
        return False
    try:
        return bool(files) and all(
            (folder / name).stat().st_size == noted["size"]
            and remembered_digest(folder / name) == noted["sha256"]
            for name, noted in files.items()
        )
    except (OSError, TypeError, KeyError):
        return False


def _refused(folder: Path, reason: str) -> StorageError:
    return StorageError(
        f"cannot be written: {reason}",
        where=str(folder),
        hint="make room, or set PLDGOV_CACHE_DIR to a folder elsewhere",
    )
