"""A local model as a student: options, answers, limits, and files that are not as they should be."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

from safetensors.torch import load_file, save_file  # noqa: E402

from pldgov.errors import DataError, ProviderError, UsageError  # noqa: E402
from pldgov.questions import Prompt, Query, Turn  # noqa: E402
from pldgov.students import open_student  # noqa: E402
from pldgov.students.decoding import GreedyText, LabelLikelihood  # noqa: E402
from pldgov.students.engine import Engine  # noqa: E402

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CONTEXT = 256


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Each test notes its digests in a folder of its own, and runs on one thread."""
    monkeypatch.setenv("PLDGOV_CACHE_DIR", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A folder with a random Llama of three layers and a byte-level tokenizer."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    backend = tokenizers.Tokenizer(
        tokenizers.models.BPE({c: i for i, c in enumerate(alphabet)}, [])
    )
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    backend.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", chat_template=CHATML
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=258,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        eos_token_id=257,
        tie_word_embeddings=False,
    )
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.2)
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def copied(tiny_model, tmp_path):
    """A copy of the model's folder that a test may damage."""
    return Path(shutil.copytree(tiny_model, tmp_path / "tiny"))


@pytest.fixture
def make(tiny_model, tmp_path):
    """Return a student on the tiny model, with options of one's own."""

    def build(**options):
        settings = {"kind": "transformers", "model": str(tiny_model), **options}
        return open_student("tiny", settings, root=tmp_path)

    return build


PROMPT = Prompt(
    system="Which bias?",
    labels={"gender": "", "race": "", "gender or race": ""},
    user_template="{{ text }}",
    turns=(Turn("she cooks", "gender"),),
)
TEXTS = ("he drives", "they all steal", "ok", "a very long text " * 4, "he drives a bus", "x")
QUERIES = tuple(Query(f"e-{n}", str(n), text) for n, text in enumerate(TEXTS))


def plain_scores(folder, text):
    """Return each label's log-likelihood by one full forward, without any of our code."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    messages = [*PROMPT.messages, {"role": "user", "content": text}]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    scores = {}
    for label in PROMPT.labels:
        tail = tokenizer.encode(label + "<|im_end|>", add_special_tokens=False)
        with torch.inference_mode():
            logs = model(torch.tensor([[*ids, *tail]])).logits[0].log_softmax(-1)
        steps = enumerate(tail, start=len(ids) - 1)
        scores[label] = sum(float(logs[position, token]) for position, token in steps)
    return scores, len(ids)


def test_answers_are_the_model_s_likelihoods(make, tiny_model):
    """Scores, label and tokens are those of a plain forward, whole labels with their end."""
    answers = dict(make().answer(PROMPT, QUERIES))
    assert sorted(answers) == list(range(len(TEXTS)))
    for index, text in enumerate(TEXTS):
        expected, length = plain_scores(tiny_model, text)
        answer = answers[index]
        assert answer.scores == pytest.approx(expected, abs=1e-4)
        assert answer.label == max(expected, key=expected.get)
        assert (answer.score_kind, answer.tokens_in, answer.tokens_out) == (
            "log-likelihood",
            length,
            0,
        )
        assert answer.seconds > 0
        assert (answer.truncated, answer.raw) == (0, None)


@pytest.mark.parametrize(
    "options",
    [
        {"pack_tokens": 1},
        {"pack_tokens": 60},
        {"scoring": "padded"},
        {"scoring": "padded", "batch_size": 3},
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_reading_together_changes_no_answer(make, options, order):
    """Neither pack size, batch size, order nor way of reading moves a score by 1e-4."""
    expected = dict(make().answer(PROMPT, QUERIES))
    found = dict(make(**options).answer(PROMPT, QUERIES[::order]))
    for index, query in enumerate(QUERIES[::order]):
        wanted = expected[QUERIES.index(query)]
        assert found[index].scores == pytest.approx(wanted.scores, abs=1e-4)
        assert found[index].label == wanted.label


def test_student_goes_on_with_another_prompt(make):
    """Prompts may alternate on one open student, and a closed one opens again."""
    student = make()
    other = Prompt(system="Other rules", labels=PROMPT.labels, user_template="")
    first = dict(student.answer(PROMPT, QUERIES))
    second = dict(student.answer(other, QUERIES[:1]))
    assert second[0].scores != first[0].scores
    assert dict(student.answer(PROMPT, QUERIES))[2].scores == pytest.approx(
        first[2].scores, abs=1e-4
    )
    student.close()
    student.close()
    assert dict(student.answer(other, QUERIES[:1]))[0].scores == pytest.approx(
        second[0].scores, abs=1e-4
    )
    assert dict(student.answer(PROMPT, ())) == {}


@pytest.mark.parametrize("scoring", ["packed", "padded"])
def test_generated_text_that_names_no_label_is_invalid(make, scoring):
    """A random model writes noise: no label, the raw text and its tokens kept, no scores."""
    student = make(decoding="generate", max_new_tokens=5, scoring=scoring)
    for _, answer in student.answer(PROMPT, QUERIES):
        assert (answer.label, answer.scores, answer.score_kind) == (None, None, None)
        assert answer.raw is not None
        assert 0 < answer.tokens_out <= 5


class WritingReader:
    """A reader that writes one text, and gives fixed likelihoods."""

    def __init__(self, chat, text, row=(0.0,)):
        self.chat, self.text, self.row = chat, text, row

    def generate(self, prefix, suffixes, *, limit, stop):
        return [self.chat.label_tokens(self.text)[:limit] for _ in suffixes]

    def log_likelihoods(self, prefix, suffixes, labels):
        return [list(self.row) for _ in suffixes]


def engine_of(student, **options):
    """Return the student's engine with another reader."""
    chat = student.load().chat
    reader = WritingReader(chat, **options)
    return Engine(reader=reader, chat=chat, context=None, stop=frozenset(), place="here")


