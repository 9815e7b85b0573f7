"""Time the statistics of the gate and the look-up of stored answers.

    python benchmarks/gate_statistics.py

Prints the best of three, with versions and date. Targets: the bootstrap of 10,000 examples and
8 labels with 10,000 draws in 2 s, for single examples and for 2,000 groups of mixed composition;
the look-up of 10,000 answers in 0.3 s.
"""

from __future__ import annotations

import datetime as dt
import platform
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import sklearn

from pldgov.bootstrap import resample
from pldgov.calibration import decide, label_prior
from pldgov.dataset import Example
from pldgov.gate import judge
from pldgov.metrics import score
from pldgov.results import Answer, ComparabilityKey, Decision, DecisionPolicy
from pldgov.rulebook.model import GatePolicy
from pldgov.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = 10_000
LABELS = tuple(f"label-{number}" for number in range(8))
GROUPS = 2_000
POLICY = GatePolicy()
KEY = ComparabilityKey("student", "greedy", "1", LABELS, "set")


def simulate(*, grouped: bool) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    """Return head and base: 88 % right, an edit that gives 15 % of the answers anew."""
    rng = np.random.default_rng(0)
    gold = rng.integers(len(LABELS), size=EXAMPLES)
    groups = rng.integers(GROUPS, size=EXAMPLES)

    def answers() -> np.ndarray:
        wrong = rng.integers(len(LABELS), size=EXAMPLES)
        return np.where(rng.random(EXAMPLES) < 0.88, gold, wrong)

    base = answers()
    head = np.where(rng.random(EXAMPLES) < 0.15, answers(), base)
    return tuple(
        tuple(
            Decision(str(i), LABELS[g], LABELS[said], group=str(groups[i]) if grouped else None)
            for i, (g, said) in enumerate(zip(gold, run, strict=True))
        )
        for run in (head, base)
    )


def best(call: Callable[[], object], *, times: int = 3) -> float:
    """Return the least seconds of a few calls."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def statistics() -> None:
    """Time bootstrap, scorecard and verdict on singles and groups."""
    for name, grouped in (("single examples", False), (f"{GROUPS:,} groups", True)):
        head, base = simulate(grouped=grouped)
        rows = {
            "bootstrap, both sides": lambda h=head, b=base: resample(
                (h, b), LABELS, draws=POLICY.draws, seed=0
            ),
            "score, one side": lambda h=head: score(h, LABELS, policy=POLICY),
            "judge": lambda h=head, b=base: judge(
                h, b, labels=LABELS, policy=POLICY, head_key=KEY, base_key=KEY
            ),
            "judge, nothing changed": lambda h=head: judge(
                h, h, labels=LABELS, policy=POLICY, head_key=KEY, base_key=KEY
            ),
        }
        for what, call in rows.items():
            print(f"{f'{what} ({name})':<50} {best(call):7.3f} s")


def storage() -> None:
    """Time the store and the decisions on 10,000 scored answers."""
    scores = {label: -1.2345678901 * number for number, label in enumerate(LABELS)}
    answer = Answer(LABELS[0], scores, "log-likelihood", tokens_in=700, seconds=0.05)
    answers = {f"{number:064x}": answer for number in range(EXAMPLES)}
    examples = [Example(str(number), {"text": "x"}, LABELS[0]) for number in range(EXAMPLES)]
    policy = DecisionPolicy(calibration="label-prior")
    prior = label_prior(list(answers.values())[:128], LABELS)
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "s.sqlite") as store:
        key = "p" * 64, "s" * 64
        print(f"{'put, 10,000 answers':<50} {best(lambda: store.put(*key, answers)):7.3f} s")
        print(f"{'get, 10,000 answers':<50} {best(lambda: store.get(*key, list(answers))):7.3f} s")

    def decisions() -> list[Decision]:
        return [decide(example, answer, LABELS, policy=policy, prior=prior) for example in examples]

    print(f"{'decide, 10,000 calibrated answers':<50} {best(decisions):7.3f} s")


def main() -> None:
    """Print every figure."""
    print(
        f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}  Python {platform.python_version()}, "
        f"NumPy {np.__version__}, scikit-learn {sklearn.__version__}, "
        f"SQLite {sqlite3.sqlite_version}, {platform.machine()}"
    )
    statistics()
    storage()


if __name__ == "__main__":
    main()
