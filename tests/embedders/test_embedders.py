"""Every embedder gives unit vectors for the texts it got, and clear errors for what it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from pldgov.embedders import BACKENDS, BUILT_IN, open_embedder
from pldgov.embedders.tfidf import TfidfEmbedder, TfidfOptions
from pldgov.embedders.unit import unit_length
from pldgov.errors import DataError, ProviderError, UsageError

ROOT = Path()
TEXTS = (
    "A stolen card is fraud.",
    "A card that was stolen from the customer is fraud.",
    "A question about opening hours is an enquiry.",
    "Questions about the opening hours of a branch are an enquiry.",
    "Somebody cannot pay an instalment since they lost their job: hardship.",
    "The customer lost their job and cannot pay: hardship.",
)


def tfidf(**options) -> TfidfEmbedder:
    return TfidfEmbedder("tfidf", TfidfOptions(**options))


def test_tfidf_puts_like_texts_together():
    """Vectors have unit length, and each text's nearest is its paraphrase."""
    vectors = tfidf().embed(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (6, 5)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    similar = vectors @ vectors.T - 2 * np.eye(6)
    assert similar.argmax(axis=1).tolist() == [1, 0, 3, 2, 5, 4]


def test_tfidf_does_not_depend_on_order_or_repeats():
    """A text's vector is the same in any company of the same texts, bit for bit."""
    straight = tfidf(dimensions=3).embed(TEXTS)
    again = tfidf(dimensions=3).embed((*TEXTS[::-1], TEXTS[2]))
    assert np.array_equal(again[:6], straight[::-1])
    assert np.array_equal(again[6], straight[2])


@pytest.mark.parametrize("texts", [[], ["one"], ["same", "same"], ["!!", "?"], ["a", "b"]])
def test_tfidf_takes_few_and_odd_texts(texts):
    """No texts, one, repeats, marks only, single letters: unit vectors all the same."""
    vectors = tfidf().embed(texts)
    assert len(vectors) == len(texts)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_tfidf_refuses_an_empty_text():
    """A text of white space has no vector."""
    with pytest.raises(DataError, match="empty"):
        tfidf().embed(["a card", " \n"])


def test_tfidf_chooses_its_dimensions_by_the_number_of_texts():
    """A sixth of the texts' number, from 16 to 128, unless told otherwise."""
    texts = [f"word{n} thing{n % 7} case{n % 13}" for n in range(150)]
    assert tfidf().embed(texts).shape == (150, 25)
    assert tfidf(dimensions=40).embed(texts).shape == (150, 40)
    assert tfidf().embed(texts[:40]).shape == (40, 16)


def test_fingerprints_tell_settings_apart():
    """What would give other vectors has another fingerprint."""
    assert tfidf().fingerprint == tfidf().fingerprint
    assert (
        len({tfidf().fingerprint, tfidf(seed=1).fingerprint, tfidf(dimensions=9).fingerprint}) == 3
    )


def test_unit_length_divides_and_refuses_what_is_not_finite():
    """Lengths become one; zeros point to all sides alike; infinities are an error."""
    vectors = unit_length(np.array([[3, 4], [0, 0]]), where="here")
    assert np.allclose(vectors, [[0.6, 0.8], [0.5**0.5, 0.5**0.5]])
    with pytest.raises(ProviderError, match="here: .*not finite"):
        unit_length(np.array([[1, np.inf]]), where="here")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "unknown kind of embedder"),
        ({"kind": "tf-idf"}, 'did you mean "tfidf"'),
        ({"kind": "tfidf", "dimension": 3}, 'dimension: unknown option .did you mean "dimensions"'),
        ({"kind": "tfidf", "dimensions": 0}, "dimensions"),
        ({"kind": "openai", "model": "m", "api_key": "sk-1"}, "a key must not stand"),
        ({"kind": "openai"}, "model"),
    ],
)
def test_wrong_options_are_usage_errors(options, says):
    """An unknown kind, an unknown option and an unfit value are told, with the table's name."""
    with pytest.raises(UsageError, match=says) as error:
        open_embedder("mine", options, root=ROOT)
    assert error.value.where == "[tool.pldgov.embedders.mine]"


def test_built_in_embedders_need_no_setting():
    """The names that need no table open; nothing is loaded for it."""
    assert open_embedder("tfidf", BUILT_IN["tfidf"], root=ROOT).fingerprint.startswith("tfidf/")
    assert set(BUILT_IN) <= set(BACKENDS)


def test_a_missing_package_names_its_extra(monkeypatch):
    """Without sentence-transformers the error says what to install."""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    monkeypatch.delitem(sys.modules, "pldgov.embedders.sentence", raising=False)
    with pytest.raises(ProviderError, match=r"pip install 'pldgov\[embed\]'"):
        open_embedder("mine", {"kind": "sentence-transformers", "model": "x"}, root=ROOT)


