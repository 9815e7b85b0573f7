"""The interpretability figures are those of their formulas, and say None for what is unknown."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pldgov.dataset import Example
from pldgov.errors import UsageError
from pldgov.interpretability.clauses import clause_recovery
from pldgov.interpretability.effect import rule_effects
from pldgov.interpretability.measure import measure_interpretability
from pldgov.interpretability.model import LeaveOneOut
from pldgov.interpretability.reading_ease import reading_ease, syllables_of, words
from pldgov.interpretability.stability import rule_set_stability
from pldgov.report.interpretability import (
    interpretability_values,
    render_interpretability_markdown,
    render_interpretability_text,
)
from pldgov.results import Decision
from pldgov.rulebook.model import Rule, Rulebook


def rule(id_, labels=("fraud",), instruction="Do this.", *, support=(), counter=(), **more):
    cited = [{"id": one} for one in support] + [{"id": one, "role": "counter"} for one in counter]
    return Rule.model_validate(
        {
            "id": id_,
            "title": id_,
            "status": "active",
            "labels": labels,
            "instruction": instruction,
            "provenance": {"origin": "distilled", "examples": cited},
            **more,
        }
    )


def rulebook(*rules):
    return Rulebook.model_validate(
        {
            "schema": "pldgov.rulebook/v1",
            "name": "desk",
            "title": "Desk",
            "owner": "me",
            "task": {"instruction": "Label it.", "labels": {"fraud": "x", "enquiry": "y"}},
            "examples": {"train": "train.jsonl", "gate": "gate.jsonl"},
            "prompt": {"template": "plain.j2"},
            "rules": rules,
        }
    )


def example(id_, label="fraud", clauses=()):
    return Example(id_, {"text": id_}, label, metadata={"clauses": list(clauses)})


def decisions(*labels):
    return tuple(Decision(f"e-{n}", "a", label) for n, label in enumerate(labels))


class Corners:
    """An embedder that gives every text with the same first word the same axis."""

    fingerprint = "corners"

    def embed(self, texts):
        axes = {text.split()[0]: None for text in texts}
        places = {word: n for n, word in enumerate(axes)}
        return np.eye(len(axes), dtype=np.float32)[[places[text.split()[0]] for text in texts]]


@pytest.mark.parametrize(
    ("word", "count"),
    [("the", 1), ("made", 1), ("table", 2), ("agree", 2), ("wanted", 2), ("used", 1), ("changes", 2),
     ("cards", 1), ("makes", 1), ("authorised", 3), ("unauthorised", 4), ("customer", 3), ("why", 1), ("hm", 1)],
)  # fmt: skip
def test_syllables_are_estimated(word, count):
    """Runs of vowels count, silent endings do not."""
    assert syllables_of(word) == count


def test_words_keep_apostrophes_and_hyphens_inside():
    """Numbers and marks are no words."""
    assert words("The bank's stand-in said: 'no', on 5 May (2026).") == (
        "The", "bank's", "stand-in", "said", "no", "on", "May",
    )  # fmt: skip


def test_reading_ease_is_fleschs_formula():
    """Two sentences of six words and eight syllables, worked out by hand; pooled over texts."""
    text = "The cat sat. A dog barked loudly."
    expected = 206.835 - 1.015 * 7 / 2 - 84.6 * 8 / 7
    assert reading_ease(text) == pytest.approx(expected)
    assert reading_ease("The cat sat.", "A dog barked loudly.") == pytest.approx(expected)
    assert reading_ease("No end, and version 1.5 of it") == reading_ease(
        "No end, and version of it."
    )
    assert reading_ease() is reading_ease("42!") is None


def test_effects_are_shares_of_changed_answers():
    """Coverage is the union over rules; a rule that changes nothing is inert; None is an answer."""
    effect = rule_effects(
        LeaveOneOut(
            decisions("a", "b", None, "a"),
            {
                "one": decisions("b", "b", None, "a"),
                "two": decisions("b", "b", "a", "a"),
                "three": decisions("a", "b", None, "a"),
            },
        )
    )
    assert effect.coverage == 0.5
    assert effect.by_rule == {"one": 0.25, "two": 0.5, "three": 0.0}
    assert effect.inert == ("three",)


def test_effects_need_the_same_examples():
    """Decisions on other examples, or none, are refused."""
    with pytest.raises(UsageError, match='without rule "one" are about other examples'):
        rule_effects(LeaveOneOut(decisions("a", "b"), {"one": decisions("a")}))
    with pytest.raises(UsageError, match="at least one example"):
        rule_effects(LeaveOneOut((), {}))


def test_stability_is_the_dice_index_of_matched_rules():
    """Matches are one to one, by first label and cosine; recurrence is told for the first set."""
    first = [rule("a"), rule("b"), rule("c", ("enquiry",))]
    second = [rule("x"), rule("y", ("enquiry",))]
    third = [rule("z", ("enquiry",)), rule("w")]
    east, north, between = [1, 0], [0, 1], [0.6, 0.8]
    found = rule_set_stability(
        [first, second, third],
        vectors=[
            np.array(v, np.float32) for v in ([east, east, north], [east, between], [east, north])
        ],
        threshold=0.7,
    )
    # first-second: a or b with x, c with y: 2 of 3 + 2; the others share no pair that fits.
    assert found.dice == pytest.approx((2 * 2 / 5 + 0 + 0) / 3)
    assert found.lowest == 0
    assert found.recurrence["c"] == 0.5
    assert sorted([found.recurrence["a"], found.recurrence["b"]]) == [0, 0.5]


def test_stability_prefers_more_matches_to_more_similar_ones():
    """A rule gives up its most similar partner when two matches come of it."""
    angles = np.radians([[0, 30], [0, -40]])
    one, other = (np.stack([np.cos(a), np.sin(a)], axis=1).astype(np.float32) for a in angles)
    found = rule_set_stability(
        [[rule("a"), rule("b")], [rule("x"), rule("y")]], vectors=[one, other]
    )
    assert found.dice == 1


def test_stability_of_equal_and_of_empty_sets():
    """A set and itself give 1, two empty ones too, one empty one 0; a single set is refused."""
    vectors = np.eye(2, dtype=np.float32)
    rules = [rule("a"), rule("b")]
    assert rule_set_stability([rules, rules], vectors=[vectors, vectors]).dice == 1
    assert rule_set_stability([[], []], vectors=[vectors[:0]] * 2).dice == 1
    assert rule_set_stability([rules, []], vectors=[vectors, vectors[:0]]).dice == 0
    with pytest.raises(UsageError, match="two rule sets"):
        rule_set_stability([rules], vectors=[vectors])


TRAIN = (
    *(example(f"p2-{n}", "fraud", ["P2"]) for n in range(3)),
    *(example(f"p10-{n}", "enquiry", ["P10", "P1"]) for n in range(3)),
    example("once", "fraud", ["P7"]),
    *(example(f"plain-{n}", "fraud") for n in range(20)),
)


def test_a_clause_is_recovered_by_a_rule_that_is_about_it():
    """Two supporting examples and half of them; the rule's label must be theirs."""
    about = rule("about", support=["p2-0", "p2-1", "plain-0", "plain-1"])
    found = clause_recovery([about], TRAIN)
    assert found.clauses == ("P1", "P2", "P10")
    assert found.recovered == {"P2": ("about",)}
    assert found.touched == ("P2",)
    assert found.share == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "weak",
    [
        rule("diluted", support=["p2-0", "p2-1", "plain-0", "plain-1", "plain-2"]),
        rule("single", support=["p2-0"]),
        rule("repeated", support=["p2-0", "p2-0"]),
        rule("other-label", ("enquiry",), support=["p2-0", "p2-1"]),
        rule("counter", counter=["p2-0", "p2-1"]),
        rule("unknown", support=["gone-1", "gone-2"]),
        rule("nothing"),
    ],
    ids=lambda one: one.id,
)
def test_a_clause_is_not_recovered_by_less(weak):
    """A bit of everything, one example, another label, counter and unknown examples do not count."""
    assert clause_recovery([weak], TRAIN).recovered == {}


