"""Plain values against the rulebook's model: every Pydantic error becomes a problem in words."""

from __future__ import annotations

from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError

from pldgov.rulebook.model import SCHEMA_ID, Part, Rulebook
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

    Loc = tuple[str | int, ...]

_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of reasonable size",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "date_type": "a date such as 2026-11-24",
    "date_parsing": "a date such as 2026-11-24",
    "date_from_datetime_parsing": "a date such as 2026-11-24",
    "date_from_datetime_inexact": "a date such as 2026-11-24",
    "iso_date": "a date such as 2026-11-24",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}

_BOUNDS = {
    "greater_than_equal": "be at least {ge}, not {shown}",
    "greater_than": "be more than {gt}, not {shown}",
    "less_than_equal": "be at most {le}, not {shown}",
    "less_than": "be less than {lt}, not {shown}",
    "string_too_long": "have at most {max_length} characters",
    "string_too_short": "not be empty",
    "too_short": "have at least {min_length} entries",
}

_PATTERNS = {
    "^[a-z0-9][a-z0-9._-]*$": (
        'lower-case letters, digits, ".", "_" and "-", starting with a letter or digit'
    ),
    "^[0-9a-f]{64}$": "64 lower-case hexadecimal digits",
}

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Invalid:
    """One thing that does not fit the model, at a loc of the document."""

    code: str
    loc: Loc
    message: str
    hint: str | None = None
    at_key: bool = False


@dataclass(frozen=True, slots=True)
class Validated:
    """What could be made of a document.

    ``rulebook`` is built from what is left when every invalid part is taken away (and stand-ins
    for a missing title and the like), so that further checks can run; None when too little is
    left. ``rule_rows`` holds the index in the document of each of its rules.
    """

    rulebook: Rulebook | None
    rule_rows: tuple[int, ...]
    invalid: tuple[Invalid, ...]


def validate(values: dict[str, Any]) -> Validated:
    """Return the rulebook in ``values`` with everything that is invalid about it.

    Takes invalid parts out of ``values``.
    """
    try:
        rulebook = Rulebook.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        invalid = tuple(_describe(detail, values) for detail in details)
        return _salvage(values, details, invalid)
    return Validated(rulebook, tuple(range(len(rulebook.rules))), ())


_ROUNDS = 8
_STAND_INS: Mapping[Loc, str] = {
    ("schema",): SCHEMA_ID,
    ("name",): "unknown",
    ("title",): "?",
    ("owner",): "?",
    ("task", "instruction"): "?",
    ("prompt", "template"): "?",
}
"""Texts put in the place of missing ones without which nothing else could be checked."""

_RULE = 2
"""Length of the loc of a rule."""


def _salvage(
    values: dict[str, Any], details: Sequence[ErrorDetails], invalid: tuple[Invalid, ...]
) -> Validated:
    """Take the invalid parts away, round by round: a lost key may make its parent invalid."""
    rows = list(range(_count_rules(values)))
    for _ in range(_ROUNDS):
        targets = {_target(detail) for detail in details if not _stand_in(values, detail)}
        if () in targets:
            break
        rows = [rows[index] for index in _prune(values, targets)]
        try:
            rulebook = Rulebook.model_validate(values)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False)
        else:
            return Validated(rulebook, tuple(rows), invalid)
    return Validated(None, (), invalid)


def _stand_in(values: dict[str, Any], detail: ErrorDetails) -> bool:
    """Fill in what is missing, where it can be; tell whether it was."""
    loc = tuple(detail["loc"])
    if detail["type"] != "missing" or loc not in _STAND_INS:
        return False
    _at(values, loc[:-1])[loc[-1]] = _STAND_INS[loc]
    return True


def _count_rules(values: Mapping[str, Any]) -> int:
    rules = values.get("rules")
    return len(rules) if isinstance(rules, list) else 0


def _prune(values: dict[str, Any], targets: Iterable[Loc]) -> list[int]:
    """Delete what ``targets`` name, and return the indices of the rules that stay."""
    dropped = {loc[1] for loc in targets if loc[0] == "rules" and len(loc) == _RULE}
    for loc in sorted(targets, key=len, reverse=True):
        if not (loc[0] == "rules" and len(loc) == _RULE):
            _at(values, loc[:-1]).pop(loc[-1], None)
    kept = [index for index in range(_count_rules(values)) if index not in dropped]
    if dropped and "rules" in values:
        values["rules"] = [values["rules"][index] for index in kept]
    return kept


def _target(detail: ErrorDetails) -> Loc:
    """Return what has to go: the value itself, or what cannot do without it."""
    loc = tuple(part for part in detail["loc"] if part != "[key]")
    if detail["type"] == "missing":
        loc = loc[:-1]
    in_rule = loc[:1] == ("rules",) and len(loc) > 1
    for depth in range(_RULE if in_rule else 0, len(loc)):
        if isinstance(loc[depth], int):
            return loc[:_RULE] if in_rule else loc[:depth]
    return loc


