"""Each check finds what it is for, says so clearly, at the right place, and nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pldgov.approval_policy import ApprovalPolicy, Author
from pldgov.dataset import Example
from pldgov.errors import UsageError
from pldgov.problems import Problem
from pldgov.rulebook.approval import rule_digest
from pldgov.rulebook.checks import CHECKS, check_rulebook, select_checks
from pldgov.rulebook.document import parse_document


def example(example_id: str, text: str, label: str, **more) -> Example:
    return Example(example_id, {"text": text}, label, **more)


STOLEN = example("452415e071", "Somebody stole my card at the station.", "cards", line=1)
OFFERS = example("e-2", "Your card offers are too many, stop mailing me.", "no", line=2)
SPLITS = {
    "train": (STOLEN, OFFERS),
    "validation": (
        example("v-1", "The machine swallowed my plastic.", "cards", line=1),
        example("v-2", "What time do you open on Sundays?", "no", line=2),
    ),
    "gate": (
        example("g-1", "I lost my wallet with everything in it.", "cards", line=1),
        example("g-2", "Please send me a calendar for next year.", "no", line=2),
    ),
}
PINNED = (
    Path(__file__)
    .with_name("valid.yaml")
    .read_text("utf-8")
    .replace("- id: e-2\n", f"- id: e-2\n          sha256: {OFFERS.sha256}\n")
)


@dataclass(frozen=True)
class Case:
    """One change of a rulebook that lints clean, and what lint then says, in part."""

    code: str
    says: str
    edits: dict[str, str] = field(default_factory=dict)
    splits: dict = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    approving: dict = field(default_factory=dict)
    at: str | None = None
    hint: str | None = None
    rule: str | None = None


def lint(
    text=PINNED,
    *,
    path="rulebooks/desk/rulebook.yaml",
    selected=None,
    absent=(),
    approving=None,
    **splits,
):
    document = parse_document(text.encode(), path=path)
    unread = {*absent, *(name for name, rows in splits.items() if rows is None)}
    return check_rulebook(
        document,
        splits={name: rows for name, rows in {**SPLITS, **splits}.items() if name not in unread},
        absent=absent,
        templates={"plain.j2": "", "turns.j2": "", "user.j2": ""},
        selected=selected,
        **(approving or {}),
    )


def edited(edits: dict[str, str]) -> str:
    text = PINNED
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new, 1)
    return text


THIRD = """\
  - id: r-03
    title: Third
    status: deprecated
    labels: [gone]
    instruction: "Anything."
"""
SAME = """\
  - id: r-03
    title: Third
    labels: [cards]
    instruction: A message about a card that was LOST or stolen goes to the cards desk!
    provenance: {origin: imported}
"""
LATER = """\
  - id: r-03
    title: Third
    labels: ["no"]
    instruction: >-
      A message about a card that was lost or stolen years ago, and long since replaced by the
      desk, is filed.
    provenance: {origin: imported}
