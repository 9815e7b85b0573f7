"""How long planning a teacher's requests takes.

Run: ``python benchmarks/teacher_requests.py [--instructions N]``. Renders the synthesis requests
for N micro-instructions (default 100,000) in clusters of 100, and the extraction requests for
N/10 examples, against an empty archive; then reads N/100 recorded extraction replies back.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from pldgov.archive import JsonLinesArchive
from pldgov.dataset import Example
from pldgov.distill.extract import extract
from pldgov.distill.model import Clustering, MicroInstruction, TeacherReply
from pldgov.distill.prompts import TeacherPrompts
from pldgov.distill.synthesize import synthesize
from pldgov.rulebook.model import Task

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
TEXT = "The customer says that a payment was made from the account without any consent of theirs. "


def main() -> None:
    """Time the three, and print seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=int, default=100_000)
    count = parser.parse_args().instructions
    task = Task(instruction="Name the label.", labels={"fraud": "taken", "other": "the rest"})
    texts = {
        path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8")
        for path in TEMPLATES.rglob("*.j2")
    }
    prompts = TeacherPrompts(texts, task=task, title="A desk")
    examples = [Example(f"e-{n}", {"text": f"{n} {TEXT * 3}"}, "fraud") for n in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        archive = JsonLinesArchive(Path(folder) / "replies.jsonl")
        plan_synthesis(count, examples, prompts, archive)
        start = time.perf_counter()
        requests = extract(examples[: count // 10], prompts=prompts, archive=archive).requests
        print(f"{len(requests):,} extraction requests: {time.perf_counter() - start:.1f} s")
        asked = requests[: count // 100]
        archive.put(
            *(TeacherReply(r.digest, answer(r.about[0]), "m", "batch", "2026-11-24") for r in asked)
        )
        start = time.perf_counter()
        step = extract(examples[: len(asked)], prompts=prompts, archive=archive)
        assert step.done
        print(f"{len(step.result):,} replies read: {time.perf_counter() - start:.1f} s")


def plan_synthesis(
    count: int, examples: list[Example], prompts: TeacherPrompts, archive: JsonLinesArchive
) -> None:
    """Time the synthesis requests of all clusters."""
    micros = [
        MicroInstruction(f"m-{n}", f"e-{n}", "fraud", TEXT.lower(), TEXT, TEXT, "0" * 64)
        for n in range(count)
    ]
    ids = [one.id for one in micros]
    clusters = tuple(tuple(ids[n : n + 100]) for n in range(0, count, 100))
    start = time.perf_counter()
    step = synthesize(
        Clustering("kmeans", clusters), micros, examples=examples, prompts=prompts, archive=archive
    )
    digests = {request.digest for request in step.requests}
    print(f"{len(digests):,} synthesis requests: {time.perf_counter() - start:.1f} s")


def answer(example_id: str) -> str:
    """Return a sound extraction answer."""
    said = {
        "example": example_id,
        "reasoning": "Money left the account without consent.",
        "condition": "a payment was made without consent",
        "instruction": "When a payment lacked consent, the label is fraud.",
        "label": "fraud",
    }
    return json.dumps({"answers": [said]})


if __name__ == "__main__":
    main()
