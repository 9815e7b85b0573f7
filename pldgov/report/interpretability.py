"""The interpretability scorecard for the terminal, as Markdown and as plain values."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pldgov.report import wording
from pldgov.report.markdown import escape, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.interpretability.model import Interpretability, Spread
    from pldgov.results import StudentCard

Row = tuple[str, str]


def render_interpretability_text(scorecard: Interpretability) -> str:
    """Return a table of the figures, then the conflicts and notes."""
    first, *others = _rows(scorecard)
    remarks = _remarks(scorecard)
    lines = [
        f"interpretability of {scorecard.rulebook}",
        "",
        *wording.table(first, others),
        *(["", *remarks] if remarks else []),
    ]
    return "\n".join(lines) + "\n"


def render_interpretability_markdown(scorecard: Interpretability) -> str:
    """Return the same as a Markdown table and a list."""
    lines = [
        f"**Interpretability of {escape(scorecard.rulebook)}**",
        "",
        *rows_of(("", ""), [(escape(name), escape(value)) for name, value in _rows(scorecard)]),
        "",
        *(f"- {escape(remark)}" for remark in _remarks(scorecard)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def interpretability_values(scorecard: Interpretability) -> dict[str, Any]:
    """Return all figures as plain values that JSON can hold, for evidence and ``--format json``."""
    values = asdict(scorecard)
    if scorecard.clauses is not None:
        values["clauses"]["share"] = scorecard.clauses.share
    return values


def interpretability_file(scorecard: Interpretability, *, card: StudentCard, split: str) -> str:
    """Return the scorecard as a file of evidence: who was asked about which split, and the figures.

    It holds no time, so that equal answers give equal bytes.
    """
    asked = {"name": card.name, "model": card.model, "fingerprint": card.fingerprint}
    values = {
        "schema": "pldgov.interpretability/v1",
        "student": asked,
        "split": split,
        **interpretability_values(scorecard),
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _rows(scorecard: Interpretability) -> Iterator[Row]:
    yield "rules", str(scorecard.rules)
    yield "words a rule", _spread(scorecard.words)
    if scorecard.tokens is not None:
        yield "tokens a rule", _spread(scorecard.tokens)
    if scorecard.reading_ease is not None:
        yield "reading ease (Flesch)", f"{scorecard.reading_ease:.0f}"
    if scorecard.hardest is not None:
        yield "hardest rule", f"{scorecard.hardest[0]} ({scorecard.hardest[1]:.0f})"
    yield "rules with two supporting examples or more", _share(scorecard.supported)
    yield "training examples that a rule rests on", _share(scorecard.cited)
    yield "rules with a near-duplicate", _share(scorecard.redundant)
    yield "rules with a contradiction", _share(scorecard.contradicted)
    yield from _measured(scorecard)


def _measured(scorecard: Interpretability) -> Iterator[Row]:
    """Yield what needs a student, other runs or clauses."""
    effect, stability, clauses = scorecard.effect, scorecard.stability, scorecard.clauses
    if effect is not None:
        yield "answers that change without some rule", _share(effect.coverage)
        yield "rules without effect", f"{len(effect.inert)} of {len(effect.by_rule)}"
    if stability is not None:
        found = f"{stability.dice:.2f} over {stability.sets} runs (lowest {stability.lowest:.2f})"
        yield "stability (Dice-Sorensen)", found
    if clauses is not None:
        found = f"{len(clauses.recovered)} of {len(clauses.clauses)}"
        yield "clauses recovered", f"{found} (by chance {clauses.by_chance:.1f})"
        yield "clauses touched", f"{len(clauses.touched)} of {len(clauses.clauses)}"


def _remarks(scorecard: Interpretability) -> list[str]:
    effect = scorecard.effect
    inert = (
        [f"no answer changes without {', '.join(effect.inert)}"] if effect and effect.inert else []
    )
    conflicts = [f"{conflict.kind}: {conflict.reason}" for conflict in scorecard.conflicts]
    return [*conflicts, *inert, *scorecard.notes]


def _spread(spread: Spread) -> str:
    return (
        f"{spread.mean:.1f} (median {spread.median:g}, largest {spread.largest}, "
        f"together {spread.total})"
    )


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}".replace("%", " %")