def test_clause_recovery_is_set_beside_chance():
    """Citing all of a label at random recovers what chance gives; where none is named, None."""
    label = [example(f"e-{n}", "fraud", ["P1"]) for n in range(10)]
    found = clause_recovery([rule("r", support=["e-0", "e-1"])], label)
    assert found.by_chance == 1
    rare = clause_recovery([rule("r", support=["p2-0", "p2-1"])], TRAIN)
    assert 0 < rare.by_chance < 0.1
    assert rare == clause_recovery([rule("r", support=["p2-0", "p2-1"])], TRAIN)
    assert clause_recovery([rule("r")], [example("e")]) is None


def test_the_scorecard_of_a_rulebook():
    """Counts, shares and conflicts are those of the active rules."""
    book = rulebook(
        rule("one", instruction="Stolen cards with payments are fraud.", support=["p2-0", "p2-1"]),
        rule("two", ("enquiry",), "Stolen cards with payments are an enquiry.", support=["p10-0"]),
        rule("three", instruction="Phishing that took money is fraud.", counter=["p10-1"]),
        rule("four", instruction="Never seen.", support=["plain-1", "plain-2"], status="draft"),
    )
    found = measure_interpretability(book, splits={"train": TRAIN}, count_tokens=len)
    assert (found.rules, found.words.total, found.words.largest) == (3, 19, 7)
    assert found.words.mean == pytest.approx(19 / 3)
    assert found.tokens.total == sum(len(one.instruction) for one in book.active_rules)
    assert found.supported == pytest.approx(1 / 3)
    assert found.cited == pytest.approx(3 / len(TRAIN))
    assert found.contradicted == pytest.approx(2 / 3)
    assert found.redundant == 0
    assert [(one.kind, one.first, one.second) for one in found.conflicts] == [
        ("contradiction", "one", "two")
    ]
    assert found.hardest[0] in {"one", "two", "three"}
    assert (found.embedder, found.stability, found.effect) == (None, None, None)
    assert found.clauses.recovered == {"P2": ("one",)}


