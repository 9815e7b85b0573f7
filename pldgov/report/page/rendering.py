"""From a dossier to the page: escaped by default, closed by its own content security policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pldgov import __version__
from pldgov.fingerprint import digest_text
from pldgov.report import diff_words, wording
from pldgov.report.page.chart import draw
from pldgov.report.page.facets import facets_of
from pldgov.report.page.sides import changed_rules, other_changes
from pldgov.report.visible import visible

if TYPE_CHECKING:
    from pldgov.dossier import Dossier, ExampleEntry

_SAFE_ID: Final = re.compile("[A-Za-z0-9._-]{1,80}")
_LINK: Final = re.compile(
    r"https://[A-Za-z0-9.-]+(?::[0-9]+)?(?:[/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?"
)
_IN_SCRIPT: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_SHADES: Final = 6


def render_page(dossier: Dossier) -> str:
    """Return the page as HTML; the same dossier gives the same text.

    It loads nothing: style and script stand in it, named by their digests in its policy, which
    forbids everything else.
    """
    style, script = _part("page.css"), _part("page.js")
    template = _environment().get_template("page.html.j2")
    facets = facets_of(dossier)
    known = {entry.rule.id for entry in dossier.rules}
    return template.render(
        dossier=dossier,
        rulebook=dossier.rulebook,
        version=__version__,
        style=Markup(style),  # noqa: S704  (our own file)
        script=Markup(script),  # noqa: S704  (the same)
        policy=content_security_policy(style, script),
        facets=facets,
        data=script_json(facets.values),
        known=known,
        chart=draw([one for one in dossier.points if one.student == _measured_student(dossier)]),
        changed=changed_rules(dossier.diff, known=known) if dossier.diff else (),
        around=other_changes(dossier.diff) if dossier.diff else (),
        shades=_shades(dossier),
    )


def content_security_policy(style: str, script: str) -> str:
    """Return the policy that allows this style and this script, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_source(style)}'",
            f"script-src '{_source(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def script_json(value: Any) -> Markup:
    """Return JSON that may stand in a script element: no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.translate(_IN_SCRIPT))  # noqa: S704  (nothing that HTML knows is left)


def _source(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _part(name: str) -> str:
    text = files("pldgov.report.page").joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pldgov.report.page", package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        fraction=wording.fraction,
        points=wording.points,
        interval=wording.interval,
        digest=wording.digest,
        answer=wording.answer,
        flip_counts=diff_words.flip_counts,
        worst_first=diff_words.worst_first,
        problems_title=diff_words.problems_title,
        errors_first=diff_words.errors_first,
        problem=diff_words.problem,
        rule_anchor=rule_anchor,
        example_anchor=example_anchor,
        outcome_of=outcome_of,
        link=link,
    )
    return environment


def _finalize(value: object) -> object:
    """Spell out what cannot be seen in every text that a template puts into the page."""
    if isinstance(value, Markup):
        return value
    return "" if value is None else visible(str(value))


def rule_anchor(rule_id: str) -> str:
    """Return the id of a rule's element."""
    return f"rule-{_slug(rule_id)}"


def example_anchor(example_id: str, split: str | None = "train") -> str:
    """Return the id of an example's element; rules cite the train split."""
    return f"example-{split or 'missing'}-{_slug(example_id)}"


def _slug(id_: str) -> str:
    """Return a text that may stand in an anchor, another one for every id."""
    return f"i-{id_}" if _SAFE_ID.fullmatch(id_) else f"d-{digest_text(id_)[:20]}"


def outcome_of(example: ExampleEntry) -> str:
    """Return right, wrong or none (not answered in the evidence)."""
    if example.decision is None:
        return "none"
    return "right" if example.decision.label == example.decision.gold else "wrong"


def link(text: str) -> str | None:
    """Return the address where a reference is nothing but one that a browser may follow."""
    return text if _LINK.fullmatch(text) else None


def _measured_student(dossier: Dossier) -> str:
    return dossier.measurement.student["name"] if dossier.measurement else dossier.student


def _shades(dossier: Dossier) -> list[list[int]]:
    """Return how dark each cell of the confusion matrix is, 0 to 6, by its share of the row."""
    if dossier.measurement is None:
        return []
    rows = dossier.measurement.scorecard.confusion
    return [[-(-_SHADES * cell // max(1, sum(row))) for cell in row] for row in rows]
