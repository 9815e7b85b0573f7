"""One rulebook's chapter of the comment, with shorter versions of what may be cut."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pldgov.comment_report import NoVerdict
from pldgov.report.comment.fitting import Part
from pldgov.report.diff_markdown import Shape, sections
from pldgov.report.student_change import render_student_changes

if TYPE_CHECKING:
    from pldgov.comment_report import RulebookNews

STEPS: Final = (
    ("flips", 1), ("flips", 2), ("students", 1), ("rules", 1), ("around", 1), ("rules", 2),
    ("lint", 1), ("table", 1), ("labels", 1), ("table", 2),
)  # fmt: skip
"""In which order parts are cut: flipped examples, rule texts, and tables only at the very end."""
FEW_FLIPS: Final = 10
FEW_LABELS: Final = 20
_ORDER: Final = (
    "verdict", "students", "labels", "rules", "around", "lint", "flips", "cost", "key",
)  # fmt: skip
_ELSEWHERE: Final = "They stand in the full report."


def chapter(news: RulebookNews, *, volume: int | None) -> tuple[Part, ...]:
    """Return a rulebook's parts in the order of reading."""
    unjudged = news.gate is None or isinstance(news.gate, NoVerdict)
    shape = Shape(word=news.word if unjudged else None, figures=False)
    shorter = replace(shape, flips=0, texts=False, labels=FEW_LABELS)
    full, few, bare = (
        {section.name: section.text for section in sections(news.diff, volume=volume, shape=each)}
        for each in (shape, replace(shape, flips=FEW_FLIPS), shorter)
    )
    versions: dict[str, tuple[str, ...]] = {name: (text,) for name, text in full.items()}
    if "flips" in full:
        versions["flips"] = (full["flips"], few["flips"], f"{bare['flips']}. {_ELSEWHERE}")
    if "rules" in full:
        heading = full["rules"].partition("\n")[0]
        versions["rules"] = (full["rules"], bare["rules"], f"{heading}\n\n{_ELSEWHERE}")
    for name in ("around", "lint"):
        if name in full:
            heading = full[name].partition("\n")[0]
            versions[name] = (full[name], f"{heading}\n\n{_ELSEWHERE}")
    if "labels" in full:
        versions["labels"] = (full["labels"], bare["labels"])
    if news.students:
        versions["students"] = tuple(
            render_student_changes(
                news.students, reports=news.upgrades, level=4, flips=flips
            ).strip()
            for flips in (FEW_FLIPS, 0)
        )
    return tuple(Part(name, versions[name]) for name in _ORDER if name in versions)