def test_redraws_are_compared_through_the_embedder():
    """Recurrence and conflicts rest on its vectors, of texts without the labels' names."""
    book = rulebook(
        rule("one", instruction="Fraud: stolen cards."), rule("two", instruction="Phishing mails.")
    )
    again = [rule("x", instruction="Stolen plastic."), rule("y", ("enquiry",), "Phishing.")]
    found = measure_interpretability(
        book, splits={}, count_tokens=lambda _: None, embedder=FirstWords(), redraws=[again]
    )
    assert found.stability.recurrence == {"one": 1.0, "two": 0.0}
    assert found.stability.dice == 0.5
    assert found.embedder == "corners"
    assert (found.tokens, found.cited, found.clauses) == (None, None, None)
    with pytest.raises(UsageError, match="with an embedder"):
        measure_interpretability(book, splits={}, count_tokens=len, redraws=[again])


class FirstWords(Corners):
    """Corners by the first letters of the first word that is left."""

    def embed(self, texts):
        return super().embed([text.strip(" :").casefold() for text in texts])


def test_a_rulebook_without_active_rules_has_a_scorecard():
    """Nothing divides by zero; what is unknown is None."""
    book = rulebook(rule("draft", status="draft"))
    found = measure_interpretability(
        book, splits={"train": TRAIN}, count_tokens=len, embedder=Corners()
    )
    assert (found.rules, found.words.mean, found.reading_ease, found.supported) == (
        0,
        0,
        None,
        None,
    )
    assert found.cited == 0
    assert "rules" in render_interpretability_text(found)


def test_the_renderers_show_every_figure():
    """Text, Markdown and plain values hold what was measured; Markdown cannot be broken out of."""
    book = rulebook(
        rule("one", instruction="Stolen cards."), rule("two", ("enquiry",), "Stolen cards.")
    )
    loo = LeaveOneOut(decisions("a", "b"), {"one": decisions("a", "a"), "two": decisions("a", "b")})
    found = measure_interpretability(
        book,
        splits={"train": TRAIN},
        count_tokens=len,
        leave_one_out=loo,
        embedder=Corners(),
        redraws=[book.rules],
    )
    text = render_interpretability_text(found)
    for said in (
        "interpretability of desk", "answers that change without some rule", "50 %",
        "1 of 2", "1.00 over 2 runs", "0 of 3", "contradiction: ", "no answer changes without two",
    ):  # fmt: skip
        assert said in text
    markdown = render_interpretability_markdown(found)
    assert "| rules | 2 |" in markdown
    assert "\n- contradiction: " in markdown
    values = json.loads(json.dumps(interpretability_values(found)))
    assert values["effect"]["coverage"] == 0.5
    assert values["clauses"]["share"] == 0
    assert values["stability"]["dice"] == 1
