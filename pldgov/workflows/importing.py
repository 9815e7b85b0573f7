"""From a prompt's file to a rulebook's: read, made into drafts, written, and what is left to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pldgov.errors import DataError, StorageError, UsageError
from pldgov.files import write_atomically
from pldgov.fingerprint import digest_text
from pldgov.importing.rulebook import Imported, Wanted, import_rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MOST_BYTES: Final = 16 * 2**20
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_MOST_LISTED: Final = 8


def import_prompt(
    data: bytes, wanted: Wanted, *, source: str, output: Path, force: bool
) -> Imported:
    """Write the rulebook that a prompt makes, and return it.

    Raises ``UsageError`` for a name that is none and for a file that exists, unless ``force``;
    ``DataError`` for what is no text or has no rules.
    """
    if not _NAME.fullmatch(wanted.name):
        raise UsageError(
            f"{wanted.name!r} is no name of a rulebook",
            where="--name",
            hint='lower-case letters, digits, ".", "_" and "-", a letter or digit first',
        )
    if output.exists() and not force:
        raise UsageError(
            "there is a file already", where=str(output), hint="--force replaces it, or use -o"
        )
    text = _decode(data, source)
    made = import_rulebook(text, wanted, source=source, sha256=digest_text(text))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot be made: {error.strerror}", where=str(output.parent)) from error
    write_atomically(output, made.text.encode())
    return made


def _decode(data: bytes, source: str) -> str:
    if len(data) > MOST_BYTES:
        said = f"the file has {len(data) / 2**20:.0f} MiB; a prompt has at most 16"
        raise DataError(said, where=source, hint="cut out the part with the rules")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"byte 0x{data[error.start]:02X} is not UTF-8",
            where=f"{source}:{line}",
            hint="save the file as UTF-8",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def left_to_do(made: Imported, *, templates: bool) -> Iterator[str]:
    """Yield what people must fill in before the rulebook works, a sentence each.

    ``templates`` tells whether the workspace has those that the rulebook names.
    """
    yield (
        "examples: put labelled ones at examples/train.jsonl, validation.jsonl and gate.jsonl "
        "(pldgov data import, pldgov data split)"
    )
    yield 'status: set "active" on the rules that the student shall read'
    if not templates:
        yield "templates: there is no plain.j2 and user.j2; pldgov init writes some"
    if made.unlabelled:
        yield f"labels: none, or several, are named in {_listed(made.unlabelled)}"
    if made.harmful:
        yield f"harm: the playbook counts more harm than help for {_listed(made.harmful)}"
    if made.undescribed:
        yield f"task.labels: describe {_listed(made.undescribed)}"
    if made.without_task:
        yield "task.instruction: the prompt has no paragraph before its rules"
    if made.without_owner:
        yield "owner: who answers for the rulebook"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_LISTED
    return ", ".join(names[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
