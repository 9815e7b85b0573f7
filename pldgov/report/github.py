"""GitHub's workflow commands, escaped so that a message cannot start another one."""

from __future__ import annotations


def annotation(
    level: str,
    message: str,
    *,
    path: str,
    line: int | None = None,
    column: int | None = None,
    title: str | None = None,
) -> str:
    """Return one ``::error file=...::message`` line; ``level`` is error, warning or notice."""
    properties = {"file": path, "line": line, "col": column, "title": title}
    shown = ",".join(
        f"{name}={_property(str(value))}" for name, value in properties.items() if value is not None
    )
    return f"::{level} {shown}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
