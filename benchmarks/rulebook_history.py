"""How long the history of a rulebook takes.

Run: ``python benchmarks/rulebook_history.py [--commits N] [--rules N] [--runs N]``. Builds a
repository with ``git fast-import``: every commit rewords a rule of the rulebook, every twentieth
measures it anew (evidence with 200 answers), every fiftieth merges a branch that changed another
rule, halfway the folder is moved, and as many commits again touch other files. Then it times whole
processes of ``pldgov log``, of ``pldgov log`` for one rule and of ``pldgov blame``, and prints
medians and their range.
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
from pathlib import Path
from typing import TYPE_CHECKING

import git

import pldgov
from pldgov.dataset import Example
from pldgov.evidence import EVIDENCE_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 1_700_000_000
HALF_A_DAY = 43_200
LABELS = ("billing", "cards", "loans")
WORDS = "card loan bill limit fee stolen later branch interest refund delayed portal".split()  # noqa: SIM905  (easier to read)

HEAD = """\
schema: pldgov.rulebook/v1
name: desk
title: A desk
owner: bench@example.org
task:
  instruction: Route the message to a desk.
  labels: {billing: Bills, cards: Cards, loans: Loans}
examples: {train: examples/train.jsonl, gate: examples/gate.jsonl}
prompt: {template: plain.j2}
rules:
"""
RULE = """\
  - id: rule-{number:04}
    title: Rule {number}
    status: active
    labels: [{label}]
    instruction: >-
      {text}
    created: 2026-01-31
    provenance:
      origin: hand-written
      examples:
        - {{id: t-{number:04}, sha256: {sha}}}
"""


class Story:
    """The rulebook as it grows, and the stream for ``git fast-import`` that tells it."""

    def __init__(self, rules: int) -> None:
        self.source = random.Random(0)
        self.texts = [self.sentence() for _ in range(rules)]
        self.folder = "rulebooks/desk"
        self.mark = 0

    def sentence(self) -> str:
        """Return a rule's wording."""
        return f"A message about {' '.join(self.source.choices(WORDS, k=20))} goes there."

    def rulebook(self) -> str:
        """Return the rulebook's text as it is now."""
        rules = (
            RULE.format(number=n, label=LABELS[n % 3], text=text, sha=train(n).sha256)
            for n, text in enumerate(self.texts)
        )
        return HEAD + "".join(rules)

    def commit(
        self, files: dict[str, str], *, parent: int | None, merged: int | None = None, say: str
    ) -> str:
        """Return a commit of the stream, which gets the next mark."""
        self.mark += 1
        when = f"{START + self.mark * HALF_A_DAY} +0000"
        lines = [f"commit refs/heads/main\nmark :{self.mark}\n"]
        lines.append(f"author A{self.mark % 5} <a{self.mark % 5}@example.org> {when}\n")
        lines.append(f"committer C <c@example.org> {when}\n{data(say)}")
        lines += [f"from :{parent}\n"] if parent else []
        lines += [f"merge :{merged}\n"] if merged else []
        lines += [f"M 100644 inline {path}\n{data(text)}" for path, text in files.items()]
        return "".join(lines)


def train(number: int) -> Example:
    """Return the training example that a rule cites."""
    return Example(f"t-{number:04}", {"text": f"message {number}"}, LABELS[number % 3])


def data(text: str) -> str:
    """Return a text as fast-import reads it."""
    return f"data {len(text.encode())}\n{text}\n"


def evidence(turn: int) -> str:
    """Return an evidence file with 200 answers."""
    rows = [{"id": f"g-{n}", "gold": "cards", "label": "cards", "group": None} for n in range(200)]
    return json.dumps(
        {
            "schema": EVIDENCE_SCHEMA,
            "student": {"name": "s"},
            "prompt_sha256": f"{turn:064x}",
            "scorecard": {
                "macro_f1": 0.5 + turn % 50 / 100,
                "n": 200,
                "interval": {"low": 0.4, "high": 0.99, "confidence": 0.95},
            },
            "decisions": rows,
        },
        indent=1,
    )


