"""Atomic writing: old content or new content, never half of either."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from pldgov.errors import StorageError
from pldgov.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_it_writes_and_makes_folders(tmp_path):
    """The bytes arrive as they are, in folders that did not exist."""
    path = tmp_path / "a" / "b" / "rows.jsonl"
    write_atomically(path, b"one\r\n\xff")
    assert path.read_bytes() == b"one\r\n\xff"
    assert names(path.parent) == ["rows.jsonl"]


def test_a_new_file_gets_the_umask_and_an_old_one_keeps_its_mode(tmp_path):
    """Replacing a file does not change who may read it."""
    path = tmp_path / "rows.jsonl"
    plain = tmp_path / "plain"
    plain.touch()
    write_atomically(path, b"1")
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    write_atomically(path, b"2")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_symbolic_link_is_followed(tmp_path):
    """Writing through a link changes the file it names and leaves the link."""
    real = tmp_path / "real"
    real.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_folder_in_the_way_is_a_storage_error(tmp_path):
    """What cannot be written is said with its path, and no temporary file stays."""
    (tmp_path / "rows.jsonl").mkdir()
    with pytest.raises(StorageError, match=r"rows\.jsonl: cannot be written: "):
        write_atomically(tmp_path / "rows.jsonl", b"x")
    assert names(tmp_path) == ["rows.jsonl"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    """Ctrl-C between writing and renaming keeps the old content and cleans up."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"old")

    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["rows.jsonl"]


LIMITED = """
import resource, sys
from pathlib import Path
from pldgov.errors import StorageError
from pldgov.files import write_atomically

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_atomically(Path(sys.argv[1]), b"x" * 100_000)
except StorageError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a POSIX matter")
def test_a_file_size_limit_keeps_the_old_file(tmp_path):
    """A write that the system cuts short is reported, and the old file is as before."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", textwrap.dedent(LIMITED), str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "what was there before is untouched (make room on the disk" in ran.stdout
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["rows.jsonl"]


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 64 KiB; skip where the user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a small tmpfs cannot be mounted here: {error}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_the_old_file(small_disk: Path):
    """On a disk that is really full the error says so and the old file is as before."""
    path = small_disk / "rows.jsonl"
    write_atomically(path, b"old")
    with pytest.raises(StorageError, match="No space left on device") as caught:
        write_atomically(path, b"x" * 200_000)
    assert caught.value.hint == "make room on the disk and run the command again"
    assert path.read_bytes() == b"old"
    assert names(small_disk) == ["rows.jsonl"]


def test_a_pipe_or_device_is_written_to_and_stays_what_it_is(tmp_path):
    """`-o /dev/null` must not put a file in the place of the device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, b"text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]
