"""What the configuration of a student behind an endpoint may say."""

import re
import tomllib

import pytest

from pldgov.errors import UsageError
from pldgov.students import open_student
from pldgov.students.decisions import DecisionsOptions
from pldgov.students.endpoint import EndpointOptions
from pldgov.students.openai_chat import OpenAIOptions
from pldgov.students.replay import RecordedStudent, ReplayOptions


def open_with(tmp_path, **options):
    return open_student("mine", {"kind": "openai", "model": "m"} | options, root=tmp_path)


@pytest.mark.parametrize("option", ["api_key", "key", "token", "secret", "password"])
def test_openai_key_in_the_configuration_is_refused(tmp_path, option):
    """A key must not be committed; the message says where it belongs and does not repeat it."""
    with pytest.raises(UsageError) as caught:
        open_with(tmp_path, **{option: "sk-very-secret"})
    assert "must not stand in the configuration" in str(caught.value)
    assert 'api_key_env = "MY_KEY"' in str(caught.value)
    assert "sk-very-secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["sk-very-secret", "gsk_abc", "hf_AbC1", "MY KEY", 7, ["A"]])
def test_openai_key_instead_of_its_variable_is_refused(tmp_path, value):
    """api_key_env that holds a key is an error that does not show it."""
    with pytest.raises(UsageError) as caught:
        open_with(tmp_path, api_key_env=value)
    assert "not the key itself" in str(caught.value)
    assert str(value) not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://user:secret@host/v1", "no place for a key"),
        ("http://host/v1?api_key=secret", "no place for a key"),
        ("host:8000/v1", "no http address"),
        ("ftp://host/v1", "no http address"),
        ("http://", "no http address"),
        ("http://[::1/v1", "no http address"),
    ],
)
def test_openai_unfit_address_is_refused(tmp_path, url, said):
    """Only a plain http address is taken."""
    with pytest.raises(UsageError, match=said) as caught:
        open_with(tmp_path, base_url=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"concurency": 4}, r'unknown option \(did you mean "concurrency"'),
        ({"concurrency": 0}, "greater than or equal to 1"),
        ({"timeout": 0}, "timeout: input should be greater than 0"),
        ({"max_retries": -1}, "max_retries"),
        ({"max_cost": 0}, "max_cost"),
        ({"price_input": -1}, "price_input"),
        ({"temperature": 3}, "temperature"),
        ({"structured": "yes"}, "structured"),
        ({"model": ""}, "model"),
        ({"extra_body": {"messages": []}}, "pldgov sets messages itself"),
        ({"calibration": "label-prior"}, "calibration: a chat endpoint gives no scores"),
        ({"thresholds": {"a": 0.5}}, "thresholds: a chat endpoint gives no scores"),
        ({"abstain_below": 0.5}, "abstain_below: a chat endpoint gives no scores"),
    ],
)
def test_openai_unfit_option_is_named(tmp_path, options, said):
    """Every option that does not fit is named with its table."""
    with pytest.raises(UsageError, match=rf"\[tool\.pldgov\.students\.mine\]: .*{said}"):
        open_with(tmp_path, **options)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://localhost:8000/v1", True),
        ("https://api.openai.com/v1", False),
        ("http://localhost.example.com/v1", False),
        ("http://10.0.0.1/v1", False),
    ],
)
def test_openai_loopback_is_told_from_the_network(url, loopback):
    """Only an address of this machine may go without a key."""
    assert EndpointOptions(kind="openai", model="m", base_url=url).is_loopback is loopback


@pytest.mark.parametrize("options", [OpenAIOptions, DecisionsOptions, ReplayOptions])
def test_openai_documentation_names_every_option(repository, options):
    """Each option stands in a table of docs/students.md."""
    text = (repository / "docs" / "students.md").read_text(encoding="utf-8")
    rows = " ".join(line.split("|")[1] for line in text.splitlines() if line.startswith("|"))
    assert set(options.model_fields) <= set(re.findall(r"`(\w+)`", rows))


def test_openai_documented_tables_are_taken(repository, tmp_path):
    """Every student of docs/students.md opens, and the recorded one is the one above it."""
    text = (repository / "docs" / "students.md").read_text(encoding="utf-8")
    students = {}
    for snippet in re.findall(r"```toml\n(.*?)```", text, re.DOTALL):
        students |= tomllib.loads(snippet)["tool"]["pldgov"]["students"]
    opened = {name: open_student(name, each, root=tmp_path) for name, each in students.items()}
    assert {"desk", "small", "policy-model", "judge", "recorded"} <= set(opened)
    recorded = RecordedStudent.model_validate(students["recorded"]["student"])
    card = opened["small"].card
    assert recorded.model_dump() == {
        "kind": card.kind,
        "model": card.model,
        "snapshot": card.snapshot,
        "decoding": card.decoding,
    }
