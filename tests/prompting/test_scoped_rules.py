"""Rules with a `when`: in the user message of the inputs that they are for, and nowhere else."""

from __future__ import annotations

import json
import re

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pldgov.dataset import Example
from pldgov.errors import TemplateError, UsageError
from pldgov.prompt import PromptBuilder, render_within_budget
from pldgov.rulebook.model import Rulebook
from pldgov.workflows.rendering import format_prompt

USER = "{{ claim }}: {{ text }}\n{% for rule in rules %}[{{ rule.id }}] {{ rule.instruction }}\n{% endfor %}"
TEMPLATES = {
    "plain.j2": "{{ task.instruction }}{% for l in labels %} {{ l.name }}{% endfor %}"
    "{% for rule in rules %} ({{ rule.id }}){% endfor %}",
    "turns.j2": "{% include 'plain.j2' %}{% set turns = exemplars %}",
    "user.j2": "{{ claim }}: {{ text }}",
    "scoped.j2": USER,
    "label.j2": "{{ claim }}: {{ text }}\n{% for rule in rules %}{{ rule.title }}: {{ rule.label }}\n{% endfor %}",
    "all.j2": "{% for name, value in inputs.items() %}{{ name }}={{ value }}\n{% endfor %}"
    "{% for rule in rules %}[{{ rule.id }}] {{ rule.instruction }}\n{% endfor %}",
}
COPIES = Example("t-1", {"text": "Two copies.", "claim": "May make a COPY"}, "yes")
HIRING = Example("t-2", {"text": "No hiring.", "claim": "Shall not solicit"}, "no")


def rule(id_, instruction="Yes, unless forbidden: then no.", **more):
    examples = [{"id": "t-1"}] if id_ == "copy" else []
    return {
        "id": id_, "title": id_, "status": "active", "labels": ["yes"], "instruction": instruction,
        "provenance": {"origin": "hand-written", "examples": examples}, **more,
    }  # fmt: skip


COPY = rule("copy", when={"claim": ["copy", "copies"]})
SOLICIT = rule("solicit", "No, unless allowed.", when={"claim": ["solicit"]})
GENERAL = rule("general", "Say yes or no.")


def builder(*rules, user="scoped.j2", template="plain.j2", **prompt):
    book = Rulebook.model_validate(
        {
            "schema": "pldgov.rulebook/v1", "name": "claims", "title": "Claims", "owner": "me",
            "task": {
                "instruction": "Judge.", "inputs": ["text", "claim"],
                "labels": {"yes": "holds", "no": "does not"},
            },
            "examples": {"train": "t.jsonl", "gate": "g.jsonl"},
            "prompt": {"template": template, "user_template": user, **prompt},
            "rules": list(rules),
        }
    )  # fmt: skip
    return PromptBuilder(book, templates=TEMPLATES, train=lambda: (COPIES, HIRING))


