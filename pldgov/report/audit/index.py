"""The index of the audit pack: what each file is, and how to check it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pldgov import __version__
from pldgov.report import diff_words, wording
from pldgov.report.visible import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pldgov.dossier import Dossier

SUMS: Final = "SHA256SUMS"

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|~&#!])")
_PLAIN: Final = re.compile(r"[\w./-]+", re.ASCII)

_WHAT: Final = {
    "report.html": "the page, for a browser: rules, examples, provenance, measurements, history",
    "rulebook.yaml": "the rulebook, byte for byte as it stands in the repository",
    "prompt.json": "everything that reaches the student, with its SHA-256",
    "prompt.txt": "the prompt as `pldgov render` writes it",
    "messages.json": "the prompt as `pldgov render` writes it: chat messages before the input",
    "manifest.json": "what went into the prompt, by digest; as `pldgov render --manifest`",
    "rules.csv": "every rule with status, owner, approval, tokens and effect",
    "provenance.csv": "which examples each rule rests on, with the digests that it pins",
    "approvals.csv": "who approved which rule, when, and whether that still holds",
    "verdicts.csv": "macro-F1 at each commit that recorded it, judged against the one before",
    "baselines.csv": "the ledger: who made which measurement the baseline, and why",
    "files.csv": "evidence, examples and recorded teacher replies, by their SHA-256",
}


def render_index(dossier: Dossier, files: Collection[str]) -> str:
    """Return README.md for a pack of these files."""
    return "\n".join((*_head(dossier), *_files(files), *_check(dossier), ""))


def _head(dossier: Dossier) -> Iterator[str]:
    rulebook = dossier.rulebook
    yield f"# Audit pack: {_said(rulebook.title)}"
    yield ""
    yield f"- Rulebook: {_said(rulebook.name)} ({_said(dossier.path)})"
    yield f"- Owner: {_said(rulebook.owner)}"
    if dossier.commit:
        state = "with changes that are not committed" if dossier.dirty else "clean"
        yield f"- Commit: `{dossier.commit}`, {state}"
    else:
        yield "- Commit: none; the files were not in a git repository"
    if dossier.rendered:
        yield f"- Prompt: SHA-256 `{dossier.rendered.prompt.digest}`"
    yield f"- Measurement: {_measured(dossier)}"
    yield from _since(dossier)
    active = [entry for entry in dossier.rules if entry.rule.status == "active"]
    approved = sum(entry.standing == "valid" for entry in active)
    yield f"- Rules: {len(dossier.rules)}, active {len(active)}, of these approved {approved}"
    yield f"- Made by pldgov {__version__}"
    yield ""
    for note in dossier.notes:
        yield from (f"> {_said(note)}", "")


def _measured(dossier: Dossier) -> str:
    found = dossier.measurement
    if found is None:
        return "none committed"
    card = found.scorecard
    span = f" (interval {wording.interval(card.interval)})" if card.interval else ""
    name = _said(str(found.student["name"]))
    return f"macro-F1 {wording.fraction(card.macro_f1)}{span}, {card.n} examples, student {name}"


def _since(dossier: Dossier) -> Iterator[str]:
    """Yield what changed since the base that the pack was asked to compare with."""
    diff = dossier.diff
    if dossier.base is None or diff is None:
        return
    if diff.state == "unchanged":
        said = "nothing changed in this rulebook"
    else:
        what = diff_words.summary(diff) or diff_words.effect(diff)
        verdict = diff.gate.verdict if diff.gate else None
        judged = f"{verdict.outcome}, {verdict.reason}" if verdict else "not measured"
        said = f"{judged} ({what})"
    yield f"- Since {_said(dossier.base)}: {_said(said)}"


def _files(files: Collection[str]) -> Iterator[str]:
    yield from ("## Files", "", "| file | what it is |", "|---|---|")
    for name in sorted(files):
        what = _WHAT.get(name) or "a template that the prompt is made with"
        yield f"| {f'`{name}`' if _PLAIN.fullmatch(name) else _said(name)} | {what} |"
    yield f"| `{SUMS}` | the SHA-256 of every other file |"
    yield ""


def _check(dossier: Dossier) -> Iterator[str]:
    yield from ("## Checking it", "", "```sh", f"sha256sum --check {SUMS}")
    if dossier.commit and dossier.rendered:
        option = "messages" if dossier.rendered.prompt.turns else "text"
        yield f"pldgov render {dossier.rulebook.name} --at {dossier.commit} --format {option}"
    yield "```"
    yield ""
    yield (
        "The same commit and the same recorded answers give the same pack, byte for byte: it holds "
        "no time and no machine. In the tables text that a spreadsheet would take for a formula "
        "has an apostrophe before it, and characters that cannot be seen are spelt out."
    )


def _said(text: str) -> str:
    """Return text that Markdown shows as it is, and that can be read without Markdown too."""
    return _SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))
