"""A diff as one self-contained page: no script, no network, everything escaped.

Jinja escapes every value, and the content security policy allows nothing but the page's own style
by its digest, so that text from a rulebook or an example stays text.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import TYPE_CHECKING

import jinja2

from pldgov.changes import by_rule
from pldgov.report import change_words, diff_words, wording
from pldgov.report.terminal import printable

if TYPE_CHECKING:
    from pldgov.diff_report import DiffReport

MOST_RULES = 1_000
MOST_FLIPS = 1_000
MOST_PROBLEMS = 200


def render_diff_html(report: DiffReport) -> str:
    """Return the page."""
    files = resources.files("pldgov.report") / "diff_page"
    style = (files / "style.css").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"seen": printable, "lines_seen": _lines}
    page = environment.from_string((files / "page.html.j2").read_text("utf-8"))
    return page.render(
        report=report,
        style=style,
        policy=_policy(style),
        words=diff_words,
        figures=wording,
        by_rule=by_rule,
        headline=change_words.headline,
        tell=change_words.tell,
        shorten=change_words.shorten,
        cut=change_words.cut,
        most_rules=MOST_RULES,
        most_flips=MOST_FLIPS,
        most_problems=MOST_PROBLEMS,
    )


def _lines(text: str) -> str:
    """Return text whose lines stay apart, and whose first blank stays."""
    lead = " " if text[:1] in {" ", "\t"} else ""
    return lead + "\n".join(printable(line) for line in text.split("\n"))


def _policy(style: str) -> str:
    """Return a content security policy that allows this style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
