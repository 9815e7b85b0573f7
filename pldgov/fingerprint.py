"""Digests: one canonical form, one hash, the same on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def canonical_json(value: Any) -> str:
    """Return ``value`` as JSON with sorted keys, no spaces and unescaped UTF-8.

    Raises ``ValueError`` for NaN and infinities, which JSON cannot hold.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest_bytes(data: bytes) -> str:
    """Return the SHA-256 of ``data`` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest_text(text: str) -> str:
    """Return the SHA-256 of the UTF-8 form of ``text`` (lone surrogates are kept apart)."""
    return digest_bytes(text.encode("utf-8", "surrogatepass"))


def digest_value(value: Any) -> str:
    """Return the SHA-256 of ``canonical_json(value)``."""
    return digest_text(canonical_json(value))


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