"""


def reviewed(digest=None, *, by="Ann <ann@example.org>") -> str:
    """Return the text with an approval of r-01, by default one that holds."""
    rulebook = parse_document(PINNED.encode(), path="").rulebook
    holds = rule_digest(rulebook.rules[0], rulebook.prompt.exemplars)
    return f"    review: {{by: {by}, on: 2026-03-01, digest: '{digest or holds}'}}\n"


BEFORE_R02 = "\n  - id: r-02"
OTHERS = ApprovalPolicy(different_approver=True)
CASES = [
    Case("duplicate-rule-id", 'rule id "r-01" stands first in line 23', {"id: r-02": "id: r-01"}, at="40:9", rule="r-01"),
    Case("duplicate-rule-id", "where it is deprecated", {"id: r-02": "id: r-01", "status: active": "status: deprecated"}),
    Case("no-active-rule", "no active rule", {"status: active\n    labels: [cards]": "status: draft\n    labels: [cards]", "status: active\n    labels: [no]": "labels: [no]"}, at="21:1"),
    Case("unknown-related", 'related to "r-20", which does not exist', {"priority: 10": "related: [{id: r-20, type: precedes}]"}, at="30:20", hint='did you mean "r-02"?', rule="r-01"),
    Case("unknown-related", "to itself", {"priority: 10": "related: [{id: r-01, type: precedes}]"}),
    Case("modified-before-created", "modified on 2026-01-30, before it was created on 2026-01-31", {"priority: 10": "modified: 2026-01-30"}, at="30:15", rule="r-01"),
    Case("similar-instruction", 'rule "r-03" says almost the same as rule "r-01"', {"  - id: r-02": SAME + "  - id: r-02"}, at="43:5", rule="r-03"),
    Case("unknown-field", 'rule "r-01" asks for "texts", which is no input of the task', {"    priority: 10": "    when: {texts: [card]}\n    priority: 10"}, at="30:12", hint='did you mean "text"?', rule="r-01"),
    Case("rule-conflict", 'rules "r-01" and "r-03" argue for "cards" and "no" in nearly the same case', {"  - id: r-02": SAME.replace("[cards]", "['no']") + "  - id: r-02"}, at="43:5", rule="r-03"),
    Case("rule-conflict", 'rule "r-01" holds wherever rule "r-03" does', {"  - id: r-02": LATER + "  - id: r-02", "priority: 10": "priority: 0"}, at="43:5", rule="r-03"),
    Case("unknown-label", 'argues for "card", which is no label', {"labels: [cards]": "labels: [cards, card]"}, at="26:21", hint='did you mean "cards"?', rule="r-01"),
    Case("unknown-label", 'argues for "xyz"', {"labels: [no]": "labels: [no, xyz]"}, hint="labels: cards, no"),
    Case("repeated-label", 'names the label "cards" twice', {"labels: [cards]": "labels: [cards, cards]"}, rule="r-01"),
    Case("unargued-label", 'no active rule argues for the label "no"', {"labels: [no]": "labels: [cards]"}, at="11:5"),
    Case("confusable-labels", '"Not here" and "no" begin alike', {'    "no":': '    "Not here": x\n    "no":'}),
    Case("confusable-labels", '"cards" and "CARDS" differ only in case', {'    "no":': '    "CARDS": x\n    "no":'}, at="11:5"),
    Case("unknown-gate-label", 'policy for "card", which is no label', {"    cards: {min": "    card: {min"}, at="19:5", hint='did you mean "cards"?'),
    Case("missing-provenance", 'rule "r-02" has no provenance', {"    lint_exclude:\n      no-supporting-example: it is what remains\n    provenance:\n      origin: hand-written\n": ""}, at="40:9", rule="r-02"),
    Case("no-supporting-example", 'rule "r-02" cites no supporting example', {"    lint_exclude:\n      no-supporting-example: it is what remains\n": ""}, at="48:5", rule="r-02"),
    Case("missing-teacher", 'rule "r-01" is distilled, but names no teacher', {"origin: hand-written": "origin: distilled"}, at="33:15", rule="r-01"),
    Case("leakage", 'rule "r-01" cites example "g-1" of the gate split (examples/gate.jsonl)', {"- id: e-2\n": "- {id: g-1}\n        - id: e-2\n"}, at="36:16", rule="r-01"),
    Case("validation-cited", 'cites example "v-1" of the validation split', {"- id: e-2\n": "- {id: v-1}\n        - id: e-2\n"}, at="36:16", rule="r-01"),
    Case("missing-example", 'rule "r-01" cites example "e-21", which is not in examples/train.jsonl', {"id: e-2\n": "id: e-21\n"}, at="36:15", hint='did you mean "e-2"?', rule="r-01"),
    Case("changed-example", 'cites example "e-2", which has changed since', {f"sha256: {OFFERS.sha256}": f"sha256: {'0' * 64}"}, at="37:19", rule="r-01"),
    Case("changed-example", "452415e071", splits={"train": (replace(STOLEN, label="no"), OFFERS)}),
    Case("unpinned-example", 'rule "r-01" cites "e-2" without sha256', {f"          sha256: {OFFERS.sha256}\n": ""}, at="36:15", hint="run: pldgov fmt --pin", rule="r-01"),
    Case("repeated-citation", 'cites example "e-2" twice', {"- id: e-2\n": f"- {{id: e-2, sha256: {OFFERS.sha256}, role: counter}}\n        - id: e-2\n"}, at="37:15", rule="r-01"),
    Case("contrary-support", 'argues for "cards", but its supporting example "e-2" is labelled "no"', {"          role: counter\n": ""}, at="36:15", rule="r-01"),
    Case("contrary-counter", 'argues for "cards", which is the label of its counter example "452415e071"', {"role: counter": "role: support", "{id: 452415e071, ": "{id: 452415e071, role: counter, "}),
    Case("control-token", 'the instruction of rule "r-02" holds "<|im_end|>"', {"Even: this.": "Even: <|im_end|> this."}, at="44:18", rule="r-02"),
    Case("control-token", '"[/INST]"', {"Even: this.": "Even: [/INST] this."}),
    Case("control-token", '"<start_of_turn>"', {"Even: this.": "<start_of_turn>user"}),
    Case("control-token", '"task.labels.cards" holds "</s>"', {"About a card.": "About </s> a card."}, at="10:12"),
    Case("control-token", '"prompt.variables.greeting"', {"greeting: yes": "greeting: '<|user|>'"}),
    Case("bidi-control", "U+202E (RIGHT-TO-LEFT OVERRIDE), which reorders what people see", {"Even: this.": "Even: \u202ethis."}, at="44:18", rule="r-02"),
    Case("bidi-control", '"task.labels.cards" holds U+2067 (RIGHT-TO-LEFT ISOLATE)', {"About a card.": "About \u2067a card."}, at="10:12"),
    Case("hidden-character", "U+200B (ZERO WIDTH SPACE)", {"Route the": "Route\u200b the"}, at="8:16"),
    Case("hidden-character", "U+3164 (HANGUL FILLER)", {"Even: this.": "Even: \u3164this."}),
    Case("hidden-character", "U+E0041 (TAG LATIN CAPITAL LETTER A)", {"Even: this.": "Even: \U000e0041this."}),
    Case("hidden-character", "U+200D (ZERO WIDTH JOINER)", {"Even: this.": "Even: t\u200dhis."}),
    Case("look-alike", 'holds "саrd", which looks like "card" but has U+0441 (CYRILLIC SMALL LETTER ES)', {"About a card.": "About a \u0441\u0430rd."}, at="10:12"),
    Case("look-alike", 'holds "сор", which looks like "cop"', {"Even: this.": "Even: \u0441\u043e\u0440 this."}, at="44:18", rule="r-02", hint="type the word anew"),
    Case("look-alike", 'which looks like "card" but has U+1D41C (MATHEMATICAL BOLD SMALL C)', {"Even: this.": "Even: \U0001d41card this."}),
    Case("look-alike", 'which looks like "card" but has U+FF43 (FULLWIDTH LATIN SMALL LETTER C)', {"Even: this.": "Even: \uff43ard this."}),
    Case("quotes-gate", 'the instruction of rule "r-02" quotes example "g-1" of the gate split: "i lost my wallet with everything in it"', {"Even: this.": "Such as: i LOST my wallet, with everything in it."}, at="44:18", rule="r-02"),
    Case("unknown-template", 'no template "plan.j2" in templates/', {"plain.j2": "plan.j2"}, at="14:13", hint='did you mean "plain.j2"?'),
    Case("unknown-template", "u.txt", {"  template: plain.j2": "  template: plain.j2\n  user_template: u.txt"}, hint="templates: plain.j2, turns.j2, user.j2"),
    Case("folder-name", 'named "disk", but stands in the folder "desk"', {"name: desk": "name: disk"}, at="4:7"),
    Case("name-clash", 'the example files "examples/train.jsonl" and "examples/Train.jsonl" differ only in case', {"gate: examples/gate.jsonl": "gate: examples/Train.jsonl"}),
    Case("examples-absent", "not here: examples/train.jsonl, examples/gate.jsonl; no check looked", {"gate: examples/gate.jsonl": "gate: examples/gate.jsonl, obtain: make data"}, absent=("train", "gate"), at="12:1", hint="to get them: make data"),
    Case("unknown-data-label", 'example "e-3" and 1 more of the train split has the label "card"', splits={"train": (STOLEN, OFFERS, example("e-3", "one two three", "card", line=3), example("e-4", "four five", "card"))}, hint='did you mean "cards"?', at="rulebooks/desk/examples/train.jsonl:3:1"),
    Case("gate-lacks-label", 'no example of the gate split has the label "other"', {'    "no":': '    other: x\n    "no":'}, at="11:5"),
    Case("gate-one-label", 'only examples of the label "no"', splits={"gate": SPLITS["gate"][1:]}, at="12:86"),
    Case("gate-one-label", "no examples", splits={"gate": ()}),
    Case("shared-example-id", 'example id "e-2" of the gate split stands in the train split', splits={"gate": (*SPLITS["gate"], example("e-2", "other words here now", "no", line=3))}, at="rulebooks/desk/examples/gate.jsonl:3:1"),
    Case("similar-across-splits", 'example "g-3" of the gate split equals "452415e071" of the train split', splits={"gate": (*SPLITS["gate"], example("g-3", "Somebody  stole my card AT the station.", "cards", line=3))}, at="rulebooks/desk/examples/gate.jsonl:3:1"),
    Case("similar-across-splits", "is nearly (90% of word pairs) the same as", splits={"validation": (example("v-1", " ".join("abcdefghijklmnopqrst"), "cards"),), "gate": (*SPLITS["gate"], example("g-3", " ".join("abcdefghijklmnopqrsu"), "cards", line=3))}),
    Case("group-across-splits", 'group "c-9" stands in the train split (example "452415e071") and in the gate split (example "g-1")', splits={"train": (replace(STOLEN, group="c-9"), OFFERS), "gate": (replace(SPLITS["gate"][0], group="c-9"), SPLITS["gate"][1])}),
    Case("approval-void", 'the approval of rule "r-01" by Ann <ann@example.org> on 2026-03-01 is void', {BEFORE_R02: reviewed("0" * 64) + BEFORE_R02}, at="39:5", hint='"pldgov approve desk r-01", or delete "review"', rule="r-01"),
    Case("approval-void", 'rule "r-01" is a draft and carries an approval', {"status: active": "status: draft", BEFORE_R02: reviewed() + BEFORE_R02}, at="39:5", hint='delete "review"', rule="r-01"),
    Case("approval-void", 'rule "r-01" is deprecated and carries', {"status: active": "status: deprecated", BEFORE_R02: reviewed() + BEFORE_R02}),
    Case("approval-missing", 'rule "r-02" needs an approval of what it says now', {BEFORE_R02: reviewed() + BEFORE_R02}, approving={"approval": ApprovalPolicy(required=True)}, at="41:9", hint="pldgov approve desk r-02", rule="r-02"),
    Case("approval-missing", "; that by Ann <ann@example.org> on 2026-03-01 is void", {BEFORE_R02: reviewed("0" * 64) + BEFORE_R02}, approving={"approval": ApprovalPolicy(labels=("cards",))}, rule="r-01"),
    Case("approval-missing", 'rule "r-02"', {"title: Nobody\n": "title: Nobody\n    owner: legal\n"}, approving={"approval": ApprovalPolicy(owners=("legal",))}, rule="r-02"),
    Case("approval-by-author", 'rule "r-01" was approved by Ann <ann@example.org>, who wrote it (commit abcdef123)', {BEFORE_R02: reviewed() + BEFORE_R02}, approving={"approval": OTHERS, "authors": {"r-01": Author(("A. <ANN@example.org>",), commit="abcdef123456")}}, at="39:18", rule="r-01"),
    Case("approval-by-author", "cannot tell who wrote the approved rule: the clone is shallow", {BEFORE_R02: reviewed() + BEFORE_R02}, approving={"approval": OTHERS, "authors": {"r-01": Author(unknown="the clone is shallow")}}),
    Case("bad-exclusion", 'there is no check "simlar-instruction"', {"no-supporting-example: it": "simlar-instruction: x\n      no-supporting-example: it"}, at="49:7", hint='did you mean "similar-instruction"?', rule="r-02"),
    Case("bad-exclusion", 'the check "leakage" cannot be excluded', {"no-supporting-example: it": "leakage: x\n      no-supporting-example: it"}),
    Case("unused-exclusion", 'rule "r-02" excludes "repeated-label", which finds nothing there', {"no-supporting-example: it": "repeated-label: x\n      no-supporting-example: it"}, at="49:7", rule="r-02"),
]  # fmt: skip


def test_the_base_is_clean():
    """The rulebook that the cases change has no finding."""
    assert lint() == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}: {case.says[:30]}")
def test_a_check_finds_what_it_is_for(case):
    """One change brings exactly one finding of the check, in words, at its place."""
    problems = lint(edited(case.edits), absent=case.absent, approving=case.approving, **case.splits)
    found = [problem for problem in problems if problem.code == case.code]
    if case.code != "confusable-labels":
        assert len(found) == 1, [str(problem) for problem in problems]
    assert any(case.says in problem.message for problem in found), [str(p) for p in problems]
    problem = found[0]
    assert problem.severity == CHECKS[case.code].severity
    assert case.at is None or problem.place.endswith(case.at), problem.place
    assert case.hint in (None, problem.hint)
    assert case.rule in (None, problem.rule_id)


@pytest.mark.parametrize("code", [code for code, one in CHECKS.items() if one.needs])
def test_a_check_is_left_out_without_the_examples_that_it_needs(code):
    """What a check finds with all splits it does not find, or misjudge, with one of them absent."""
    case = next(case for case in CASES if case.code == code)
    for name in CHECKS[code].needs:
        problems = lint(edited(case.edits), absent=(name,), **case.splits)
        assert code not in {problem.code for problem in problems}


@pytest.mark.parametrize("name", ["train", "validation", "gate"])
def test_absent_examples_make_no_exclusion_unused(name):
    """Whether an exclusion is needed cannot be told without the examples it is about."""
    excluded = "".join(
        f"      {code}: so be it\n"
        for code, one in CHECKS.items()
        if one.excludable and name in one.needs
    )
    before = "    lint_exclude:\n"
    found = {p.code for p in lint(edited({before: before + excluded}), absent=(name,))}
    assert found == {"examples-absent"}
    assert "unused-exclusion" in {p.code for p in lint(edited({before: before + excluded}))}


def test_every_check_has_a_case():
    """No check is without a test, and every code is kebab-case."""
    assert {case.code for case in CASES} == set(CHECKS)
    assert all(code == code.lower().replace("_", "-") for code in CHECKS)
    assert all(one.description for one in CHECKS.values())


@pytest.mark.parametrize(
    "change",
    [
        {"priority: 10": "priority: 0", "years ago": "but not used"},
        {"title: Third": "title: Third\n    priority: 11", "priority: 10": "priority: 0"},
        {"card that was": "letter that was"},
    ],
    ids=["negated", "placed first", "another case"],
)
def test_rules_that_tell_their_cases_apart_do_not_conflict(change):
    """A negation, a higher priority of the narrower rule, or another subject settle it."""
    text = edited({"  - id: r-02": LATER + "  - id: r-02"})
    for old, new in change.items():
        text = text.replace(old, new, 1)
    assert "rule-conflict" not in {problem.code for problem in lint(text)}


@pytest.mark.parametrize(
    "text",
    [
        "Une règle en français, avec « guillemets » et des œufs.",
        "A β-blocker of 20 μm, the angle α and the constant π.",
        "Правило о картах, которые были украдены.",
        "Ο κανόνας αφορά τις κάρτες.",
        "نمی\u200cخواهم کارت را",
        "A family \U0001f468\u200d\U0001f469\u200d\U0001f467 and a heart \u2764\ufe0f\u200d\U0001f525.",
        "x² and H₂O, the 1st and ½",
    ],
)
def test_other_scripts_and_emoji_are_no_tricks(text):
    """What is written as its language writes it is neither hidden nor a look-alike."""
    codes = {problem.code for problem in lint(edited({"Even: this.": text}))}
    assert codes <= {"similar-instruction"}, text


def test_templates_that_differ_only_in_case_clash():
    """Of two templates a case-insensitive disk keeps one, and the prompt may be the other's."""
    document = parse_document(PINNED.encode(), path="rulebooks/desk/rulebook.yaml")
    problems = check_rulebook(
        document, splits=SPLITS, templates=("plain.j2", "Plain.J2", "user.j2", "turns.j2")
    )
    assert [(one.code, one.severity) for one in problems] == [("name-clash", "error")]
    assert '"plain.j2" and "Plain.J2" differ only in case' in problems[0].message


