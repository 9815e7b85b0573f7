"""Settings: where they come from, and what is said about wrong ones."""

from __future__ import annotations

import pytest

from pldgov.config import load_config, resolve_environment
from pldgov.errors import UsageError


@pytest.fixture
def settings(tmp_path):
    def write(text: str):
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_settings_are_found_from_any_folder_below(settings):
    """The nearest pyproject.toml with [tool.pldgov] counts, another one is passed over."""
    root = settings('[tool.pldgov]\nstudent = "ours"\n')
    inner = root / "a" / "b"
    inner.mkdir(parents=True)
    (root / "a" / "pyproject.toml").write_text("[project]\n")
    config = load_config(inner, environment={})
    assert (config.root, config.student, config.declared) == (root, "ours", True)


def test_without_settings_defaults_hold_around_the_templates(tmp_path):
    """A folder with templates is a root; nothing is declared."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "rulebooks").mkdir()
    config = load_config(tmp_path / "rulebooks", environment={})
    assert (config.root, config.student, config.declared) == (tmp_path, "smollm2", False)


def test_a_variable_beats_the_file(settings):
    """PLDGOV_* stand above pyproject.toml."""
    root = settings('[tool.pldgov]\nstudent = "ours"\noffline = true\n')
    environment = {"PLDGOV_STUDENT": "theirs", "PLDGOV_OFFLINE": "0", "PLDGOV_STORE": "/s.db"}
    config = load_config(root, environment=environment)
    assert (config.student, config.offline, str(config.store_path)) == ("theirs", False, "/s.db")


def test_a_rulebook_s_own_student_goes_before_the_default(settings):
    """By the folder's name, or by its path, which is closer; what is not named has the default."""
    table = '[tool.pldgov.student_of]\ncards = "big"\n"rulebooks/eu/cards" = "small"\n'
    config = load_config(settings(f'[tool.pldgov]\nstudent = "ours"\n{table}'), environment={})
    assert config.student_for("rulebooks/cards/rulebook.yaml") == "big"
    assert config.student_for("rulebooks/us/cards/rulebook.yaml") == "big"
    assert config.student_for("rulebooks/eu/cards/rulebook.yaml") == "small"
    assert config.student_for("rulebooks/loans/rulebook.yaml") == "ours"
    assert config.student_for("rulebook.yaml") == "ours"


def test_the_variable_is_about_every_rulebook(settings):
    """PLDGOV_STUDENT stands above the table of single rulebooks, too; an empty one is none."""
    root = settings('[tool.pldgov.student_of]\ncards = "big"\n')
    for value, name in (("theirs", "theirs"), ("", "big")):
        config = load_config(root, environment={"PLDGOV_STUDENT": value})
        assert config.student_for("rulebooks/cards/rulebook.yaml") == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.pldgov]\nstudnet = 'x'\n", "unknown key 'studnet' (did you mean \"student\"?)"),
        ("[tool.pldgov]\nstudent = 1\n", "student must be text"),
        ("[tool.pldgov]\noffline = 'yes'\n", "offline must be true or false"),
        ("[tool.pldgov]\nstudents = 1\n", "students must be tables"),
        ("[tool.pldgov]\nstudent_of = 'x'\n", "student_of must be a table"),
        ("[tool.pldgov.student_of]\na = 1\n", "student_of.'a' must be the name of a student"),
        ("[tool.pldgov.student_of]\na = ''\n", "student_of.'a' must be the name of a student"),
        ("[tool.pldgov.student_of.a]\nb = 'x'\n", "student_of.'a' must be the name of a student"),
        ("[tool.pldgov.students_of]\na = 'x'\n", '(did you mean "student'),
        ("[tool.pldgov\n", "not valid TOML"),
    ],
)
def test_wrong_settings_are_named(settings, text, said):
    """Every wrong key is said, with the file."""
    with pytest.raises(UsageError) as error:
        load_config(settings(text), environment={})
    assert said in str(error.value)
    assert "pyproject.toml" in str(error.value)


def test_all_wrong_settings_at_once(settings):
    """One run, every problem."""
    with pytest.raises(UsageError, match="unknown key 'a'.*unknown key 'b'.*student must be text"):
        load_config(settings("[tool.pldgov]\na = 1\nb = 2\nstudent = 3\n"), environment={})


def test_a_file_that_is_not_utf8(tmp_path):
    """A pyproject.toml in another encoding is an error, not a crash."""
    (tmp_path / "pyproject.toml").write_bytes("[tool.pldgov]\n# é".encode("latin-1"))
    with pytest.raises(UsageError, match="not UTF-8"):
        load_config(tmp_path, environment={})


def test_offline_variable_must_be_a_switch(settings):
    """A typo in a CI variable must not silently allow calls."""
    with pytest.raises(UsageError, match="PLDGOV_OFFLINE"):
        load_config(settings("[tool.pldgov]\n"), environment={"PLDGOV_OFFLINE": "jes"})


def test_secrets_come_from_the_environment():
    """${env:NAME} is replaced at any depth; an unset variable is an error that names it."""
    value = {"base_url": "http://${env:HOST}:80", "extra": {"a": "${env:HOST}"}, "n": 1}
    resolved = resolve_environment(value, where="x", environment={"HOST": "h"})
    assert resolved == {"base_url": "http://h:80", "extra": {"a": "h"}, "n": 1}
    with pytest.raises(UsageError, match="x.base_url: the environment variable HOST is not set"):
        resolve_environment(value, where="x", environment={})
