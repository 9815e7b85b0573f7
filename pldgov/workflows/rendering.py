"""Rendering for deployment: the prompt's exact bytes, and the manifest that says what they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pldgov import __version__
from pldgov.errors import ProviderError, UsageError
from pldgov.evidence import recorded_calibration
from pldgov.fingerprint import digest_text
from pldgov.prompt import TEMPLATE_ENGINE, count_prompt_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.ports import Source, Student
    from pldgov.prompt import RenderedPrompt
    from pldgov.questions import Prompt
    from pldgov.rulebook.loading import Revision

PromptFormat = Literal["text", "messages", "json"]


def format_prompt(prompt: Prompt, *, format: PromptFormat | None = None) -> str:  # noqa: A002  (the option's name)
    """Return the prompt as the text of a file that ends with one newline.

    ``text`` is the system text alone, ``messages`` the chat messages before the input as a JSON
    array, ``json`` everything that reaches the student. Default: text, or messages where the
    prompt has turns, or json where the user message holds rules. Raises ``UsageError`` where turns
    or rules would be lost.
    """
    chosen = format or ("messages" if prompt.turns else "text")
    if prompt.scoped_rules and chosen != "json":
        if format is not None:
            raise UsageError(
                f"{prompt.scoped_rules} rules of this prompt stand in the user message, by what "
                "the input says, and would be lost",
                where=f"--format {format}",
                hint="use --format json: its user_template chooses them",
            )
        chosen = "json"
    if chosen == "text":
        if prompt.turns:
            raise UsageError(
                f"this prompt has {len(prompt.turns)} turns, which plain text would lose",
                where="--format text",
                hint="use --format messages",
            )
        return f"{prompt.system}\n"
    if chosen == "messages":
        return _json(list(prompt.messages))
    return _json(
        {
            "system": prompt.system,
            "turns": [{"user": turn.user, "assistant": turn.assistant} for turn in prompt.turns],
            "user_template": prompt.user_template,
            "labels": dict(prompt.labels),
            "sha256": prompt.digest,
        }
    )


def manifest(
    revision: Revision,
    rendered: RenderedPrompt,
    *,
    commit: str | None,
    dirty: bool | None,
    tokens: Mapping[str, Any] | None,
    calibration: Mapping[str, Any] | None,
) -> str:
    """Return the manifest as JSON: what went into a prompt, by digest.

    It holds no time and no machine, so the same commit gives the same bytes. ``dirty`` tells
    whether the files differ from the commit; both are None outside a git repository.
    """
    return _json(
        {
            "schema": "pldgov.manifest/v1",
            "pldgov": __version__,
            "template_engine": TEMPLATE_ENGINE,
            "rulebook": {
                "name": revision.rulebook.name,
                "path": revision.path,
                "sha256": digest_text(revision.document.text),
            },
            "templates": dict(rendered.templates),
            "rules": list(rendered.rules),
            "trimmed": list(rendered.trimmed),
            "examples": [{"id": id_, "sha256": sha} for id_, sha in rendered.examples],
            "prompt": {
                "sha256": rendered.prompt.digest,
                "system_sha256": digest_text(rendered.prompt.system),
                "turns": len(rendered.prompt.turns),
                "tokens": tokens,
            },
            "calibration": calibration,
            "git": {"commit": commit, "dirty": dirty},
        }
    )


def student_facts(
    revision: Revision, rendered: RenderedPrompt, *, student: Student, tree: Source
) -> dict[str, Any]:
    """Return what a manifest says of the student: tokens and calibration.

    Either is None where it is not known: the tokenizer is not on this machine, or no evidence
    of this prompt and student stands in ``tree``.
    """
    try:
        count = count_prompt_tokens(rendered.prompt, student.count_tokens)
    except ProviderError:
        count = None
    facts: dict[str, Any] = {
        "tokens": None if count is None else {"student": student.card.name, "count": count},
        "calibration": None,
    }
    evidence = f"{revision.folder}/evidence/{student.card.name}.json"
    if tree.exists(evidence):
        facts["calibration"] = recorded_calibration(
            tree.read(evidence).decode("utf-8", "replace"),
            path=evidence,
            prompt=rendered.prompt.digest,
            student=student.card.fingerprint,
        )
    return facts


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