def test_five_megabytes_of_rule_are_checked_in_seconds():
    """A rule as long as a book is read and checked, and what is wrong at its end is found."""
    text = "Лорем ipsum dolor <b>sit</b> amet {{ x }}. " * 130_000
    started = time.process_time()
    problems = lint(edited({"Even: this.": f"{text} \u202eend"}))
    assert time.process_time() - started < 30
    assert "bidi-control" in {problem.code for problem in problems}


def test_a_rule_of_many_different_words_is_compared_in_seconds():
    """Words that all differ take no time that grows with their square."""
    text = " ".join(f"word{number}" for number in range(300_000))
    started = time.process_time()
    problems = lint(edited({"Even: this.": text}))
    assert time.process_time() - started < 60
    assert "rule-conflict" not in {problem.code for problem in problems}


def test_deprecated_rules_are_left_in_peace():
    """A deprecated rule without provenance and with a gone label is kept for its id only."""
    assert lint(PINNED + THIRD) == ()


def test_an_exclusion_silences_its_check_for_its_rule_only():
    """With its exclusion a rule's warning is gone; the other rule's stays."""
    text = edited({"          role: counter\n": "", "- {id: 452415e071": "- {id: e-9"})
    text = text.replace("    priority: 10\n", "    lint_exclude: {contrary-support: on purpose}\n")
    problems = lint(text)
    assert [problem.code for problem in problems] == ["missing-example"]