def test_the_table_is_light():
    """Opening the table of embedders imports neither numpy nor scikit-learn nor torch."""
    code = (
        "import sys, pldgov.embedders;"
        "print([m for m in ('numpy', 'sklearn', 'torch', 'openai') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_the_student_embedder_wants_a_local_student():
    """An unknown student, or one behind an endpoint, cannot lend its hidden states."""
    pytest.importorskip("torch")
    with pytest.raises(UsageError, match="there is no student 'mine'"):
        open_embedder("e", {"kind": "student", "student": "mine"}, root=ROOT)
    students = {"far": {"kind": "openai", "model": "m", "base_url": "http://127.0.0.1:1/v1"}}
    with pytest.raises(UsageError, match="does not run here"):
        open_embedder("e", {"kind": "student", "student": "far"}, root=ROOT, students=students)


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory):
    """Return a folder with a two-layer model of random weights and a tokenizer of words."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = sorted({w.strip(".:") for text in TEXTS for w in text.split()})
    vocabulary = {word: index for index, word in enumerate(["<s>", "<unk>", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = tmp_path_factory.mktemp("tiny")
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<s>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=16, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=24,
        eos_token_id=0, bos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def states(folder, **options):
    students = {"tiny": {"kind": "transformers", "model": str(folder)}}
    table = {"kind": "student", "student": "tiny", **options}
    return open_embedder("e", table, root=ROOT, students=students)


def test_student_states_do_not_depend_on_the_batch(tiny_folder):
    """Padding and company change no vector; the order of the texts is kept."""
    together = states(tiny_folder).embed(TEXTS)
    assert together.shape == (6, 16)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert np.allclose(states(tiny_folder, batch_size=1).embed(TEXTS), together, atol=1e-5)
    assert np.allclose(states(tiny_folder).embed(TEXTS[::-1])[::-1], together, atol=1e-5)


def test_student_states_are_the_mean_over_the_text_minus_the_mean_over_texts(tiny_folder):
    """The formula, worked out with transformers alone, at each layer."""
    import torch
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_folder)
    for layer in (0, 1, 2):
        means = []
        for text in TEXTS:
            ids = torch.tensor([[0, *tokenizer.encode(text, add_special_tokens=False)]])
            with torch.no_grad():
                hidden = model(ids, output_hidden_states=True).hidden_states[layer]
            means.append(hidden[0, 1:].mean(0).numpy())
        centred = np.array(means) - np.mean(means, axis=0)
        expected = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        assert np.allclose(states(tiny_folder, layer=layer).embed(TEXTS), expected, atol=1e-4)
    assert np.allclose(states(tiny_folder).embed(TEXTS), states(tiny_folder, layer=1).embed(TEXTS))


def test_student_states_refuse_what_cannot_be_read(tiny_folder):
    """No text, a text without tokens, one too long and a layer that is not there are errors."""
    assert len(states(tiny_folder).embed([])) == 0
    with pytest.raises(DataError, match="empty"):
        states(tiny_folder).embed(["card", "  "])
    with pytest.raises(DataError, match="31 tokens; the student reads 24"):
        states(tiny_folder).embed(["card " * 30])
    with pytest.raises(UsageError, match="layer 3 does not exist: the student has 2"):
        states(tiny_folder, layer=3).embed(["card"])


def test_the_fingerprint_of_student_states_pins_weights_and_layer(tiny_folder):
    """It holds a digest of the folder and no path of this machine."""
    fingerprint = states(tiny_folder).fingerprint
    assert "sha256:" in fingerprint
    assert str(tiny_folder.parent) not in fingerprint
    assert fingerprint != states(tiny_folder, layer=0).fingerprint


def test_a_sentence_transformers_folder_is_read_and_pinned(tmp_path):
    """A folder in the layout of sentence-transformers gives unit vectors; its prefix counts."""
    pytest.importorskip("sentence_transformers")
    folder = _sentence_model(tmp_path)
    table = {"kind": "sentence-transformers", "model": str(folder)}
    embedder = open_embedder("mine", table, root=ROOT)
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (6, 8)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.allclose(embedder.embed(TEXTS[:1]), vectors[:1], atol=1e-5)
    assert embedder.fingerprint.startswith("sentence-transformers st sha256:")
    prefixed = open_embedder("mine", {**table, "prefix": "card "}, root=ROOT)
    assert prefixed.fingerprint != embedder.fingerprint
    assert not np.allclose(prefixed.embed(TEXTS[:1]), vectors[:1], atol=1e-3)


def test_a_sentence_model_that_is_not_there_is_told(tmp_path):
    """A folder without a model, and a path that does not exist, are provider errors."""
    if find_spec("sentence_transformers") is None:
        pytest.skip("sentence-transformers is not installed")
    for model in (str(tmp_path), "no/such/folder/at/all"):
        with pytest.raises(ProviderError):
            open_embedder(
                "mine", {"kind": "sentence-transformers", "model": model}, root=tmp_path
            ).embed(["a"])


def _sentence_model(tmp_path):
    """Write a folder as sentence-transformers lays it out: a BERT, then the mean over tokens."""
    import torch
    import transformers

    words = sorted({w.strip(".:").lower() for text in TEXTS for w in text.split()})
    folder = tmp_path / "st"
    (folder / "1_Pooling").mkdir(parents=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8, max_position_embeddings=64,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(folder)
    kinds = {"": "Transformer", "1_Pooling": "Pooling"}
    modules = [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for n, (path, kind) in enumerate(kinds.items())
    ]
    pooling = {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True}
    files = {
        "modules.json": modules,
        "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": 64, "do_lower_case": False},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return folder
