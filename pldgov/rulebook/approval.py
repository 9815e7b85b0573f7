"""What an approval covers: the digest that a rule's ``review`` was given for.

It holds everything that a template can see of an active rule (``pldgov.prompt.ShownRule``),
whether or not today's template shows it: a later template then cannot put words before the
student that nobody approved. Cited examples count as far as ``prompt.exemplars`` lets a template
show them, by the digest that the citation pins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pldgov.fingerprint import digest_value

if TYPE_CHECKING:
    from pldgov.rulebook.model import Citation, Exemplars, Role, Rule

Standing = Literal["none", "void", "idle", "valid"]
"""none: never approved; void: what reaches the student has changed since; idle: the rule is not
active, so nothing of it reaches the student; valid: approved as it stands."""


def rule_digest(rule: Rule, exemplars: Exemplars) -> str:
    """Return the SHA-256 over what reaches the student of an active rule.

    Its place among the other rules is not part of it: that is a matter of the whole rulebook.
    """
    return digest_value(
        {
            "id": rule.id,
            "title": rule.title,
            "labels": list(rule.labels),
            "instruction": rule.instruction.strip(),
            "priority": rule.priority,
            "support": _shown(rule, "support", exemplars),
            "counter": _shown(rule, "counter", exemplars),
            # Approvals of rules without it were given before there was such a field.
            **(
                {"when": {key: list(value) for key, value in rule.when.items()}}
                if rule.when
                else {}
            ),
        }
    )


def standing(rule: Rule, exemplars: Exemplars) -> Standing:
    """Return what the approval of a rule is worth."""
    if rule.review is None:
        return "none"
    if rule.status != "active":
        return "idle"
    return "valid" if rule.review.digest == rule_digest(rule, exemplars) else "void"


def unpinned(rule: Rule, exemplars: Exemplars) -> tuple[str, ...]:
    """Return the ids of citations that a template may show and whose content nothing pins."""
    roles: tuple[Role, ...] = ("support", "counter")
    cited = (one for role in roles for one in _citations(rule, role, exemplars))
    return tuple(one.id for one in cited if one.sha256 is None)


def _shown(rule: Rule, role: Role, exemplars: Exemplars) -> list[list[str | None]]:
    return [[one.id, one.sha256] for one in _citations(rule, role, exemplars)]


def _citations(rule: Rule, role: Role, exemplars: Exemplars) -> list[Citation]:
    most: int = getattr(exemplars, role)
    cited = rule.provenance.examples if rule.provenance else ()
    return [one for one in cited if one.role == role][:most]