def test_errors_cannot_be_excluded():
    """An excluded error is reported all the same, and so is the exclusion."""
    text = edited({"id: e-2\n": "id: g-1\n"})
    text = text.replace("    priority: 10\n", "    lint_exclude: {leakage: really}\n")
    assert {"leakage", "bad-exclusion"} <= {problem.code for problem in lint(text)}


def test_only_selected_checks_run():
    """With a selection, other findings and needless exclusions of other checks are not reported."""
    text = edited({"id: e-2\n": "id: g-1\n", "plain.j2": "plan.j2"})
    problems = lint(text, selected=select_checks(select=["leakage", "unused-exclusion"]))
    assert [problem.code for problem in problems] == ["leakage"]
    everything_else = lint(text, selected=select_checks(ignore=["leakage"]))
    assert "leakage" not in {problem.code for problem in everything_else}
    assert "unknown-template" in {problem.code for problem in everything_else}


def test_an_unknown_code_is_a_usage_error():
    """A code that does not exist is refused with the nearest one."""
    with pytest.raises(UsageError, match='did you mean "leakage"'):
        select_checks(ignore=["leekage"])


def test_unread_splits_are_not_judged():
    """Without the train split nothing is said about the examples that rules cite."""
    assert lint(train=None) == ()
    assert lint(train=None, validation=None, gate=None) == ()


