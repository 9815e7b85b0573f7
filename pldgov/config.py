"""Settings: ``[tool.pldgov]`` in pyproject.toml, under ``PLDGOV_*`` variables, under flags."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pldgov.errors import UsageError
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENVIRONMENT = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_TEXT_KEYS = ("student", "base", "rulebooks", "templates", "store")
_KEYS = (*_TEXT_KEYS, "offline", "students", "teachers", "embedders", "distill")


@dataclass(frozen=True)
class Config:
    """Where things are and who answers, for one governance repository.

    ``root`` is the folder of the pyproject.toml that holds ``[tool.pldgov]``; ``declared`` is
    false where there is none, and the defaults hold. ``rulebooks`` and ``templates`` are folders
    relative to ``root``, with ``/``. ``base`` is a git revision or an evidence file.
    """

    root: Path
    declared: bool = False
    student: str = "smollm2"
    base: str | None = None
    rulebooks: str = "rulebooks"
    templates: str = "templates"
    store: str = ".pldgov/store.sqlite"
    offline: bool = False
    students: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    teachers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    embedders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    distill: Mapping[str, Any] = field(default_factory=dict)

    @property
    def store_path(self) -> Path:
        """The SQLite store, absolute."""
        return self.root / self.store


def load_config(
    start: Path | None = None, *, environment: Mapping[str, str] = os.environ
) -> Config:
    """Return the settings that hold in the folder ``start`` (default: the current one).

    Raises ``UsageError`` for TOML that does not parse, unknown keys and wrong types.
    """
    folder = (start or Path.cwd()).resolve()
    for candidate in (folder, *folder.parents):
        table = _read_table(candidate / "pyproject.toml")
        if table is not None:
            return _apply_environment(_from_table(candidate, table), environment)
    return _apply_environment(Config(root=_root_without_settings(folder)), environment)


def resolve_environment(value: Any, *, where: str, environment: Mapping[str, str]) -> Any:
    """Return ``value`` with every ``${env:NAME}`` in its texts replaced.

    Raises ``UsageError`` when a variable is not set.
    """
    if isinstance(value, dict):
        return {
            key: resolve_environment(item, where=f"{where}.{key}", environment=environment)
            for key, item in value.items()
        }
    if not isinstance(value, str):
        return value

    def look_up(match: re.Match[str]) -> str:
        name = match[1]
        if name not in environment:
            raise UsageError(f"the environment variable {name} is not set", where=where)
        return environment[name]

    return _ENVIRONMENT.sub(look_up, value)


def _read_table(path: Path) -> dict[str, Any] | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except UnicodeDecodeError as error:
        raise UsageError("the file is not UTF-8", where=str(path)) from error
    if "tool.pldgov" not in text:
        return None
    try:
        table: dict[str, Any] | None = tomllib.loads(text).get("tool", {}).get("pldgov")
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"not valid TOML: {error}", where=str(path)) from error
    return table


def _root_without_settings(folder: Path) -> Path:
    """Return the nearest folder above that holds templates, else ``folder`` itself."""
    return next((f for f in (folder, *folder.parents) if (f / "templates").is_dir()), folder)


def _from_table(root: Path, table: Mapping[str, Any]) -> Config:
    where = f"{root / 'pyproject.toml'}: [tool.pldgov]"
    wrong = [
        f"unknown key {key!r}" + (f" ({advice})" if (advice := did_you_mean(key, _KEYS)) else "")
        for key in table
        if key not in _KEYS
    ]
    wrong += [
        f"{key} must be text" for key in _TEXT_KEYS if not isinstance(table.get(key, ""), str)
    ]
    if not isinstance(table.get("offline", False), bool):
        wrong.append("offline must be true or false")
    if not isinstance(table.get("distill", {}), dict):
        wrong.append("distill must be a table: [tool.pldgov.distill]")
    for group in ("students", "teachers", "embedders"):
        tables = table.get(group, {})
        if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
            wrong.append(f"{group} must be tables, one a name: [tool.pldgov.{group}.<name>]")
    if wrong:
        raise UsageError("; ".join(wrong), where=where)
    return Config(root=root, declared=True, **table)


def _apply_environment(config: Config, environment: Mapping[str, str]) -> Config:
    settings = {
        key: environment[f"PLDGOV_{key.upper()}"]
        for key in ("student", "base", "store")
        if environment.get(f"PLDGOV_{key.upper()}")
    }
    offline = environment.get("PLDGOV_OFFLINE", "").lower()
    if offline not in ("", "0", "1", "true", "false"):
        raise UsageError("must be 1 or 0", where="PLDGOV_OFFLINE")
    values = {**config.__dict__, **settings}
    if offline:
        values["offline"] = offline in ("1", "true")
    return Config(**values)
