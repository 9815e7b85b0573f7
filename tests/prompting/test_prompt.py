"""From rulebook to prompt."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pldgov.dataset import Example
from pldgov.errors import DataError, TemplateError, UsageError
from pldgov.prompt import PromptBuilder, render_within_budget
from pldgov.rulebook.model import Rulebook
from pldgov.templating import PromptEnvironment

TRAIN = tuple(
    Example(id=f"e{number}", inputs={"text": f"message {number}"}, label=label)
    for number, label in enumerate(("spam", "spam", "ham", "ham"))
)


def rule(id_: str, label: str, cited=(), **more) -> dict:
    return {
        "id": id_,
        "title": id_,
        "status": "active",
        "labels": [label],
        "instruction": f"Say {label} for {id_}.",
        "provenance": {
            "origin": "hand-written",
            "examples": [{"id": name, "role": role} for name, role in cited],
        },
        **more,
    }


def rulebook(*rules: dict, template: str = "plain.j2", **prompt) -> Rulebook:
    return Rulebook.model_validate(
        {
            "schema": "pldgov.rulebook/v1",
            "name": "mail",
            "title": "Mail",
            "owner": "me",
            "task": {"instruction": "Sort mail.", "labels": {"spam": "unwanted", "ham": "wanted"}},
            "examples": {"train": "t.jsonl", "gate": "g.jsonl"},
            "prompt": {"template": template, **prompt},
            "rules": list(rules),
        }
    )


@pytest.fixture(scope="module")
def templates(repository):
    folder = repository / "templates"
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.j2")}


def builder(book: Rulebook, templates: dict, train=TRAIN) -> PromptBuilder:
    return PromptBuilder(book, templates=templates, train=lambda: train)


BOOK = (
    rule("r1", "spam", [("e0", "support"), ("e2", "counter")]),
    rule("r2", "ham", [("e2", "support"), ("e3", "support"), ("e1", "counter")]),
)


def test_plain_numbers_the_active_rules_by_priority(templates):
    """Drafts are left out, higher priority goes first, ties keep the file's order."""
    book = rulebook(
        rule("low", "ham"),
        rule("draft", "ham", status="draft"),
        rule("high", "spam", priority=5),
        rule("also-low", "ham"),
    )
    system = builder(book, templates).build().prompt.system
    assert "1. Say spam for high.\n2. Say ham for low.\n3. Say ham for also-low.\n" in system
    assert "draft" not in system


def test_by_label_groups_rules_under_their_label(templates):
    """The grouped template shows each rule once, under its first label, others at the end."""
    book = rulebook(*BOOK, rule("r3", "ham", labels=[]), template="by_label.j2")
    system = builder(book, templates).build().prompt.system
    spam, ham, every = (system.index(f"## {name}") for name in ("spam", "ham", "For every label"))
    assert spam < system.index("Say spam for r1.") < ham < system.index("Say ham for r2.") < every
    assert every < system.index("for r3.")


def test_exemplars_show_one_example_for_and_one_against_each_rule(templates):
    """Support and counter examples stand under their rule, as many as the rulebook allows."""
    rendered = builder(rulebook(*BOOK, template="exemplars.j2"), templates).build()
    system = rendered.prompt.system
    assert 'Applies: "message 0" -> spam' in system
    assert 'Does not apply: "message 2" -> ham' in system
    assert "message 3" not in system  # the second support of r2
    assert [id_ for id_, _ in rendered.examples] == ["e0", "e1", "e2"]


def test_turns_show_each_exemplar_once_rule_by_rule(templates):
    """Exemplars become turns with the example's own label, each where it is first cited."""
    book = rulebook(*BOOK, template="turns.j2", exemplars={"support": 2, "counter": 1})
    turns = builder(book, templates).build().prompt.turns
    assert [(turn.user, turn.assistant) for turn in turns] == [
        ("message 0", "spam"),
        ("message 2", "ham"),
        ("message 3", "ham"),
        ("message 1", "spam"),
    ]


def test_the_digest_covers_everything_that_reaches_the_student(templates):
    """Wording, turns, labels' descriptions and user template change the digest; titles do not."""

    def digest(book: Rulebook, given=templates) -> str:
        return builder(book, given).build().prompt.digest

    base = digest(rulebook(*BOOK))
    assert base == digest(rulebook({**BOOK[0], "title": "other", "rationale": "why"}, BOOK[1]))
    assert base != digest(rulebook({**BOOK[0], "instruction": "Other."}, BOOK[1]))
    assert base != digest(rulebook(*BOOK, template="turns.j2"))
    assert base != digest(rulebook(*BOOK), {**templates, "user.j2": "> {{ text }}"})


def test_zero_shot_is_the_template_without_rules(templates):
    """Without rules no heading for rules is left, and no turns."""
    prompt = builder(rulebook(*BOOK, template="turns.j2"), templates).build(()).prompt
    assert "Rules" not in prompt.system
    assert prompt.turns == ()


def test_few_shot_adds_turns(templates):
    """Shots are shown as turns after those of the template."""
    prompt = builder(rulebook(*BOOK), templates).build((), shots=TRAIN[:1]).prompt
    assert [(turn.user, turn.assistant) for turn in prompt.turns] == [("message 0", "spam")]


