"""Where the API is, and whether a token may be sent there."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from pldgov.errors import UsageError

_TOKEN = re.compile(r"[\x21-\x7e]+")
_REPOSITORY = re.compile(r"[A-Za-z0-9-]+/(?!\.\.?$)[A-Za-z0-9._-]+")


def api_address(url: str) -> str:
    """Return the API's address without a last slash.

    Raises ``UsageError`` for what is no address, and for plain HTTP to another machine: whoever
    listens on the way would read the token.
    """
    hint = "for instance https://api.github.com, or https://HOST/api/v3 for an enterprise server"
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port  # a port that is none raises here
    except ValueError as error:
        raise UsageError("is not the address of an API", where="--host", hint=hint) from error
    is_web = parts.scheme in ("http", "https") and host and not (parts.query or parts.fragment)
    if not is_web or "@" in parts.netloc or not url.isprintable():
        raise UsageError("is not the address of an API", where="--host", hint=hint)
    if parts.scheme == "http" and not _is_loopback(host or ""):
        raise UsageError(
            "a token is not sent over plain http to another machine", where="--host", hint=hint
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def usable_token(text: str | None) -> str | None:
    """Return a token without white space around it, None for none.

    Raises ``UsageError`` for characters that no token has; the message does not show them.
    """
    token = (text or "").strip()
    if token and not _TOKEN.fullmatch(token):
        raise UsageError("holds characters that no token has", where="GITHUB_TOKEN")
    return token or None


def repository_name(text: str) -> str:
    """Return ``owner/name``; raises ``UsageError`` for anything else."""
    if not _REPOSITORY.fullmatch(text):
        raise UsageError("is not a repository", where=f"--repo {text!r}", hint="OWNER/NAME")
    return text


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
