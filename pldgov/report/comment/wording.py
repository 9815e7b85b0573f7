"""The comment's plain sentences, for a reviewer who has never heard of pldgov."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pldgov.comment_report import NoVerdict
from pldgov.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pldgov.comment_report import CommentReport, RulebookNews, Standing
    from pldgov.results import GateReport, Interval

MOST_NAMES: Final = 5

TITLES: Final[dict[Standing, str]] = {
    "passed": "Rules check: passed",
    "failed": "Rules check: not passed",
    "open": "Rules check: no verdict",
    "broken": "Rules check: could not run",
}

_WORDS: Final = {
    "PASS": "a drop larger than the policy allows is ruled out, or nothing that the model reads "
    "has changed",
    "REGRESSED": "the model answers worse than before, by more than the policy allows and by more "
    "than chance explains",
    "INCONCLUSIVE": "there are too few test examples to tell a real change from chance",
    "NO_BASELINE": "there is no earlier version to compare with",
    "NOT_COMPARABLE": "both sides were measured under different conditions, so that a difference "
    "would mean nothing",
    "NOT_MEASURED": "the model was not asked, or did not answer",
    "ERROR": "the files or the settings hold an error, so that nothing could be measured",
    "DELETED": "the rulebook is gone, and nothing guards it any more",
}


FULL_REPORT: Final = (
    "[The full report]({}): every rule with the examples that it rests on, approvals, history, and "
    "both versions side by side."
)


def lead(report: CommentReport, escape: Callable[[str], str]) -> str:
    """Return what came out, and what a reviewer should do about it."""
    texts = (_lead(report, escape), _besides(report, escape), _another_student(report, escape))
    return " ".join(text for text in texts if text)


def _another_student(report: CommentReport, escape: Callable[[str], str]) -> str:
    """Say where another model answers, a change of policy as well, and how that was judged."""
    told = []
    for one in report.news:
        if one.students:
            verdicts = ", ".join(str(gate.verdict.outcome) for gate in one.upgrades)
            told.append(f"{escape(one.diff.name)} ({verdicts or 'not judged'})")
    names = ", ".join(told[:MOST_NAMES])
    return f"**Another student, that is another model, answers for {names}.**" if told else ""


def _besides(report: CommentReport, escape: Callable[[str], str]) -> str:
    """Name what did not pass either, behind what is graver."""
    others = [one for one in report.news if one.standing not in {report.standing, "passed"}]
    return f"Not passed either: {_names(others, escape)}." if others else ""


def _lead(report: CommentReport, escape: Callable[[str], str]) -> str:
    grave = [one for one in report.rulebooks if one.standing == report.standing]
    names = _names(grave, escape)
    if report.standing == "failed":
        return f"{_failed(grave, names)} {_MEND}"
    if report.standing == "broken":
        return (
            f"**The check met an error in {names}, so nothing was measured there.** This is not a "
            "pass. The message below says what to mend."
        )
    if report.standing == "open":
        return (
            f"**Whether the model answers worse than before is not known: {names}.** This is not a "
            "pass. The reason, and what would decide, stands below."
        )
    return _passed(report)


_MEND = (
    "Do not merge it as it is. Read the changed rules and the broken answers below, mend the rules "
    "or say why the loss is worth it, and push again; this comment updates itself."
)


def _failed(grave: Sequence[RulebookNews], names: str) -> str:
    if all(one.word == Outcome.REGRESSED for one in grave):
        return (
            f"**With the changed rules the model answers worse than the policy allows: {names}.**"
        )
    return f"**The policy does not let this pass: {names}.**"


def _passed(report: CommentReport) -> str:
    changed = [one for one in report.rulebooks if one.diff.state != "unchanged"]
    if not changed and not report.news:
        return "**No rulebook changed.**"
    if not any(one.diff.reaches_student for one in changed):
        if any(one.students for one in report.news):
            return "**No change of rules alters what the model reads.**"
        return (
            "**Nothing that the model reads has changed**, so its answers are what they were. "
            "What changed besides stands below."
        )
    if all(one.diff.state == "deleted" for one in changed):
        return "**Rulebooks were deleted.** No check guards them any more."
    return (
        "**With the changed rules the model answers no worse than the policy allows.** Whether the "
        "new wording is the policy that you want is yours to judge: the changed rules stand below."
    )


def introduction(report: CommentReport, escape: Callable[[str], str]) -> str:
    """Return how the figures came about, in words that need no knowledge of pldgov."""
    compared = f"Before: {escape(report.base)}; after: {escape(report.head)}."
    cards = [gate.student for one in report.news if (gate := measured(one))]
    if not cards:
        upgrades = any(one.upgrades for one in report.news)
        return f"{_UPGRADE} {compared}" if upgrades else compared
    names = ", ".join(dict.fromkeys(escape(f"{card.name}, {card.model}") for card in cards))
    return (
        "A *rulebook* holds the written rules that tell a language model how to label texts. The "
        f"model (called the *student*; here {names}) labelled the same test texts twice, with the "
        "rules before this change and with those after it. The right label of each test text is "
        f"known, so that both can be marked. {compared}"
    )


_UPGRADE: Final = (
    "A *rulebook* holds the written rules that tell a language model (the *student*) how to label "
    "texts. The student before this change and the one after it labelled the same test texts under "
    "the same rules; the right labels are known, so that both can be marked."
)


def table(news: Sequence[RulebookNews], escape: Callable[[str], str]) -> Iterator[tuple[str, ...]]:
    """Yield a row a rulebook, under ``HEAD``."""
    for one in news:
        yield (
            escape(one.diff.name),
            word(one),
            *_figures(one),
            _flips(one),
            str(len({change.name for change in one.diff.changes if change.subject == "rule"})),
        )


HEAD: Final = (
    "rulebook", "verdict", "test texts", "macro-F1 before", "macro-F1 after",
    "change in points (interval)", "answers broken / fixed", "rules changed",
)  # fmt: skip


def word(one: RulebookNews) -> str:
    """Return the verdict, and where a policy overrules it what it comes to."""
    said = f"**{one.word}**"
    usual = {Outcome.PASS: 0, Outcome.REGRESSED: 1}.get(one.word, 3)  # type: ignore[call-overload]
    if one.gate is None or isinstance(one.gate, NoVerdict) or one.exit_code == usual:
        return said
    return f"{said} ({'allowed' if one.exit_code == 0 else 'refused'} by the policy)"


def glossary(news: Sequence[RulebookNews]) -> list[str]:
    """Return what the words mean that stand in this comment, an item of a list each."""
    judged = [gate for one in news if (gate := measured(one))]
    judged += [gate for one in news for gate in one.upgrades]
    used = [one.word for one in news]
    used += [str(gate.verdict.outcome) for gate in judged]
    used += [str(label.outcome) for gate in judged for label in gate.verdict.labels]
    figures = _FIGURES if judged else ()
    flips = _FLIPS if any(gate.verdict.flips for gate in judged) else ()
    verdicts = (f"**{name}**: {_WORDS[name]}" for name in dict.fromkeys(used) if name in _WORDS)
    lint = (_LINT,) if any(one.diff.problems for one in news) else ()
    return [*_TERMS, *lint, *figures, *flips, *verdicts]


_TERMS: Final = (
    "**prompt**: the text that the model is told to follow, made of the active rules, a template "
    "and, where the rulebook asks for it, some examples; its *digest* (5196b3cf…) is a checksum",
    "**can reach the student**: it changes something that the model reads; all else cannot alter "
    "an answer",
    "**provenance**: the labelled examples that a rule cites as its evidence; a rule *pins anew* "
    "an example that changed itself",
    "**splits**: examples of *train* may be cited by rules and shown in the prompt; those of "
    "*gate* are the test texts, which no rule may cite",
)
_LINT: Final = (
    "**lint**: a check of the rules by themselves, without a model: what they leave open, "
    "contradict or lack, approvals among it; only what was not there before is named"
)
_FIGURES: Final = (
    "**macro-F1**: how well the answers agree with the right labels, from 0 to 1, every label "
    "counting alike (**F1** is the same for one label); a **point** is a hundredth",
    "**interval**: how far chance alone may have moved a figure, since only so many texts were "
    "tried; a change whose whole interval lies below 0 is a real loss",
)
_FLIPS: Final = (
    "**broken**: right before and wrong now; **fixed**: wrong before and right now",
    "**rules to look at**: the changed rules that may be behind a flipped answer, because they "
    "cite the example, argue for the labels in question, or are the nearest to it in words (from 0 "
    "to 1); a hint where to read first, no proof",
)


def measured(one: RulebookNews) -> GateReport | None:
    """Return the gate's report where the model's answers stand behind it."""
    gate = one.gate
    if gate is None or isinstance(gate, NoVerdict) or gate.scorecard is None:
        return None
    return gate


def _figures(one: RulebookNews) -> tuple[str, ...]:
    gate = measured(one)
    if gate is None or gate.scorecard is None:
        return ("-",) * 4
    card, moved = gate.scorecard, gate.verdict.macro_f1
    after = f"{card.macro_f1:.3f}{_span(card.interval)}"
    if moved is None:
        return str(card.n), "-", after, "-"
    low, high = (f"{100 * end:+.1f}" for end in (moved.interval.low, moved.interval.high))
    change = f"{100 * moved.delta:+.1f} ({low} to {high})"
    return str(card.n), f"{moved.base:.3f}{_span(gate.base_interval)}", after, change


def _span(interval: Interval | None) -> str:
    return f" ({interval.low:.3f} to {interval.high:.3f})" if interval else ""


def _flips(one: RulebookNews) -> str:
    gate = measured(one)
    if gate is None:
        return "-"
    kinds = [flip.kind for flip in gate.verdict.flips]
    return f"{kinds.count('broken')} / {kinds.count('fixed')}"


def _names(found: Sequence[RulebookNews], escape: Callable[[str], str]) -> str:
    shown = [f"{escape(one.diff.name)} ({one.word})" for one in found[:MOST_NAMES]]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