def stream(commits: int, rules: int) -> Iterator[str]:
    """Yield the whole history: ``commits`` that touch the rulebook, as many that do not."""
    story = Story(rules)
    examples = "".join(
        json.dumps({"id": e.id, **e.inputs, "label": e.label}) + "\n"
        for e in (train(n) for n in range(max(rules, 30)))
    )
    first = {
        "pyproject.toml": '[tool.pldgov]\nstudent = "smollm2"\n',
        "templates/plain.j2": "{{ task.instruction }}{% for l in labels %}{{ l.name }}"
        "{% endfor %}{% for r in rules %}{{ r.instruction }}{% endfor %}",
        "templates/user.j2": "{{ text }}",
        f"{story.folder}/rulebook.yaml": story.rulebook(),
        f"{story.folder}/examples/train.jsonl": examples,
        f"{story.folder}/examples/gate.jsonl": examples,
    }
    yield story.commit(first, parent=None, say="Start")
    tip = story.mark
    for turn in range(1, commits):
        story.texts[story.source.randrange(1, rules)] = story.sentence()
        files = {f"{story.folder}/rulebook.yaml": story.rulebook()}
        if turn % 20 == 0:
            files[f"{story.folder}/evidence/s.json"] = evidence(turn)
        if turn % 50 == 0:
            yield story.commit(files, parent=tip, say=f"On a branch {turn}")
            branch = story.mark
            yield story.commit({f"other/{turn}.txt": "x"}, parent=tip, say=f"Meanwhile {turn}")
            yield story.commit(files, parent=story.mark, merged=branch, say=f"Merge {turn}")
        elif turn == commits // 2 + 1:
            old, story.folder = story.folder, "policies/desk"
            yield story.commit({}, parent=tip, say="Move") + f"R {old} {story.folder}\n"
        else:
            yield story.commit(files, parent=tip, say=f"Reword {turn}")
        yield story.commit({"other/notes.txt": str(turn)}, parent=story.mark, say=f"Other {turn}")
        tip = story.mark


def build(root: Path, commits: int, rules: int) -> None:
    """Make the repository."""
    subprocess.run(["git", "init", "-q", "-b", "main", root], check=True)
    done = "".join(stream(commits, rules))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=root, input=done.encode(), check=True)
    subprocess.run(["git", "reset", "-q", "--hard"], cwd=root, check=True)


def run(root: Path, *arguments: str) -> str:
    """Run pldgov in a process of its own and return what it prints."""
    command = [sys.executable, "-m", "pldgov", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


def cpu_seconds() -> float:
    """Return the CPU seconds of finished child processes."""
    times = os.times()
    return times.children_user + times.children_system


def report(root: Path, runs: int, *arguments: str) -> None:
    """Print the medians of a command's seconds, and the range."""
    wall, cpu = [], []
    for _ in range(runs):
        start, cpu_start = time.perf_counter(), cpu_seconds()
        run(root, *arguments)
        wall.append(time.perf_counter() - start)
        cpu.append(cpu_seconds() - cpu_start)
    print(
        f"pldgov {' '.join(arguments)}: {statistics.median(wall):.2f} s (median of {runs}, "
        f"{min(wall):.2f} to {max(wall):.2f}), CPU {statistics.median(cpu):.2f} s"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time the history of a rulebook.")
    parser.add_argument("--commits", type=int, default=2000)
    parser.add_argument("--rules", type=int, default=40)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    print(f"{dt.datetime.now(tz=dt.UTC).date()}, pldgov {pldgov.__version__}, {platform.machine()}")
    print(
        f"Python {platform.python_version()}, GitPython {git.__version__}, {git.Git().version()}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        build(root, given.commits, given.rules)
        everything = git.Repo(root).git.rev_list("--count", "HEAD")
        told = json.loads(run(root, "log", "policies/desk", "--format", "json"))["events"]
        measured = sum(bool(event["measured"]) for event in told)
        print(
            f"{everything} commits, {len(told)} of them about the rulebook of {given.rules} rules, "
            f"{measured} with evidence"
        )
        report(root, given.runs, "log", "policies/desk")
        report(root, given.runs, "log", "policies/desk", "rule-0007")
        report(root, given.runs, "blame", "policies/desk")
        report(root, given.runs, "blame", "policies/desk", "--at", "2024-06-01")


if __name__ == "__main__":
    main()
