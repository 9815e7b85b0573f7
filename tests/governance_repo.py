"""A tiny governance repository with history, in which every verdict can be had for real.

Tests get it through the fixture ``governance_repo`` (tests/conftest.py)::

    repo = governance_repo()               # main: rulebook, examples, settings; answers recorded
    repo.branch("edit")
    repo.write_rulebook(rule="A changed wording.")
    repo.record({"g-00": "other"})         # all answers right but that of g-00
    repo.commit("Change the wording")      # `pldgov gate` in repo.root now compares with main

One rulebook, ``desk``, two labels (``fraud``, ``other``), 40 gate examples and 10 each for train
and validation, all labelled in turn. The student ``recorded`` is of kind ``replay``: it answers
from recordings/, which no commit has to hold. Lint finds nothing in what is written by default.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from pldgov.config import load_config
from pldgov.dataset import Example
from pldgov.evidence import answers_text, parse_answers
from pldgov.results import Answer, StudentCard
from pldgov.workflows.sides import builder_of
from pldgov.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LABELS = {"fraud": "money or access that somebody took", "other": "everything else"}
SIZES = {"train": 10, "validation": 10, "gate": 40}
RULE = "If somebody else spent the money, the label is fraud."
STUDENT = StudentCard(name="recorded", kind="fake", model="tiny", snapshot="2026-11")

_WORDS = """
amber anchor apple arrow autumn basket beacon bridge butter candle canyon carpet castle cedar cherry
cloud copper coral cotton desert dragon engine fabric falcon feather forest garden ginger glacier
hammer harbor hazel island ivory jacket jungle kettle ladder lantern lemon marble meadow mirror
nickel oyster paper pepper planet pocket
""".split()  # noqa: SIM905  (easier to read than a list)
_TEMPLATES = {
    "plain.j2": (
        "{{ task.instruction }}\n"
        "{% for label in labels %}\n- {{ label.name }}: {{ label.description }}\n{% endfor %}\n"
        "{% for rule in rules %}\n{{ loop.index }}. {{ rule.instruction }}\n{% endfor %}\n"
    ),
    "user.j2": "{{ text }}\n",
}
_SETTINGS = f"""\
[tool.pldgov]
student = "recorded"

[tool.pldgov.students.recorded]
kind = "replay"
path = "recordings/*.jsonl"
student = {{ kind = "{STUDENT.kind}", model = "{STUDENT.model}", snapshot = "{STUDENT.snapshot}" }}
"""


@dataclass(frozen=True)
class GovernanceRepo:
    """The repository at ``root``; ``rulebook`` is the file of the rulebook written last."""

    root: Path
    name: str = "desk"

    @property
    def rulebook(self) -> Path:
        """The rulebook's file."""
        return self.root / self.path

    @property
    def path(self) -> str:
        """The rulebook's file relative to the root, as pldgov names it."""
        return f"rulebooks/{self.name}/rulebook.yaml"

    def another(self, name: str) -> GovernanceRepo:
        """Return a view of the same repository whose methods are about the rulebook ``name``."""
        return GovernanceRepo(self.root, name)

    def write_rulebook(
        self,
        *,
        rule: str = RULE,
        gate: Mapping[str, Any] | None = None,
        text: str | None = None,
        **changes: Any,
    ) -> None:
        """Write the rulebook with a rule that says ``rule`` and one for what is left.

        ``gate`` is the gate's policy, ``changes`` replace whole top-level keys, and ``text``
        replaces all of it (for rulebooks that are broken).
        """
        content = {**_rulebook(self.name, rule, gate or {}), **changes}
        self.write(self.path, text if text is not None else _yaml(content))

    def write_examples(self, **splits: list[dict[str, Any]]) -> None:
        """Write the given splits' rows (default: all of the repository's own)."""
        rows = splits or {name: _rows(self.name, name) for name in SIZES}
        for name, content in rows.items():
            lines = (json.dumps(row) + "\n" for row in content)
            self.write(f"rulebooks/{self.name}/examples/{name}.jsonl", "".join(lines))

    def write(self, path: str, text: str) -> Path:
        """Write any file below the root and return its path."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
        return file

    def record(
        self, answers: Mapping[str, str | None] | None = None, *, committed: bool = True
    ) -> None:
        """Record the student's answers to the present prompt, for the examples of all splits.

        ``answers`` holds labels by example id (None: an invalid answer); an example that is not
        in it is answered right. Recorded where only the student finds them, and unless not
        ``committed`` also as evidence beside the rulebook, where an offline gate finds them.
        """
        revision = Workspace(load_config(self.root, environment={})).load(self.path)
        digest = builder_of(revision).build().prompt.digest
        given = dict(answers or {})
        said = {
            example.input_sha256: Answer(given.get(example.id, example.label), raw=None)
            for examples in revision.splits.values()
            for example in examples
        }
        known = {e.id for examples in revision.splits.values() for e in examples}
        assert given.keys() <= known, f"no such example: {sorted(given.keys() - known)}"
        self._add(f"recordings/{self.name}.jsonl", digest, said)
        if committed:
            self._add(f"rulebooks/{self.name}/evidence/recorded.answers.jsonl", digest, said)

    def forget(self) -> None:
        """Remove every recorded answer, and the store."""
        for pattern in ("recordings/*", "rulebooks/*/evidence/*", ".pldgov/store*"):
            for file in self.root.glob(pattern):
                file.unlink()

    def commit(self, message: str = "Change") -> str:
        """Commit everything and return the commit's id."""
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str) -> None:
        """Start a branch here and switch to it."""
        self.git("switch", "--quiet", "-c", name)

    def git(self, *arguments: str) -> str:
        """Run git in the repository and return what it prints."""
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.root,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
        )
        return done.stdout.strip()

    def gate_ids(self, label: str) -> list[str]:
        """Return the ids of the gate examples that have this gold label."""
        return [row["id"] for row in _rows(self.name, "gate") if row["label"] == label]

    def _add(self, path: str, prompt: str, said: Mapping[str, Answer]) -> None:
        file = self.root / path
        student = STUDENT.fingerprint
        before = parse_answers(file.read_text("utf-8"), path=path) if file.exists() else {}
        before[prompt, student] = {**before.get((prompt, student), {}), **said}
        self.write(path, "".join(answers_text(*key, rows) for key, rows in before.items()))


