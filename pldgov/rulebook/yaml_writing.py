"""Values as YAML text in the house style, for what pldgov adds to a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    Scalar = str | int | float | bool | dt.date | None
    Value = Scalar | Sequence[Any] | Mapping[str, Any]

_WIDTH = 100
_ROOM = 24  # for the indentation, the key and quotes that stand before a text on its line
_ENDLESS = 2**31
_NUMBER_LIKE = re.compile(r"[-+.]?[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|0[xob][0-9a-fA-F]+")
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
"""Characters that must stand as escapes: editors and YAML hide, change or break lines at them."""

_SHORT_LIST = 60
"""Characters of a list of scalars that is written on one line."""


class _Flow(dict[str, Any]):
    """A mapping written on one line, as citations are."""


class _FlowList(list[Any]):
    """A list written on one line, as labels are."""


class _Dumper(yaml.SafeDumper):
    """Writes lists indented below their key, and texts so that no reader takes them for others."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  (PyYAML's signature)
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    style = None
    if _UNSAFE.search(text):
        style = '"'
    elif _fits_block(text):
        if "\n" in text.rstrip("\n"):
            style = "|"
        elif len(text) > _WIDTH - _ROOM:
            style = ">"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _fits_block(text: str) -> bool:
    """Tell whether a literal or folded block shows a text as it is, without surprises."""
    odd_space = re.search(r"^[ \n]|[ \t]\n|[ \t]$|\t|\n\n$", text)
    return bool(text) and odd_space is None


def _represent_inline_text(dumper: _Dumper, text: str) -> yaml.Node:
    style = '"' if _UNSAFE.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_flow(dumper: _Dumper, value: _Flow) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=True)


def _represent_flow_list(dumper: _Dumper, value: _FlowList) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=True)


_Dumper.add_representer(_FlowList, _represent_flow_list)
_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(_Flow, _represent_flow)
# YAML 1.2 readers take 452415e071 for a number where PyYAML does not: then it must be quoted.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER_LIKE, list("-+.0123456789"))


def inline(value: Value) -> str:
    """Return ``value`` on one line, fit to stand anywhere, inside brackets too."""
    text: str = yaml.dump(
        [value],
        Dumper=_Inline,
        default_flow_style=True,
        allow_unicode=True,
        width=_ENDLESS,
        sort_keys=False,
    )
    return text.strip().removeprefix("[").removesuffix("]")


class _Inline(_Dumper):
    """Writes every text on one line."""


_Inline.add_representer(str, _represent_inline_text)


def block(value: Mapping[str, Any], *, column: int) -> str:
    """Return the lines of a block mapping whose keys stand at ``column`` (from 0).

    Citations (mappings with an id and a role or hash) and short lists stand on one line each.
    """
    text: str = yaml.dump(
        _with_flow(value),
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        width=_WIDTH - column,
        sort_keys=False,
        indent=2,
    )
    pad = " " * column
    return "".join(f"{pad}{line}" if line.strip() else line for line in text.splitlines(True))


def _with_flow(value: Any) -> Any:
    if isinstance(value, dict):
        if "id" in value and ("sha256" in value or "role" in value):
            return _Flow(value)
        return {key: _with_flow(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        scalars = not any(isinstance(item, dict | list | tuple) for item in value)
        if scalars and sum(len(str(item)) + 2 for item in value) <= _SHORT_LIST:
            return _FlowList(value)
        return [_with_flow(item) for item in value]
    return value
