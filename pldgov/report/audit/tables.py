"""The tables of the audit pack as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING, Final

from pldgov.report.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pldgov.dossier import CitedExample, Dossier

    Cell = str | int | float | None

_FORMULA: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""What a spreadsheet begins a formula with, full-width forms included."""

_IN_SPLIT: Final = {"not found": "no", "not here": "unknown"}


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return CSV (RFC 4180 quoting, lines end in LF) whose cells are all plain values."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    return stream.getvalue()


def cell(value: Cell) -> str:
    """Return a cell: text that would be a formula gets an apostrophe before it.

    Characters that nobody can see are spelt out. Numbers stay numbers.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(value)
    text = visible(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def rules_table(dossier: Dossier) -> str:
    """Return a row for each rule."""
    head = ("rule", "title", "status", "labels", "owner", "in prompt", "approval", "tokens",
            "effect on macro-F1", "effect low", "effect high", "instruction")  # fmt: skip
    return table(head, _rules(dossier))


def _rules(dossier: Dossier) -> Iterator[Sequence[Cell]]:
    for entry in dossier.rules:
        rule = entry.rule
        effect = entry.effect.macro_f1 if entry.effect else None
        yield (
            rule.id,
            rule.title,
            rule.status,
            ", ".join(rule.labels),
            rule.owner or dossier.rulebook.owner,
            "yes" if entry.shown else "no",
            entry.standing,
            entry.tokens,
            effect.delta if effect else None,
            effect.interval.low if effect else None,
            effect.interval.high if effect else None,
            rule.instruction.strip(),
        )


def provenance_table(dossier: Dossier) -> str:
    """Return a row for each citation, and one for each rule that cites nothing."""
    head = ("rule", "origin", "example", "role", "sha256", "label", "in split", "state",
            "teacher", "date", "run")  # fmt: skip
    return table(head, _citations(dossier))


def _citations(dossier: Dossier) -> Iterator[Sequence[Cell]]:
    for entry in dossier.rules:
        provenance = entry.rule.provenance
        teacher = provenance.teacher if provenance else None
        date = teacher.date.isoformat() if teacher and teacher.date else None
        last = (teacher.model if teacher else None, date, teacher.run_id if teacher else None)
        origin = provenance.origin if provenance else None
        for one in entry.cited:
            yield (entry.rule.id, origin, *_citation(one), *last)
        if not entry.cited:
            yield (entry.rule.id, origin, *[None] * 5, "cites no example", *last)


def _citation(one: CitedExample) -> tuple[Cell, ...]:
    in_split = _IN_SPLIT.get(one.pin, "yes")
    return (one.id, one.role, one.sha256, one.label, in_split, one.pin)


def approvals_table(dossier: Dossier) -> str:
    """Return a row for each rule: who approved it, and whether that still holds."""
    head = ("rule", "status", "approval", "by", "on", "gate verdict then", "digest")
    return table(head, _approvals(dossier))


def _approvals(dossier: Dossier) -> Iterator[Sequence[Cell]]:
    for entry in dossier.rules:
        review = entry.rule.review
        given = (review.by, review.on.isoformat(), review.verdict, review.digest) if review else ()
        yield (entry.rule.id, entry.rule.status, entry.standing, *(given or [None] * 4))


def verdicts_table(dossier: Dossier) -> str:
    """Return a row for each commit that recorded a measurement, oldest first.

    A verdict is about the step from the measurement of the same student before it.
    """
    head = ("on", "commit", "student", "macro-F1", "low", "high", "examples",
            "verdict", "reason", "prompt sha256", "author", "subject")  # fmt: skip
    return table(
        head,
        (
            (p.on, p.commit, p.student, p.macro_f1, p.low, p.high, p.n,
             str(p.outcome) if p.outcome else None, p.reason, p.prompt, p.author, p.subject)
            for p in dossier.points
        ),
    )  # fmt: skip


def baselines_table(dossier: Dossier) -> str:
    """Return a row for each line of the ledger, oldest first."""
    head = ("on", "by", "student", "macro-F1", "low", "high", "examples", "reason",
            "prompt sha256", "commit")  # fmt: skip
    return table(
        head,
        (
            (e.on, e.by, e.student, e.macro_f1, e.low, e.high, e.n, e.reason, e.prompt, e.commit)
            for e in dossier.ledger
        ),
    )


def files_table(dossier: Dossier) -> str:
    """Return a row for each evidence, example and teacher file beside the rulebook."""
    rows = ((one.path, one.size, one.sha256) for one in dossier.files)
    return table(("file", "bytes", "sha256"), rows)


TABLES: Final[dict[str, Callable[[Dossier], str]]] = {
    "approvals.csv": approvals_table,
    "baselines.csv": baselines_table,
    "files.csv": files_table,
    "provenance.csv": provenance_table,
    "rules.csv": rules_table,
    "verdicts.csv": verdicts_table,
}
