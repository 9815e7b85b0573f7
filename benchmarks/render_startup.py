"""Time `pldgov render` as a whole process against the imports it cannot do without.

    python benchmarks/render_startup.py

Target: at most 3 times `python -c "import click, jinja2"`, without torch, transformers, openai,
sklearn or git. The two commands run in turn, so the ratio holds when the machine's speed drifts.
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASE = [sys.executable, "-c", "import click, jinja2"]
RENDER = [str(Path(sys.executable).with_name("pldgov")), "render", "desk-routing"]
HEAVY = ("torch", "transformers", "openai", "sklearn", "git")


def seconds(command: list[str]) -> float:
    """Return the wall time of one run."""
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def imported() -> set[str]:
    """Return which heavy packages a render imports."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *RENDER],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in run.stderr.splitlines()}
    return names & set(HEAVY)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    for command in (BASE, RENDER):
        seconds(command)  # fills the caches of the file system
    pairs = [(seconds(BASE), seconds(RENDER)) for _ in range(runs)]
    base, render = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(second / first for first, second in pairs)
    print(f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, Python {platform.python_version()}, "
          f"{platform.machine()}, click {version('click')}, jinja2 {version('jinja2')}, "
          f"pydantic {version('pydantic')}, {runs} runs in turn")  # fmt: skip
    print(f"import click, jinja2   {base * 1000:7.0f} ms (median)")
    print(f"pldgov render          {render * 1000:7.0f} ms (median)")
    print(f"ratio                  {ratio:7.2f} (median of pairs; target at most 3)")
    print(f"heavy packages imported: {', '.join(sorted(imported())) or 'none'}")


if __name__ == "__main__":
    main()
