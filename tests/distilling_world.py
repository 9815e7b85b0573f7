"""A small world to distil in: a task of trigger words, a teacher that knows them, and a student.

The student reads the rules of its prompt and nothing else: the first rule whose word stands in
the input decides, else the first label. The teacher is a function of the request alone, so every
run that asks it the same gets the same. Both may be killed at their n-th deed.
"""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import yaml

from pldgov.distill.model import TeacherReply
from pldgov.results import Answer, StudentCard
from pldgov.workflows.distilling.journey import Openers
from pldgov.workflows.distilling.journey import distill as carry_out
from pldgov.workflows.distilling.settings import merge_settings, read_settings
from pldgov.workflows.measure import Answering

REPOSITORY = Path(__file__).resolve().parent.parent
LABELS = {
    "card": "about plastic cards",
    "loan": "about borrowed money",
    "other": "about everything else",
}
TRIGGERS = {
    "card": ("plastic", "pin", "contactless", "terminal"),
    "loan": ("mortgage", "borrowing", "lender", "repayment"),
    "other": ("weather", "parking", "branch", "birthday"),
}
LATE = {"terminal", "repayment", "birthday"}
"""Words that synthesis gets wrong, and failures bring up."""

FILLER = [
    "amber",
    "basket",
    "canyon",
    "desert",
    "engine",
    "falcon",
    "garden",
    "hammer",
    "island",
    "jacket",
    "kettle",
    "ladder",
]
SIZES = {"train": 60, "validation": 36, "gate": 36}


