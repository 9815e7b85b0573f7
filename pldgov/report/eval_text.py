"""An evaluation for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import wording

if TYPE_CHECKING:
    from pldgov.results import Candidate, EvalReport, Scorecard


def render_eval_text(report: EvalReport) -> str:
    """Return the comparison, the rulebook's labels, confusion, and how it was measured."""
    main = report.candidates[0]
    lines = [
        f"{report.rulebook}, {report.split} split, {main.scorecard.n} examples, "
        f"student {wording.student(report.student)}",
        "",
        *_comparison(report),
        "",
        *_labels(main.scorecard),
        "",
        *_confusion(main.scorecard),
        "",
        *_facts(main),
    ]
    return "\n".join(lines) + "\n"


def _comparison(report: EvalReport) -> list[str]:
    head = ("", "macro-F1", "95 % interval", "accuracy", "invalid", "prompt tokens")
    rows = [
        (
            candidate.name,
            wording.fraction(candidate.scorecard.macro_f1),
            wording.interval(candidate.scorecard.interval),
            wording.fraction(candidate.scorecard.accuracy),
            f"{candidate.scorecard.invalid_rate:.1%}",
            "-" if candidate.tokens is None else str(candidate.tokens),
        )
        for candidate in report.candidates
    ]
    first = report.candidates[0].scorecard.interval
    if first is not None:
        head = (*head[:2], f"{first.confidence:.0%} interval".replace("%", " %"), *head[3:])
    return wording.table(head, rows)


def _labels(scorecard: Scorecard) -> list[str]:
    rows = [
        (
            label.label,
            wording.fraction(label.precision),
            wording.fraction(label.recall),
            wording.fraction(label.f1),
            wording.interval(label.f1_interval),
            str(label.support),
        )
        for label in scorecard.labels
    ]
    return wording.table(("label", "precision", "recall", "F1", "interval", "support"), rows)


def _confusion(scorecard: Scorecard) -> list[str]:
    names = [label.label for label in scorecard.labels]
    columns = [*names, "(no label)"]
    rows = [
        (name, *(str(count) for count in counts))
        for name, counts in zip(names, scorecard.confusion, strict=False)
    ]
    return wording.table(("gold \\ answered", *columns), rows)


def _facts(candidate: Candidate) -> list[str]:
    scorecard = candidate.scorecard
    lines = [
        f"prompt {wording.digest(candidate.prompt)}; student calls now: {candidate.asked}; "
        f"answered at {wording.speed(scorecard)}; "
        f"{scorecard.tokens_in} tokens in, {scorecard.tokens_out} out",
    ]
    quality = scorecard.probabilities
    if quality is not None:
        lines.append(
            f"probabilities: log loss {quality.log_loss:.3f}, Brier {quality.brier:.3f}, "
            f"expected calibration error {quality.calibration_error:.3f}"
        )
    if scorecard.abstained or scorecard.truncated:
        lines.append(f"{scorecard.abstained} abstained, {scorecard.truncated} inputs truncated")
    return [*lines, *(f"note: {note}" for note in scorecard.notes)]
