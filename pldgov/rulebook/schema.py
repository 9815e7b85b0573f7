"""The JSON Schema of rulebooks, for editors and for programs in other languages.

It describes values as JSON and YAML 1.2 know them; pldgov's own reader is the same, but that it
keeps unquoted texts as they are written (see ``yaml_values``).
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from pldgov.rulebook.model import SCHEMA_ID, Rulebook

FILE_NAME = "rulebook.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def build_schema() -> dict[str, Any]:
    """Return the schema, generated from the model."""
    schema = Rulebook.model_json_schema(by_alias=True, schema_generator=_Generator)
    definitions = {name: _tidy(part) for name, part in sorted(schema.pop("$defs").items())}
    head = {
        "$schema": DIALECT,
        "$id": f"urn:{SCHEMA_ID.replace('/', ':')}",
        "title": f"Rulebook ({SCHEMA_ID})",
    }
    return {**head, **_tidy(schema), "$defs": definitions}


def schema_text() -> str:
    """Return the text of the schema that this version ships."""
    return files("pldgov.rulebook").joinpath(FILE_NAME).read_text("utf-8")


def render_schema() -> str:
    """Return the generated schema as the text that is shipped."""
    return json.dumps(build_schema(), indent=2, ensure_ascii=False) + "\n"


class _Generator(GenerateJsonSchema):
    """Leaves out the title that every field would get from its name: it says nothing new."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def _tidy(part: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping's schema without what only Python readers understand."""
    kept = {key: value for key, value in part.items() if key != "title"}
    if "properties" in kept:
        kept["properties"] = {
            name: _tidy_property(field) for name, field in kept["properties"].items()
        }
    return kept


def _tidy_property(field: dict[str, Any]) -> dict[str, Any]:
    """Drop ``default: null``, which would have editors insert a null."""
    return {key: value for key, value in field.items() if (key, value) != ("default", None)}
