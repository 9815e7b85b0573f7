"""Time the report page in headless Chromium: 1,000 rules and 5,000 examples.

    python benchmarks/browser_report.py

Targets on two cores: first paint under 2 s, filtering under 100 ms. The page is made by `pldgov
report` from a repository in a temporary folder: every rule cites five examples, 2,000 training
examples have the teacher's reasoning and 2,000 gate examples an answer. Times are the browser's
own (the performance API): first contentful paint, the end of loading, and from an input to the
frame that shows its result. Needs Chromium, its driver, and selenium.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pldgov.config import load_config
from pldgov.evidence import answers_text
from pldgov.results import Answer, StudentCard
from pldgov.workflows.sides import builder_of
from pldgov.workspace import Workspace

LABELS = [f"label-{number}" for number in range(8)]
SIZES = {"train": 2_000, "validation": 1_000, "gate": 2_000}
WORDS = [f"word{number}" for number in range(900)]
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1280,900",
)  # fmt: skip
FILTER = """
const [name, value, done] = arguments;
const control = document.getElementById(name);
const began = performance.now();
control.value = value;
control.dispatchEvent(new Event("input", { bubbles: true }));
requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
"""
STEPS = (
    ("rules-text", "word1"), ("rules-text", "word12"), ("rules-text", ""),
    ("rules-label", "3"), ("rules-label", ""), ("rules-status", "1"), ("rules-status", ""),
    ("examples-text", "word77"), ("examples-text", ""), ("examples-label", "2"),
    ("examples-label", ""), ("examples-answer", "1"), ("examples-answer", ""),
    ("examples-split", "2"), ("examples-split", ""),
)  # fmt: skip


def sentence(rng: random.Random, words: int) -> str:
    """Return so many words."""
    return " ".join(rng.choices(WORDS, k=words))


def build(root: Path, rules: int) -> None:
    """Write the repository, with recorded answers that `pldgov bless` makes evidence of."""
    source = Path(__file__).resolve().parent.parent
    (root / "templates").mkdir()
    for name in ("plain.j2", "user.j2"):
        (root / "templates" / name).write_bytes((source / "templates" / name).read_bytes())
    folder = root / "rulebooks/big"
    rng = random.Random(0)
    for split, count in SIZES.items():
        rows = (
            {"id": f"{split}-{i}", "text": sentence(rng, 25), "label": LABELS[i % 8]}
            for i in range(count)
        )
        write(folder / f"examples/{split}.jsonl", rows)
    write(folder / "teacher/extract.jsonl", replies(rng))
    (folder / "rulebook.yaml").write_text(json.dumps(rulebook(rng, rules), indent=1))
    (root / "pyproject.toml").write_text('[tool.pldgov]\nstudent = "recorded"\n' + STUDENT)
    (root / ".gitignore").write_text(".pldgov/\n")
    answer(root, rng)
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "Start"]):
        git(root, arguments)
    run(root, "bless", "big", "--reason", "benchmark")
    for arguments in (["add", "-A"], ["commit", "-qm", "Bless"]):
        git(root, arguments)


STUDENT = """
[tool.pldgov.students.recorded]
kind = "replay"
path = "recordings.jsonl"
student = { kind = "fake", model = "tiny", snapshot = "1" }
"""


def write(path: Path, rows: Any) -> None:
    """Write JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def replies(rng: random.Random) -> list[dict[str, Any]]:
    """Return a teacher's reply about every training example."""
    return [
        {
            "request": f"{i:064x}",
            "content": json.dumps(
                {
                    "answers": [
                        {
                            "example": f"train-{i}",
                            "reasoning": sentence(rng, 40),
                            "condition": sentence(rng, 12),
                            "instruction": sentence(rng, 20),
                            "label": LABELS[i % 8],
                        }
                    ]
                }
            ),
            "model": "teacher",
            "mode": "openai",
            "date": "2026-11-24",
        }
        for i in range(SIZES["train"])
    ]