def test_what_could_not_be_read_brings_no_false_findings():
    """A rule with a fault of structure does not make its label unargued, nor relations unknown."""
    text = edited({"title: Nobody": "title:", "priority: 10": "related: [{id: r-02, type: x}]"})
    assert lint(text) == ()


def test_a_broken_document_is_not_checked():
    """A document without a rulebook has its own problems only."""
    assert lint("a: [") == ()


def test_many_wrong_ids_stay_fast():
    """A thousand wrong citations against ten thousand ids are all reported; few get a guess."""
    train = tuple(example(f"case-{n:05}", f"text {n}", "cards") for n in range(10_000))
    cites = ", ".join(f"{{id: kase-{n:05}}}" for n in range(1000))
    text = edited({"- id: e-2\n": "- id: e-2\n"})
    text = text[: text.index("      examples:\n")] + f"      examples: [{cites}]\n"
    problems = lint(text, selected=["missing-example"], train=train)
    assert len(problems) == 1000
    assert sum(problem.hint is not None for problem in problems) == 20


def test_findings_are_problems_sorted_by_place():
    """Findings come sorted by file, line and column."""
    problems = lint(
        edited({"id: e-2\n": "id: g-1\n", "plain.j2": "plan.j2", "name: desk": "name: a"})
    )
    assert list(problems) == sorted(problems, key=lambda p: (p.path, p.line, p.column))
    assert all(isinstance(problem, Problem) for problem in problems)


