"""``pldgov cache``: what people see of the store."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pldgov.cli import cli
from pldgov.results import Answer
from pldgov.store import Store


@pytest.fixture
def path(tmp_path):
    """Make a store with three answers to two prompts."""
    place = tmp_path / "store.sqlite"
    with Store(place) as store:
        store.put("p1", "s", {"a": Answer("fraud"), "b": Answer(None, raw="żółć")})
        store.put("p2", "t", {"a": Answer("card", tokens_in=3)})
    return place


def cache(*arguments):
    return CliRunner().invoke(cli, ["cache", *map(str, arguments)])


def test_info_says_what_is_stored(path):
    """Text for people, JSON for scripts, with the same counts."""
    text = cache("info", "--store", path)
    assert text.exit_code == 0
    assert "3 answers to 2 prompts by 2 students" in text.stdout
    found = json.loads(cache("info", "--store", path, "--format", "json").stdout)
    assert (found["answers"], found["prompts"], found["path"]) == (3, 2, str(path))


def test_the_store_comes_from_the_settings(path, monkeypatch, tmp_path):
    """Without --store the path is that of [tool.pldgov], or of PLDGOV_STORE above it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLDGOV_STORE", raising=False)
    (tmp_path / "pyproject.toml").write_text('[tool.pldgov]\nstore = "store.sqlite"\n')
    assert "3 answers" in cache("info").stdout
    monkeypatch.setenv("PLDGOV_STORE", str(tmp_path / "elsewhere.sqlite"))
    missing = cache("info")
    assert missing.exit_code == 2
    assert "elsewhere.sqlite: there is no store yet" in missing.stderr


@pytest.mark.parametrize("verb", [("info",), ("clear", "--yes"), ("export",)])
def test_looking_at_a_missing_store_makes_none(tmp_path, verb):
    """A wrong path is an error with exit code 2 and leaves no file behind."""
    place = tmp_path / "typo" / "store.sqlite"
    result = cache(*verb, "--store", place)
    assert result.exit_code == 2
    assert "no store yet" in result.stderr
    assert not place.parent.exists()


def test_export_and_import_carry_answers_to_another_store(path, tmp_path):
    """The file written by one store fills another; what was known before is counted."""
    file, other = tmp_path / "answers.jsonl", tmp_path / "other.sqlite"
    done = cache("export", "--store", path, "-o", file)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "exported 3 answers" in done.stderr
    assert file.read_bytes().count(b"\n") == 3
    assert cache("export", "--store", path).stdout == file.read_text(encoding="utf-8")
    first = cache("import", "--store", other, file)
    assert "3 answers added, 0 known before" in first.stdout
    assert "0 answers added, 3 known before" in cache("import", "--store", other, file).stdout
    assert cache("export", "--store", other).stdout == file.read_text(encoding="utf-8")


def test_export_takes_filters(path):
    """--prompt and --student choose by the beginning of a digest."""
    lines = cache("export", "--store", path, "--prompt", "p1").stdout.splitlines()
    assert [json.loads(line)["input"] for line in lines] == ["a", "b"]
    assert cache("export", "--store", path, "--student", "nobody").stdout == ""


def test_a_conflict_is_said_and_replace_decides(path, tmp_path):
    """Another answer under a known key is named on stderr; the stored one stays unless told."""
    file = tmp_path / "answers.jsonl"
    line = {"prompt": "p1", "student": "s", "input": "a", "answer": {"label": "card"}}
    file.write_text(json.dumps(line) + "\n")
    kept = cache("import", "--store", path, file)
    assert kept.exit_code == 0
    assert "1 answers differ from stored ones, which were kept" in kept.stderr
    assert "prompt p1, student s, input a, repeat 0" in kept.stderr
    with Store(path) as store:
        assert store.get("p1", "s", ["a"])["a"].label == "fraud"
    assert "which were replaced" in cache("import", "--store", path, file, "--replace").stderr
    with Store(path) as store:
        assert store.get("p1", "s", ["a"])["a"].label == "card"


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "answers.jsonl:1: the line is not JSON"), (b"\xff\xfe{", "not UTF-8")],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(path, tmp_path, content, message):
    """A broken export is exit code 2 with file and line, and imports nothing."""
    file = tmp_path / "answers.jsonl"
    file.write_bytes(content)
    result = cache("import", "--store", path, file)
    assert result.exit_code == 2
    assert message in result.stderr


def test_clear_needs_a_yes(path):
    """Where nobody can be asked, clear wants --yes and removes nothing without it."""
    refused = cache("clear", "--store", path)
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr
    assert "3 answers" in cache("info", "--store", path).stdout
    assert "removed 3 answers" in cache("clear", "--store", path, "--yes").stdout
    assert "0 answers" in cache("info", "--store", path).stdout


def test_clear_takes_filters_and_an_age(path):
    """Only what fits every filter goes; an age is a number with a unit."""
    clear = ("clear", "--store", path, "--yes")
    assert "removed 0 " in cache(*clear, "--older-than", "30d").stdout
    assert "removed 2 " in cache(*clear, "--prompt", "p1", "--older-than", "0m").stdout
    wrong = cache(*clear, "--older-than", "a month")
    assert wrong.exit_code == 2
    assert "30d" in wrong.stderr
