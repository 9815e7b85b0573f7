"""What an approval covers, who counts as the same person, and which rules need one."""

from __future__ import annotations

import pytest

from pldgov.approval_policy import ApprovalPolicy, is_one_of
from pldgov.rulebook.approval import rule_digest, standing, unpinned
from pldgov.rulebook.model import Citation, Exemplars, Provenance, Review, Rule

PINNED = Citation(id="t-1", sha256="1" * 64)
COUNTER = Citation(id="t-2", sha256="2" * 64, role="counter")
LATER = Citation(id="t-3", sha256="3" * 64)
RULE = Rule(
    id="r-01",
    title="Fraud",
    status="active",
    labels=("fraud", "other"),
    instruction="Somebody else spent it: fraud.",
    provenance=Provenance(origin="hand-written", examples=(PINNED, COUNTER, LATER)),
)
ONE = Exemplars()


def with_(**changes) -> Rule:
    return RULE.model_copy(update=changes)


def citing(*examples: Citation) -> Rule:
    return with_(provenance=Provenance(origin="edited", examples=examples))


@pytest.mark.parametrize(
    "changed",
    [
        with_(id="r-02"),
        with_(title="Theft"),
        with_(labels=("other", "fraud")),
        with_(instruction="Somebody else spent it: other."),
        with_(priority=1),
        with_(when={"text": ("card",)}),
        citing(LATER, COUNTER),
        citing(PINNED, COUNTER.model_copy(update={"sha256": "9" * 64})),
        citing(COUNTER),
    ],
    ids=[
        "id",
        "title",
        "labels",
        "wording",
        "priority",
        "scope",
        "example",
        "its content",
        "fewer",
    ],
)
def test_what_a_template_can_see_is_covered(changed):
    """A change of anything that a template can show changes the digest."""
    assert rule_digest(changed, ONE) != rule_digest(RULE, ONE)


@pytest.mark.parametrize(
    "changed",
    [
        with_(instruction=f"\n{RULE.instruction}  \n"),
        with_(owner="legal", rationale="why", references=("law",), metadata={"a": 1}),
        citing(PINNED, COUNTER),
        citing(COUNTER, PINNED, LATER),
    ],
    ids=["blanks around", "for people", "an example that is not shown", "roles apart"],
)
def test_what_no_template_can_see_is_not(changed):
    """What reaches nobody but people voids nothing."""
    assert rule_digest(changed, ONE) == rule_digest(RULE, ONE)


def test_how_many_examples_may_be_shown_counts():
    """A prompt policy that shows a further example shows something that was not approved."""
    assert rule_digest(RULE, Exemplars(support=2)) != rule_digest(RULE, ONE)
    assert rule_digest(RULE, Exemplars(support=3)) == rule_digest(RULE, Exemplars(support=2))


def test_standing():
    """An approval holds for exactly this wording, and only while the rule is active."""
    review = Review(by="Ann", on="2026-03-01", digest=rule_digest(RULE, ONE))
    assert standing(RULE, ONE) == "none"
    assert standing(with_(review=review), ONE) == "valid"
    assert standing(with_(review=review, title="x"), ONE) == "void"
    assert standing(with_(review=review, status="deprecated"), ONE) == "idle"


def test_unpinned_examples_that_may_be_shown():
    """Only citations within the limits of the prompt have to be pinned."""
    loose = Citation(id="t-9")
    assert unpinned(citing(loose, PINNED), ONE) == ("t-9",)
    assert unpinned(citing(PINNED, loose), ONE) == ()
    assert unpinned(with_(provenance=None), ONE) == ()


@pytest.mark.parametrize(
    ("person", "other", "same"),
    [
        ("Ann", "ann", True),
        ("Ann <a@x.org>", "Bob <A@X.org>", True),
        ("Ann <a@x.org>", "Ann <b@x.org>", False),
        ("Ann", "Ann <a@x.org>", True),
        ("a@x.org", "Ann <a@x.org>", True),
        ("a@x.org", "Ann", False),
        ("\uff21nn  Lee", "ann lee", True),
        ("", "", False),
    ],
)
def test_who_is_the_same_person(person, other, same):
    """Addresses decide where both have one; else names do, whatever their case and width."""
    assert is_one_of(person, [other]) is same
    assert is_one_of(other, [person]) is same


def test_which_rules_need_an_approval():
    """All, or those with one of the labels, or those of an owner (the rulebook's by default)."""
    assert not ApprovalPolicy().requires(RULE, owner="desk")
    assert ApprovalPolicy(required=True).requires(RULE, owner="desk")
    assert ApprovalPolicy(labels=("other",)).requires(RULE, owner="desk")
    assert not ApprovalPolicy(labels=("loan",)).requires(RULE, owner="desk")
    assert ApprovalPolicy(owners=("desk",)).requires(RULE, owner="desk")
    assert not ApprovalPolicy(owners=("desk",)).requires(with_(owner="legal"), owner="desk")
