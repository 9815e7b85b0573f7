"""How long reading and linting large rulebooks takes.

Run: ``python benchmarks/rulebook_lint.py [--runs N]``. Prints medians and their range: the whole
process of ``pldgov lint`` on 1,000 rules with provenance (three training examples a rule,
pinned; 1,000 validation and 1,000 gate examples), and reading 10,000 rules in a process that
runs already. CPU seconds stand beside the wall clock, for a machine that does other work too.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pydantic
import yaml

import pldgov
from pldgov.dataset import Example
from pldgov.rulebook.document import parse_document

if TYPE_CHECKING:
    from collections.abc import Callable

LABELS = ("billing", "cards", "loans", "security", "transfers")
WORDS = """
account advance agency amount answer balance branch broken called cancel charge claim
clerk closed contract counter credit customer declined delay deposit dispute error evening
fee first foreign fraud inquiry instalment interest invoice later letter limit login lost
machine message missing mobile money month notice number online paper password payment
person phone place plan portal price promise query rate receipt refund reject remind
request second secure send statement stolen system text third ticket token transfer
unknown wait wrong year
""".split()  # noqa: SIM905  (a list of 80 literals is no easier to read)

HEAD = """\
schema: pldgov.rulebook/v1
name: large
title: A large rulebook
owner: bench@example.org
task:
  instruction: Route the message to a desk.
  labels: {billing: Bills, cards: Cards, loans: Loans, security: Security, transfers: Transfers}
examples:
  train: examples/train.jsonl
  validation: examples/validation.jsonl
  gate: examples/gate.jsonl
prompt: {template: plain.j2}
rules:
"""

RULE = """\
  - id: rule-{number:05}
    title: Rule {number} on {label}
    status: active
    labels: [{label}]
    instruction: >-
      {text}
    priority: {priority}
    rationale: Clause {number} of the policy.
    created: 2026-01-31
    modified: 2026-02-28
    provenance:
      origin: distilled
      teacher: {{model: teacher-1, mode: batch, date: 2026-01-31, run_id: run-7}}
"""
CITED = "      examples:"


def sentence(source: random.Random, words: int) -> str:
    """Return words that say nothing, in an order that hardly comes twice."""
    return " ".join(source.choice(WORDS) for _ in range(words))


def make_examples(source: random.Random, split: str, count: int) -> list[Example]:
    """Return examples with labels in turn."""
    return [
        Example(f"{split}-{n:05}", {"text": sentence(source, 20)}, LABELS[n % len(LABELS)])
        for n in range(count)
    ]


def make_rulebook(
    source: random.Random, rules: int, train: list[Example], *, words: int = 25, cited: int = 3
) -> str:
    """Return the text of a rulebook; each rule cites some examples of its label."""
    parts = [HEAD]
    for number in range(rules):
        label = LABELS[number % len(LABELS)]
        text = f"A message about {sentence(source, words)} goes to {label}."
        priority = number % 10
        parts.append(RULE.format(number=number, label=label, text=text, priority=priority))
        parts.append(f"{CITED}\n")
        for turn in range(cited):
            example = train[(number + turn * 5 * rules) % len(train)]
            parts.append(
                f"        - {{id: {example.id}, sha256: {example.sha256}, role: support}}\n"
            )
    return "".join(parts)


def write_repository(root: Path, rules: int) -> None:
    """Write a governance repository with one rulebook."""
    source = random.Random(0)
    splits = {
        "train": make_examples(source, "train", 3 * rules),
        "validation": make_examples(source, "validation", 1000),
        "gate": make_examples(source, "gate", 1000),
    }
    folder = root / "rulebooks" / "large"
    (folder / "examples").mkdir(parents=True)
    (root / "templates").mkdir()
    (root / "pyproject.toml").write_text("[tool.pldgov]\n", "utf-8")
    for name in ("plain.j2", "user.j2"):
        (root / "templates" / name).write_text("{{ rules }}", "utf-8")
    for name, examples in splits.items():
        rows = [{"id": e.id, **e.inputs, "label": e.label} for e in examples]
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        (folder / "examples" / f"{name}.jsonl").write_text(lines, "utf-8")
    text = make_rulebook(source, rules, splits["train"])
    (folder / "rulebook.yaml").write_text(text, "utf-8")


def lint(root: Path) -> None:
    """Lint everything in a process of its own."""
    command = [sys.executable, "-m", "pldgov", "lint"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode != 0 or "no problem in 1 rulebook" not in result.stdout:
        sys.exit(f"lint was expected to find nothing:\n{result.stdout[-2000:]}{result.stderr}")


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its finished children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def report(what: str, runs: int, call: Callable[[], object]) -> None:
    """Print the medians of a call's seconds, and the range."""
    wall, cpu = [], []
    for _ in range(runs):
        start, cpu_start = time.perf_counter(), cpu_seconds()
        call()
        wall.append(time.perf_counter() - start)
        cpu.append(cpu_seconds() - cpu_start)
    print(
        f"{what}: {statistics.median(wall):.2f} s (median of {runs}, {min(wall):.2f} to "
        f"{max(wall):.2f}), CPU {statistics.median(cpu):.2f} s"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time reading and linting of large rulebooks.")
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(f"{dt.datetime.now(tz=dt.UTC).date()}, pldgov {pldgov.__version__}, {platform.machine()}")
    print(
        f"Python {platform.python_version()}, PyYAML {yaml.__version__} "
        f"(libyaml: {yaml.__with_libyaml__}), pydantic {pydantic.VERSION}"
    )
    with tempfile.TemporaryDirectory() as folder:
        write_repository(Path(folder), 1000)
        report("pldgov lint, 1,000 rules, whole process", runs, lambda: lint(Path(folder)))
    source = random.Random(1)
    train = make_examples(source, "train", 1000)
    for words, cited in ((5, 0), (25, 3)):
        text = make_rulebook(source, 10_000, train, words=words, cited=cited)
        data = (text if cited else text.replace(f"{CITED}\n", "")).encode()
        what = f"read 10,000 rules ({len(data) / 1e6:.1f} MB), in process"
        report(what, runs, partial(parse_document, data, path="rulebook.yaml"))


if __name__ == "__main__":
    main()
