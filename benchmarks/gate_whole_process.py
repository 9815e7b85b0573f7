"""Time `pldgov gate` as a whole process: 10,000 examples, every answer of both sides stored.

    python benchmarks/gate_whole_process.py

Target: at most 3 s. The repository is made in a temporary folder: 8 labels, a rule that was
reworded since the base, and answers (88 % right, 15 % given anew by the edit) in the store under
the embedded student's fingerprint; nothing asks the student.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pldgov.config import load_config
from pldgov.results import Answer
from pldgov.workflows.sides import builder_of
from pldgov.workspace import Workspace

LABELS = [f"label-{number}" for number in range(8)]
PATH = "rulebooks/big/rulebook.yaml"
RULEBOOK = """\
schema: pldgov.rulebook/v1
name: big
title: Big
owner: benchmark
task:
  instruction: Name the label.
  labels:
{labels}
examples:
  train: examples/train.jsonl
  gate: examples/gate.jsonl
prompt:
  template: plain.j2
rules:
  - id: r-1
    title: One
    status: active
    labels: [label-0]
    instruction: {instruction}
    provenance:
      origin: hand-written
"""


def git(root: Path, *arguments: str) -> None:
    """Run git in the repository."""
    identity = ("-c", "user.name=b", "-c", "user.email=b@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def build(root: Path, examples: int) -> None:
    """Write and commit the repository, reword the rule, and store both sides' answers."""
    source = Path(__file__).resolve().parent.parent
    (root / "templates").mkdir()
    for name in ("plain.j2", "user.j2"):
        (root / "templates" / name).write_bytes((source / "templates" / name).read_bytes())
    folder = root / "rulebooks/big/examples"
    folder.mkdir(parents=True)
    rng = random.Random(0)
    for split, count in (("train", 200), ("gate", examples)):
        rows = (
            {"id": f"{split}-{i}", "text": _text(rng), "label": LABELS[i % 8]} for i in range(count)
        )
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "pyproject.toml").write_text("[tool.pldgov]\n")
    git(root, "init", "-q", "-b", "main")
    said: dict[str, str] = {}
    for instruction in ("The first wording.", "The second wording."):
        labels = "\n".join(f"    {label}: number {label}" for label in LABELS)
        (root / PATH).write_text(RULEBOOK.format(labels=labels, instruction=instruction))
        said = _store_answers(root, said, rng)
        if instruction.startswith("The first"):
            git(root, "add", "-A")
            git(root, "commit", "-qm", "Start")
    git(root, "switch", "-qc", "edit")


def _text(rng: random.Random) -> str:
    return " ".join(f"{rng.getrandbits(40):x}" for _ in range(12))


def _store_answers(root: Path, before: dict[str, str], rng: random.Random) -> dict[str, str]:
    """Store an answer for every example; return the labels said, by input digest."""
    workspace = Workspace(load_config(root))
    revision = workspace.load(PATH)
    card = workspace.student().card
    said = dict(before)
    answers = {}
    for example in (*revision.split("gate"), *revision.split("train")):
        key = example.input_sha256
        if key not in before or rng.random() < 0.15:
            said[key] = example.label if rng.random() < 0.88 else rng.choice(LABELS)
        scores = {label: -1.0 if label == said[key] else -4.0 for label in LABELS}
        answers[key] = Answer(label=said[key], scores=scores, score_kind="log-likelihood")
    prompt = builder_of(revision).build().prompt.digest
    with workspace.store() as store:
        store.put(prompt, card.fingerprint, answers)
    return said


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    command = [str(Path(sys.executable).with_name("pldgov")), "gate", "--offline"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        build(root, options.examples)
        times = []
        for _ in range(options.runs + 1):
            started = time.perf_counter()
            run = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
            times.append(time.perf_counter() - started)
    print(f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}, Python {platform.python_version()}, "
          f"{platform.machine()}, {options.examples} examples, 8 labels, 10,000 draws")  # fmt: skip
    print(f"pldgov gate, whole process: {statistics.median(times[1:]):.2f} s (median of "
          f"{options.runs}, {min(times[1:]):.2f} to {max(times[1:]):.2f}; target 3 s)")  # fmt: skip
    print("\n".join((run.stdout + run.stderr).splitlines()[:8]))


if __name__ == "__main__":
    main()
