"""Playbooks of agentic context engineering (ACE): a bullet a line, with an id and two counters.

``[shr-00001] helpful=3 harmful=0 :: text``, below headings that name sections.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pldgov.importing.labels import label_named, label_of_heading
from pldgov.importing.model import FoundPrompt, FoundRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KIND: Final = "ace"

_BULLET: Final = re.compile(
    r"^[ \t]*(?:[-*+][ \t]+)?\[(?P<id>[^\[\]\n]{1,100})\][ \t]+helpful=(?P<helpful>\d+)[ \t]+"
    r"harmful=(?P<harmful>\d+)[ \t]*::[ \t]*(?P<text>.*)$",
    re.MULTILINE,
)
_HEADING: Final = re.compile(r"^[ \t]*#{1,6}[ \t]+(?P<text>.*?)[ \t#]*$")


def is_playbook(text: str) -> bool:
    """Tell whether a text has a bullet of a playbook."""
    return _BULLET.search(text) is not None


def read_playbook(text: str, *, labels: Sequence[str]) -> FoundPrompt:
    """Return the bullets; lines below one that are neither blank nor a heading continue it."""
    return FoundPrompt(KIND, tuple(_rules(text.split("\n"), labels)))


def _rules(lines: Sequence[str], labels: Sequence[str]) -> Iterator[FoundRule]:
    section = ""
    bullet: re.Match[str] | None = None
    body: list[str] = []
    start = 0
    for number, line in enumerate([*lines, ""], start=1):
        heading, next_bullet = _HEADING.match(line), _BULLET.match(line)
        if bullet is not None and (heading or next_bullet or not line.strip()):
            yield _rule(bullet, body, start, section, labels)
            bullet = None
        if heading:
            section = heading["text"]
        elif next_bullet:
            bullet, body, start = next_bullet, [next_bullet["text"]], number
        elif bullet is not None:
            body.append(line.strip())


def _rule(
    bullet: re.Match[str], body: Sequence[str], line: int, section: str, labels: Sequence[str]
) -> FoundRule:
    text = "\n".join(body).strip()
    facts = {
        "id": bullet["id"],
        "section": section,
        "helpful": int(bullet["helpful"]),
        "harmful": int(bullet["harmful"]),
    }
    of_section = label_of_heading(section, labels)
    return FoundRule(
        text,
        line,
        labels=(of_section,) if of_section else label_named(text, labels),
        id=bullet["id"],
        facts={key: value for key, value in facts.items() if value != ""},
    )
