"""What the unused pytest plugin costs a run of one empty test: at most 15 ms.

    python benchmarks/plugin_startup.py [PAIRS]

Each pair runs pytest once with the plugin and once with ``-p no:pldgov``, in turns, so that what
else the machine does hits both. Prints the median difference in wall and in processor time; exit
code 1 when the median difference in processor time is over the limit (wall time is noise on a
busy machine).
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_MS = 15.0
COMMAND = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]


def main(pairs: int) -> int:
    """Measure and print; return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
        (folder / "test_empty.py").write_text("def test_empty():\n    pass\n")
        for warm_up in ([], ["-p", "no:pldgov"]):
            run(folder, warm_up)
        differences = [pair(folder, number) for number in range(pairs)]
    wall, processor = (statistics.median(each) for each in zip(*differences, strict=True))
    print(f"{pairs} pairs, with plugin minus without, median: ", end="")
    print(f"{wall:+.1f} ms wall, {processor:+.1f} ms processor (limit {LIMIT_MS:.0f})")
    return int(processor > LIMIT_MS)


def pair(folder: Path, number: int) -> tuple[float, float]:
    """Return (wall, processor) milliseconds that the plugin added."""
    variants = [[], ["-p", "no:pldgov"]]
    order = variants if number % 2 else variants[::-1]
    took = {len(options): run(folder, options) for options in order}
    wall, processor = (used - unused for used, unused in zip(took[0], took[2], strict=True))
    return wall, processor


def run(folder: Path, options: list[str]) -> tuple[float, float]:
    """Return (wall, processor) milliseconds of one run."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*COMMAND, *options], cwd=folder, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * wall, 1000 * processor


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
