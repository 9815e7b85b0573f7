"""What messages call an embedder's settings."""

from __future__ import annotations


def place(name: str) -> str:
    """Return the table of the configuration that describes the embedder ``name``."""
    return f"[tool.pldgov.embedders.{name}]"