def build(root: Path, *, name: str = "desk", recorded: bool = True) -> GovernanceRepo:
    """Make the repository in the folder ``root``, with one commit on ``main``.

    Unless not ``recorded`` the answers to its prompt (all right) are recorded and committed.
    """
    repo = GovernanceRepo(root, name)
    root.mkdir(parents=True, exist_ok=True)
    repo.git("init", "--quiet", "--initial-branch=main")
    repo.write("pyproject.toml", _SETTINGS)
    repo.write(".gitignore", ".pldgov/\nrecordings/\n__pycache__/\n.pytest_cache/\n")
    for file, text in _TEMPLATES.items():
        repo.write(f"templates/{file}", text)
    repo.write_examples()
    repo.write_rulebook()
    if recorded:
        repo.record()
    repo.commit("Start")
    return repo


def _rulebook(name: str, rule: str, gate: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schema": "pldgov.rulebook/v1",
        "name": name,
        "title": "A desk of two",
        "owner": "ops@example.org",
        "task": {"instruction": "Name the label.", "inputs": ["text"], "labels": dict(LABELS)},
        "examples": {split: f"examples/{split}.jsonl" for split in SIZES},
        "prompt": {"template": "plain.j2", "user_template": "user.j2"},
        "gate": {"draws": 1000, **gate},
        "rules": [
            _rule(name, "r-01", rule, "fraud"),
            _rule(name, "r-02", "All that is left has the label other.", "other"),
        ],
    }


def _rule(name: str, rule_id: str, instruction: str, label: str) -> dict[str, Any]:
    cited = [
        {"id": row["id"], "sha256": Example(row["id"], {"text": row["text"]}, row["label"]).sha256}
        for row in _rows(name, "train")
        if row["label"] == label
    ]
    return {
        "id": rule_id,
        "title": f"About {label}",
        "status": "active",
        "labels": [label],
        "instruction": instruction,
        "owner": "ops@example.org",
        "provenance": {"origin": "hand-written", "examples": cited[:2]},
    }


def _rows(name: str, split: str) -> list[dict[str, Any]]:
    """Return a split's rows: ids ``t-``, ``v-`` or ``g-`` and a number, labels in turn."""
    labels = tuple(LABELS)
    return [
        {"id": f"{split[0]}-{i:02d}", "text": _text(f"{name} {split} {i}"), "label": labels[i % 2]}
        for i in range(SIZES[split])
    ]


def _text(seed: str) -> str:
    """Return eight words that hardly any other seed gives."""
    return " ".join(
        _WORDS[byte % len(_WORDS)] for byte in hashlib.sha256(seed.encode()).digest()[:8]
    )


def _yaml(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
