"""Evidence: a measurement that is committed beside its rulebook.

Two files for each student: ``evidence/<student>.json`` (scorecard, key, one decision a line) for
people and the gate, and ``evidence/<student>.answers.jsonl`` (the raw answers, in the form of the
store's export) from which every figure can be computed again without the student.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pldgov.errors import DataError
from pldgov.results import (
    ComparabilityKey,
    Decision,
    DecisionPolicy,
    Interval,
    LabelScore,
    ProbabilityScores,
    Scorecard,
    StudentCard,
)
from pldgov.results_json import answer_from_json, answer_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pldgov.calibration import Calibration
    from pldgov.results import Answer

EVIDENCE_SCHEMA = "pldgov.evidence/v1"


@dataclass(frozen=True)
class Evidence:
    """A blessed measurement as the gate compares with it.

    ``card`` is the whole student, None in files that do not hold how it decides.
    """

    rulebook: str
    student: str
    prompt: str
    key: ComparabilityKey
    decisions: tuple[Decision, ...]
    macro_f1: float
    card: StudentCard | None = None


def evidence_text(
    *,
    rulebook: str,
    student: Mapping[str, Any],
    prompt: str,
    key: ComparabilityKey,
    scorecard: Scorecard,
    decisions: Iterable[Decision],
    calibration: Calibration | None,
) -> str:
    """Return the evidence file: sorted, one decision a line, so that a diff shows the flips."""
    head = {
        "schema": EVIDENCE_SCHEMA,
        "rulebook": rulebook,
        "student": dict(student),
        "prompt_sha256": prompt,
        "key": asdict(key),
        "scorecard": _scorecard(scorecard),
        "calibration": None if calibration is None else asdict(calibration),
    }
    lines = [
        json.dumps(
            {"id": d.example_id, "gold": d.gold, "label": d.label, "group": d.group},
            ensure_ascii=False,
        )
        for d in sorted(decisions, key=lambda d: d.example_id)
    ]
    body = json.dumps(head, indent=2, ensure_ascii=False)
    rows = ",\n    ".join(lines)
    return f'{body[:-2]},\n  "decisions": [\n    {rows}\n  ]\n}}\n'


def _scorecard(scorecard: Scorecard) -> dict[str, Any]:
    """Return the figures without times, which differ between runs that say the same."""
    figures = asdict(scorecard)
    del figures["seconds"]
    return figures


def parse_evidence(text: str, *, path: str) -> Evidence:
    """Return the evidence in a file; raises ``DataError`` when it is none."""
    try:
        data = json.loads(text)
        if data["schema"] != EVIDENCE_SCHEMA:
            raise DataError(f"unknown schema {data['schema']!r}", where=path)
        key = {**data["key"], "labels": tuple(data["key"]["labels"])}
        return Evidence(
            rulebook=data["rulebook"],
            student=data["student"]["name"],
            prompt=data["prompt_sha256"],
            key=ComparabilityKey(**key),
            decisions=tuple(
                Decision(row["id"], row["gold"], row["label"], group=row["group"])
                for row in data["decisions"]
            ),
            macro_f1=data["scorecard"]["macro_f1"],
            card=_card(data["student"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"not an evidence file ({type(error).__name__}: {error})",
            where=path,
            hint="`pldgov bless` writes one",
        ) from error


def parse_scorecard(text: str, *, path: str) -> Scorecard:
    """Return the figures in an evidence file as they were committed; times are not in it.

    Raises ``DataError`` when the file is no evidence.
    """
    parse_evidence(text, path=path)
    found = json.loads(text)["scorecard"]
    try:
        labels = [{**one, "f1_interval": _interval(one["f1_interval"])} for one in found["labels"]]
        scores = found["probabilities"]
        return Scorecard(
            **{
                **found,
                "labels": tuple(LabelScore(**one) for one in labels),
                "confusion": tuple(tuple(map(int, row)) for row in found["confusion"]),
                "interval": _interval(found["interval"]),
                "probabilities": None if scores is None else ProbabilityScores(**scores),
                "notes": tuple(found["notes"]),
            }
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"the scorecard cannot be read ({type(error).__name__}: {error})",
            where=path,
            hint="`pldgov bless` writes it anew",
        ) from error


def _interval(value: Mapping[str, float] | None) -> Interval | None:
    return None if value is None else Interval(**value)


def _card(row: Mapping[str, Any]) -> StudentCard | None:
    if "decision" not in row:
        return None
    return StudentCard(
        name=row["name"],
        kind=row["kind"],
        model=row["model"],
        snapshot=row["snapshot"],
        decoding=row["decoding"],
        policy=DecisionPolicy(**row["decision"]),
    )


def recorded_calibration(
    text: str, *, path: str, prompt: str, student: str
) -> dict[str, Any] | None:
    """Return the calibration in an evidence file, None if it is of another prompt or student.

    ``prompt`` and ``student`` are the prompt's digest and the student's fingerprint. Raises
    ``DataError`` when the file is no evidence.
    """
    parse_evidence(text, path=path)
    data = json.loads(text)
    if (data["prompt_sha256"], data["student"].get("fingerprint")) != (prompt, student):
        return None
    calibration: dict[str, Any] | None = data.get("calibration")
    return calibration


def answers_text(prompt: str, student: str, answers: Mapping[str, Answer]) -> str:
    """Return answers as JSON Lines in the form of `pldgov cache export`, sorted by input."""
    return "".join(
        json.dumps(
            {
                "prompt": prompt,
                "student": student,
                "input": sha,
                "repeat": 0,
                "answer": answer_to_json(answers[sha]),
            },
            ensure_ascii=False,
        )
        + "\n"
        for sha in sorted(answers)
    )


def parse_answers(text: str, *, path: str) -> dict[tuple[str, str], dict[str, Answer]]:
    """Return recorded answers by (prompt digest, student fingerprint), then by input digest.

    Raises ``DataError`` with the line that is not a recorded answer.
    """
    found: dict[tuple[str, str], dict[str, Answer]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            answer = answer_from_json(row["answer"])
            found.setdefault((row["prompt"], row["student"]), {})[row["input"]] = answer
        except (ValueError, KeyError, TypeError, DataError) as error:
            raise DataError(
                f"not a recorded answer ({error})",
                where=f"{path}:{number}",
                hint="`pldgov bless` and `pldgov cache export` write them",
            ) from error
    return found
