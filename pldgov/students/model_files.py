"""Where a local model's files are, and which weights they hold; no weights are read for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pldgov.errors import ProviderError, StudentAbsentError, UsageError
from pldgov.fingerprint import digest_value
from pldgov.students.cache_folder import remembered_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
COMMIT = re.compile(r"[0-9a-f]{40}")
DECISIVE = {".safetensors", ".bin", ".json", ".jinja", ".model", ".txt"}
"""Endings of the files that decide what a model in a folder answers."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What transformers needs to load a model, and what pins its weights.

    ``source`` is a folder, or a hub id at ``revision``; ``gguf`` a file in it. ``tokenizer`` is
    the folder with the tokenizer where that is another one.
    """

    source: str
    snapshot: str
    revision: str | None = None
    gguf: str | None = None
    tokenizer: str | None = None

    @property
    def tokenizer_source(self) -> str:
        """The folder or hub id that holds the tokenizer."""
        return self.tokenizer or self.source

    @property
    def is_local(self) -> bool:
        """Whether everything is on this machine, so that no network is tried."""
        return self.revision is None


def find_model(
    model: str,
    *,
    root: Path,
    revision: str | None,
    gguf_file: str | None,
    where: str,
    obtain: str | None = None,
) -> ModelFiles:
    """Return the files of ``model``: a folder, a GGUF file, or a hub id.

    Relative paths count from ``root``. A hub id is pinned to the commit in the local cache, or,
    where that has none, to the one that the hub names; with ``obtain``, which says how people get
    the model, the hub is not asked. Raises ``StudentAbsentError`` when there is nothing to load,
    ``ProviderError`` for files that are no model, ``UsageError`` for options that do not go
    together.
    """
    path = root / Path(model).expanduser()
    if path.exists():
        if revision is not None:
            raise UsageError("revision is for models on the hub, not for local ones", where=where)
        return _local_files(path, gguf_file, where)
    if not HUB_ID.fullmatch(model) or model.endswith(".gguf"):
        raise absent(model, obtain, hint=f"see the option model of {where}")
    commit = revision if revision is not None and COMMIT.fullmatch(revision) else None
    commit = commit or _cached_commit(model, revision, gguf_file or "config.json")
    if commit is None:
        if obtain is not None:
            raise absent(model, obtain)
        commit = _hub_commit(model, revision, where)
    snapshot = f"{commit}/{gguf_file}" if gguf_file else commit
    return ModelFiles(source=model, revision=commit, gguf=gguf_file, snapshot=snapshot)


def _local_files(path: Path, gguf_file: str | None, where: str) -> ModelFiles:
    if path.is_dir() and gguf_file is not None:
        path = path / gguf_file
    if path.is_dir():
        return ModelFiles(source=str(path), snapshot=_folder_digest(path))
    if not path.is_file() or path.suffix != ".gguf":
        raise ProviderError(
            "not a GGUF file",
            where=str(path),
            hint=f"see the options model and gguf_file of {where}",
        )
    snapshot = f"sha256:{remembered_digest(path)}"
    return ModelFiles(source=str(path.parent), gguf=path.name, snapshot=snapshot)


def _folder_digest(folder: Path) -> str:
    """Return a digest over the files of a model's folder that decide its answers."""
    files = {path.name: path for path in folder.iterdir() if path.suffix in DECISIVE}
    if "config.json" not in files:
        raise ProviderError(
            "the folder holds no model (no config.json)",
            where=str(folder),
            hint="give the folder that save_pretrained or a download made",
        )
    digests = {name: remembered_digest(path) for name, path in sorted(files.items())}
    return f"sha256:{digest_value(digests)}"


def absent(model: str, obtain: str | None, *, hint: str | None = None) -> StudentAbsentError:
    """Return the error for a model that is not here, with how to get it if its table says so."""
    return StudentAbsentError(
        "no such folder or file" if obtain is None else "is not on this machine",
        where=model,
        hint=hint if obtain is None else f"to get it: {obtain}",
        by_design=obtain is not None,
    )


def is_here(files: ModelFiles) -> bool:
    """Tell whether a model's files are on this machine, so that no network is needed."""
    file = files.gguf or "config.json"
    return files.is_local or _cached_commit(files.source, files.revision, file) is not None


def _cached_commit(model: str, revision: str | None, file: str) -> str | None:
    """Return the commit of a hub model as it lies in the local cache, None where it does not."""
    import huggingface_hub  # noqa: PLC0415  (heavy, and only hub models need it)

    cached = huggingface_hub.try_to_load_from_cache(model, file, revision=revision)
    return _commit_in(Path(cached).parts) if isinstance(cached, str) else None


def _hub_commit(model: str, revision: str | None, where: str) -> str:
    """Return the commit of a hub model as the hub says."""
    import huggingface_hub  # noqa: PLC0415  (the same)

    try:
        info = huggingface_hub.HfApi().model_info(model, revision=revision, timeout=30)
    except Exception as error:
        raise _unreachable(model, error, where) from error
    return str(info.sha)


def _commit_in(parts: Iterable[str]) -> str:
    """Return the commit in a path of the hub's cache, ``.../snapshots/<commit>/<file>``."""
    remaining = list(parts)
    return remaining[remaining.index("snapshots") + 1]


def _unreachable(model: str, error: Any, where: str) -> StudentAbsentError:
    reason = str(error).strip().splitlines()
    return StudentAbsentError(
        f"the model {model!r} is neither a local folder, nor in the local cache, nor to be had "
        f"from the hub ({reason[0] if reason else type(error).__name__})",
        where=where,
        hint="check the name, or download it first and give its folder",
    )


def find_tokenizer(files: ModelFiles) -> Path | None:
    """Return the ``tokenizer.json`` of a model on this machine, None where it has none."""
    if files.is_local:
        path = Path(files.tokenizer_source) / "tokenizer.json"
        return path if path.is_file() and files.gguf is None else None
    import huggingface_hub  # noqa: PLC0415  (heavy, and only hub models need it)

    cached = huggingface_hub.try_to_load_from_cache(
        files.source, "tokenizer.json", revision=files.revision
    )
    return Path(cached) if isinstance(cached, str) else None