@pytest.mark.parametrize(("text", "label"), [("The answer is Race.", "race"), ("either", None)])
def test_generated_text_is_parsed(make, text, label):
    """Text becomes the one label it names."""
    decoding = GreedyText(engine_of(make(), text=text), tuple(PROMPT.labels), 30)
    (answer,) = decoding.answers([], [[1]])
    assert (answer.label, answer.raw, answer.tokens_out) == (label, text, len(text))


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_likelihoods_that_are_no_numbers_are_refused(make, value):
    """A narrow type that overflows is an error, not an answer."""
    decoding = LabelLikelihood.of(engine_of(make(), text="", row=(value,) * 3), PROMPT.labels)
    with pytest.raises(ProviderError, match='dtype = "float32"'):
        decoding.answers([], [[1]])


def test_interruption_keeps_the_packs_before_it(make):
    """Ctrl-C in the second pack leaves the first pack's answers, and a student that goes on."""
    student = make(pack_tokens=50)
    expected = dict(student.answer(PROMPT, QUERIES))
    reader = student.load().reader
    calls, read = [], reader.log_likelihoods

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return read(*arguments)

    reader.log_likelihoods = interrupted
    kept = []
    with pytest.raises(KeyboardInterrupt):
        kept.extend(student.answer(PROMPT, QUERIES))
    assert 0 < len(kept) < len(QUERIES)
    assert dict(student.answer(PROMPT, QUERIES))[5].scores == pytest.approx(
        expected[5].scores, abs=1e-4
    )


LONG = Query("e-long", "l", "word " * 60)


def test_text_beyond_the_context_is_an_error_before_any_answer(make):
    """The message names the example, its tokens and the limit, and no answer was given before."""
    answers = make().answer(PROMPT, (*QUERIES, LONG))
    with pytest.raises(
        DataError, match=rf"example 'e-long'.*: \d+ tokens .* at most {CONTEXT}.*overflow"
    ):
        next(answers)


@pytest.mark.parametrize("options", [{}, {"decoding": "generate", "max_new_tokens": 9}])
def test_truncation_is_counted_and_keeps_the_turn_closed(make, tiny_model, options):
    """With leave to cut, the end of the input goes, the conversation's end stays."""
    student = make(overflow="truncate", **options)
    answers = dict(student.answer(PROMPT, (*QUERIES, LONG)))
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_model)
    shown = [*PROMPT.messages, {"role": "user", "content": LONG.text}]
    whole = tokenizer.apply_chat_template(shown, add_generation_prompt=True, return_dict=False)
    cut = answers[len(QUERIES)]
    reserve = options.get("max_new_tokens", len("gender or race<"))
    assert cut.truncated == len(whole) - cut.tokens_in
    assert CONTEXT - reserve <= cut.tokens_in <= CONTEXT
    assert all(answers[index].truncated == 0 for index in range(len(QUERIES)))
    left = LONG.text[: -cut.truncated]
    again = dict(student.answer(PROMPT, [Query("cut", "c", left)]))[0]
    assert (again.tokens_in, again.truncated) == (cut.tokens_in, 0)
    assert again.scores == (pytest.approx(cut.scores, abs=1e-4) if cut.scores else None)
    assert again.raw == cut.raw