def rulebook(rng: random.Random, rules: int) -> dict[str, Any]:
    """Return a rulebook; JSON is YAML."""
    return {
        "schema": "pldgov.rulebook/v1",
        "name": "big",
        "title": "Big",
        "owner": "benchmark",
        "task": {"instruction": "Name the label.", "labels": dict.fromkeys(LABELS, "a label")},
        "examples": {split: f"examples/{split}.jsonl" for split in SIZES},
        "prompt": {"template": "plain.j2"},
        "rules": [
            {
                "id": f"r-{i}",
                "title": sentence(rng, 5),
                "status": ("active", "active", "draft")[i % 3],
                "labels": [LABELS[i % 8]],
                "instruction": sentence(rng, 35),
                "rationale": sentence(rng, 15),
                "owner": f"team-{i % 12}",
                "provenance": {
                    "origin": "hand-written",
                    "examples": [
                        {"id": f"train-{8 * (31 * i + k) % SIZES['train'] + i % 8}"}
                        for k in range(5)
                    ],
                },
            }
            for i in range(rules)
        ],
    }


def answer(root: Path, rng: random.Random) -> None:
    """Record an answer for every example, four in five right."""
    revision = Workspace(load_config(root)).load("rulebooks/big/rulebook.yaml")
    answers = {
        one.input_sha256: Answer(one.label if rng.random() < 0.8 else rng.choice(LABELS))
        for examples in revision.splits.values()
        for one in examples
    }
    card = StudentCard(name="recorded", kind="fake", model="tiny", snapshot="1")
    prompt = builder_of(revision).build().prompt.digest
    (root / "recordings.jsonl").write_text(answers_text(prompt, card.fingerprint, answers))


def git(root: Path, arguments: list[str]) -> None:
    """Run git in the repository."""
    identity = ("-c", "user.name=b", "-c", "user.email=b@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def run(root: Path, *arguments: str) -> float:
    """Run pldgov and return the seconds that it took."""
    command = [str(Path(sys.executable).with_name("pldgov")), *arguments]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[:2000])
    return time.perf_counter() - started


def open_browser(profile: str) -> Any:
    """Start a Chromium of its own, with an empty profile."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def load(page: Path) -> tuple[float, float, dict[str, float], float]:
    """Return first paint and load in ms, the time of each filter step, and of a jump."""
    with tempfile.TemporaryDirectory() as profile:
        driver = open_browser(profile)
        try:
            driver.get(page.as_uri())
            time.sleep(1)
            paint, loaded = driver.execute_script(
                "return [performance.getEntriesByName('first-contentful-paint')[0].startTime,"
                " performance.getEntriesByType('navigation')[0].loadEventEnd]"
            )
            steps = {
                f"{number:02d} {name}={value}": driver.execute_async_script(FILTER, name, value)
                for number, (name, value) in enumerate(STEPS)
            }
            jump = driver.execute_async_script(
                "const done = arguments[0], began = performance.now();"
                "location.hash = 'example-gate-i-gate-1500';"
                "requestAnimationFrame(() => requestAnimationFrame(() =>"
                " setTimeout(() => done(performance.now() - began))));"
            )
            return paint, loaded, steps, jump
        finally:
            driver.quit()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("chromedriver") is None:
        sys.exit("no Chromium here: apt-get install chromium chromium-driver")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        build(root, options.rules)
        seconds = run(root, "report", "big", "-o", "page")
        page = root / "page/index.html"
        size = page.stat().st_size
        runs = [load(page) for _ in range(options.runs)]
    print(f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, Python {platform.python_version()}, "
          f"{platform.machine()}, {options.rules} rules, {sum(SIZES.values())} examples, "
          f"page of {size / 1e6:.1f} MB, {options.runs} runs")  # fmt: skip
    print(f"pldgov report, whole process: {seconds:.1f} s")
    tell("first contentful paint", [one[0] for one in runs], "target 2,000 ms")
    tell("loaded", [one[1] for one in runs], "no target")
    every = [(time, step) for one in runs for step, time in one[2].items()]
    tell("filtering, from input to frame", [time for time, _ in every], "target 100 ms")
    slowest, step = max(every)
    print(f"  slowest step: {step.split(' ', 1)[1]} ({slowest:.0f} ms)")
    tell("jump to an example 4,500 entries down", [one[3] for one in runs], "no target")


def tell(what: str, times: list[float], target: str) -> None:
    """Print the median and the range of times in ms."""
    print(f"{what}: {statistics.median(times):.0f} ms (median, {min(times):.0f} to "
          f"{max(times):.0f}; {target})")  # fmt: skip


if __name__ == "__main__":
    main()
