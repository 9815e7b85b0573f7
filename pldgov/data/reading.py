"""Reading examples: JSON Lines, CSV, Parquet, and data sets through ``datasets``.

Whatever is wrong with a file is collected as problems, each with path, line and column, so that
a user sees all of it at once. See docs/data.md for the fields and the codes.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from pldgov.data.building import build_examples
from pldgov.data.rows import Findings, check_size
from pldgov.errors import DataError, StorageError
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pldgov.dataset import Example
    from pldgov.problems import Problem

_READERS: Mapping[str, tuple[str, str | None]] = {
    # suffix: (module:function, the extra that brings what it imports)
    ".jsonl": ("pldgov.data.formats.json_lines:read_json_lines", None),
    ".ndjson": ("pldgov.data.formats.json_lines:read_json_lines", None),
    ".csv": ("pldgov.data.formats.csv_table:read_csv", None),
    ".parquet": ("pldgov.data.formats.parquet:read_parquet", "parquet"),
}
_HUB = ("pldgov.data.formats.hub:read_dataset", "datasets")
HUB_PREFIX = "hf:"


def parse_examples(
    data: bytes, *, path: str, inputs: Sequence[str]
) -> tuple[tuple[Example, ...], tuple[Problem, ...]]:
    """Return the sound examples in ``data`` and every problem of the others.

    The suffix of ``path`` chooses the format: .jsonl or .ndjson, .csv, .parquet. ``inputs`` are
    the task's input fields. The examples are worth using only if no problem is an error. Raises
    ``DataError`` when there are more than ``rows.MAX_BYTES`` bytes or ``rows.MAX_ROWS`` rows, or
    when the package that reads the format is not installed.
    """
    check_size(len(data), where=path)
    findings = Findings(path)
    suffix = PurePath(path).suffix.lower()
    if suffix not in _READERS:
        known = did_you_mean(suffix, _READERS) or f"one of {', '.join(_READERS)}"
        message = f'examples cannot be read from "{suffix}" files'
        findings.add(1, "data-format", message, known)
        return (), findings.problems()
    rows = _load(*_READERS[suffix], where=path)(data, findings)
    examples = build_examples(rows, inputs=inputs, findings=findings)
    return examples, findings.problems()


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
    rows = _load(*_HUB, where=spec)(spec.removeprefix(HUB_PREFIX), findings)
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


def _load(target: str, extra: str | None, *, where: str) -> Callable[[Any, Findings], list[Any]]:
    """Return the function named ``module:function``, importing its module now."""
    module, _, name = target.partition(":")
    try:
        function: Callable[[Any, Findings], list[Any]] = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise DataError(
            f"reading this needs the package {error.name!r}, which is not installed",
            where=where,
            hint=f"pip install 'pldgov[{extra}]'" if extra else None,
        ) from error
    return function
