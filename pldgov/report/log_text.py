"""The life of a rulebook or a rule for the terminal, newest commit first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.report import wording
from pldgov.report.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.changes import Change, Piece
    from pldgov.history.model import Approval, Event, Life, Measured
    from pldgov.rulebook.model import Rule

_MOST_CHARACTERS = 400
_STANDING = {
    "none": "not approved",
    "void": "void: what reaches the student has changed since",
    "idle": "the rule is not active",
    "valid": "holds",
}


def render_log_text(life: Life) -> str:
    """Return the events, a paragraph a commit; ``*`` marks what a template can show."""
    lines = [printable(life.path) + (f", rule {_ids(life)}" if life.rule_ids else "")]
    lines += _ends(life)
    for event in life.events:
        lines += ["", *_event(event, in_rule=bool(life.rule_ids))]
    if any(event.reaches for event in life.events):
        lines += ["", "* can reach the student"]
    lines += ["", *(f"note: {note}" for note in life.notes)] if life.notes else []
    return "\n".join(lines) + "\n"


def _ids(life: Life) -> str:
    now, *before = (printable(id_) for id_ in life.rule_ids)
    return f"{now} (before: {', '.join(before)})" if before else now


def _ends(life: Life) -> Iterator[str]:
    if life.last is None or life.first is None:
        return
    yield f"  {'last' if life.gone else 'now'}:   {_said(life.last)}"
    if life.first.instruction.strip() != life.last.instruction.strip():
        yield f"  then:  {_said(life.first)}"
    review = life.last.review
    if life.gone:
        yield "  the rule is no longer in the rulebook"
    elif review is None:
        yield "  approval: none"
    else:
        yield f"  approval: {printable(review.by)}, {review.on}: {_STANDING[life.standing]}"


def _said(rule: Rule) -> str:
    labels = ", ".join(map(printable, rule.labels)) or "-"
    return f"[{rule.status}; {labels}] {_cut(printable(rule.instruction))}"


def _event(event: Event, *, in_rule: bool) -> Iterator[str]:
    commit = event.commit
    yield f"{commit.authored:%Y-%m-%d}  {commit.short}  {printable(str(commit.author))}"
    merge = "merge: " if len(commit.parents) > 1 else ""
    yield f"    {merge}{printable(commit.subject)}"
    yield from (f"    {line}" for line in _said_of_file(event))
    for change in event.changes:
        if change.field != "review":
            mark = "*" if change.reaches else " "
            yield f"  {mark} {change_line(change, named=not in_rule)}"
        elif change.after is None:
            yield f"    approval removed: {printable(change.name)}"
    yield from (f"    {_approval(one)}" for one in event.approvals)
    yield from (f"    voids the approval of {printable(id_)}" for id_ in event.voided)
    yield from (f"    {measured_line(one)}" for one in event.measured)


def _said_of_file(event: Event) -> Iterator[str]:
    if event.cut:
        yield "history is cut off here: the clone is shallow"
    if event.created:
        yield f"begins: {printable(event.path)}"
    if event.deleted:
        yield f"deleted: {printable(event.path)}"
    if event.moved_from:
        yield f"moved: {printable(event.moved_from)} -> {printable(event.path)}"
    if event.problem:
        yield f"cannot be read: {printable(event.problem)}"
    told = (event.changes, event.approvals, event.measured, *_said_flags(event))
    if not any(told):
        yield "comments and layout only"


def _said_flags(event: Event) -> tuple[bool, ...]:
    flags = (event.cut, event.created, event.deleted, event.moved_from, event.problem)
    return tuple(map(bool, flags))


def _approval(approval: Approval) -> str:
    review = approval.review
    verdict = f", gate {review.verdict}" if review.verdict else ""
    doubt = "" if approval.standing == "valid" else f" ({_STANDING[approval.standing]})"
    by = printable(review.by)
    return f"approved: {printable(approval.rule_id)} by {by} on {review.on}{verdict}{doubt}"


def measured_line(measured: Measured) -> str:
    """Return macro-F1 with its interval, of whom and on how many examples."""
    span = ""
    if measured.low is not None and measured.high is not None:
        span = f" ({measured.low:.3f} to {measured.high:.3f})"
    return (
        f"macro-F1 {wording.fraction(measured.macro_f1)}{span}, student "
        f"{printable(measured.student)}, {measured.n} examples, "
        f"prompt {wording.digest(measured.prompt)}"
    )


def change_line(change: Change, *, named: bool = True) -> str:
    """Return a change in a line; ``named`` puts the rule's id into it."""
    about = printable(change.name) if named or change.subject != "rule" else ""
    if change.subject not in ("rule", "rulebook"):
        field = f".{printable(change.field)}" if change.field else ""
        return f"{change.kind}: {about}{field}: {_values(change)}"
    lead = f"{change.kind}: {about}" if about else str(change.kind)
    detail = _detail(change)
    return f"{lead}: {detail}" if detail else lead


def _detail(change: Change) -> str:
    if change.kind in ("renamed", "split", "merged"):
        others = ", ".join(map(printable, change.others))
        return f"{'into' if change.kind == 'split' else 'from'} {others}"
    if change.kind in ("added", "removed"):
        whole = change.after or change.before
        return f"[{whole['status']}] {_cut(printable(whole['instruction']))}"
    if change.wording:
        return _cut(_words(change.wording))
    if change.kind in ("provenance", "metadata"):
        return "" if change.kind == "provenance" else printable(change.field or "")
    return _values(change)


def _values(change: Change) -> str:
    before, after = (_cut(printable(_plain(value))) for value in (change.before, change.after))
    return f"{before} -> {after}"


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "-" if value is None else str(value)


def _words(pieces: tuple[Piece, ...]) -> str:
    """Return a wording's change as git shows words: ``[-gone-]`` and ``{+new+}``."""
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return " ".join(
        marks[piece.op].format(shown) for piece in pieces if (shown := printable(piece.text))
    )


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
