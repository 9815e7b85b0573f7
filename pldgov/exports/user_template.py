"""A user template taken apart: literal text and input fields, for the template engines of others.

Handlebars and Nunjucks cannot run Jinja. Most user templates only put fields between fixed words;
those can be told as a sequence of pieces. That a template does no more is seen in its syntax tree
(no condition, no filter on a value), and then its pieces are read off one rendering with marks in
place of the fields.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import jinja2
from jinja2 import nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Literal:
    """Fixed text."""

    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """The value of an input field, as it is."""

    name: str


Pieces = tuple[Literal | Field, ...]

_HARMLESS: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Concat,
    nodes.For, nodes.Tuple, nodes.Getattr, nodes.Getitem, nodes.Include,
)  # fmt: skip
_CASE_FILTERS: Final = {"capitalize", "lower", "title", "upper"}
"""Filters that change the mark too, so that one on a value does not go unseen."""


def take_apart(
    sources: Mapping[str, str],
    *,
    fields: Sequence[str],
    render: Callable[[Mapping[str, str]], str],
) -> Pieces | str:
    """Return the pieces, or why there are none, as a clause.

    ``sources`` are the texts of the template and all that it includes, ``render`` gives the user
    message for values of the fields.
    """
    for name, source in sources.items():
        odd = _first_odd(source)
        if odd is not None:
            return f"{name} {odd}"
    marks = {f"\ue000Mark{index}zQ\ue001": name for index, name in enumerate(fields)}
    text = render({name: mark for mark, name in marks.items()})
    parts = re.split(f"({'|'.join(map(re.escape, marks))})", text)
    pieces = tuple(Field(marks[part]) if part in marks else Literal(part) for part in parts if part)
    left = [one.text for one in pieces if isinstance(one, Literal)]
    if any("\ue000" in text or "\ue001" in text for text in left):
        return "it changes the values of fields"
    missing = [name for name in fields if Field(name) not in pieces]
    return f"it does not print {', '.join(missing)} as it is" if missing else pieces


def _first_odd(source: str) -> str | None:
    """Return what a template does besides printing fields, as a clause without subject."""
    tree = jinja2.Environment(autoescape=False).parse(source)  # noqa: S701  (parsed, never rendered)
    for node in _all(tree):
        if isinstance(node, nodes.Filter) and node.name in _CASE_FILTERS and not node.args:
            continue
        if isinstance(node, nodes.Call) and _is_items(node):
            continue
        if isinstance(node, nodes.For) and (node.test or node.else_ or node.recursive):
            return f"has a loop with conditions (line {node.lineno})"
        if not isinstance(node, _HARMLESS):
            return f"does more than print fields (line {node.lineno}: {type(node).__name__})"
    return None


def _all(node: nodes.Node) -> Iterable[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _all(child)


def _is_items(call: nodes.Call) -> bool:
    target = call.node
    return isinstance(target, nodes.Getattr) and target.attr == "items" and not call.args
