"""The sandbox: what a template may do, and what stops it."""

from __future__ import annotations

import pytest

from pldgov.errors import TemplateError
from pldgov.templating import PromptEnvironment


def render(source: str, _other: str = "", **variables: object) -> str:
    return PromptEnvironment({"a.j2": source, "b.j2": _other}).render("a.j2", variables)[0]


def test_top_level_assignments_are_returned():
    """A template hands turns over by setting a top-level variable."""
    text, exported = PromptEnvironment({"a.j2": "{{ x }}{% set turns = [x] %}"}).render(
        "a.j2", {"x": "hello"}
    )
    assert text == "hello"
    assert exported == {"turns": ["hello"]}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ x }}\n{{ missing }}", "templates/a.j2:2: 'missing' is undefined"),
        ("{% if x %}", "templates/a.j2:1: Unexpected end of template"),
        ("\n\n{{ x.__class__ }}", "templates/a.j2:3: access to attribute '__class__'"),
        ("{{ x | attr('__class__') }}", "No filter named 'attr'"),
        ("{{ x.format(1) }}", "access to attribute 'format'"),
        ("{{ [x] | map(attribute='__class__') | join }}", "unsafe"),
        ("{{ x * 1000000000 }}", "the operator '*' is not available"),
        ("{{ '%99999999d' % 1 }}{{ x }}", "the operator '%' is not available"),
        ("{{ 2 ** 99999999 }}{{ x }}", "the operator '**' is not available"),
        ("{{ [x] }}", "an expression printed a list"),
        ("{{ none }}{{ x }}", "an expression printed a NoneType"),
        ("{{ x | indent(1000000) }}", "indent takes at most"),
        ("{{ range(3) | join }}{{ x }}", "'range' is undefined"),
        ("{% include x %}", "a template whose name is computed"),
        ("{% include 'c.j2' %}{{ x }}", "there is no template 'c.j2' (did you mean"),
        ("{% include '../secret.j2' %}{{ x }}", "there is no template '../secret.j2'"),
        ("{% include 'a.j2' %}{{ x }}", "call themselves without end"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}{{ x }}", "call themselves without end"),
    ],
)
def test_what_a_template_must_not_do_is_refused(source, said):
    """Reaching for attributes, files and unbounded operators fails with the place and the word."""
    with pytest.raises(TemplateError) as error:
        render(source, x="text")
    assert said.lower() in str(error.value).lower()


FOUR_LOOPS = "{% for i in x %}" * 4 + "a" + "{% endfor %}" * 4


@pytest.mark.parametrize(
    "source",
    [
        FOUR_LOOPS,
        "{% set n = namespace(t='x') %}{% for i in x %}{% set n.t = n.t ~ n.t %}{% endfor %}",
        "{% set n = namespace(t='x') %}{% for i in x %}{% set n.t = n.t + n.t %}{% endfor %}",
        "{% set n = namespace(t='x') %}"
        "{% for i in x %}{% set n.t %}{{ n.t }}{{ n.t }}{% endset %}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}"
        "{{ m(60) }}{{ x | length }}",
        "{% set n = namespace(t=['x']) %}"
        "{% for i in x %}{% set n.t = [n.t | join(n.t | join)] %}{% set n.t = n.t + n.t %}{% endfor %}",
    ],
    ids=["loops", "tilde", "plus", "capture", "macros", "join"],
)
def test_work_without_end_is_stopped(source):
    """Loops, doubling texts and doubling macros run into the budget, not into the clock."""
    with pytest.raises(TemplateError, match="more work than a prompt can need"):
        render(source, x=list(range(400)))


def test_numbers_cannot_grow_without_end():
    """Squaring in a loop stops at 64 bits."""
    source = "{% set n = namespace(v=9) %}{% for i in x %}{% set n.v = n.v * n.v %}{% endfor %}"
    with pytest.raises(TemplateError, match="64 bits"):
        render(source, x=list(range(99)))


def test_a_supplied_variable_must_be_used():
    """A template that ignores what it was given would hide a rule from the student."""
    with pytest.raises(TemplateError, match="never uses 'rules'"):
        render("{{ task }}", task="t", rules=())
    with pytest.raises(TemplateError, match="never uses 'rules', but asks for 'rulez'"):
        render("{{ rulez }}", rules=())


def test_use_in_an_included_template_counts():
    """A variable that only the included template uses is used."""
    assert render("{% include 'b.j2' %}", "{{ x }}!", x="yes") == "yes!"


def test_ordinary_templates_work():
    """Loops with else, loop variables, conditions, joins, maps and tests stay available."""
    source = (
        "{% for item in x if item != 'b' %}{{ loop.index }}{{ item | upper }}"
        "{% if not loop.last %}, {% endif %}{% else %}none{% endfor %} "
        "{{ x | map('upper') | join('+') }} {{ 'n' ~ 1 }} {{ x | length }} {{ 'a b'.split() | last }}"
    )
    assert render(source, x=["a", "b", "c"]) == "1A, 2C A+B+C n1 3 b"


def test_line_endings_do_not_matter():
    """A template checked out with CRLF renders the same bytes."""
    assert render("a\r\n{{ x }}\r\n", x="1") == render("a\n{{ x }}\n", x="1") == "a\n1"


@pytest.mark.parametrize("source", ["{{ x | nosuch }}", "{% if x %}"])
def test_what_a_broken_template_uses_is_refused_with_its_place(source):
    """Asking what a template uses reads it first, and says where it cannot be read."""
    environment = PromptEnvironment({"a.j2": source})
    for ask in (environment.variables_used, environment.templates_used):
        with pytest.raises(TemplateError, match=r"^templates/a\.j2:1: "):
            ask("a.j2")