def rows(split):
    """Return a split's examples: labels in turn, words of each label in turn."""
    labels = list(LABELS)
    made = []
    for i in range(SIZES[split]):
        label = labels[i % 3]
        word = TRIGGERS[label][(i // 3) % 4]
        rest = [FILLER[(i * 7 + k * (3 + i % 5) + len(split)) % 12] for k in range(6)]
        text = " ".join([*rest[:3], word, *rest[3:], split, f"{i}x{i * i}"])
        made.append({"id": f"{split[0]}-{i:02d}", "text": text, "label": label})
    return made


def build(root, *, rules=(), validation=True, **prompt):
    """Make the repository below ``root``; nothing of it needs git."""
    folder = root / "rulebooks" / "toy"
    (folder / "examples").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.pldgov]\nstudent = "toy"\n')
    for path in (REPOSITORY / "templates").rglob("*.j2"):
        target = root / path.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    splits = [name for name in SIZES if validation or name != "validation"]
    for split in splits:
        lines = [json.dumps(row) + "\n" for row in rows(split)]
        (folder / "examples" / f"{split}.jsonl").write_text("".join(lines))
    content = {
        "schema": "pldgov.rulebook/v1",
        "name": "toy",
        "title": "A toy desk",
        "owner": "desk@example.org",
        "task": {"instruction": "Name the desk.", "inputs": ["text"], "labels": LABELS},
        "examples": {name: f"examples/{name}.jsonl" for name in splits},
        "prompt": {"template": "plain.j2", "user_template": "user.j2", **prompt},
        "gate": {"draws": 200},
        "rules": list(rules),
    }
    text = "# A comment that stays.\n" + yaml.safe_dump(content, sort_keys=False)
    (folder / "rulebook.yaml").write_text(text)
    return root


class Killer:
    """Ends the process at its n-th deed, as a power cut would."""

    def __init__(self, at=None):
        self.at = at
        self.deeds = 0

    def __call__(self):
        self.deeds += 1
        if self.deeds == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class ToyStudent:
    """Implements ``Student``; ``asked`` counts its answers."""

    def __init__(self, deed=lambda: None):
        self.card = StudentCard("toy", "fake", "toy-1", "2026-11")
        self.asked = 0
        self._deed = deed

    def answer(self, prompt, queries):
        known = re.findall(r"mentions? (\w+).*?label is (\w+)", prompt.system)
        for index, query in enumerate(queries):
            if index % 20 == 0:
                self._deed()
            self.asked += 1
            label = next((label for word, label in known if word in query.text), "card")
            yield index, Answer(label, tokens_in=10, tokens_out=1, seconds=0.01)

    def count_tokens(self, text):
        return len(text.split())

    def close(self):
        pass


class ToyTeacher:
    """Implements ``Teacher``; every answer is noted in ``log`` before it is given."""

    name = "toy"
    findings = ()

    def __init__(self, log=None, deed=lambda: None, *, answer=None):
        self._log = log
        self._deed = deed
        self._answer = answer or say

    def answer(self, requests):
        for request in requests:
            self._deed()
            text = self._answer(request)
            if text is None:
                continue
            if self._log:
                with self._log.open("a") as stream:
                    stream.write(request.digest + "\n")
            yield TeacherReply(request.digest, text, "toy-teacher", "fake", "2026-01-31", 50, 20)

    def price(self, tokens_in, tokens_out):
        return None

    def close(self):
        pass


def rule(word, label, cites):
    """Return a rule in the teacher's words."""
    return {
        "title": f"Messages with {word}",
        "labels": [label],
        "instruction": f"When the message mentions {word}, the label is {label}.",
        "rationale": "They agree.",
        "cites": [{"id": id_, "role": "support"} for id_ in cites],
    }


def say(request):
    """Answer like a good teacher."""
    asked = request.messages[1]["content"]
    answer = {"extract": _extract, "synthesize": _synthesize, "resolve": _resolve}[request.phase]
    return json.dumps(answer(asked))


def _trigger(text):
    return next((w for words in TRIGGERS.values() for w in words if f" {w} " in f" {text} "), None)


def _shown(asked):
    pattern = r"^Example (\S+)\nLabel: (\S+)\n(?:The small model said: .*\n)?Input: (.*)$"
    return re.findall(pattern, asked, re.MULTILINE)


def _extract(asked):
    said = []
    for id_, label, inputs in _shown(asked):
        word = _trigger(json.loads(inputs)["text"])
        said.append(
            {
                "example": id_,
                "reasoning": "The word decides.",
                "condition": f"the message mentions {word}",
                "instruction": f"When the message mentions {word}, the label is {label}.",
                "label": label,
            }
        )
    return {"answers": said}


def _synthesize(asked):
    found = {}
    pattern = r"Example (\S+)\nLabel: (\S+).*?\nCondition: the message mentions (\w+)"
    for id_, label, word in re.findall(pattern, asked):
        found.setdefault((word, label), []).append(id_)
    said = [(f"{w}ish" if w in LATE else w, label, ids) for (w, label), ids in found.items()]
    return {"rules": [rule(word, label, ids[:3]) for word, label, ids in said]}


def _resolve(asked):
    wrong = _shown(asked.split("Labelled rightly:")[0])
    standing = re.findall(r"^- (\S+) \[", asked, re.MULTILINE)
    operations = []
    for id_, label, inputs in wrong:
        word = _trigger(json.loads(inputs)["text"])
        known = {each["rules"][0]["title"] for each in operations}
        if f"Messages with {word}" not in known:
            new = rule(word, label, [id_])
            operations.append(_operation("add", [], [new], [id_], "No rule knows the word."))
    retire = _operation("retire", standing[:1], [], [wrong[0][0]], "It seems to do nothing.")
    return {"operations": [*operations[:3], retire]}


def _operation(kind, targets, rules, examples, reason):
    return {
        "kind": kind,
        "targets": targets,
        "rules": rules,
        "examples": examples,
        "reason": reason,
    }


class Embedding:
    """Implements ``Embedder``: one dimension for each trigger word."""

    fingerprint = "toy"

    def embed(self, texts):
        import numpy as np

        words = [word for words in TRIGGERS.values() for word in words]
        found = np.array([[float(word in text) for word in words] for text in texts], np.float32)
        found += 1e-3
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def distill(root, *, teacher=None, student=None, deed=lambda: None, log=None, **options):
    """Distil the toy rulebook as the command line does; ``options`` are settings or flags."""
    from pldgov.config import load_config
    from pldgov.store import Store
    from pldgov.workspace import Workspace

    flags = {k: options.pop(k) for k in ("check", "dry_run", "recorded") if k in options}
    workspace = Workspace(load_config(root, environment={}))
    revision = workspace.load("rulebooks/toy/rulebook.yaml")
    beside = root / "rulebooks" / "toy" / "distill.yaml"
    recorded = read_settings(beside.read_text(), path="distill.yaml") if beside.exists() else {}
    first = {"student": "toy", "clusters": "per-label", "rounds": 3}
    settings = merge_settings(
        [("first", first), ("distill.yaml", recorded), ("flags", options)],
        known_templates=revision.templates,
        first=revision.rulebook.prompt.template,
    )
    teacher = teacher or ToyTeacher(log, deed)
    student = student or ToyStudent(deed)
    with Store(root / ".pldgov" / "store.sqlite") as store:
        openers = Openers(
            teacher=lambda phase, folder, spent: teacher,
            embedder=Embedding,
            embedder_key="toy",
            ask=lambda: Answering(student=student, store=store),
            progress=lambda stage, done, total: deed(),
        )
        return carry_out(revision, settings, openers, root=root, **flags)
