"""What a rulebook leaves open: labels without a rule, thin evidence, reviews that are due."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pldgov.attribution import Overdue, RuleCoverage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pldgov.rulebook.model import Rule, Rulebook


def rule_coverage(
    rulebook: Rulebook,
    *,
    today: dt.date,
    review_after_days: int | None,
    trimmed: Iterable[str] = (),
) -> RuleCoverage:
    """Look the active rules over; ``trimmed`` are those that a token budget drops."""
    rules = rulebook.active_rules
    argued = {label for rule in rules for label in rule.labels}
    support = {rule.id: _supporting(rule) for rule in rules}
    seen = {rule.id: last_looked_at(rule) for rule in rules} if review_after_days else {}
    return RuleCoverage(
        labels_without_rule=tuple(label for label in rulebook.labels if label not in argued),
        one_example=tuple(rule for rule, count in support.items() if count == 1),
        no_example=tuple(rule for rule, count in support.items() if count == 0),
        trimmed=tuple(trimmed),
        overdue=_overdue(seen, today, review_after_days or 0),
        undated=tuple(rule for rule, day in seen.items() if day is None),
        review_after_days=review_after_days,
    )


def last_looked_at(rule: Rule) -> dt.date | None:
    """Return the latest of approval, change and creation; None where a rule has no date."""
    reviewed = rule.review.on if rule.review else None
    return max((day for day in (reviewed, rule.modified, rule.created) if day), default=None)


def _supporting(rule: Rule) -> int:
    cited = rule.provenance.examples if rule.provenance else ()
    return len({citation.id for citation in cited if citation.role == "support"})


def _overdue(
    seen: dict[str, dt.date | None], today: dt.date, review_after_days: int
) -> tuple[Overdue, ...]:
    """Return the rules whose day has passed, the longest overdue first."""
    dated = ((rule, day) for rule, day in seen.items() if day is not None)
    due = ((rule, day, day + dt.timedelta(days=review_after_days)) for rule, day in dated)
    late = [Overdue(rule, day, until) for rule, day, until in due if until < today]
    return tuple(sorted(late, key=lambda one: one.due))
