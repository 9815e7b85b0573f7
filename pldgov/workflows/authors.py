"""Who wrote what reaches the student of each rule: nobody shall approve words of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.approval_policy import Author
from pldgov.errors import NoBaseError, UsageError
from pldgov.history.model import SHALLOW
from pldgov.rulebook.approval import rule_digest
from pldgov.workflows.tracing import follow_rulebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pldgov.gitlog import GitLog
    from pldgov.gitrepo import Repository
    from pldgov.rulebook.loading import Revision
    from pldgov.rulebook.model import Rule, Rulebook
    from pldgov.workflows.tracing import Trace


def find_authors(
    open_repository: Callable[[], Repository], revision: Revision
) -> dict[str, Author]:
    """Return the author of each active rule of the working tree that carries an approval.

    Where there is no history each is unknown, with the reason.
    """
    rulebook = revision.document.rulebook
    if rulebook is None:
        return {}
    try:
        with open_repository() as repository:
            return rule_authors(repository.log, revision.path, rulebook, user=repository.user)
    except NoBaseError as error:
        return {rule.id: Author(unknown=str(error)) for rule in _approved(rulebook)}


def rule_authors(
    log: GitLog, path: str, rulebook: Rulebook, *, user: str | None
) -> dict[str, Author]:
    """Return the author of each active rule that carries an approval, by rule id.

    The author of a rule is who made the last commit, at or before HEAD, that changed what reaches
    the student, with its co-authors; of words that are not committed it is ``user``. ``path``
    counts from the governance folder. Raises ``NoBaseError`` before the first commit.
    """
    try:
        traced = follow_rulebook(log, f"{log.prefix}{path}")
    except UsageError:  # no commit holds it yet
        traced = None
    cut = log.cut()
    return {
        rule.id: _author(rule, rulebook, traced, user=user, cut=cut) for rule in _approved(rulebook)
    }


def _approved(rulebook: Rulebook) -> Iterator[Rule]:
    return (rule for rule in rulebook.active_rules if rule.review is not None)


def _author(
    rule: Rule,
    rulebook: Rulebook,
    traced: Trace | None,
    *,
    user: str | None,
    cut: frozenset[str],
) -> Author:
    digest = rule_digest(rule, rulebook.prompt.exemplars)
    if traced is None or traced.versions.digest(traced.tip, rule.id) != digest:
        if user is None:
            return Author(unknown="it is not committed, and git knows no user.name or user.email")
        return Author(people=(user,))
    origin = traced.versions.origin(traced.commits[0], rule.id)
    if origin.sha in cut:
        return Author(unknown=SHALLOW)
    return Author(people=origin.people, commit=origin.sha)