@pytest.mark.parametrize("overflow", ["error", "truncate"])
def test_prompt_that_fills_the_context_is_an_error(make, overflow):
    """Nothing of the prompt is ever cut."""
    prompt = Prompt(system="rule " * 90, labels=PROMPT.labels, user_template="")
    with pytest.raises(DataError, match="prompt alone leaves no room"):
        list(make(overflow=overflow).answer(prompt, QUERIES))


@pytest.mark.parametrize(
    ("options", "limit"),
    [({}, 64), ({"scoring": "padded"}, 64), ({"scoring": "padded", "batch_size": 1}, CONTEXT)],
)
def test_positions_that_stretch_limit_what_is_read_together(make, copied, options, limit):
    """Where a long input would change its neighbours, the context ends before that begins."""
    settings = json.loads((copied / "config.json").read_text())
    settings["rope_parameters"] = {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "original_max_position_embeddings": 64,
        "short_factor": [1.0] * 4,
        "long_factor": [2.0] * 4,
        "factor": 4.0,
    }
    (copied / "config.json").write_text(json.dumps(settings))
    assert make(model=str(copied), **options).load().context == limit


def test_labels_of_equal_tokens_are_refused(make):
    """A label without text cannot be asked for."""
    prompt = Prompt(system="s", labels={"": "", "a": ""}, user_template="")
    with pytest.raises(UsageError, match="rename the label"):
        list(make().answer(prompt, QUERIES))


def test_card_names_weights_and_settings_not_places(make, copied, tmp_path):
    """A copy of the folder is the same student; speed settings and the name do not count."""
    card = make().card
    assert (card.kind, card.model) == ("transformers", "tiny")
    assert card.snapshot.startswith("sha256:")
    same = [
        make(model=str(copied)),
        open_student("other", {"kind": "transformers", "model": "tiny"}, root=tmp_path),
        make(pack_tokens=7, batch_size=2, threads=1, scoring="padded", calibration="label-prior"),
    ]
    assert {student.card.fingerprint for student in same} == {card.fingerprint}
    assert make(calibration="label-prior").card.policy.calibration == "label-prior"


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "bfloat16"},
        {"decoding": "generate"},
        {"decoding": "generate", "max_new_tokens": 3},
        {"overflow": "truncate"},
        {"chat_template": "plain"},
    ],
)
def test_settings_that_change_answers_change_the_fingerprint(make, options):
    """Each of them makes another student for store and gate."""
    assert make(**options).card.fingerprint != make().card.fingerprint


@pytest.mark.parametrize("name", ["model.safetensors", "chat_template.jinja", "tokenizer.json"])
def test_changed_files_change_the_fingerprint(make, copied, name):
    """A digest once noted is not trusted after the file changed."""
    before = make(model=str(copied)).card.fingerprint
    assert make(model=str(copied)).card.fingerprint == before
    data = bytearray((copied / name).read_bytes())
    data[-1] ^= 1
    (copied / name).write_bytes(data)
    assert make(model=str(copied)).card.fingerprint != before


