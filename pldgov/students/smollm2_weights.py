"""Convert the weights in the embedded student's GGUF file to float32, once, for quick loading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import transformers
from safetensors.torch import save_file

from pldgov.students.loading import quiet, reported
from pldgov.students.model_files import ModelFiles

if TYPE_CHECKING:
    from pathlib import Path


def convert(source: Path, folder: Path) -> None:
    """Write ``config.json`` and ``model.safetensors`` from the GGUF file into ``folder``."""
    files = ModelFiles(source=str(source.parent), gguf=source.name, snapshot="")
    with quiet(), reported(files):
        model = transformers.AutoModelForCausalLM.from_pretrained(
            files.source, gguf_file=files.gguf, dtype=torch.float32, local_files_only=True
        )
        weights = {
            name: tensor.contiguous()
            for name, tensor in model.state_dict().items()
            if name != "lm_head.weight"  # tied to the embeddings
        }
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        config = model.config.to_dict()
        config.pop("quantization_config", None)
        config["architectures"] = [type(model).__name__]
        transformers.LlamaConfig(**config).save_pretrained(folder)
