"""Tables of the configuration, read strictly: every unknown or unfit option is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from pldgov.errors import UsageError
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

Options = TypeVar("Options", bound=BaseModel)


def parse_table(model: type[Options], options: Mapping[str, Any], *, where: str) -> Options:
    """Return ``options``, the table ``where`` of the configuration, as ``model``.

    Raises ``UsageError`` that lists every option that is unknown or does not fit.
    """
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        wrong = []
        for item in error.errors():
            key = ".".join(str(part) for part in item["loc"])
            advice = (
                did_you_mean(key, model.model_fields) if item["type"] == "extra_forbidden" else None
            )
            said = "unknown option" if item["type"] == "extra_forbidden" else item["msg"].lower()
            wrong.append(f"{key}: {said}" + (f" ({advice})" if advice else ""))
        raise UsageError("; ".join(wrong), where=where) from error
