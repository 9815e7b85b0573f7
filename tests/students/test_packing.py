"""Packed reading against plain one-by-one forwards, on tiny random models of many kinds."""

from __future__ import annotations

import math
import random

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from pldgov.errors import ProviderError, UsageError  # noqa: E402
from pldgov.students.key_ledger import KeyLedger  # noqa: E402
from pldgov.students.label_trie import ROOT, build_trie  # noqa: E402
from pldgov.students.packed import PackedModel  # noqa: E402
from pldgov.students.packing_probe import packed_model, packing_error  # noqa: E402
from pldgov.students.padded import PaddedModel  # noqa: E402

VOCABULARY = 97
SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
MIXED = ["sliding_attention", "full_attention", "sliding_attention"]


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny models gain nothing from threads, and lose much when cores are shared."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def configuration(kind):
    """Return the configuration of a tiny model; every window is shorter than the prompts here."""
    t = transformers
    return {
        "llama": lambda: t.LlamaConfig(**SIZES),
        "qwen2": lambda: t.Qwen2Config(**SIZES),
        "qwen2-window": lambda: t.Qwen2Config(
            **SIZES, use_sliding_window=True, sliding_window=7, layer_types=MIXED
        ),
        "mistral": lambda: t.MistralConfig(**SIZES, sliding_window=7),
        "gemma2": lambda: t.Gemma2Config(
            **SIZES, head_dim=8, sliding_window=7, layer_types=MIXED, query_pre_attn_scalar=8
        ),
        "gemma3": lambda: t.Gemma3TextConfig(
            **SIZES, head_dim=8, sliding_window=7, layer_types=MIXED, query_pre_attn_scalar=8
        ),
        "gpt2": lambda: t.GPT2Config(
            vocab_size=VOCABULARY, n_embd=32, n_layer=3, n_head=4, n_positions=256
        ),
        "gpt-oss": lambda: t.GptOssConfig(
            **SIZES, head_dim=8, sliding_window=7, layer_types=MIXED, num_local_experts=4
        ),
        "mamba": lambda: t.MambaConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, state_size=4
        ),
        "bloom": lambda: t.BloomConfig(vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4),
    }[kind]()


def tiny(kind):
    """Return a random model with weights large enough that a wrong mask shows."""
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(configuration(kind)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.25)
    return model


PACKABLE = ("llama", "qwen2", "qwen2-window", "mistral", "gemma2", "gemma3", "gpt2", "gpt-oss")


def inputs(seed=0, *, prefix=23, suffixes=9):
    """Return a prefix and suffixes of differing length."""
    draw = random.Random(seed)
    tokens = lambda n: [draw.randrange(3, VOCABULARY) for _ in range(n)]  # noqa: E731
    return tokens(prefix), [tokens(draw.randrange(1, 14)) for _ in range(suffixes)]


LABELS = build_trie(
    {"one": [5], "two": [5, 6], "three": [7, 8, 9], "four": [7, 8, 10], "five": [11]}, end=2
)


def plain(model, prompt, label_tokens):
    """Return a label's log-likelihood from full forwards without cache, mask or batch."""
    total, tokens = 0.0, list(prompt)
    for token in label_tokens:
        with torch.inference_mode():
            logits = model(torch.tensor([tokens]), use_cache=False).logits[0, -1]
        total += float(logits.log_softmax(-1)[token])
        tokens.append(token)
    return total


def reference(model, prefix, suffixes):
    """Return the same table as ``log_likelihoods`` one token and one input at a time."""
    sequences = [[token for _, token in path] for path in LABELS.paths]
    return [[plain(model, [*prefix, *s], tokens) for tokens in sequences] for s in suffixes]


def worst(table, expected):
    """Return the largest difference of two tables."""
    return float((torch.tensor(table) - torch.tensor(expected)).abs().max())


