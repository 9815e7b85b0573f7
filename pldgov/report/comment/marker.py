"""The hidden line by which a comment is found again."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from pldgov.errors import UsageError

DEFAULT_KEY: Final = "."
_MOST = 200


def comment_marker(key: str = DEFAULT_KEY) -> str:
    """Return an HTML comment that holds ``key``, by which several comments can be told apart.

    The key is quoted as in an address, so that nothing in it can end the HTML comment. Raises
    ``UsageError`` for a key that is blank or longer than 200 characters.
    """
    if not key.strip() or len(key) > _MOST:
        raise UsageError(f"must have 1 to {_MOST} characters", where="--key")
    return f"<!-- pldgov-comment: {quote(key, safe='/.-_', errors='replace')} -->"
