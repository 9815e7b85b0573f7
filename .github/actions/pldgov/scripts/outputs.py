"""Write the outputs that a verdict is told in, from `pldgov gate --format json`.

Only the standard library is used, so that any Python 3 will do.
"""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path

# Of several rulebooks, the one whose verdict is the job's: failed, undecided, passed.
EXIT_CODES = (1, 3, 0)


def main(path: str) -> None:
    """Print an output a line, or several lines between two that nobody can guess."""
    rulebooks = [figures(one) for one in json.loads(Path(path).read_text("utf-8"))["rulebooks"]]
    worst = min(rulebooks, key=lambda one: EXIT_CODES.index(one["exit-code"]))
    for name, value in worst.items():
        if name != "exit-code":
            write(name, "" if value is None else str(value))
    write("verdicts", json.dumps(rulebooks))


def figures(report: dict) -> dict:
    """Return what is told of one rulebook; figures that were not measured are None."""
    verdict = report["verdict"]
    difference = verdict["macro_f1"] or {}
    interval = difference.get("interval", {})
    measured = (report["scorecard"] or {}).get("macro_f1")
    base, head = difference.get("base"), difference.get("head", measured)
    return {
        "rulebook": report["path"],
        "verdict": verdict["outcome"],
        "exit-code": report["exit_code"],
        "reason": verdict["reason"],
        "macro-f1": head,
        "base-macro-f1": base,
        "difference": None if base is None else head - base,
        "lower": interval.get("low"),
        "upper": interval.get("high"),
    }


def write(name: str, value: str) -> None:
    """Print one output."""
    end = f"end-{secrets.token_hex(16)}"
    sys.stdout.buffer.write(f"{name}<<{end}\n{value}\n{end}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1])
