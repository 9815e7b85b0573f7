"""A teacher that answers from a function, in any order and number, and a small task to teach."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from pldgov.archive import JsonLinesArchive
from pldgov.dataset import Example
from pldgov.distill.model import TeacherReply
from pldgov.distill.prompts import TeacherPrompts
from pldgov.rulebook.model import Task

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
LABELS = {"fraud": "somebody else took money", "other": "everything else"}


class FakeTeacher:
    """Implements ``Teacher``: says ``answer(request)``, a text or None for no answer yet.

    ``at_most`` bounds the replies of one call, ``shuffle`` (a seed) mixes their order, ``twice``
    gives each reply twice. ``asked`` counts how often each request was answered.
    """

    name = "fake"
    findings = ()

    def __init__(self, answer, *, at_most=None, shuffle=None, twice=False):
        self._answer = answer
        self._at_most = at_most
        self._random = random.Random(shuffle) if shuffle is not None else None
        self._twice = twice
        self.asked = Counter()
        self.requests = []

    def answer(self, requests):
        chosen = list(requests)
        if self._random:
            self._random.shuffle(chosen)
        for request in chosen[: self._at_most]:
            text = self._answer(request)
            if text is None:
                continue
            self.asked[request.digest] += 1
            self.requests.append(request)
            reply = TeacherReply(request.digest, text, "fake-1", "openai", "2026-11-24", 100, 20)
            yield reply
            if self._twice:
                yield reply

    def price(self, tokens_in, tokens_out):
        return None

    def close(self):
        pass


@pytest.fixture
def fake_teacher():
    """Make a teacher that answers from a function."""
    return FakeTeacher


@pytest.fixture
def task():
    """Return a task with two labels."""
    return Task(instruction="Name the label.", inputs=("text",), labels=LABELS)


@pytest.fixture
def prompts(task):
    """Return the teacher's prompts, from the repository's own templates."""
    return TeacherPrompts(_texts(), task=task, title="A desk")


@pytest.fixture
def prompts_for(task):
    """Make those of other settings, such as ``cues``, and of a task with other ``inputs``."""

    def make(*, inputs=("text",), **settings):
        of = task.model_copy(update={"inputs": inputs})
        return TeacherPrompts(_texts(), task=of, title="A desk", **settings)

    return make


def _texts():
    return {
        path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8")
        for path in TEMPLATES.rglob("*.j2")
    }


@pytest.fixture
def archive(tmp_path):
    """Open an empty archive."""
    with JsonLinesArchive(tmp_path / "replies.jsonl") as opened:
        yield opened


@pytest.fixture
def examples():
    """Make that many examples, labels in turn."""
    labels = tuple(LABELS)
    return lambda count: [
        Example(
            f"e-{i}",
            {"text": f"On May {i} Zoltan sent 90{i} pounds away with great regret and sorrow"},
            labels[i % 2],
            group=f"g-{i}",
            metadata={"why": "SECRET", "clauses": ["P1"]},
        )
        for i in range(count)
    ]


@pytest.fixture
def extracted():
    """Return the JSON of one sound instruction about an example, changed as told."""

    def make(id_, label="fraud", **changes):
        return {
            "example": id_,
            "reasoning": "Money left the account without consent.",
            "condition": "a payment was made without the customer's consent",
            "instruction": f"When a payment lacked the customer's consent, the label is {label}.",
            "label": label,
        } | changes

    return make


def ids_asked(request):
    """Return the ids of the examples that a request's first user message shows."""
    return re.findall(r"^Example (\S+)$", request.messages[1]["content"], re.MULTILINE)


@pytest.fixture
def shown_ids():
    """Return the function that tells which examples a request shows."""
    return ids_asked


@pytest.fixture
def dumps():
    """Return the function that makes JSON."""
    return json.dumps
