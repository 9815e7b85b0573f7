"""A process may die anywhere: what it leaves is a beginning of its file of replies."""

import json
import random

import pytest

from pldgov.archive import JsonLinesArchive
from pldgov.distill.extract import extract
from pldgov.distill.model import Clustering
from pldgov.distill.synthesize import synthesize
from pldgov.workflows.consulting import consult


def cluster(instructions):
    labels = sorted({one.label for one in instructions})
    members = (tuple(one.id for one in instructions if one.label == label) for label in labels)
    return Clustering("per-label", tuple(members))


@pytest.fixture
def distill(prompts, examples, extracted, fake_teacher):
    """Run both phases with replies in ``path``; return the result and the requests asked."""

    def answer(request):
        ids = request.about
        if request.phase == "extract":
            bad = request.attempt == 1 and "e-2" in ids
            said = [extracted(id_, "fraud" if int(id_[2:]) % 2 == 0 else "other") for id_ in ids]
            return "half a re" if bad else json.dumps({"answers": said})
        label = "fraud" if "Example e-0" in request.messages[1]["content"] else "other"
        cited = "e-0" if label == "fraud" else "e-1"
        rule = {
            "title": f"About {label}",
            "labels": [label],
            "instruction": f"When a payment lacked consent, the label is {label}.",
            "rationale": "",
            "cites": [{"id": cited, "role": "support"}, {"id": "e-99", "role": "counter"}],
        }
        return json.dumps({"rules": [rule]})

    def go(path, seed):
        teacher = fake_teacher(answer, shuffle=seed)
        given = examples(6)
        with JsonLinesArchive(path) as archive:
            first = consult(
                lambda: extract(given, prompts=prompts, archive=archive, per_request=2),
                teacher=teacher,
                archive=archive,
            ).step
            second = consult(
                lambda: synthesize(
                    cluster(first.result), first.result,
                    examples=given, prompts=prompts, archive=archive, candidates=2,
                ),
                teacher=teacher, archive=archive,
            ).step  # fmt: skip
        return (first, second), teacher.asked

    return go


def test_a_run_goes_on_from_wherever_it_died(distill, tmp_path):
    """Cut at thirty places, lines and their middles, the run ends the same and asks the rest only."""
    path = tmp_path / "replies.jsonl"
    whole, asked = distill(path, 0)
    recorded = path.read_bytes()
    assert whole[1].done
    assert len(whole[1].result) == 2
    draw = random.Random(1)
    for seed in range(30):
        kept = recorded[: draw.randrange(len(recorded) + 1)]
        path.write_bytes(kept)
        again, now = distill(path, seed)
        assert again == whole
        answered = {json.loads(line)["request"] for line in kept.split(b"\n")[:-1]}
        assert not answered & set(now)
        assert len(answered) + sum(now.values()) in (len(asked), len(asked) - 1)
        assert sorted(path.read_bytes().splitlines()) == sorted(recorded.splitlines())
