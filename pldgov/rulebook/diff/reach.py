"""What the templates of a rulebook can show of it, read from their text.

A template that never says ``title`` cannot show a rule's title. What a template says is more than
what it shows (``label`` may be that of a rule or of an example), so the answer errs to the side
of "can be shown".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jinja2
from jinja2 import nodes

from pldgov.errors import TemplateError
from pldgov.templating import PromptEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pldgov.prompt import RenderedPrompt
    from pldgov.rulebook.loading import Revision

_BY_ATTRIBUTE = frozenset(
    ("groupby", "join", "map", "max", "min", "rejectattr", "selectattr", "sort", "unique")
)
"""The filters that look an attribute up by name."""


@dataclass(frozen=True)
class Shown:
    """What can be shown: attribute names in the templates (None: all), and exemplars by id.

    ``examples`` is None where it is not known which ones are shown.
    """

    names: frozenset[str] | None
    examples: frozenset[str] | None

    def says(self, *names: str) -> bool:
        """Tell whether the templates could show a value of one of these names."""
        return self.names is None or not self.names.isdisjoint(names)

    @property
    def shows_examples(self) -> bool:
        """Whether any cited example is shown."""
        return self.examples is None or bool(self.examples)

    def shows_example(self, *ids: str) -> bool:
        """Tell whether any of these examples is shown."""
        return self.examples is None or not self.examples.isdisjoint(ids)

    def __or__(self, other: Shown) -> Shown:
        """Return what either side can show."""
        names, examples = None, None
        if self.names is not None and other.names is not None:
            names = self.names | other.names
        if self.examples is not None and other.examples is not None:
            examples = self.examples | other.examples
        return Shown(names, examples)


def templates_used(revision: Revision) -> frozenset[str]:
    """Return the templates that a revision's prompt is made with; all where that cannot be told."""
    policy = revision.rulebook.prompt
    environment = PromptEnvironment(revision.templates)
    try:
        named = (policy.template, policy.user_template)
        return frozenset(name for one in named for name in environment.templates_used(one))
    except TemplateError:
        return frozenset(revision.templates)


def shown_by(revision: Revision, rendered: RenderedPrompt | None) -> Shown:
    """Return what the prompt of a revision can show; every example where it does not render."""
    examples = None if rendered is None else frozenset(id_ for id_, _ in rendered.examples)
    said: set[str | None] = set()
    try:
        for name in templates_used(revision):
            said.update(_words(jinja2.Environment().parse(revision.templates[name])))  # noqa: S701  (nothing is rendered)
    except jinja2.TemplateError:
        said.add(None)
    return Shown(None if None in said else frozenset(filter(None, said)), examples)


def _words(tree: nodes.Template) -> Iterator[str | None]:
    """Yield every text that could be an attribute's name, None for a name that is computed."""
    for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Const, nodes.Filter)):
        if isinstance(node, nodes.Getattr):
            yield node.attr
        elif isinstance(node, nodes.Const):
            if isinstance(node.value, str):
                yield from node.value.split(".")
        elif _is_computed(node):
            yield None


def _is_computed(node: nodes.Node) -> bool:
    """Tell whether an item or a filter goes by a name that does not stand in the template."""
    if isinstance(node, nodes.Getitem):
        return not isinstance(node.arg, nodes.Const | nodes.Slice)
    if not isinstance(node, nodes.Filter) or node.name not in _BY_ATTRIBUTE:
        return False
    given = [*node.args, *(keyword.value for keyword in node.kwargs)]
    return any(not isinstance(value, nodes.Const) for value in given)
