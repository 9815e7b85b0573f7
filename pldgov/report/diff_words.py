"""How the diff of a rulebook is put into words: plain sentences that every format escapes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pldgov.changes import by_rule
from pldgov.report import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.changes import Change, ChangeKind
    from pldgov.diff_report import Concern, FlippedExample, PromptFacts, RulebookDiff
    from pldgov.problems import Problem

_PARTICIPLES: dict[ChangeKind, str] = {
    "provenance": "with other provenance",
    "approval": "with another approval",
    "metadata": "with other metadata",
    "status": "with another status",
}


def summary(diff: RulebookDiff) -> str:
    """Return how many rules changed in which way, and what else did, in one line."""
    counts: Counter[ChangeKind] = Counter(
        kind
        for changes in by_rule(diff.changes).values()
        for kind in dict.fromkeys(change.kind for change in changes)
    )
    parts = [f"{count} {_PARTICIPLES.get(kind, kind)}" for kind, count in counts.items()]
    rules = f"rules: {', '.join(parts)}" if parts else ""
    others = dict.fromkeys(
        change.subject for change in diff.changes if change.subject not in {"rule", "rulebook"}
    )
    about = {"prompt": "prompt policy", "gate": "gate policy"}
    around = ", ".join(about.get(subject, subject) for subject in others)
    if {change.kind for change in diff.changes if change.subject == "rulebook"} - {"layout"}:
        around = ", ".join(filter(None, (around, "the rulebook itself")))
    if any(change.kind == "layout" for change in diff.changes):
        around = ", ".join(filter(None, (around, "layout")))
    return "; ".join(filter(None, (rules, f"also changed: {around}" if around else "")))


def effect(diff: RulebookDiff) -> str:
    """Return what the changes do to the prompt, in a sentence."""
    before, after = (
        wording.digest(side.digest if side else None) for side in (diff.base, diff.head)
    )
    if diff.state == "added":
        return f"new: {_rules(diff.head)}, prompt {after}" if diff.head else "new"
    if diff.state == "deleted":
        return f"deleted: {_rules(diff.base)}, prompt {before}" if diff.base else "deleted"
    if diff.state in {"unchanged", "unreadable"}:
        is_same = diff.state == "unchanged"
        return "unchanged" if is_same else "not compared: a side cannot be read"
    if diff.effect == "unknown":
        return "unknown effect: a side's prompt does not render"
    if diff.effect == "unchanged":
        return f"no behavioural change: both sides render the same prompt ({after})"
    return f"alters the rendered prompt: {before} -> {after}"


def _rules(facts: PromptFacts) -> str:
    return f"{facts.rules} active rule{'' if facts.rules == 1 else 's'}"


def sentence(text: str) -> str:
    """Return words with a capital and a full stop; nothing for nothing."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def problems_title(found: Sequence[Problem]) -> str:
    """Return ``3 new warnings``, errors named first."""
    counts = Counter(one.severity for one in found)
    told = [
        f"{count} new {severity}{'' if count == 1 else 's'}"
        for severity in ("error", "warning")
        if (count := counts[severity])
    ]
    return " and ".join(told)


def errors_first(found: Sequence[Problem]) -> list[Problem]:
    """Return the errors, then the warnings, each in their order."""
    return sorted(found, key=lambda one: one.severity != "error")


def problem(one: Problem) -> str:
    """Return what lint says in a line: severity, message, file and line."""
    place = f"{one.path.rpartition('/')[2]}, line {one.line}"
    return f"{one.severity}: {one.message} ({place})"


def reach(diff: RulebookDiff, change: Change) -> str:
    """Return whether one change can reach the student, where that is a question at all."""
    if diff.effect == "unchanged" or diff.state != "changed":
        return ""
    return "can reach the student" if change.reaches else "cannot reach the student"


def concerns(found: Sequence[Concern]) -> str:
    """Return the rules that a flipped example concerns: ``r-01 (nearest, 0.42)``."""
    why = {"cited": "cites it", "label": "about these labels", "nearest": "nearest"}
    return ", ".join(
        f"{one.rule} ({why[one.how]}{'' if one.how == 'cited' else f', {one.score:.2f}'})"
        for one in found
    )


def flip_counts(flips: Sequence[FlippedExample]) -> str:
    """Return how many examples flipped in which way."""
    counts = Counter(one.flip.kind for one in flips)
    return (
        f"{counts['broken']} broken, {counts['fixed']} fixed, "
        f"{counts['changed']} changed but wrong before and after"
    )


def worst_first(flips: Sequence[FlippedExample]) -> list[FlippedExample]:
    """Return the broken examples, then the fixed ones, then those that stay wrong."""
    return sorted(flips, key=lambda one: ("broken", "fixed", "changed").index(one.flip.kind))


def tokens(diff: RulebookDiff) -> tuple[str, ...]:
    """Return what the prompt takes before and after, in sentences."""
    sides = [
        side for side in (diff.base, diff.head) if side is not None and side.tokens is not None
    ]
    if not sides:
        return ()
    how = "counted" if all(side.counted for side in sides) else "estimated from bytes"
    said = [
        f"prompt tokens: {_both(diff, lambda side: side.tokens, '{:,}', signed='{:+,}')} ({how})"
    ]
    trimmed = _both(diff, lambda side: len(side.trimmed), "{}")
    if any(side.trimmed for side in sides):
        said.append(f"rules trimmed to the budget: {trimmed}")
    return tuple(said)


def yearly(diff: RulebookDiff, volume: int | None) -> tuple[str, ...]:
    """Return tokens and cost a year before and after, in sentences; none without a volume."""
    sides = [side for side in (diff.base, diff.head) if side is not None]
    if volume is None or not any(side.yearly_tokens is not None for side in sides):
        return ()
    at = f"at {volume:,} examples a year"
    said = [f"tokens {at}: {_both(diff, lambda side: side.yearly_tokens, '{:,}', signed='{:+,}')}"]
    if any(side.yearly_cost is not None for side in sides):
        cost = _both(diff, lambda side: side.yearly_cost, "{:,.2f}", signed="{:+,.2f}")
        said.append(f"cost {at}: {cost}, in the currency of the student's prices")
    else:
        said.append(
            "cost: not known, the settings give the student no price (price_input, price_output)"
        )
    return tuple(said)


def _both(
    diff: RulebookDiff,
    get: Callable[[PromptFacts], float | None],
    form: str,
    *,
    signed: str | None = None,
) -> str:
    """Return ``437 -> 455 (+18)``, or the one side there is."""
    values = [None if side is None else get(side) for side in (diff.base, diff.head)]
    known = [value for value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004  (a side is missing)
        return form.format(known[0]) if known else "-"
    before, after = known
    if before == after:
        return form.format(after)
    change = f" ({signed.format(after - before)})" if signed else ""
    return f"{form.format(before)} -> {form.format(after)}{change}"
