"""Data sets through the ``datasets`` package (extra ``datasets``): by hub name or local folder."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets

from pldgov.data.rows import Row, check_rows
from pldgov.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pldgov.data.rows import Findings


@dataclass(frozen=True, slots=True)
class HubName:
    """``<dataset>[@revision][:config][#split]``, taken apart."""

    dataset: str
    revision: str | None = None
    config: str | None = None
    split: str | None = None


def parse_name(text: str) -> HubName:
    """Take ``<dataset>[@revision][:config][#split]`` apart; a local folder has no revision.

    Raises ``UsageError`` when the data set, or a part that its mark announces, is empty.
    """
    rest, hash_mark, split = text.partition("#")
    dataset, colon, config, at, revision = rest, "", "", "", ""
    if not Path(rest).is_dir():  # a folder's own name may hold a colon or an at sign
        dataset, colon, config = rest.rpartition(":") if ":" in rest else (rest, "", "")
        if not Path(dataset).is_dir():
            dataset, at, revision = dataset.partition("@")
    marked = [(at, revision), (colon, config), (hash_mark, split)]
    if not dataset or any(mark and not part for mark, part in marked):
        raise UsageError(
            "the name of the data set, or a part of it, is empty",
            where=f"hf:{text}",
            hint="hf:<dataset>[@revision][:config][#split]",
        )
    return HubName(dataset, revision or None, config or None, split or None)


def read_dataset(text: str, findings: Findings) -> list[Row]:
    """Return the rows of one split, numbered from 1; class numbers become class names.

    Without ``#split`` the data set must have a single split. A row without an id gets
    ``<split>-<number>``. Raises ``DataError`` when the data set cannot be had.
    """
    name = parse_name(text)
    split, table = _choose_split(name, _load(name, where=findings.path), where=findings.path)
    check_rows(len(table), where=findings.path)
    classes = _class_names(table.features)
    has_id = "id" in table.features
    rows = []
    for number, record in enumerate(table, 1):
        values = {} if has_id else {"id": f"{split}-{number}"}
        values |= {key: _class_name(classes.get(key), value) for key, value in record.items()}
        rows.append(Row(number, values))
    return rows


def _load(name: HubName, *, where: str) -> Any:
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    try:
        return datasets.load_dataset(
            name.dataset, name.config, split=name.split, revision=name.revision
        )
    except (datasets.exceptions.DatasetsError, OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        cause = f": {error.__cause__}".splitlines()[0] if error.__cause__ else ""
        raise DataError(f"the data set cannot be loaded: {reason}{cause}", where=where) from error


def _choose_split(name: HubName, loaded: Any, *, where: str) -> tuple[str, Any]:
    if name.split is not None:
        return name.split, loaded
    if len(loaded) == 1:
        return next((str(split), table) for split, table in loaded.items())
    example = "train" if "train" in loaded else next(iter(loaded))
    raise DataError(
        f"the data set has the splits {', '.join(loaded)}; which one?",
        where=where,
        hint=f"name it after a #, as in {where}#{example}",
    )


def _class_names(features: Any) -> Mapping[str, list[str]]:
    return {
        key: feature.names
        for key, feature in features.items()
        if isinstance(feature, datasets.ClassLabel)
    }


def _class_name(names: list[str] | None, value: Any) -> Any:
    """Return the class's name for its number; -1 is how hubs write that there is none."""
    if names is None or value is None:
        return value
    return names[value] if 0 <= value < len(names) else None
