"""The JSON Schema that ships is the model's, and accepts what the model accepts."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from pldgov.rulebook.schema import build_schema, render_schema, schema_text

VALID = Path(__file__).with_name("valid.yaml").read_text("utf-8")


def as_json(text: str):
    """Read YAML as an editor does that knows no dates."""
    return yaml.load(text, Loader=_NoDates)


class _NoDates(yaml.SafeLoader):
    """Reads dates as text."""


_NoDates.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if "timestamp" not in pair[0]]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_the_shipped_schema_is_the_generated_one():
    """The file in the package equals what the model gives (else run: pldgov's render_schema)."""
    assert schema_text() == render_schema()


def test_it_is_a_valid_schema_with_descriptions():
    """It passes its own dialect's meta-schema, and every field is described for editors."""
    schema = build_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in [schema, *schema["$defs"].values()]:
        assert part["description"]
        for name, field in part["properties"].items():
            target = schema["$defs"].get(str(field.get("$ref")).rpartition("/")[2], {})
            assert field.get("description") or target.get("description"), name


@pytest.mark.parametrize(
    ("old", "new", "valid"),
    [
        ("", "", True),
        ("status: active", "status: actve", False),
        ("priority: 10", "prio: 10", False),
        ("max_drop: 0.05", "max_drop: 5", False),
        ("name: desk", "name: Desk", False),
        ("owner: ops@example.org\n", "", False),
        ("created: 2026-01-31", "created: soon", False),
    ],
)
def test_it_tells_valid_from_invalid(old, new, valid):
    """It accepts a valid rulebook and refuses what the model refuses."""
    schema = json.loads(schema_text())
    checker = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    text = VALID.replace("[no]", '["no"]').replace("greeting: yes", "greeting: 'yes'")
    assert checker.is_valid(as_json(text.replace(old, new, 1))) is valid
