"""Examples from bytes: the table of file formats.

Whatever is wrong with a file is collected as problems, each with path, line and column, so that
a user sees all of it at once. See docs/data.md for the fields and the codes.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pldgov.data.building import build_examples
from pldgov.data.rows import Findings, check_size
from pldgov.errors import DataError
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


def parse_examples(
    data: bytes, *, path: str, inputs: Sequence[str], labelled: bool = True
) -> tuple[tuple[Example, ...], tuple[Problem, ...]]:
    """Return the sound examples in ``data`` and every problem of the others.

    The suffix of ``path`` chooses the format: .jsonl or .ndjson, .csv, .parquet. ``inputs`` are
    the task's input fields. Unless ``labelled``, a row may lack a label, which is then empty. The
    examples are worth using only if no problem is an error. Raises
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
    rows = load_format(*_READERS[suffix], where=path)(data, findings)
    examples = build_examples(rows, inputs=inputs, findings=findings, labelled=labelled)
    return examples, findings.problems()


def load_format(
    target: str, extra: str | None, *, where: str
) -> Callable[[Any, Findings], list[Any]]:
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
