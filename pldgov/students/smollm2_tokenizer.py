"""Convert the tokenizer in the embedded student's GGUF file; needs neither torch nor transformers.

The GGUF file names the pre-tokenizer ("smollm": every digit apart, then GPT-2's pattern) instead
of holding it. transformers' own conversion leaves the digits out, so that runs of spaces before
a number become other tokens than the model was trained on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gguf
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

if TYPE_CHECKING:
    from pathlib import Path

CONTROL = 3
"""The GGUF token type of control tokens."""


def convert(source: Path, folder: Path) -> None:
    """Write ``tokenizer.json`` and what goes with it from the GGUF file into ``folder``."""
    fields = {key: field.contents for key, field in gguf.GGUFReader(source).fields.items()}
    tokens = fields["tokenizer.ggml.tokens"]()
    build_tokenizer(
        tokens, fields["tokenizer.ggml.merges"](), fields["tokenizer.ggml.token_type"]()
    ).save(str(folder / "tokenizer.json"))
    template = fields["tokenizer.chat_template"]()
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(_settings(fields, tokens), indent=1))


def build_tokenizer(tokens: list[str], merges: list[str], types: list[int]) -> Tokenizer:
    """Return the byte-level BPE tokenizer of SmolLM2."""
    pairs = [(left, right) for left, right in (merge.split(" ", 1) for merge in merges)]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    controls = [token for token, kind in zip(tokens, types, strict=True) if kind == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in controls])
    return tokenizer


def _settings(fields: dict[str, Any], tokens: list[str]) -> dict[str, Any]:
    named = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    ids = {key: fields[f"tokenizer.ggml.{name}_token_id"]() for key, name in named.items()}
    return {
        **{key: tokens[index] for key, index in ids.items()},
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": fields["llama.context_length"](),
        "clean_up_tokenization_spaces": False,
    }
