"""Back-ends by name: a kind is looked up in a table, its module loaded only when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pldgov.errors import ProviderError, UsageError
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    Backends = Mapping[str, tuple[str, str, str | None]]
    """kind: (module, class, the extra that brings what it imports)"""


def load_backend(backends: Backends, options: Mapping[str, Any], *, what: str, where: str) -> Any:
    """Return the class that ``options["kind"]`` names; ``what`` is the role, such as "teacher".

    Raises ``UsageError`` for an unknown kind, ``ProviderError`` when a package that the kind
    needs is not installed.
    """
    kind = str(options.get("kind", ""))
    if kind not in backends:
        raise UsageError(
            f"unknown kind of {what} {kind!r}",
            where=where,
            hint=did_you_mean(kind, backends) or f"one of {', '.join(backends)}",
        )
    module, class_name, extra = backends[kind]
    try:
        return getattr(import_module(module), class_name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pldgov"):
            raise  # a broken installation, not a missing extra
        raise missing_package(error, extra=extra, where=where) from error


def missing_package(
    error: ModuleNotFoundError, *, extra: str | None, where: str, who: str = "this kind"
) -> ProviderError:
    """Return the error that names the extra which brings the missing module."""
    return ProviderError(
        f"{who} needs the package {error.name!r}, which is not installed",
        where=where,
        hint=f"pip install 'pldgov[{extra}]'" if extra else None,
    )
