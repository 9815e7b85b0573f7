"""Which rules need an approval, and whose: ``[tool.pldgov.approval]`` as a value."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pldgov.rulebook.model import Rule

_ADDRESS = re.compile(r"^(?P<name>[^<>]*)<(?P<address>[^<>]+)>$")


@dataclass(frozen=True)
class ApprovalPolicy:
    """Active rules that must be approved: all (``required``), or by label or owner.

    ``owners`` are compared with a rule's owner, or with the rulebook's where a rule names none.
    ``different_approver`` asks that nobody approves wording of their own.
    """

    required: bool = False
    labels: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    different_approver: bool = False

    def requires(self, rule: Rule, *, owner: str) -> bool:
        """Tell whether an active rule needs an approval; ``owner`` is the rulebook's."""
        return (
            self.required
            or not set(self.labels).isdisjoint(rule.labels)
            or (rule.owner or owner) in self.owners
        )


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote what reaches the student of a rule, each as ``Name <address>``.

    ``unknown`` says in a sentence why history cannot tell; then ``people`` is empty. ``commit``
    is the commit's id, None for what is not committed yet.
    """

    people: tuple[str, ...] = ()
    commit: str | None = None
    unknown: str | None = None


def is_one_of(person: str, people: Iterable[str]) -> bool:
    """Tell whether ``person`` is among ``people``: by address where both have one, else by name.

    Each is a name, an address, or ``Name <address>``; case and width of letters do not count.
    """
    name, address = _identity(person)
    for other in people:
        other_name, other_address = _identity(other)
        if address and other_address:
            if address == other_address:
                return True
        elif name and name == other_name:
            return True
    return False


def _identity(person: str) -> tuple[str, str]:
    """Return name and address in a form that compares, "" for what is not there."""
    folded = " ".join(unicodedata.normalize("NFKC", person).casefold().split())
    match = _ADDRESS.match(folded)
    if match:
        return match["name"].strip(), match["address"].strip()
    return ("", folded) if "@" in folded and " " not in folded else (folded, "")
