"""Settings: ``[tool.pldgov]`` in pyproject.toml, under ``PLDGOV_*`` variables, under flags."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pldgov.approval_policy import ApprovalPolicy
from pldgov.errors import UsageError
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENVIRONMENT = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_TEXT_KEYS = ("student", "base", "rulebooks", "templates", "store")
_KEYS = (
    *_TEXT_KEYS,
    "offline",
    "student_of",
    "students",
    "teachers",
    "embedders",
    "distill",
    "approval",
    "owners",
    "review_after_days",
)


@dataclass(frozen=True)
class Config:
    """Where things are and who answers, for one governance repository.

    ``root`` is the folder of the pyproject.toml that holds ``[tool.pldgov]``; ``declared`` is
    false where there is none, and the defaults hold. ``rulebooks`` and ``templates`` are folders
    relative to ``root``, with ``/``. ``base`` is a git revision or an evidence file.
    ``student_of`` names the students of single rulebooks, by the rulebook's folder: its name, or
    its path from ``root``. ``owners`` maps the name of an owner in rulebooks to its accounts
    (``@team``) on the forge.
    ``review_after_days``: so long after it was last looked at, a rule is due for review.
    """

    root: Path
    declared: bool = False
    student: str = "smollm2"
    base: str | None = None
    rulebooks: str = "rulebooks"
    templates: str = "templates"
    store: str = ".pldgov/store.sqlite"
    offline: bool = False
    student_of: Mapping[str, str] = field(default_factory=dict)
    students: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    teachers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    embedders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    distill: Mapping[str, Any] = field(default_factory=dict)
    approval: ApprovalPolicy = field(default_factory=ApprovalPolicy)
    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    review_after_days: int | None = None

    @property
    def store_path(self) -> Path:
        """The SQLite store, absolute."""
        return self.root / self.store

    def student_for(self, path: str) -> str:
        """Return the name of the student of the rulebook at ``path``, from ``root``."""
        folder = path.rpartition("/")[0]
        by_name = self.student_of.get(folder.rpartition("/")[2], self.student)
        return self.student_of.get(folder, by_name)


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
    days = table.get("review_after_days", 1)
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        wrong.append("review_after_days must be a number of days, from 1")
    if not isinstance(table.get("distill", {}), dict):
        wrong.append("distill must be a table: [tool.pldgov.distill]")
    for group in ("students", "teachers", "embedders"):
        tables = table.get(group, {})
        if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
            wrong.append(f"{group} must be tables, one a name: [tool.pldgov.{group}.<name>]")
    approval, wrong_approval = _approval(table.get("approval", {}))
    owners, wrong_owners = _owners(table.get("owners", {}))
    wrong += [*wrong_approval, *wrong_owners, *_wrong_student_of(table.get("student_of", {}))]
    if wrong:
        raise UsageError("; ".join(wrong), where=where)
    values = {**table, "approval": approval, "owners": owners}
    return Config(root=root, declared=True, **values)


def _wrong_student_of(table: Any) -> list[str]:
    """Return what is wrong with ``[tool.pldgov.student_of]``, as far as it alone can tell."""
    if not isinstance(table, dict):
        return ['student_of must be a table: [tool.pldgov.student_of], "<rulebook>" = "<student>"']
    return [
        f"student_of.{rulebook!r} must be the name of a student"
        for rulebook, student in table.items()
        if not isinstance(student, str) or not student
    ]


def _approval(table: Any) -> tuple[ApprovalPolicy, list[str]]:
    """Return the policy in ``[tool.pldgov.approval]``, and what is wrong with it."""
    if not isinstance(table, dict):
        return ApprovalPolicy(), ["approval must be a table: [tool.pldgov.approval]"]
    known = tuple(ApprovalPolicy.__dataclass_fields__)
    wrong = [
        f"unknown key approval.{key}"
        + (f" ({advice})" if (advice := did_you_mean(key, known)) else "")
        for key in table
        if key not in known
    ]
    wrong += [
        f"approval.{key} must be true or false"
        for key in ("required", "different_approver")
        if not isinstance(table.get(key, False), bool)
    ]
    wrong += [
        f"approval.{key} must be a list of texts"
        for key in ("labels", "owners")
        if not _is_texts(table.get(key, []))
    ]
    if wrong:
        return ApprovalPolicy(), wrong
    lists = {key: tuple(value) for key, value in table.items() if isinstance(value, list)}
    return ApprovalPolicy(**{**table, **lists}), []


def _owners(table: Any) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Return the accounts by owner in ``[tool.pldgov.owners]``, and what is wrong with it."""
    if not isinstance(table, dict):
        return {}, ["owners must be a table: [tool.pldgov.owners]"]
    found = {
        name: (given,) if isinstance(given, str) else tuple(given) if _is_texts(given) else ()
        for name, given in table.items()
    }
    wrong = [
        f"owners.{name!r} must be an account such as @org/team or an address, or a list of them"
        for name, accounts in found.items()
        if not accounts or not all(is_account(account) for account in accounts)
    ]
    return found, wrong


def is_account(text: str) -> bool:
    """Tell whether a CODEOWNERS file could name this: ``@user``, ``@org/team`` or an address."""
    return re.fullmatch(r"@[\w.-]+(?:/[\w.-]+)*|[^\s@#]+@[^\s@#]+", text) is not None


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


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
    if "student" in settings:
        values["student_of"] = {}  # the variable is about every rulebook
    if offline:
        values["offline"] = offline in ("1", "true")
    return Config(**values)