@pytest.mark.parametrize("kind", PACKABLE)
def test_packing_changes_no_log_likelihood(kind):
    """One input a pack, all in one, in another order or in small pieces: the same to 1e-4."""
    model = tiny(kind)
    prefix, suffixes = inputs()
    expected = reference(model, prefix, suffixes)
    packed = PackedModel(model, chunk=1024)
    assert worst(packed.log_likelihoods(prefix, suffixes, LABELS), expected) < 1e-4
    alone = [packed.log_likelihoods(prefix, [suffix], LABELS)[0] for suffix in suffixes]
    assert worst(alone, expected) < 1e-4
    backwards = packed.log_likelihoods(prefix, suffixes[::-1], LABELS)
    assert worst(backwards[::-1], expected) < 1e-4
    pieces = PackedModel(model, chunk=5, split_attention=False)
    assert worst(pieces.log_likelihoods(prefix, suffixes, LABELS), expected) < 1e-4


@pytest.mark.parametrize("kind", PACKABLE)
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_no_log_likelihood(kind, side):
    """Batches padded on either side give what each prompt gives alone, to 1e-4."""
    model = tiny(kind)
    prefix, suffixes = inputs()
    padded = PaddedModel(model, batch=4, side=side, pad=0)
    table = padded.log_likelihoods(prefix, suffixes, LABELS)
    assert worst(table, reference(model, prefix, suffixes)) < 1e-4


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
def test_prefix_is_kept_and_exchanged(kind):
    """A prefix that shares a beginning with the last one, or nothing, is read aright."""
    model = tiny(kind)
    packed = PackedModel(model, chunk=1024)
    first, suffixes = inputs(prefix=23, suffixes=3)
    other, _ = inputs(seed=5, prefix=9)
    for prefix in (first, first, first[:11] + other, other, [], first):
        table = packed.log_likelihoods(prefix, suffixes, LABELS)
        assert worst(table, reference(model, prefix, suffixes)) < 1e-4


@pytest.mark.parametrize("kind", PACKABLE)
def test_packed_generation_is_greedy_decoding(kind):
    """Packed and padded generation write what plain greedy decoding writes, input by input."""
    model = tiny(kind)
    prefix, suffixes = inputs(suffixes=5)
    expected = []
    for suffix in suffixes:
        tokens = [*prefix, *suffix]
        for _ in range(6):
            with torch.inference_mode():
                token = int(model(torch.tensor([tokens]), use_cache=False).logits[0, -1].argmax())
            tokens.append(token)
        expected.append(tokens[len(prefix) + len(suffix) :])
    stop = {expected[0][3]}
    expected = [row[: row.index(min(stop))] if stop & set(row) else row for row in expected]
    packed = PackedModel(model, chunk=1024).generate(prefix, suffixes, limit=6, stop=stop)
    assert packed == expected
    padded = PaddedModel(model, batch=3, side="left", pad=0)
    assert padded.generate(prefix, suffixes, limit=6, stop=stop) == expected


@pytest.mark.parametrize("kind", PACKABLE)
def test_probe_accepts_what_can_be_packed(kind):
    """The probe passes models with any mixture of full and windowed attention."""
    model = tiny(kind)
    window = getattr(model.config, "sliding_window", None)
    assert packing_error(packed_model(model, chunk=1024), model) < 1e-4
    assert getattr(model.config, "sliding_window", None) == window


@pytest.mark.parametrize("kind", ["mamba", "bloom"])
def test_probe_refuses_what_cannot_be_packed(kind):
    """A model with a state, or with a bias by distance in the sequence, is refused by name."""
    with pytest.raises(ProviderError, match=r'(Mamba|Bloom).*scoring = "padded"'):
        packed_model(tiny(kind), chunk=1024)


@pytest.mark.parametrize("kind", ["mamba", "bloom"])
def test_padded_reading_serves_what_cannot_be_packed(kind):
    """The reference path reads such models aright."""
    model = tiny(kind)
    prefix, suffixes = inputs(suffixes=4)
    table = PaddedModel(model, batch=3, side="right", pad=0).log_likelihoods(
        prefix, suffixes, LABELS
    )
    assert worst(table, reference(model, prefix, suffixes)) < 1e-4