def shipped(prompt, example, *, as_mapping=False):
    """Fill in the user template as somebody would who has Jinja and nothing else."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    fields = {"inputs": dict(example.inputs)} if as_mapping else example.inputs
    return environment.from_string(prompt.user_template).render(fields).strip("\n")


def test_a_scoped_rule_stands_in_the_messages_that_it_is_for():
    """In any case of letters; the system prompt holds the other rules only."""
    made = builder(COPY, GENERAL, SOLICIT)
    rendered = made.build()
    assert rendered.prompt.system == "Judge. yes no (general)"
    assert rendered.rules == ("copy", "general", "solicit")
    assert made.query(COPIES, rendered).text == (
        "May make a COPY: Two copies.\n[copy] Yes, unless forbidden: then no."
    )
    assert made.query(HIRING, rendered).text.endswith("\n[solicit] No, unless allowed.")


def test_every_field_must_hold_one_of_its_phrases():
    """Phrases of one field are alternatives; fields are conditions that all must hold."""
    both = rule("both", when={"claim": ["copy", "nothing"], "text": ["copies"]})
    made = builder(both)
    rendered = made.build()
    assert "[both]" in made.query(COPIES, rendered).text
    other = Example("t-3", {"text": "One.", "claim": "May make a copy"}, "yes")
    assert "[both]" not in made.query(other, rendered).text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("A man.", True), ("(MAN)", True), ("man-made", True), ("German", False), ("woman", False)],
)
def test_a_phrase_is_found_as_whole_words(text, shown):
    """Not within longer words; marks and case do not matter."""
    made = builder(rule("man", when={"text": ["man"]}))
    example = Example("t-4", {"text": text, "claim": "x"}, "yes")
    assert ("[man]" in made.query(example, made.build()).text) == shown


def test_phrases_may_be_written_as_a_text_with_commas():
    """The same rule, and the same prompt, as with a list."""
    listed = builder(rule("man", when={"text": ["man", "old man"]})).build()
    written = builder(rule("man", when={"text": "man,  old man"})).build()
    assert written.prompt.digest == listed.prompt.digest
    with pytest.raises(ValidationError):
        builder(rule("man", when={"text": "man,, old man"}))


@pytest.mark.parametrize("phrase", ["", "-", "..."])
def test_a_phrase_without_a_word_is_refused(phrase):
    """It would stand in every text."""
    with pytest.raises(ValidationError):
        builder(rule("mark", when={"text": [phrase]}))


def test_the_rules_asked_about_are_those_of_the_prompt():
    """A prompt without a rule asks without it: what it is worth can be measured."""
    made = builder(COPY, SOLICIT)
    bare = made.build(())
    assert "[copy]" not in made.query(COPIES, bare).text
    assert "[copy]" in made.user_text(COPIES)
    assert made.build().prompt.digest != bare.prompt.digest


@pytest.mark.parametrize("change", [{"when": {"claim": ["copies"]}}, {"instruction": "No."}])
def test_scope_and_wording_are_part_of_what_is_shipped(change):
    """A change of either is a change of the prompt, by digest."""
    before, after = builder(COPY).build(), builder({**COPY, **change}).build()
    assert before.prompt.system == after.prompt.system
    assert before.prompt.digest != after.prompt.digest


def test_a_template_that_shows_no_rules_is_refused():
    """A rule that would reach nobody is an error that says where and what to do."""
    with pytest.raises(TemplateError, match=r'"copy" has a `when`.*shows no `rules`') as caught:
        builder(COPY, user="user.j2").build()
    assert caught.value.where == "templates/user.j2"
    assert "user_rules.j2" in caught.value.hint


def test_exemplars_are_shown_as_the_student_would_be_asked():
    """An earlier turn has the rule of its kind, too, if the prompt has that rule."""
    made = builder(COPY, template="turns.j2")
    (turn,) = made.build().prompt.turns
    assert turn.user == made.query(COPIES, made.build()).text
    assert "[copy]" in turn.user
    assert "[copy]" not in made.build((), shots=(COPIES,)).prompt.turns[0].user


def test_trimming_leaves_scoped_rules_to_the_last():
    """They are no part of the system text, so leaving them out would make no room."""
    made = builder(GENERAL, rule("later"), COPY, budget_tokens=29, over_budget="trim")
    rendered = render_within_budget(made, made._rulebook, count_tokens=len)
    assert rendered.trimmed == ("later",)
    assert rendered.prompt.system == "Judge. yes no (general)"
    assert "copy" in rendered.rules


LETTERS = "a{}%#\"'\\\n\u2028~é ß-.İrule"
ODD = st.text(st.sampled_from(LETTERS), min_size=1, max_size=30).filter(
    lambda text: re.search(r"[^\W_]", text)
)


@settings(max_examples=150, deadline=None)
@given(phrase=ODD, instruction=ODD, claim=ODD, as_mapping=st.booleans())
def test_what_is_shipped_says_what_was_measured(phrase, instruction, claim, as_mapping):
    """Plain Jinja over the shipped template gives the message that the student was asked."""
    user = "all.j2" if as_mapping else "scoped.j2"
    made = builder(rule("odd", instruction, when={"claim": [phrase]}), COPY, user=user)
    rendered = made.build()
    example = Example("g-1", {"text": phrase, "claim": f"{claim} {phrase}"}, "yes")
    asked = made.query(example, rendered).text
    assert shipped(rendered.prompt, example, as_mapping=as_mapping) == asked
    assert "[odd]" in asked


def test_a_user_template_may_show_a_rules_title_and_label():
    """What it shows is shipped, and what it does not show changes nothing of the prompt."""
    made = builder(COPY, user="label.j2")
    rendered = made.build()
    asked = made.query(COPIES, rendered).text
    assert asked == "May make a COPY: Two copies.\ncopy: yes"
    assert shipped(rendered.prompt, COPIES, as_mapping=False) == asked
    retitled = rule("copy", title="Copies", when={"claim": ["copy", "copies"]})
    for user, same in (("label.j2", False), ("scoped.j2", True)):
        prompts = [builder(one, user=user).build().prompt for one in (COPY, retitled)]
        assert (prompts[0].digest == prompts[1].digest) is same


def test_no_format_loses_rules_unsaid():
    """Rendered without a format, everything is there; a format that lacks them is refused."""
    prompt = builder(COPY).build().prompt
    written = json.loads(format_prompt(prompt))
    assert "unless forbidden" in written["user_template"]
    for name in ("text", "messages"):
        with pytest.raises(UsageError, match="1 rules of this prompt") as caught:
            format_prompt(prompt, format=name)
        assert caught.value.where == f"--format {name}"
    assert format_prompt(builder(GENERAL).build().prompt).startswith("Judge.")
