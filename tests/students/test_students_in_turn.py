"""Several local students in one run: each loaded once, and never two at once."""

from __future__ import annotations

import json
import shutil
import weakref

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

from pldgov.cli import cli  # noqa: E402
from pldgov.config import load_config  # noqa: E402
from pldgov.pytest_items.judging import Judging  # noqa: E402
from pldgov.pytest_items.settings import Settings  # noqa: E402
from pldgov.students.local import LocalStudent  # noqa: E402
from pldgov.workspace import Workspace  # noqa: E402

NAMES = ("a-first", "b-second", "c-third", "desk")
SETTINGS = """\
[tool.pldgov]
student = "one"

[tool.pldgov.student_of]
b-second = "two"
desk = "two"

[tool.pldgov.students.one]
kind = "transformers"
model = "models/one"
chat_template = "plain"

[tool.pldgov.students.two]
kind = "transformers"
model = "models/two"
chat_template = "plain"
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder with a random Llama of one layer and a byte-level tokenizer."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    backend = tokenizers.Tokenizer(
        tokenizers.models.BPE({c: i for i, c in enumerate(alphabet)}, [])
    )
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    backend.add_special_tokens(["<|end|>"])
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|end|>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=257, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=1024,
        eos_token_id=256,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def repo(governance_repo, tiny, tmp_path, monkeypatch):
    """Four rulebooks whose two students take turns in the order of their names."""
    monkeypatch.setenv("PLDGOV_CACHE_DIR", str(tmp_path / "cache"))
    repo = governance_repo(recorded=False)
    for name in NAMES:
        more = repo.another(name)
        more.write_examples()
        more.write_rulebook(gate={"on_no_baseline": "pass"})
    repo.write("pyproject.toml", SETTINGS)
    for name in ("one", "two"):
        shutil.copytree(tiny, repo.root / "models" / name)
    config = json.loads((repo.root / "models/two/config.json").read_text("utf-8"))
    repo.write("models/two/config.json", json.dumps({**config, "rms_norm_eps": 0.1}))
    repo.write(".gitignore", ".pldgov/\nmodels/\n")
    return repo


@pytest.fixture
def loads(monkeypatch):
    """Note each loading: (student, how many other models are in memory at that moment)."""
    noted, alive = [], weakref.WeakSet()
    load = LocalStudent._load

    def noting(self):
        noted.append((self.name, len(alive)))
        engine = load(self)
        alive.add(engine.reader._model if hasattr(engine.reader, "_model") else engine.reader)
        return engine

    monkeypatch.setattr(LocalStudent, "_load", noting)
    return noted


@pytest.mark.parametrize("verb", [("gate", "--format", "json"), ("bless", "--reason", "x")])
def test_each_student_is_loaded_once(repo, loads, monkeypatch, verb):
    """Grouped by student, the first freed before the second; the report keeps its order."""
    repo.commit("Four")
    repo.branch("edit")
    for name in NAMES:
        repo.another(name).write_rulebook(rule="Reworded.", gate={"on_no_baseline": "pass"})
    repo.commit("Reword")
    monkeypatch.chdir(repo.root)
    result = CliRunner().invoke(cli, list(verb))
    assert loads == [("one", 0), ("two", 0)], result.output
    if verb[0] == "gate":
        rows = json.loads(result.stdout)["rulebooks"]
        found = [(row["rulebook"], row["student"]["name"]) for row in rows]
        assert found == list(zip(NAMES, ("one", "two", "one", "two"), strict=True))


def test_students_of_an_upgrade_are_not_held_together(repo, loads, monkeypatch):
    """The old one is freed before the new one is loaded, rulebook by rulebook."""
    repo.commit("Four")
    monkeypatch.chdir(repo.root)
    against = ["gate", "a-first", "c-third", "--student", "one", "--against", "two"]
    result = CliRunner().invoke(cli, against)
    assert result.exit_code in (0, 1, 3), result.output
    assert loads == [("two", 0), ("one", 0), ("two", 0), ("one", 0)]


def test_pytest_holds_one_at_a_time(repo, loads):
    """Even where tests ask in turns."""
    judging = Judging(Settings(root=repo.root))
    try:
        for name in ("a-first", "b-second", "c-third"):
            judging.gate(repo.another(name).rulebook)
    finally:
        judging.close()
    assert loads == [("one", 0), ("two", 0), ("one", 0)]


def test_a_closed_student_is_loaded_again_for_the_next_question(repo, loads):
    """Freed is not gone: the same answers come again."""
    workspace = Workspace(load_config(repo.root, environment={}))
    student = workspace.student("one")
    student.load()
    student.close()
    student.close()
    student.load()
    assert loads == [("one", 0), ("one", 0)]
