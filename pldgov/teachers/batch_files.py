"""Requests and answers of a batch as files: JSON Lines in the format of OpenAI's Batch API.

A request's ``custom_id`` is its digest (64 hexadecimal digits), so that an answer is matched with
its request whatever file it stands in. Answers written by hand may be ``{"custom_id", "content"}``
with the content as text or as the JSON object itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from pldgov.answer_lines import dump_line
from pldgov.endpoint.chat import first_choice, json_schema_format, text_of
from pldgov.endpoint.connection import FILTERED, usage_of
from pldgov.errors import DataError, StorageError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from pathlib import Path

    from pldgov.distill.model import TeacherRequest

URL: Final = "/v1/chat/completions"
MOST_LINES: Final = 50_000
MOST_BYTES: Final = 190_000_000
"""What one file of the Batch API may hold (50,000 requests, 200 MB), less some room."""

_CUSTOM_ID: Final = re.compile(rb'\{"custom_id": "([0-9a-f]{64})"')
_REQUEST_FILE: Final = re.compile(r"requests-[a-z]+-(\d+)\.jsonl")


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """One line of a file of answers.

    ``failure`` says why there is no ``content``. ``model``, ``day`` and ``usage`` are what the
    line reports, None or zeros where it reports nothing. ``place`` is ``path:line``.
    """

    custom_id: str
    place: str
    content: str = ""
    failure: str | None = None
    model: str | None = None
    day: str | None = None
    usage: tuple[int, int] = (0, 0)


def request_line(request: TeacherRequest, fields: Mapping[str, Any], *, schema: bool) -> str:
    """Return the line of a request; ``fields`` are the same in all, the model among them."""
    body: dict[str, Any] = {**fields, "messages": list(request.messages)}
    if schema:
        body["response_format"] = json_schema_format(request.schema)
    line = {"custom_id": request.digest, "method": "POST", "url": URL, "body": body}
    return dump_line(line)


def request_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of requests in a run's folder, in the order in which they were written."""
    found = [path for path in folder.glob("requests-*.jsonl") if _REQUEST_FILE.fullmatch(path.name)]
    return tuple(sorted(found, key=lambda path: (_number(path), path.name)))


def next_request_file(folder: Path, phase: str) -> Path:
    """Return the path of the next file of requests, numbered over all phases."""
    last = max((_number(path) for path in request_files(folder)), default=0)
    return folder / f"requests-{phase}-{last + 1}.jsonl"


def answer_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of answers in a run's folder, by name."""
    return tuple(sorted(folder.glob("answers*.jsonl")))


def read_request_sizes(path: Path) -> dict[str, int]:
    """Return each request of a file by custom_id, with the bytes of its line."""
    return {id_: len(line) for id_, line in _requests(path)}


def lines_of(path: Path, wanted: Container[str]) -> bytes:
    """Return the lines of a file of requests whose custom_id is ``wanted``."""
    return b"".join(line for id_, line in _requests(path) if id_ in wanted)


def read_answers(path: Path) -> Iterator[BatchAnswer | DataError]:
    """Yield every line of a file of answers, or the error that says why it is none."""
    for number, line in _lines(path):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            yield _read_answer(line, place)
        except DataError as error:
            yield DataError(error.message, where=place)


def in_files(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield the contents of files that hold ``lines``, each as large as the Batch API takes."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        data = line.encode("utf-8", "replace") + b"\n"
        if held and (len(held) == MOST_LINES or size + len(data) > MOST_BYTES):
            yield b"".join(held)
            held, size = [], 0
        held.append(data)
        size += len(data)
    if held:
        yield b"".join(held)


def _requests(path: Path) -> Iterator[tuple[str, bytes]]:
    for _, line in _lines(path):
        match = _CUSTOM_ID.match(line)
        if match:
            yield match[1].decode(), line


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as stream:
            yield from enumerate(stream, start=1)
    except OSError as error:
        raise StorageError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _number(path: Path) -> int:
    match = _REQUEST_FILE.fullmatch(path.name)
    return int(match[1]) if match else 0


def _read_answer(line: bytes, place: str) -> BatchAnswer:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError("the line is not JSON, or is cut off") from error
    if not isinstance(value, Mapping) or not isinstance(value.get("custom_id"), str):
        raise DataError("the line has no custom_id")
    if "content" in value:
        return _plain(value, place)
    return _of_the_batch_api(value, place)


def _plain(value: Mapping[str, Any], place: str) -> BatchAnswer:
    content, day, model = value["content"], value.get("date"), value.get("model")
    if not isinstance(content, str):
        content = json.dumps(content, ensure_ascii=False)
    if day is not None:
        try:
            date.fromisoformat(day)
        except (TypeError, ValueError) as error:
            raise DataError("date is no ISO day") from error
    return BatchAnswer(
        value["custom_id"], place, content, model=model if isinstance(model, str) else None, day=day
    )


def _of_the_batch_api(value: Mapping[str, Any], place: str) -> BatchAnswer:
    response = value.get("response")
    response = response if isinstance(response, Mapping) else {}
    body = response.get("body")
    body = body if isinstance(body, Mapping) else {}
    error = value.get("error") or body.get("error")
    if error or response.get("status_code") != 200:  # noqa: PLR2004  (HTTP's OK)
        return _failed(value["custom_id"], place, error, response.get("status_code"))
    choice = first_choice(body)
    if choice is None:
        raise DataError("the line holds no chat completion")
    created, model = body.get("created"), body.get("model")
    return BatchAnswer(
        custom_id=value["custom_id"],
        place=place,
        content=text_of(choice)[0],
        model=model if isinstance(model, str) and model else None,
        day=_day(created),
        usage=usage_of(body.get("usage")) or (0, 0),
    )


def _failed(custom_id: str, place: str, error: object, status: object) -> BatchAnswer:
    said = error if isinstance(error, Mapping) else {"message": error}
    reason = str(said.get("message") or said.get("code") or f"HTTP {status}")
    if said.get("code") in FILTERED:  # the model's answer to this input: it will not change
        return BatchAnswer(custom_id, place, reason)
    return BatchAnswer(custom_id, place, failure=reason)


def _day(created: object) -> str | None:
    if isinstance(created, bool) or not isinstance(created, (int, float)) or created <= 0:
        return None
    try:
        return datetime.fromtimestamp(created, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return None
