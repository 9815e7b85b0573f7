"""Writing files so that a reader sees the old content or the new one, never half of either."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from glob import glob
from pathlib import Path

from pldgov.errors import StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_atomically(path: Path, data: bytes) -> None:
    """Put ``data`` into ``path``, making its folders; the old file stays until all is on disk.

    A symbolic link is followed, and an existing file keeps its permissions. What is no file but a
    device or a pipe (``/dev/null``, ``/dev/stdout``) is written to as it is. Raises
    ``StorageError`` when the system refuses (disk full, no permission); the old file is then
    untouched and nothing half-written is left behind.
    """
    try:
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not (target.is_file() or target.is_dir()):
            target.write_bytes(data)  # replacing it would take the device from everybody
        else:
            _replace(target, data)
    except OSError as error:
        raise _refused(path, error) from error


def find_files(root: Path, pattern: str) -> tuple[Path, ...]:
    """Return the files that a path or glob pattern names; a relative one counts from ``root``."""
    if (root / pattern).is_file():
        return (root / pattern,)
    # The function, not the method of a path: that one takes no absolute pattern.
    found = glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207
    return tuple(sorted(path for each in found if (path := root / each).is_file()))


def _replace(target: Path, data: bytes) -> None:
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileNotFoundError):
            temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:  # Ctrl-C too must not leave the temporary file behind
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make a new or renamed file last through a power cut, where folders can be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refused(path: Path, error: OSError) -> StorageError:
    reason = error.strerror or type(error).__name__
    full = error.errno in _FULL
    return StorageError(
        f"cannot be written: {reason}; what was there before is untouched",
        where=str(path),
        hint="make room on the disk and run the command again" if full else None,
    )
