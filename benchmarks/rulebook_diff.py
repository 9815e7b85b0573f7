"""Time `pldgov diff` as a whole process: 1,000 rules against 1,000 rules, without a student.

    python benchmarks/rulebook_diff.py [--runs N]

Target: under 2 s. The repository is that of rulebook_lint.py (provenance of three training
examples a rule, 5,000 examples), with a base commit and a head commit in which a share of the
rules is changed: reworded, labelled anew, of another priority, with another rationale, moved,
added, removed. No answers are recorded, so nothing is measured. Beside it the time of a comparison
of values alone, and of one rule of 5 MB.
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import git
import pydantic
from rulebook_lint import report, sentence, write_repository

import pldgov
from pldgov.config import load_config
from pldgov.rulebook.diff import compare_revisions
from pldgov.rulebook.diff.words import compare_words
from pldgov.workflows.sides import builder_of
from pldgov.workspace import Workspace

PATH = "rulebooks/large/rulebook.yaml"
TEMPLATE = (
    "{{ task.instruction }}\n{% for label in labels %}\n- {{ label.name }}: "
    "{{ label.description }}\n{% endfor %}\n{% for rule in rules %}\n{{ loop.index }}. "
    "{{ rule.instruction }}\n{% endfor %}\n"
)


def run_git(root: Path, *arguments: str) -> None:
    """Run git in the repository."""
    identity = ("-c", "user.name=b", "-c", "user.email=b@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def change(text: str, share: float) -> str:
    """Return the rulebook's text with a share of its rules changed, in seven ways."""
    source = random.Random(2)
    head, *rules = text.split("  - id: ")
    kept: list[str] = []
    for number, rule in enumerate(rules):
        if source.random() >= share:
            kept.append(rule)
            continue
        way = number % 7
        if way == 0:
            kept.append(rule.replace("A message about", f"Whatever {sentence(source, 5)} says of"))
        elif way == 1:
            kept.append(
                rule.replace("labels: [", "labels: [loans, ").replace("loans, loans", "loans")
            )
        elif way == 2:
            kept.append(rule.replace("priority: ", "priority: 1"))
        elif way == 3:
            kept.append(rule.replace("of the policy.", "of the new policy."))
        elif way == 4:
            kept.insert(source.randrange(len(kept) + 1), rule)
        elif way == 5:
            kept += [rule, f"new-{rule}"]
    return "  - id: ".join([head, *kept])


def build(root: Path, share: float) -> None:
    """Write the repository: base on main, the changed rulebook on a branch."""
    write_repository(root, 1000)
    (root / "templates/plain.j2").write_text(TEMPLATE, "utf-8")
    (root / "templates/user.j2").write_text("{{ text }}\n", "utf-8")
    run_git(root, "init", "-q", "-b", "main")
    run_git(root, "add", "-A")
    run_git(root, "commit", "-qm", "Base")
    run_git(root, "switch", "-qc", "edit")
    text = (root / PATH).read_text("utf-8")
    (root / PATH).write_text(change(text, share), "utf-8")
    run_git(root, "commit", "-qam", "Head")


def diff(root: Path) -> str:
    """Compare both commits in a process of its own, and return what it prints."""
    command = [sys.executable, "-m", "pldgov", "diff", "main..edit"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode != 0 or "alters the rendered prompt" not in result.stdout:
        sys.exit(f"a diff was expected:\n{result.stdout[-2000:]}{result.stderr}")
    return result.stdout


def compare(root: Path) -> float:
    """Return the seconds that comparing both revisions takes once they are read and rendered."""
    workspace = Workspace(load_config(root))
    with workspace.repository() as repository:
        base, head = (workspace.load(PATH, source=repository.tree(ref)) for ref in ("main", "edit"))
    rendered = [builder_of(side).build() for side in (base, head)]
    start = time.perf_counter()
    compare_revisions(base, head, base_rendered=rendered[0], head_rendered=rendered[1])
    return time.perf_counter() - start


def long_texts() -> tuple[str, str]:
    """Return a text of 5 MB and the same with a word changed near each end."""
    words = [f"word{number}." for number in range(460_000)]
    before = " ".join(words)
    words[10], words[-10] = "other.", "other."
    return before, " ".join(words)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(f"{dt.datetime.now(tz=dt.UTC).date()}, pldgov {pldgov.__version__}, {platform.machine()}")
    print(
        f"Python {platform.python_version()}, GitPython {git.__version__}, "
        f"pydantic {pydantic.VERSION}"
    )
    for share in (0.05, 1.0):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            build(root, share)
            diff(root)
            what = f"pldgov diff, 1,000 rules, {share:.0%} changed, whole process (target 2 s)"
            report(what, runs, lambda root=root: diff(root))
            print(f"  of that comparing: {min(compare(root) for _ in range(runs)):.3f} s")
            print(
                "  " + next(line for line in diff(root).splitlines() if "rules: " in line).strip()
            )
    before, after = long_texts()
    report("a rule of 5 MB, word by word", runs, lambda: compare_words(before, after))


if __name__ == "__main__":
    main()
