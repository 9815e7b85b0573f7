"""The official files of public data sets, read as examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pldgov.data.importing import contract_nli, logiqa, stereoset
from pldgov.errors import UsageError
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pldgov.data.importing.contract_nli import Premise
    from pldgov.dataset import Example


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set whose official files can be imported."""

    title: str
    source: str
    licence: str
    inputs: tuple[str, ...]
    read: Callable[..., tuple[Example, ...]]


DATA_SETS: Mapping[str, DataSet] = {
    "contract-nli": DataSet(
        "ContractNLI",
        "https://stanfordnlp.github.io/contract-nli/",
        "CC BY 4.0",
        contract_nli.INPUTS,
        contract_nli.read_contract_nli,
    ),
    "stereoset": DataSet(
        "StereoSet",
        "https://github.com/moinnadeem/StereoSet",
        "CC BY-SA 4.0",
        stereoset.INPUTS,
        stereoset.read_stereoset,
    ),
    "logiqa": DataSet(
        "LogiQA",
        "https://github.com/lgw863/LogiQA-dataset",
        "none named in the repository",
        logiqa.INPUTS,
        logiqa.read_logiqa,
    ),
}


def import_examples(
    data: bytes, *, name: str, path: str, premise: Premise | None = None
) -> tuple[Example, ...]:
    """Read the official file ``data`` of the data set ``name`` (a key of ``DATA_SETS``).

    ``premise`` is for contract-nli alone (default ``spans``). Raises ``UsageError`` for an
    unknown name or a premise that has no meaning, ``DataError`` for a file that does not fit.
    """
    if name not in DATA_SETS:
        hint = did_you_mean(name, DATA_SETS) or f"one of {', '.join(DATA_SETS)}"
        raise UsageError(f'unknown data set "{name}"', hint=hint)
    options = {} if premise is None else {"premise": premise}
    if options and name != "contract-nli":
        raise UsageError(f"{name} has no premise to choose", hint="leave the option out")
    return DATA_SETS[name].read(data, path=path, **options)