def test_plain_templates_never_read_the_train_split(templates):
    """Rendering for deployment reads examples only when the template shows them."""

    def fail():
        raise AssertionError("train was read")

    PromptBuilder(rulebook(*BOOK), templates=templates, train=fail).build()


def test_a_cited_example_that_changed_is_refused(templates):
    """An exemplar whose content no longer has the cited digest is not shown."""
    stale = rule("r1", "spam")
    stale["provenance"]["examples"] = [{"id": "e0", "sha256": "0" * 64}]
    with pytest.raises(DataError, match="has changed since rule"):
        builder(rulebook(stale, template="turns.j2"), templates).build()


def test_a_cited_example_that_is_missing_is_named(templates):
    """The error names rule and example, and guesses what was meant."""
    with pytest.raises(DataError, match='cites example "e7", which is not in the train split'):
        builder(
            rulebook(rule("r1", "spam", [("e7", "support")]), template="turns.j2"), templates
        ).build()


def test_own_variables_must_be_used_and_may_not_hide_pldgovs(templates):
    """A variable that no template uses, or that shadows `rules`, is an error."""
    with pytest.raises(TemplateError, match="never uses 'tone'"):
        builder(rulebook(*BOOK, variables={"tone": "dry"}), templates).build()
    with pytest.raises(TemplateError, match="pldgov's own names"):
        builder(rulebook(*BOOK, variables={"rules": "none"}), templates).build()


def test_the_user_template_must_use_every_field(templates):
    """A field that the student never sees would make two different inputs look the same."""
    example = Example(id="x", inputs={"text": "a", "subject": "b"}, label="ham")
    with pytest.raises(TemplateError, match="never uses 'subject'"):
        builder(rulebook(*BOOK), templates).user_text(example)
    every = rulebook(*BOOK, user_template="user_fields.j2")
    assert builder(every, templates).user_text(example) == "Text: a\nSubject: b"


def test_turns_must_be_exemplars(templates):
    """A template cannot smuggle made-up turns in."""
    own = {**templates, "mine.j2": templates["plain.j2"] + "{% set turns = ['x'] %}"}
    with pytest.raises(TemplateError, match="must be a list of exemplars"):
        builder(rulebook(*BOOK, template="mine.j2"), own).build()


class TestBudget:
    """Over budget is an error with the tokens of each rule, or trimming that is reported."""

    def render(self, templates, *, over: str, budget: int, count=lambda text: len(text.split())):
        book = rulebook(
            *BOOK, rule("r3", "ham", priority=9), budget_tokens=budget, over_budget=over
        )
        return render_within_budget(builder(book, templates), book, count_tokens=count)

    def test_within_budget_counts_nothing(self, templates):
        """No tokenizer makes more tokens than bytes, so a wide budget needs none."""

        def fail(text):
            raise AssertionError(text)

        assert self.render(templates, over="error", budget=5000, count=fail).trimmed == ()

    def test_error_lists_tokens_by_rule(self, templates):
        """The error says how much is too much, and what each rule takes."""
        with pytest.raises(TemplateError, match=r"(?s)takes \d+ tokens.*4  r1.*4  r2"):
            self.render(templates, over="error", budget=10)

    def test_trim_drops_the_lowest_priority_and_latest_first(self, templates):
        """Trimming keeps the high priority and says what it dropped."""
        whole = self.render(templates, over="trim", budget=10**6)
        words = len(whole.prompt.system.split())
        trimmed = self.render(templates, over="trim", budget=words - 1)
        assert whole.rules == ("r3", "r1", "r2")
        assert trimmed.rules == ("r3", "r1")
        assert trimmed.trimmed == ("r2",)
        assert "r2" not in trimmed.prompt.system
        assert trimmed.tokens == len(trimmed.prompt.system.split()) == words - 5

    def test_an_unknown_tokenizer_cannot_keep_a_budget(self, templates):
        """A budget that cannot be checked is an error, not a hope."""
        with pytest.raises(UsageError, match="cannot count tokens"):
            self.render(templates, over="error", budget=10, count=lambda _: None)


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_rendering_is_the_same_under_any_hash_seed_and_locale(repository, seed):
    """The same bytes come out whatever PYTHONHASHSEED, locale and time zone say."""
    run = subprocess.run(
        [sys.executable, "-m", "pldgov", "render", "desk-routing", "--format", "json"],
        cwd=repository,
        capture_output=True,
        check=True,
        env={"PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Pacific/Kiritimati", "PATH": "/usr/bin"},
    )
    here = subprocess.run(
        [sys.executable, "-m", "pldgov", "render", "desk-routing", "--format", "json"],
        cwd=repository,
        capture_output=True,
        check=True,
    )
    assert run.stdout == here.stdout
    assert any("😭" in turn["user"] for turn in json.loads(run.stdout)["turns"])


def test_environment_reports_which_templates_were_used(templates):
    """The manifest cites included templates too."""
    assert PromptEnvironment(templates).templates_used("turns.j2") == ("plain.j2", "turns.j2")
