"""Two revisions of a small rulebook, made from what a test changes in it."""

from __future__ import annotations

import copy
import json

import pytest
import yaml

from pldgov.rulebook.loading import load_revision
from pldgov.workflows.sides import builder_of

RULEBOOK = {
    "schema": "pldgov.rulebook/v1",
    "name": "desk",
    "title": "A desk",
    "owner": "ops@example.org",
    "task": {
        "instruction": "Name the label.",
        "labels": {"fraud": "money somebody took", "other": "everything else"},
    },
    "examples": {"train": "examples/train.jsonl", "gate": "examples/gate.jsonl"},
    "prompt": {"template": "plain.j2"},
    "rules": [
        {
            "id": f"r-{number}",
            "title": f"Rule {number}",
            "status": "active",
            "labels": ["fraud"],
            "instruction": f"Rule number {number} says what counts as fraud.",
            "priority": 0,
            "provenance": {
                "origin": "hand-written",
                "examples": [{"id": "t-1"}, {"id": "t-2", "role": "counter"}],
            },
        }
        for number in range(1, 5)
    ],
}
TEMPLATES = {
    "plain.j2": "{{ task.instruction }}\n{% for r in rules %}\n{{ loop.index }}. {{ r.instruction }}\n"
    "{% endfor %}\n{{ labels | map(attribute='name') | join(', ') }}\n",
    "shown.j2": "{{ task.instruction }}\n{% for r in rules %}\n{{ r.id }} {{ r.title }} ({{ r.priority }},"
    " {{ r.labels | join('/') }}): {{ r.instruction }}\n"
    "{% for e in r.support %}{{ e.user }}\n{% endfor %}{% endfor %}\n{{ labels | length }}\n",
    "user.j2": "{{ text }}\n",
    "unused.j2": "Nobody includes this.\n",
}
ROWS = {
    split: [
        {"id": f"{split[0]}-{number}", "text": f"{split} text {number}", "label": "fraud"}
        for number in range(1, 5)
    ]
    for split in ("train", "gate")
}


class Files:
    """A tree of files in memory."""

    name = "memory"

    def __init__(self, files):
        self._files = files

    def read(self, path):
        if path not in self._files:
            raise FileNotFoundError(path)
        return self._files[path]

    def exists(self, path):
        return path in self._files

    def files(self, under):
        return tuple(sorted(path for path in self._files if path.startswith(f"{under}/")))


class Side:
    """What a test may change before the revision is read: book, templates, rows, path."""

    def __init__(self, template):
        self.book = copy.deepcopy(RULEBOOK)
        self.book["prompt"]["template"] = template
        self.templates = dict(TEMPLATES)
        self.rows = copy.deepcopy(ROWS)
        self.path = "rulebooks/desk/rulebook.yaml"
        self.prefix = ""
        self.newline = "\n"

    def rule(self, number):
        return self.book["rules"][number - 1]

    def read(self):
        text = self.prefix + yaml.safe_dump(self.book, sort_keys=False, allow_unicode=True)
        folder = self.path.rpartition("/")[0]
        files = {self.path: text.replace("\n", self.newline)}
        files |= {f"templates/{name}": text for name, text in self.templates.items()}
        files |= {
            f"{folder}/examples/{split}.jsonl": "".join(json.dumps(row) + "\n" for row in rows)
            for split, rows in self.rows.items()
        }
        tree = Files({path: text.encode() for path, text in files.items()})
        return load_revision(tree, self.path, splits=("train", "gate"))


@pytest.fixture
def sides():
    """Return (base, head) after ``change(head)``, and their rendered prompts."""

    def make(change=lambda _: None, *, template="plain.j2", both=lambda _: None):
        base, head = Side(template), Side(template)
        both(base)
        both(head)
        change(head)
        revisions = base.read(), head.read()
        return revisions, tuple(builder_of(one).build() for one in revisions)

    return make
