"""A teacher that gives recorded replies and asks nobody: kind ``replay``."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from pldgov.archive import JsonLinesArchive
from pldgov.errors import ProviderError, UsageError
from pldgov.files import find_files
from pldgov.options import parse_table
from pldgov.teachers.options import place, subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pldgov.distill.model import Finding, TeacherReply, TeacherRequest, Usage


class ReplayOptions(BaseModel):
    """The options of kind ``replay``.

    ``path`` is a file of replies, a pattern, or a list of both, relative to the repository's
    root; none is needed for what is recorded beside a rulebook in ``teacher/*.jsonl``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    path: str | tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """The paths and patterns, however many were given."""
        return (self.path,) if isinstance(self.path, str) else self.path


class ReplayTeacher:
    """Gives the replies that another teacher gave; one that is missing is an error."""

    def __init__(self, name: str, options: ReplayOptions, *, root: Path) -> None:
        self.name = name
        self.options = options
        self._root = root

    @classmethod
    def from_options(
        cls,
        name: str,
        options: Mapping[str, Any],
        *,
        root: Path,
        folder: Path,  # noqa: ARG003  (the signature that every back-end shares)
        spent: Usage,  # noqa: ARG003  (the same)
    ) -> ReplayTeacher:
        """Return the teacher that ``[tool.pldgov.teachers.<name>]`` describes."""
        return cls(name, parse_table(ReplayOptions, options, where=place(name)), root=root)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the recorded files."""
        return self._archive.findings

    def answer(self, requests: Sequence[TeacherRequest]) -> Iterator[TeacherReply]:
        """Yield every recorded reply; then raise ``ProviderError`` if one was missing.

        The error names the digest of the first missing one, and what it is about.
        """
        missing = []
        for request in requests:
            reply = self._archive.get(request.digest)
            if reply is None:
                missing.append(request)
            else:
                yield reply
        if missing:
            further = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise ProviderError(
                f"no reply is recorded to {subject(missing[0])}{further}: {missing[0].digest}",
                where=place(self.name),
                hint="templates, examples or settings differ from those of the recorded run;"
                " ask a teacher of another kind",
            )

    def price(self, tokens_in: int, tokens_out: int) -> float | None:  # noqa: ARG002  (the port's)
        """Return 0: recorded replies are paid for."""
        return 0.0

    def close(self) -> None:
        """Close the files."""
        self._archive.close()

    @cached_property
    def _archive(self) -> JsonLinesArchive:
        files: dict[Path, None] = {}
        for pattern in self.options.patterns:
            found = find_files(self._root, pattern)
            if not found:
                raise UsageError(f"path: no file {pattern!r}", where=place(self.name))
            files.update(dict.fromkeys(found))
        return JsonLinesArchive(recorded=tuple(files))
