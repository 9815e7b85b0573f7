"""What ``pldgov data`` does: import an official file, split a file, look a file over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pldgov.data.importing import DATA_SETS, import_examples
from pldgov.data.reading import read_bytes, read_source, require_examples
from pldgov.data.splitting import missing_labels, split_examples
from pldgov.data.writing import format_examples
from pldgov.errors import UsageError
from pldgov.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pldgov.data.importing.contract_nli import Premise
    from pldgov.dataset import Example, SplitName
    from pldgov.problems import Problem


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file of examples holds: ``labels`` by name, with the number of examples of each."""

    path: str
    examples: int
    labels: Mapping[str, int]
    groups: int
    ungrouped: int
    largest_group: int

    @classmethod
    def of(cls, path: str, examples: Sequence[Example]) -> Contents:
        """Count ``examples``; a group is counted once, an example without one on its own."""
        groups = Counter(one.group for one in examples if one.group is not None)
        return cls(
            path=path,
            examples=len(examples),
            labels=dict(sorted(Counter(one.label for one in examples).items())),
            groups=len(groups),
            ungrouped=len(examples) - groups.total(),
            largest_group=max(groups.values(), default=0),
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """The files that were written or looked at, and what a person should know about them."""

    files: tuple[Contents, ...]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_errors(self) -> bool:
        """Whether the examples cannot be used as they are."""
        return any(problem.severity == "error" for problem in self.problems)


def import_file(
    file: Path, *, name: str, out: Path, premise: Premise | None = None, force: bool = False
) -> Prepared:
    """Write the examples of an official ``file`` to ``<out>/<the file's name>.jsonl``.

    ``name`` and ``premise`` are those of ``importing.import_examples``, and so are the errors.
    Raises ``UsageError``, before anything is read, for a target that exists (unless ``force``).
    """
    target = out / f"{file.stem}.jsonl"
    _refuse_overwriting([target], force=force)
    examples = import_examples(read_bytes(file), name=name, path=str(file), premise=premise)
    write_atomically(target, format_examples(examples))
    data_set = DATA_SETS[name]
    return Prepared(
        (Contents.of(str(target), examples),),
        notes={
            "inputs": ", ".join(data_set.inputs),
            "source": f"{data_set.title}, {data_set.source}",
            "licence": data_set.licence,
        },
    )


def split_source(
    spec: str,
    *,
    inputs: Sequence[str],
    out: Path,
    fractions: Mapping[SplitName, float],
    seed: int,
    force: bool = False,
) -> Prepared:
    """Write ``<out>/train.jsonl`` and so on, one file for each of ``fractions``.

    ``spec`` is as for ``read_source``. Errors are those of reading and ``split_examples``;
    ``UsageError``, before anything is read, for a target that exists (unless ``force``).
    """
    targets = {name: out / f"{name}.jsonl" for name in fractions}
    _refuse_overwriting(targets.values(), force=force)
    examples = require_examples(spec, inputs)
    splits = split_examples(examples, fractions=fractions, seed=seed)
    texts = {name: format_examples(part) for name, part in splits.items()}
    for name, text in texts.items():
        write_atomically(targets[name], text)
    files = tuple(Contents.of(str(targets[name]), part) for name, part in splits.items())
    return Prepared(files, warnings=missing_labels(splits))


def check_source(spec: str, *, inputs: Sequence[str]) -> Prepared:
    """Read ``spec`` as ``read_source`` does, and report its problems and what it holds."""
    examples, problems = read_source(spec, inputs)
    contents = Contents.of(spec, examples)
    alone = [label for label, count in contents.labels.items() if count == 1]
    warnings = [f'the label "{label}" has a single example' for label in alone]
    if len(contents.labels) == 1:
        warnings.append("all examples have the same label")
    return Prepared((contents,), problems, tuple(warnings))


def _refuse_overwriting(targets: Iterable[Path], *, force: bool) -> None:
    existing = [target for target in targets if target.exists()]
    if existing and not force:
        raise UsageError(
            "the file exists already", where=str(existing[0]), hint="--force replaces it"
        )
