"""What every student behind an OpenAI-compatible endpoint is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pldgov.endpoint import options as endpoint
from pldgov.students.options import StudentOptions

if TYPE_CHECKING:
    from collections.abc import Mapping


class EndpointOptions(StudentOptions, endpoint.EndpointOptions):
    """The options of the kinds ``openai`` and ``decisions``; only the model must be named."""


Endpoint = TypeVar("Endpoint", bound=EndpointOptions)


def place(name: str) -> str:
    """Return the table of the configuration that describes the student ``name``."""
    return f"[tool.pldgov.students.{name}]"


def parse_endpoint(model: type[Endpoint], name: str, options: Mapping[str, Any]) -> Endpoint:
    """Return the options of student ``name``; see ``pldgov.endpoint.options.parse_endpoint``."""
    return endpoint.parse_endpoint(model, options, where=place(name))
