"""Chat completions of OpenAI and the servers that speak its language: one request, or a batch.

A request cannot carry a comment, and its ``metadata`` is refused unless the answers are stored;
``prompt_cache_key`` reaches no model and tells which prompt it was. A batch has ``custom_id`` for
that: rulebook, the start of the prompt's digest, and the id of the input.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pldgov.errors import UsageError

if TYPE_CHECKING:
    from pldgov.exports.model import Asked, Export

URL: Final = "/v1/chat/completions"
MOST_LINES: Final = 50_000
MOST_BYTES: Final = 200_000_000
"""What one file of the Batch API may hold."""

_MODEL_HINT: Final = "name it with --model, or choose a student of kind openai with --student"


def render_openai_request(export: Export) -> str:
    """Return the body of one chat completion as JSON; raises ``UsageError`` for no one input."""
    if len(export.asked) != 1:
        raise UsageError(
            f"one request is about one input, not {len(export.asked)}",
            where="--format openai-request",
            hint='give it with --input FIELD=TEXT, for instance --input text="..."',
        )
    body = _body(export, export.asked[0], format="openai-request")
    return json.dumps(body | {"prompt_cache_key": export.tag}, indent=2, ensure_ascii=False) + "\n"


def render_openai_batch(export: Export) -> str:
    """Return a file for the Batch API: a request a line, in the order of the data.

    Raises ``UsageError`` without data, and for more than one file may hold.
    """
    if not export.asked:
        raise UsageError(
            "a batch is about examples",
            where="--format openai-batch",
            hint="name them with --data FILE or --split gate",
        )
    lines = [_line(export, asked) for asked in export.asked]
    size = sum(len(line.encode()) for line in lines)
    if len(lines) > MOST_LINES or size > MOST_BYTES:
        raise UsageError(
            f"the batch has {len(lines):,} requests and {size:,} bytes; a file of the Batch API "
            f"holds {MOST_LINES:,} and {MOST_BYTES:,}",
            where="--format openai-batch",
            hint="split the data file",
        )
    return "".join(lines)


def _line(export: Export, asked: Asked) -> str:
    line = {
        "custom_id": f"{export.rulebook}:{export.prompt.digest[:12]}:{asked.id}",
        "method": "POST",
        "url": URL,
        "body": _body(export, asked, format="openai-batch"),
    }
    return json.dumps(line, ensure_ascii=False) + "\n"


def _body(export: Export, asked: Asked, *, format: str) -> dict[str, Any]:  # noqa: A002  (the option's name)
    if export.model is None:
        raise UsageError("a request names a model", where=f"--format {format}", hint=_MODEL_HINT)
    body: dict[str, Any] = {"model": export.model, "messages": export.messages(asked)}
    if export.response_format is not None:
        body["response_format"] = dict(export.response_format)
    return body | dict(export.settings)
