"""What everyone behind an OpenAI-compatible endpoint is told, and where its key comes from."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from pldgov.endpoint.budget import Budget, Caps
from pldgov.errors import ProviderError, UsageError
from pldgov.options import parse_table

if TYPE_CHECKING:
    from collections.abc import Mapping

OPENAI_URL: Final = "https://api.openai.com/v1"
NO_KEY: Final = "none"
"""Sent to a server on this machine that asks for no key."""

SECRET_OPTIONS: Final = ("api_key", "key", "token", "secret", "password")


class EndpointOptions(BaseModel):
    """The options of every kind that asks an endpoint; only the model must be named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(min_length=1)
    base_url: str = OPENAI_URL
    served_model: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    concurrency: int = Field(default=8, ge=1, le=512)
    timeout: float = Field(default=60.0, gt=0)
    max_retries: int = Field(default=5, ge=0, le=20)
    max_requests: int | None = Field(default=None, ge=1)
    max_tokens_total: int | None = Field(default=None, ge=1)
    max_cost: float | None = Field(default=None, gt=0)
    price_input: float | None = Field(default=None, ge=0)
    price_output: float | None = Field(default=None, ge=0)

    @property
    def snapshot(self) -> str:
        """The model id that answers are filed under: the served one where it is pinned."""
        return self.served_model or self.model

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is on this machine."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    def budget(self, where: str) -> Budget:
        """Return a fresh budget with these caps."""
        caps = Caps(
            requests=self.max_requests,
            tokens=self.max_tokens_total,
            cost=self.max_cost,
            price_input=self.price_input,
            price_output=self.price_output,
        )
        return Budget(caps, where)


Endpoint = TypeVar("Endpoint", bound=EndpointOptions)


def parse_endpoint(model: type[Endpoint], options: Mapping[str, Any], *, where: str) -> Endpoint:
    """Return ``options``, the table ``where`` of the configuration, as ``model``.

    Raises ``UsageError`` for an unknown or unfit option, and for anything that looks like a key:
    configuration is committed, so a key must not stand in it. The message never repeats it.
    """
    _refuse_secrets(options, where)
    parsed = parse_table(model, options, where=where)
    _check_url(parsed.base_url, where)
    return parsed


def read_key(options: EndpointOptions, *, where: str) -> str:
    """Return the key for the endpoint from the environment.

    An endpoint on this machine gets one only if ``api_key_env`` names it, so that a key for
    somebody else is not handed to it. Raises ``ProviderError`` when there is no key.
    """
    if options.is_loopback and "api_key_env" not in options.model_fields_set:
        return NO_KEY
    key = os.environ.get(options.api_key_env, "").strip()
    if key:
        return key
    raise ProviderError(
        f"no key: the environment variable {options.api_key_env} is not set",
        where=where,
        hint='set it, or replay recorded answers with the kind "replay"',
    )


def _refuse_secrets(options: Mapping[str, Any], where: str) -> None:
    for option in SECRET_OPTIONS:
        if option in options:
            raise UsageError(
                f"{option}: a key must not stand in the configuration",
                where=where,
                hint='put it into an environment variable and name that: api_key_env = "MY_KEY"',
            )
    variable = options.get("api_key_env", "")
    # Keys hold lower-case letters or hyphens; a variable's name is printed, so it must be one.
    if variable and not (isinstance(variable, str) and re.fullmatch(r"[A-Z_][A-Z0-9_]*", variable)):
        raise UsageError(
            "api_key_env must be the name of an environment variable, not the key itself",
            where=where,
            hint='upper-case letters, digits and underscores, such as "OPENAI_API_KEY"',
        )


def _check_url(base_url: str, where: str) -> None:
    try:
        url = urlsplit(base_url)
        fits = url.scheme in ("http", "https") and bool(url.hostname)
        secret = bool(url.username or url.password or url.query)
    except ValueError:
        fits, secret = False, False
    if secret:
        raise UsageError(
            "base_url must hold neither user nor query: configuration is no place for a key",
            where=where,
        )
    if not fits:
        raise UsageError(
            f"base_url {base_url!r} is no http address",
            where=where,
            hint='such as "http://127.0.0.1:8000/v1"',
        )