def test_card_and_token_count_load_neither_torch_nor_transformers(tiny_model, tmp_path):
    """A gate that finds every answer in the store never pays for the model."""
    program = f"""
import json, sys
from pathlib import Path
from pldgov.students import open_student
student = open_student("t", {{"kind": "transformers", "model": {str(tiny_model)!r}}}, root=Path.cwd())
student.card.fingerprint
open_student("smollm2", {{"kind": "smollm2"}}, root=Path.cwd()).card.fingerprint
count = student.count_tokens("twelve bytes")
print(json.dumps([count, sorted({{"torch", "transformers", "huggingface_hub"}} & set(sys.modules))]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert json.loads(done.stdout) == [12, []]


def test_token_count_is_unknown_without_a_tokenizer_file(make, copied):
    """Where no tokenizer can be read alone, the answer is None, not a guess."""
    (copied / "tokenizer.json").unlink()
    assert make(model=str(copied)).count_tokens("text") is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modle": "x"}, 'did you mean "model"'),
        ({"decoding": "beam"}, "decoding"),
        ({"pack_tokens": 0}, "pack_tokens"),
        ({"revision": "main"}, "revision is for models on the hub"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(make, options, message):
    """Each wrong option is named."""
    with pytest.raises(UsageError, match=message):
        make(**options).card.fingerprint  # noqa: B018


@pytest.mark.parametrize("model", ["./nowhere", "/no/such/folder", "absent.gguf", "models/a/b"])
def test_absent_folder_is_named(make, model):
    """A path that leads nowhere is never taken for a hub id."""
    with pytest.raises(ProviderError, match="no such folder or file"):
        list(make(model=model).answer(PROMPT, QUERIES))


def edited(weights, change):
    """Rewrite a weights file with one tensor changed or gone."""
    tensors = load_file(weights)
    change(tensors)
    save_file(tensors, weights, metadata={"format": "pt"})


def narrow_head(tensors):
    """Give one tensor another shape."""
    tensors["lm_head.weight"] = tensors["lm_head.weight"][:, :-1].contiguous()


DAMAGE = {
    "no weights": ("model.safetensors", lambda file: file.unlink()),
    "half the weights": (
        "model.safetensors",
        lambda file: file.write_bytes(file.read_bytes()[:9999]),
    ),
    "noise": ("model.safetensors", lambda file: file.write_bytes(b"\xff" * 4096)),
    "empty": ("model.safetensors", lambda file: file.write_bytes(b"")),
    "a tensor missing": (
        "model.safetensors",
        lambda file: edited(file, lambda all_: all_.pop("model.layers.1.mlp.up_proj.weight")),
    ),
    "another shape": ("model.safetensors", lambda file: edited(file, narrow_head)),
    "no config": ("config.json", lambda file: file.unlink()),
    "broken config": ("config.json", lambda file: file.write_text('{"model_type": ')),
    "unknown kind": ("config.json", lambda file: file.write_text('{"model_type": "no-such"}')),
    "broken tokenizer": ("tokenizer.json", lambda file: file.write_text("{}")),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_model_is_a_provider_error_that_names_the_folder(make, copied, what):
    """No damage is silently repaired with random weights, none escapes as a bug."""
    name, damage = DAMAGE[what]
    damage(copied / name)
    student = make(model=str(copied))
    with pytest.raises(ProviderError) as caught:
        list(student.answer(PROMPT, QUERIES))
    assert str(copied) in str(caught.value.where)
    assert caught.value.hint
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("content", [b"", b"GGUF", b"not a model"])
def test_damaged_gguf_is_a_provider_error(make, tmp_path, content):
    """A GGUF file that cannot be read is named."""
    file = tmp_path / "broken.gguf"
    file.write_bytes(content)
    with pytest.raises(ProviderError, match=r"broken\.gguf"):
        list(make(model="broken.gguf").answer(PROMPT, QUERIES))


def test_hub_model_is_pinned_to_the_commit_in_the_cache(make, tmp_path, monkeypatch):
    """The snapshot of a hub model is the commit that would be loaded, read without network."""
    hub = pytest.importorskip("huggingface_hub")
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--someone--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots" / commit).mkdir(parents=True)
    (repository / "snapshots" / commit / "config.json").write_text("{}")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    student = make(model="someone/tiny")
    assert (student.card.model, student.card.snapshot) == ("someone/tiny", commit)
    pinned = make(model="someone/tiny", revision="f" * 40, gguf_file="q4.gguf")
    assert pinned.card.snapshot == "f" * 40 + "/q4.gguf"


def test_hub_that_cannot_be_reached_is_a_provider_error(make, tmp_path, monkeypatch):
    """Neither cached nor to be had: the message says both, and what to do."""
    hub = pytest.importorskip("huggingface_hub")

    def offline(*_, **__):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(hub.HfApi, "model_info", offline)
    with pytest.raises(ProviderError, match=r"nobody/nothing.*no route to host.*folder"):
        make(model="nobody/nothing").card.fingerprint  # noqa: B018
