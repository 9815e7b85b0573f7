"""Official files that are one JSON document: parsed and checked, or refused with the place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from pldgov.errors import DataError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)

_MOST_SHOWN = 5


def load_document(data: bytes, model: type[Model], *, path: str) -> Model:
    """Return the JSON document ``data`` as a ``model``.

    Raises ``DataError`` with line and column for what is not JSON, and with the places inside
    the document (``documents.3.spans.0``) for what is not as the model wants it.
    """
    document = _parse(data, path)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise DataError("\n".join(_describe(error, path))) from error


def _parse(data: bytes, path: str) -> object:
    try:
        document: object = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise DataError(message, where=f"{path}:{line}") from error
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        message = f"not valid JSON: {error.msg}"
        raise DataError(message, where=place, hint="is the download complete?") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"not readable as JSON: {error}", where=path) from error
    return document


def _describe(error: ValidationError, path: str) -> list[str]:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [f"{path}: {_place(one)}: {one['msg']}" for one in details[:_MOST_SHOWN]]
    if len(details) > _MOST_SHOWN:
        lines.append(f"{path}: and {len(details) - _MOST_SHOWN:,} more of the kind")
    return [*lines, f"{path}: is this the official file, in the format that was asked for?"]


def _place(detail: ErrorDetails) -> str:
    return ".".join(str(part) for part in detail["loc"]) or "the document"
