"""Checks of who approved what: the policy is ``[tool.pldgov.approval]``, and none by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.approval_policy import is_one_of
from pldgov.rulebook.approval import standing
from pldgov.rulebook.checks.subject import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.approval_policy import Author
    from pldgov.rulebook.approval import Standing
    from pldgov.rulebook.checks.subject import Finding, Subject
    from pldgov.rulebook.model import Review, Rule

_SHORT = 9


@check(
    "approval-void",
    severity="warning",
    scope="rulebook",
    description="an approval of something else than the student reads, or of an inactive rule",
)
def approval_void(subject: Subject) -> Iterator[Finding]:
    """Find approvals that say nothing about the rule they stand in."""
    for index, rule, worth in _approvals(subject):
        assert rule.review is not None
        if worth == "void":
            yield subject.in_rule(
                index,
                "review",
                at_key=True,
                message=f"{_named(rule, rule.review)} is void: what reaches the student has "
                "changed since",
                hint=f'"pldgov approve {subject.rulebook.name} {rule.id}", or delete "review"',
            )
        elif worth == "idle":
            yield subject.in_rule(
                index,
                "review",
                at_key=True,
                message=f'rule "{rule.id}" is {_status(rule)} and carries an approval, which '
                "would count again if it were made active",
                hint='delete "review"',
            )


@check(
    "approval-missing",
    severity="error",
    description="an active rule without the approval that the policy asks for",
)
def approval_missing(subject: Subject) -> Iterator[Finding]:
    """Find active rules that nobody approved as they stand."""
    policy, rulebook = subject.approval, subject.rulebook
    for index, rule in enumerate(rulebook.rules):
        needed = rule.status == "active" and policy.requires(rule, owner=rulebook.owner)
        if not needed or standing(rule, rulebook.prompt.exemplars) == "valid":
            continue
        old = rule.review
        void = f"; that by {old.by} on {old.on} is void" if old else ""
        yield subject.in_rule(
            index,
            message=f'rule "{rule.id}" needs an approval of what it says now{void}',
            hint=f"pldgov approve {rulebook.name} {rule.id}",
        )


@check(
    "approval-by-author",
    severity="error",
    description="a rule approved by somebody who wrote it, where the policy asks for another",
)
def approval_by_author(subject: Subject) -> Iterator[Finding]:
    """Find people who approved words of their own."""
    if not subject.approval.different_approver:
        return
    unknown: list[tuple[int, Author]] = []
    for index, rule, worth in _approvals(subject):
        author = subject.authors.get(rule.id)
        if worth != "valid" or author is None or rule.review is None:
            continue
        if author.unknown is not None:
            unknown.append((index, author))
        elif is_one_of(rule.review.by, author.people):
            where = f"commit {author.commit[:_SHORT]}" if author.commit else "not committed yet"
            yield subject.in_rule(
                index,
                "review",
                "by",
                message=f'rule "{rule.id}" was approved by {rule.review.by}, '
                f"who wrote it ({where})",
                hint="somebody else has to approve it",
            )
    if unknown:
        index, author = unknown[0]
        yield subject.in_rule(
            index,
            "review",
            "by",
            message=f"cannot tell who wrote {_rules(len(unknown))}: {author.unknown}",
        )


def _approvals(subject: Subject) -> Iterator[tuple[int, Rule, Standing]]:
    """Yield index, rule and standing of each approval."""
    exemplars = subject.rulebook.prompt.exemplars
    for index, rule in enumerate(subject.rulebook.rules):
        if rule.review is not None:
            yield index, rule, standing(rule, exemplars)


def _named(rule: Rule, review: Review) -> str:
    return f'the approval of rule "{rule.id}" by {review.by} on {review.on}'


def _status(rule: Rule) -> str:
    return "a draft" if rule.status == "draft" else rule.status


def _rules(count: int) -> str:
    return "the approved rule" if count == 1 else f"{count} approved rules"


CHECKS = (approval_void, approval_missing, approval_by_author)
