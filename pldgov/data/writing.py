"""Writing examples as JSON Lines: the same examples, the same bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pldgov.errors import DataError
from pldgov.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pldgov.dataset import Example


def format_examples(examples: Iterable[Example]) -> bytes:
    """Return ``examples`` as UTF-8 JSON Lines, in their order, each line ending in a line feed.

    The keys of a line are id, the inputs, label, group (where there is one) and the metadata, in
    the order in which the example holds them. Raises ``DataError`` for metadata that JSON cannot
    hold or that has the name of another field, and for half of a surrogate pair.
    """
    return b"".join(_line(example) for example in examples)


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write ``examples`` to ``path`` as ``format_examples`` does, all or nothing.

    Raises ``StorageError`` when the disk refuses; the old file, if any, is then untouched.
    """
    write_atomically(path, format_examples(examples))


def _line(example: Example) -> bytes:
    fields: dict[str, Any] = {"id": example.id, **example.inputs, "label": example.label}
    if example.group is not None:
        fields["group"] = example.group
    taken = sorted({*fields, "group"} & example.metadata.keys())
    if taken:
        raise DataError(f'metadata cannot be called "{taken[0]}"', where=f"example {example.id!r}")
    try:
        text = json.dumps({**fields, **example.metadata}, ensure_ascii=False, allow_nan=False)
        return f"{text}\n".encode()
    except (TypeError, ValueError) as error:
        message = f"the example cannot be written as JSON: {error}"
        raise DataError(message, where=f"example {example.id!r}") from error