def test_probe_notices_a_wrong_window(monkeypatch):
    """A mask that forgets the sliding window fails the probe, though the probe is short."""
    model = tiny("gemma3")
    monkeypatch.setattr(
        "pldgov.students.packed.attention_windows",
        lambda _: {"full_attention": None, "sliding_attention": None},
    )
    with pytest.raises(ProviderError, match="differ"):
        packed_model(model, chunk=1024)


def test_failure_in_the_middle_leaves_the_cache_whole():
    """An interrupted pack loses nothing but itself: the next one reads as if nothing had been."""
    model = tiny("llama")
    packed = PackedModel(model, chunk=6)
    prefix, suffixes = inputs(suffixes=4)
    expected = packed.log_likelihoods(prefix, suffixes, LABELS)
    layer = model.model.layers[1]
    calls = iter([None, KeyboardInterrupt])

    def interrupt(*_):
        raised = next(calls, None)
        if raised:
            raise raised

    hook = layer.register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        packed.log_likelihoods(prefix, suffixes, LABELS)
    hook.remove()
    assert worst(packed.log_likelihoods(prefix, suffixes, LABELS), expected) < 1e-5


def test_ledger_shows_a_token_its_own_path_only():
    """Prefix, own input and own stretch of a label are seen; neighbours and later keys are not."""
    ledger = KeyLedger()
    trunk = ledger.open()
    ledger.extend(trunk, 2)
    one = ledger.open(trunk)
    assert list(ledger.extend(one, 2)) == [2, 3]
    leaf, twig = ledger.open(one), ledger.open(one)
    assert list(ledger.extend(leaf)) == list(ledger.extend(twig)) == [4]
    two = ledger.open(trunk)
    assert list(ledger.extend(two)) == [2]
    seen = ledger.visible(range(4, 7)).int().tolist()
    assert seen == [[1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 0, 1, 0], [1, 1, 0, 0, 0, 0, 1]]
    windowed = ledger.visible(range(5, 7), since=1, window=3).int().tolist()
    assert windowed == [[0, 1, 1, 0, 1, 0], [1, 0, 0, 0, 0, 1]]


def test_ledger_cut_forgets_branches_and_keys():
    """After a cut the trunk goes on from where it was cut."""
    ledger = KeyLedger()
    trunk = ledger.open()
    ledger.extend(trunk, 5)
    ledger.extend(ledger.open(trunk), 3)
    ledger.cut(4, trunk + 1)
    assert len(ledger) == 4
    assert list(ledger.extend(trunk, 2)) == [4, 5]


def test_labels_that_begin_each_other_are_closed():
    """The end-of-turn token is appended to all labels as soon as one begins another."""
    trie = build_trie({"a": [5], "b": [5, 6], "c": [7]}, end=2)
    assert trie.closed
    assert trie.paths == (((ROOT, 5), (0, 2)), ((ROOT, 5), (0, 6), (1, 2)), ((ROOT, 7), (2, 2)))
    assert not build_trie({"a": [5], "c": [7]}, end=2).closed


@pytest.mark.parametrize("labels", [{"a": [5], "b": [5]}, {"a": [], "b": [5]}])
def test_labels_the_tokenizer_cannot_tell_apart_are_refused(labels):
    """Equal or empty token sequences are an error that names the cure."""
    with pytest.raises(UsageError, match="rename the label"):
        build_trie(labels, end=2)


def test_closed_likelihoods_are_a_distribution():
    """Over a complete set of closed continuations the probabilities sum to at most one."""
    model = tiny("llama")
    prefix, suffixes = inputs(suffixes=2)
    for row in PackedModel(model, chunk=1024).log_likelihoods(prefix, suffixes, LABELS):
        assert sum(map(math.exp, row)) <= 1