@pytest.mark.parametrize(
    "author",
    [Author(("Bea <bea@example.org>",)), Author(("Ann <ann@elsewhere.org>",))],
    ids=["another", "the same name at another address"],
)
def test_an_approval_by_somebody_else_is_fine(author):
    """Where both have an address, the address tells people apart."""
    approving = {"approval": OTHERS, "authors": {"r-01": author}}
    assert lint(edited({BEFORE_R02: reviewed() + BEFORE_R02}), approving=approving) == ()


def test_no_policy_asks_for_nothing():
    """Approvals that hold, and rules without one, are no finding by default."""
    assert lint(edited({BEFORE_R02: reviewed() + BEFORE_R02})) == ()


def test_a_letter_that_nobody_sees_in_a_phrase_is_found():
    """The phrase would never be found in an input, and no reviewer could see why."""
    scoped = '    when: {text: [card, "pin\\u200b"]}\n    priority: 10'
    (found,) = [
        p for p in lint(edited({"    priority: 10": scoped})) if p.code == "hidden-character"
    ]
    assert found.message.startswith('the when of rule "r-01"')
    assert found.line == 30


def test_rules_for_different_inputs_neither_repeat_nor_contradict_each_other():
    """The words may be the same where an input shows one rule or the other, never both."""
    scoped = SAME.replace("[cards]", "['no']").replace(
        "    provenance", "    when: {text: [letter]}\n    provenance"
    )
    text = edited({"  - id: r-02": scoped + "  - id: r-02"})
    told = {problem.code for problem in lint(text)}
    assert {"similar-instruction", "rule-conflict"} <= told  # one of them is for every input
    apart = text.replace("    priority: 10", "    when: {text: [card]}\n    priority: 10", 1)
    assert not {"similar-instruction", "rule-conflict"} & {one.code for one in lint(apart)}
