"""The whole comment as Markdown."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

from pldgov import __version__
from pldgov.errors import UsageError
from pldgov.report.change_words import cut
from pldgov.report.comment import wording
from pldgov.report.comment.chapters import STEPS, chapter
from pldgov.report.comment.fitting import Fitted, Part, fit, utf16_units
from pldgov.report.markdown import escape, rows_of
from pldgov.report.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pldgov.comment_report import CommentReport, RulebookNews

COMMENT_ROOM: Final = 65_000
"""In UTF-16 units, hence also in characters; GitHub names 65,536 and stores 262,144 bytes."""
_ROWS: Final = (100, 30, 10)
_MOST_NOTES = 5
_NAME_WIDTH = 80
_NOTE_WIDTH = 500
_ADDRESS = re.compile(r"https?://[A-Za-z0-9][^\s<>()\[\]\"'`|\\]*")


def render_comment(
    report: CommentReport,
    *,
    marker: str,
    room: int | None = COMMENT_ROOM,
    size: Callable[[str], int] = utf16_units,
    full_report: str | None = None,
    run: str | None = None,
) -> str:
    """Return the Markdown, of at most ``room`` as ``size`` counts it, beginning with ``marker``.

    The address ``full_report`` (see ``link_target``) is linked wherever there is one. Where the
    text is cut it says so, with that link, else with the address of the ``run`` whose summary has
    more. Without ``room`` nothing is cut.
    """
    most = sys.maxsize if room is None else room
    link = wording.FULL_REPORT.format(full_report) if full_report else ""
    whole = _fit(report, marker, room=most, size=size, notes=(link,))
    if not whole.is_cut:
        return whole.text
    notes = (_shortened(full_report or run), link)
    return _fit(report, marker, room=most, size=size, notes=notes).text


def link_target(address: str | None) -> str | None:
    """Return an address that may stand in a link; raises ``UsageError`` for one that may not."""
    if address is None or (_ADDRESS.fullmatch(address) and address.isprintable()):
        return address
    raise UsageError("is not an address", where="--artifact-url", hint="https://...")


def _fit(
    report: CommentReport,
    marker: str,
    *,
    room: int,
    size: Callable[[str], int],
    notes: Sequence[str],
) -> Fitted:
    news = report.news
    foot = _foot(news)
    first = (Part("head", (_head(report, marker, notes),)), _table(report))
    chapters = [first, *(chapter(one, volume=report.volume) for one in news)]
    fitted = fit(chapters, steps=STEPS, room=room - size(foot) - 2, size=size)
    return Fitted(f"{fitted.text}\n{foot}", fitted.is_cut)


def _head(report: CommentReport, marker: str, notes: Sequence[str]) -> str:
    texts = (
        marker,
        f"## {wording.TITLES[report.standing]}",
        wording.lead(report, _name),
        *notes,
        *(f"> {escape(printable(cut(text, _NOTE_WIDTH)))}" for text in report.notes[:_MOST_NOTES]),
        wording.introduction(report, _name),
    )
    return "\n\n".join(text for text in texts if text)


def _table(report: CommentReport) -> Part:
    news = report.news
    same = len(report.rulebooks) - len(news)
    rows = list(wording.table(news, _name))
    rest = [f"{same} rulebook{'' if same == 1 else 's'} unchanged, passed."] if same else []

    def version(most: int) -> str:
        lines = rows_of(wording.HEAD, rows[:most]) if rows else []
        more = [f"and {len(rows) - most} more rulebooks"] if len(rows) > most else []
        return "\n".join(lines) + "".join(f"\n\n{text}" for text in (*more, *rest))

    return Part("table", tuple(version(most).strip() for most in _ROWS))


def _foot(news: Sequence[RulebookNews]) -> str:
    explained = (
        "<details><summary>What the words mean</summary>",
        "",
        *(f"- {item}" for item in wording.glossary(news)),
        "",
        "</details>",
        "",
    )
    lines = [
        *(explained if news else ()),
        f"<sub>Written by pldgov {__version__}; every push updates it.</sub>",
    ]
    return "\n".join(lines) + "\n"


def _shortened(link: str | None) -> str:
    where = f"[the full report]({link})" if link else "the job summary"
    return f"> **Shortened: too long for a comment.** What is left out stands in {where}."


def _name(text: str) -> str:
    return escape(printable(cut(text, _NAME_WIDTH)))