def _without(value: Any, loc: Loc) -> Any:
    """Return a copy of nested dicts and lists without the key at ``loc``; shares the rest."""
    head, *rest = loc
    if not rest:
        return {key: child for key, child in value.items() if key != head}
    if isinstance(value, list):
        assert isinstance(head, int)
        return [*value[:head], _without(value[head], tuple(rest)), *value[head + 1 :]]
    if head not in value:
        return value
    return {**value, head: _without(value[head], tuple(rest))}


def _describe(detail: ErrorDetails, values: Mapping[str, Any]) -> Invalid:
    kind, loc = detail["type"], tuple(detail["loc"])
    at_key = loc[-1:] == ("[key]",)
    loc = loc[:-1] if at_key else loc
    subject = _subject(loc, values)
    if kind == "missing":
        return Invalid("missing-key", loc, f'{_owner(loc[:-1], values)} lacks "{loc[-1]}"')
    if kind == "extra_forbidden":
        return _unknown(loc, values)
    if detail["input"] is None:
        needs = _KINDS.get(kind, "a value")
        return Invalid("wrong-type", loc, f"{subject} is empty; it must be {needs}")
    if kind in _KINDS:
        said = f"{subject} must be {_KINDS[kind]}, not {_show(detail['input'])}"
        return Invalid("wrong-type", loc, said, at_key=at_key)
    expected, hint = _expected(detail)
    return Invalid("bad-value", loc, f"{subject} must {expected}", hint, at_key=at_key)


def _expected(detail: ErrorDetails) -> tuple[str, str | None]:
    """Return what a value of the right type must be, and the nearest thing it may be."""
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    shown = _show(given)
    if kind == "literal_error":
        choices = context["expected"].replace("'", "")
        known = choices.replace(" or ", ", ").split(", ")
        return f"be {choices}, not {shown}", did_you_mean(str(given), known)
    if kind == "string_pattern_mismatch":
        pattern = context["pattern"]
        return f"be {_PATTERNS.get(pattern, pattern)}, not {shown}", None
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context, shown=shown), None
    return f"fit: {detail['msg']}", None


def _unknown(loc: Loc, values: Mapping[str, Any]) -> Invalid:
    known = known_keys(loc[:-1])
    used = _at(values, loc[:-1])
    free = [key for key in known if key not in used]
    hint = did_you_mean(str(loc[-1]), free) or f"known keys: {', '.join(free)}"
    message = f'unknown key "{loc[-1]}" in {_owner(loc[:-1], values)}'
    return Invalid("unknown-key", loc, message, hint, at_key=True)


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return f'"{text}"' if len(text) <= _SHOWN else f'"{text[:_SHOWN]}..."'


def _at(values: Any, loc: Loc) -> Any:
    for part in loc:
        values = values[part]
    return values


def _subject(loc: Loc, values: Mapping[str, Any]) -> str:
    """Name the value at ``loc``: ``"status" of rule "r-07"``."""
    inner = loc[_RULE:] if loc[:1] == ("rules",) and len(loc) > 1 else loc
    if not inner:
        return _owner(loc, values)
    name = f'"{_dotted(inner)}"'
    return f"{name} of {_owner(loc[:_RULE], values)}" if inner != loc else name


def _owner(loc: Loc, values: Mapping[str, Any]) -> str:
    """Name the mapping at ``loc``: the rulebook, a rule by its id, or a dotted path."""
    if not loc:
        return "the rulebook"
    if loc[0] != "rules" or len(loc) < _RULE:
        return f'"{_dotted(loc)}"'
    if len(loc) > _RULE:
        return _subject(loc, values)
    rule = _at(values, loc)
    given = rule.get("id") if isinstance(rule, dict) else None
    return f'rule "{given}"' if isinstance(given, str) else f"rule {int(loc[1]) + 1}"


def _dotted(loc: Loc) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc]
    return "".join(parts).removeprefix(".")


def known_keys(loc: Sequence[str | int]) -> tuple[str, ...]:
    """Return the keys that the model knows for the mapping at ``loc``, in its order."""
    kind: Any = Rulebook
    for part in loc:
        kind = next(_steps(kind, part), None)
    if not _is_part(kind):
        return ()
    return tuple(field.alias or name for name, field in kind.model_fields.items())


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Part)


def _steps(kind: Any, part: str | int) -> Iterator[Any]:
    """Yield the type of the value at one key or index of a value of type ``kind``."""
    if _is_part(kind):
        for name, field in kind.model_fields.items():
            if part in (name, field.alias):
                yield _bare(field.annotation)
    elif get_origin(kind) is tuple:
        yield _bare(get_args(kind)[0])
    elif get_origin(kind) is dict:
        yield _bare(get_args(kind)[1])


def _bare(annotation: Any) -> Any:
    """Strip ``Annotated`` and ``| None``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return _bare(next(kind for kind in get_args(annotation) if kind is not type(None)))
    return annotation
