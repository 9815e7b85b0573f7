"""Rewriting rulebooks: their layout, and the digests of the examples that they cite."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pldgov.errors import DataError, RulebookError, UsageError
from pldgov.rulebook.document import parse_document
from pldgov.rulebook.editing import pin_citations
from pldgov.rulebook.formatting import format_text
from pldgov.rulebook.schema import FILE_NAME

if TYPE_CHECKING:
    from pldgov.ports import Source
    from pldgov.rulebook.loading import Revision


def reformat(source: Source, path: str) -> tuple[bytes, bytes]:
    """Return a rulebook's bytes as they are, and in the one layout.

    The JSON Schema is named in the first line if it stands at the root of ``source``. Raises
    ``RulebookError`` for a file that cannot be read, ``UsageError`` for one that cannot be laid
    out without loss.
    """
    data = source.read(path)
    document = parse_document(data, path=path)
    if document.root is None:
        raise RulebookError(document.problems)
    schema = posixpath.relpath(FILE_NAME, posixpath.dirname(path) or ".")
    try:
        text = format_text(document.text, schema=schema if source.exists(FILE_NAME) else None)
    except UsageError as error:
        where = f"{path}: {error.where}" if error.where else path
        raise UsageError(error.message, where=where, hint=error.hint) from error
    return data, text.encode()


def pin(source: Source, revision: Revision) -> tuple[bytes, bytes]:
    """Return a rulebook's bytes as they are, and with the digest of every cited example.

    Only citations of training examples are pinned, and no other byte changes. Raises
    ``RulebookError`` for a rulebook with errors, ``DataError`` when its training examples could
    not be read, ``ExamplesAbsentError`` when they are not here.
    """
    data = source.read(revision.path)
    rulebook = revision.rulebook
    revision.require("train")
    if "train" not in revision.splits:
        raise DataError("the training examples cannot be read", where=rulebook.examples.train)
    digests = {example.id: example.sha256 for example in revision.split("train")}
    try:
        text = pin_citations(data.decode(), digests)
    except UsageError as error:
        raise UsageError(error.message, where=revision.path, hint=error.hint) from error
    return data, text.encode()
