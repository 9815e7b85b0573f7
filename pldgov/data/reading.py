"""Reading examples from files, and data sets through ``datasets``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pldgov.data.building import build_examples
from pldgov.data.parsing import load_format, parse_examples
from pldgov.data.rows import Findings, check_size
from pldgov.errors import DataError, StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.dataset import Example
    from pldgov.problems import Problem

_HUB = ("pldgov.data.formats.hub:read_dataset", "datasets")
HUB_PREFIX = "hf:"


def read_source(
    spec: str, inputs: Sequence[str]
) -> tuple[tuple[Example, ...], tuple[Problem, ...]]:
    """Read a file, or a data set named ``hf:<dataset>[@revision][:config][#split]``.

    The rows of a data set are numbered from 1 in the place of lines; a row without an id gets
    ``<split>-<number>``. Raises ``DataError`` when the data set cannot be loaded and
    ``StorageError`` when the file cannot be read; otherwise as ``parse_examples``.
    """
    if not spec.startswith(HUB_PREFIX):
        return parse_examples(read_bytes(Path(spec)), path=spec, inputs=inputs)
    findings = Findings(spec)
    rows = load_format(*_HUB, where=spec)(spec.removeprefix(HUB_PREFIX), findings)
    examples = build_examples(rows, inputs=inputs, findings=findings)
    return examples, findings.problems()


def require_examples(spec: str, inputs: Sequence[str]) -> tuple[Example, ...]:
    """Read as ``read_source`` does, raising ``DataError`` with all errors if there are any."""
    examples, problems = read_source(spec, inputs)
    errors = [str(problem) for problem in problems if problem.severity == "error"]
    if errors:
        raise DataError("\n".join(errors))
    return examples


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; ``DataError`` for a huge one, ``StorageError`` for an unreadable."""
    try:
        check_size(path.stat().st_size, where=str(path))
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageError(f"cannot be read: {reason}", where=str(path)) from error
