"""How long an archive of recorded teacher replies takes to open, and how much memory.

Run: ``python benchmarks/reply_archive.py [--replies N]``. Writes N replies (default a million, of
about 700 bytes), opens the archive in a fresh process and reads 1,000 of them at random.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pldgov.archive import JsonLinesArchive, line_of
from pldgov.distill.model import TeacherReply
from pldgov.fingerprint import digest_text

READ = 1_000


def main() -> None:
    """Write the archive, then measure in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replies", type=int, default=1_000_000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure, arguments.replies)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replies.jsonl"
        with path.open("w", encoding="utf-8") as stream:
            stream.writelines(line_of(reply(number)) for number in range(arguments.replies))
        print(f"{arguments.replies:,} replies, {path.stat().st_size / 1e6:,.0f} MB")
        options = ["--replies", str(arguments.replies), "--measure", str(path)]
        subprocess.run([sys.executable, __file__, *options], check=True)


def reply(number: int) -> TeacherReply:
    """Return a reply as extraction records it."""
    content = '{"answers": [{"example": "e", "reasoning": "' + 18 * "because of it " + '"}]}'
    return TeacherReply(digest_text(str(number)), content, "m", "batch", "2026-11-24", 900, 120)


def measure(path: Path, count: int) -> None:
    """Print the time to open and to read, and the most memory this process ever held."""
    before = peak_memory()
    start, cpu = time.perf_counter(), time.process_time()
    archive = JsonLinesArchive(recorded=[path])
    opened, cpu = time.perf_counter() - start, time.process_time() - cpu
    chosen = random.Random(0).sample(range(count), k=min(READ, count))
    start = time.perf_counter()
    assert all(archive.get(digest_text(str(number))) for number in chosen)
    read = time.perf_counter() - start
    print(f"opened in {opened:.1f} s ({cpu:.1f} s of processor time)")
    print(f"memory: {before:.0f} MB before, {peak_memory():.0f} MB at most")
    print(f"one reply read in {read / len(chosen) * 1e6:.0f} microseconds")


def peak_memory() -> float:
    """Return the most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
