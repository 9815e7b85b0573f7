"""Jinja in a box: templates are policy text, so they may compute little and reach nothing.

On top of Jinja's immutable sandbox, every step of work is charged against one budget a render
(loop turns, calls, includes, text produced by expressions), filters and string methods are an
allow-list, and templates see nothing outside the templates that they were given. So a template
cannot hang or swallow the memory of the machine that reviews it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2
from jinja2 import meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import do_indent
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pldgov.errors import TemplateError
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jinja2.runtime import Context

WORK_LIMIT = 20_000_000
"""Units of work one render may spend: about the characters and loop turns of 20 MB of prompt."""

_FILTERS = (
    "capitalize", "count", "d", "default", "dictsort", "first", "groupby", "indent", "items",
    "join", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr",
    "reverse", "round", "select", "selectattr", "sort", "string", "title", "tojson", "trim",
    "truncate", "unique", "upper", "wordcount",
)  # fmt: skip
_TEXT_METHODS = frozenset(
    ("capitalize", "endswith", "lower", "lstrip", "removeprefix", "removesuffix", "rstrip",
     "split", "splitlines", "startswith", "strip", "title", "upper")
)  # fmt: skip
_MAX_INDENT = 80
_MAX_BITS = 64


class WorkLimitError(SecurityError):
    """A template asked for more work than a prompt can need."""


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """A sandboxed environment over a fixed set of templates.

    ``templates`` maps each template's name to its text; ``folder`` is what messages call the
    place they come from.
    """

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self, templates: Mapping[str, str], *, folder: str = "templates") -> None:
        self._templates = templates
        self._folder = folder
        self._spent = 0
        self._trees: dict[tuple[str | None, str], nodes.Template] = {}
        self._asked: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {}
        super().__init__(
            undefined=jinja2.StrictUndefined,
            loader=jinja2.FunctionLoader(self._load_source),
            autoescape=False,  # a prompt is not HTML: escaping would alter the policy
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=self._finalize,
            auto_reload=False,
        )
        allowed = {name: self._charged(self.filters[name]) for name in _FILTERS}
        self.filters = {**allowed, "indent": _indent, "join": self._join, "bounded": self._bounded}
        self.globals = {"namespace": self.globals["namespace"]}

    def render(self, name: str, variables: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the text of a template and the top-level variables that it sets.

        Raises ``TemplateError`` with file and line for anything that goes wrong, and when the
        template leaves a supplied variable unused.
        """
        self._spent = 0
        try:
            self._refuse_unused(name, variables)
            template = self.get_template(name)
            context = template.new_context(dict(variables))
            text = "".join(template.root_render_func(context))
        except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError, LookupError,
                AttributeError, RecursionError) as error:  # fmt: skip
            raise self._explain(error, name) from error
        return text.replace("\r\n", "\n"), context.get_exported()

    def _refuse_unused(self, name: str, variables: Mapping[str, Any]) -> None:
        asked = self.variables_used(name)
        unused = sorted(set(variables) - asked)
        if unused:
            unknown = sorted(asked - set(variables))
            also = f", but asks for {', '.join(map(repr, unknown))}" if unknown else ""
            raise TemplateError(
                f"the template never uses {', '.join(map(repr, unused))}{also}",
                where=f"{self._folder}/{name}",
                hint="use it, or do not supply it",
            )

    def variables_used(self, name: str) -> frozenset[str]:
        """Return the variables that a template, or any template it includes, asks for."""
        return self._ask(name)[0]

    def templates_used(self, name: str) -> tuple[str, ...]:
        """Return the template and all that it includes, sorted."""
        return self._ask(name)[1]

    def attributes_used(self, name: str) -> frozenset[str]:
        """Return the names after a dot (``rule.title``), also in any template it includes."""
        trees = (self._tree(each) for each in self.templates_used(name))
        return frozenset(each.attr for tree in trees for each in tree.find_all(nodes.Getattr))

    def _tree(self, name: str) -> nodes.Template:
        return self.parse(self._source(name), name, f"{self._folder}/{name}")

    def _ask(self, name: str) -> tuple[frozenset[str], tuple[str, ...]]:
        if name not in self._asked:
            used: set[str] = set()
            seen: set[str] = set()
            waiting = [name]
            while waiting:
                current = waiting.pop()
                if current in seen:
                    continue
                seen.add(current)
                try:
                    tree = self._tree(current)
                    used |= meta.find_undeclared_variables(tree)
                except jinja2.TemplateError as error:
                    raise self._explain(error, current) from error
                waiting += self._references(tree, current)
            self._asked[name] = frozenset(used), tuple(sorted(seen))
        return self._asked[name]

    def _references(self, tree: nodes.Template, name: str) -> Iterator[str]:
        for reference in meta.find_referenced_templates(tree):
            if reference is None:
                raise TemplateError(
                    "includes a template whose name is computed",
                    where=f"{self._folder}/{name}",
                    hint="name it in the text, so that reviewers see what is included",
                )
            yield reference

    def charge(self, units: int) -> None:
        """Spend work; raises ``WorkLimitError`` when the budget of this render is gone."""
        self._spent += units
        if self._spent > WORK_LIMIT:
            raise WorkLimitError(
                "the template does more work than a prompt can need (a loop without end?)"
            )

    # -- what Jinja asks the environment ------------------------------------------------------

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Parse, and put every loop under the budget.

        A template is parsed to see what it asks for, then to compile it: the second time the
        tree is there already.
        """
        known = self._trees.pop((name, source), None)
        if known is not None:
            return known
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            size = sum(len(data.data) for data in loop.find_all(nodes.TemplateData))
            cost = nodes.Const(size, lineno=loop.lineno)
            loop.iter = nodes.Filter(
                loop.iter, "bounded", [cost], [], None, None, lineno=loop.lineno
            )
        for joined in tree.find_all(nodes.Concat):
            # `a ~ b` is not offered to the sandbox; as a join it is.
            items = nodes.List(joined.nodes, lineno=joined.lineno)
            joined.nodes = [nodes.Filter(items, "join", [], [], None, None, lineno=joined.lineno)]
        self._trees[name, source] = tree
        return tree

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:  # noqa: A002  (Jinja's name)
        """Load a template; each inclusion is work."""
        if isinstance(name, str):
            self.charge(1 + len(self._templates.get(name, "")))
        return super().get_template(name, parent, globals)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805, PYI063  (as Jinja declares it)
        """Call a macro or method; each call is work."""
        __self.charge(100)
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute ``left operator right`` where the result stays small."""
        sequences = isinstance(left, (str, list, tuple)) or isinstance(right, (str, list, tuple))
        if operator == "**" or (operator in "*%" and sequences):
            raise SecurityError(f"the operator {operator!r} is not available here")
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and result.bit_length() > _MAX_BITS:
            raise SecurityError("a number grew beyond 64 bits")
        self.charge(len(result) if sequences else 1)
        return result

    def wrap_str_format(self, value: Any) -> None:
        """Give no formatting: ``format`` is not among the text methods that are allowed."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow public attributes, and of text only methods that cannot blow it up."""
        if isinstance(obj, str):
            return attr in _TEXT_METHODS
        return not attr.startswith("_") and super().is_safe_attribute(obj, attr, value)

    # -- the budget's meters --------------------------------------------------------------------

    def _finalize(self, value: Any) -> Any:
        if isinstance(value, jinja2.Undefined):
            return value  # printing it raises, with the name of what is undefined
        if not isinstance(value, (str, int, float)):
            raise SecurityError(f"an expression printed a {type(value).__name__}, not text")
        self.charge(len(value) if isinstance(value, str) else 1)
        return value

    def _bounded(self, iterable: Iterable[Any], cost: int) -> Iterator[Any]:
        for item in iterable:
            self.charge(1 + cost)
            yield item

    def _charged(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the filter, its result paid for; Jinja's pass_* marks stay on it."""

        def paid(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            self.charge(len(result) if isinstance(result, (str, list, tuple, dict)) else 1)
            return result

        paid.__dict__.update(getattr(function, "__dict__", {}))
        return paid

    def _join(self, items: Iterable[Any], separator: str = "") -> str:
        texts = [str(item) for item in items]
        self.charge(sum(map(len, texts)) + len(separator) * len(texts))
        return separator.join(texts)

    # -- sources and errors -----------------------------------------------------------------------

    def _load_source(self, name: str) -> tuple[str, str, None] | None:
        if name not in self._templates:
            return None
        return self._source(name), f"{self._folder}/{name}", None

    def _source(self, name: str) -> str:
        if name not in self._templates:
            raise TemplateError(
                f"there is no template {name!r}",
                where=self._folder,
                hint=did_you_mean(name, self._templates)
                or (f"there are {', '.join(sorted(self._templates))}" if self._templates else None),
            )
        return self._templates[name].replace("\r\n", "\n")

    def _explain(self, error: Exception, name: str) -> TemplateError:
        """Return the error with the innermost template line that it came from."""
        where = f"{self._folder}/{name}"
        if isinstance(error, jinja2.TemplateSyntaxError):
            known = (error.filename or "").startswith(f"{self._folder}/")
            file = error.filename if known else where
            return TemplateError(str(error.message), where=f"{file}:{error.lineno}")
        trace = error.__traceback__
        while trace is not None:
            template = trace.tb_frame.f_globals.get("__jinja_template__")
            if template is not None:
                line = template.get_corresponding_lineno(trace.tb_lineno)
                where = f"{self._folder}/{template.name}:{line}"
            trace = trace.tb_next
        if isinstance(error, RecursionError):
            return TemplateError("templates or macros call themselves without end", where=where)
        return TemplateError(str(error) or type(error).__name__, where=where)


def _indent(text: str, width: int = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT001, FBT002  (Jinja's signature)
    if width > _MAX_INDENT:
        raise SecurityError(f"indent takes at most {_MAX_INDENT} columns")
    return do_indent(text, width, first, blank)
