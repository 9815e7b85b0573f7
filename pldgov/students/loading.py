"""Load a model and its tokenizer with transformers, quietly, or say what is wrong with them."""

from __future__ import annotations

import errno
import io
import warnings
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import torch
import transformers

from pldgov.errors import PldgovError, ProviderError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.students.model_files import ModelFiles

STRETCHED = {"dynamic", "longrope"}
"""Kinds of rotary positions that depend on the longest input read together."""

Dtype = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A causal language model in evaluation mode, its tokenizer, and what ends a text.

    The model's own generation settings are gone: a repetition penalty would make greedy
    decoding something else.
    """

    model: Any
    tokenizer: Any
    stop_tokens: frozenset[int]

    def context(self, *, alone: bool) -> int | None:
        """Return how many tokens the model can read, None where nothing says so.

        Some models turn every position another way as soon as one is beyond a first limit, so
        that one long input would change its neighbours' answers; unless each input is read
        ``alone``, that limit is the context.
        """
        config = self.model.config.get_text_config(decoder=True)
        length = getattr(config, "max_position_embeddings", None)
        limits = [length, None if alone else _stretch_limit(config)]
        return min((int(limit) for limit in limits if limit), default=None)


def _stretch_limit(config: Any) -> int | None:
    """Return the length beyond which rotary positions depend on the longest input, if any."""
    rope = getattr(config, "rope_parameters", None) or {}
    tables = [rope, *(table for table in rope.values() if isinstance(table, dict))]
    limits = [
        table.get("original_max_position_embeddings")
        for table in tables
        if table.get("rope_type") in STRETCHED
    ]
    return min((int(limit) for limit in limits if limit), default=None)


def load_model(files: ModelFiles, *, dtype: Dtype, threads: int | None) -> LoadedModel:
    """Return the model in ``dtype`` on the CPU.

    Raises ``ProviderError`` when a file is missing, damaged or incomplete (weights that are not
    there would be made up), ``StorageError`` when a disk is full.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    with quiet(), reported(files):
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            files.tokenizer_source, **_where(files, with_gguf=files.tokenizer is None)
        )
        model, report = transformers.AutoModelForCausalLM.from_pretrained(
            files.source,
            dtype=getattr(torch, dtype),
            output_loading_info=True,
            **_where(files, with_gguf=True),
        )
        _check_complete(report, files)
    stop = _stop_tokens(model.generation_config.eos_token_id, tokenizer.eos_token_id)
    model.generation_config = transformers.GenerationConfig()
    return LoadedModel(model=model.eval(), tokenizer=tokenizer, stop_tokens=stop)


def _stop_tokens(*named: int | list[int] | None) -> frozenset[int]:
    """Return the tokens that end a text, as the model's files name them."""
    lists = (entry if isinstance(entry, list) else [entry] for entry in named)
    return frozenset(token for entry in lists for token in entry if token is not None)


def _where(files: ModelFiles, *, with_gguf: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"local_files_only": files.is_local}
    if files.revision is not None:
        options["revision"] = files.revision
    if files.gguf is not None and with_gguf:
        options["gguf_file"] = files.gguf
    return options


def _check_complete(report: dict[str, Any], files: ModelFiles) -> None:
    """Refuse weights that transformers would replace by random numbers."""
    lacking = sorted(map(str, report.get("missing_keys") or ()))
    unfit = sorted(map(str, report.get("mismatched_keys") or ()))
    if lacking or unfit:
        what = f"lack {lacking[0]}" if lacking else f"have another shape in {unfit[0]}"
        more = len(lacking) + len(unfit) - 1
        raise ProviderError(
            f"the weights {what}" + (f" and {more} more" if more else ""),
            where=place(files),
            hint="download or convert the model again",
        )


def place(files: ModelFiles) -> str:
    """Return what messages call these files."""
    file = f"/{files.gguf}" if files.gguf else ""
    commit = f"@{files.revision[:12]}" if files.revision else ""
    return f"{files.source}{file}{commit}"


@contextmanager
def reported(files: ModelFiles) -> Iterator[None]:
    """Turn whatever a loader raises into an error that names the files."""
    try:
        yield
    except (PldgovError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  (damaged files make loaders raise anything)
        _raise_reported(files, error)


def _raise_reported(files: ModelFiles, error: Exception) -> NoReturn:
    lines = str(error).strip().splitlines()
    reason = lines[0] if lines else type(error).__name__
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        raise StorageError(reason, where=place(files), hint="make room on the disk") from error
    raise ProviderError(
        f"the model cannot be loaded: {reason}",
        where=place(files),
        hint="a file may be missing or damaged: download or convert the model again",
    ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep progress bars, log lines and warnings of transformers off the terminal for a while.

    The bar of the GGUF reader obeys no setting, hence the redirected stderr.
    """
    logs = transformers.utils.logging
    verbosity, bars = logs.get_verbosity(), logs.is_progress_bar_enabled()
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logs.set_verbosity(verbosity)
        if bars:
            logs.enable_progress_bar()
