"""Answers as JSON: the form in which they are stored, exported, committed and replayed."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, get_args

from pldgov.errors import DataError
from pldgov.results import Answer, ScoreKind
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS: Final = get_args(ScoreKind)


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """Return ``answer`` as a JSON object with every field, in a fixed order.

    ``answer_from_json`` gives the same answer back, to the last bit of every number.
    """
    return {
        "label": answer.label,
        "scores": None if answer.scores is None else dict(answer.scores),
        "score_kind": answer.score_kind,
        "raw": answer.raw,
        "tokens_in": answer.tokens_in,
        "tokens_out": answer.tokens_out,
        "seconds": answer.seconds,
        "truncated": answer.truncated,
    }


def answer_from_json(value: Mapping[str, Any]) -> Answer:
    """Return the answer that a JSON object holds; only ``label`` must be there.

    Raises ``DataError`` that names the field which is missing, unknown or of the wrong type.
    """
    if not isinstance(value, Mapping):
        raise DataError(f"an answer must be a JSON object, not {_shown(value)}")
    if "label" not in value:
        raise DataError('the answer has no "label"', hint="null stands for an invalid answer")
    for key, content in value.items():
        if key not in _READERS:
            raise DataError(f"unknown field {key!r} of an answer", hint=did_you_mean(key, _READERS))
        _READERS[key](key, content)
    if (value.get("scores") is None) != (value.get("score_kind") is None):
        raise DataError('"scores" and "score_kind" of an answer go together: one of them is null')
    return Answer(**value)


def _optional_text(key: str, value: object) -> None:
    if value is not None and not isinstance(value, str):
        raise DataError(f'"{key}" of an answer must be text or null, not {_shown(value)}')


def _count(key: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise DataError(f'"{key}" of an answer must be a count, not {_shown(value)}')


def _seconds(key: str, value: object) -> None:
    if not _is_number(value) or value < 0:  # type: ignore[operator]
        raise DataError(f'"{key}" of an answer must be a number from 0, not {_shown(value)}')


def _score_kind(key: str, value: object) -> None:
    if value is not None and value not in _KINDS:
        raise DataError(f'"{key}" of an answer must be one of {", ".join(_KINDS)} or null')


def _scores(key: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping) or not value:
        raise DataError(f'"{key}" of an answer must be an object or null, not {_shown(value)}')
    for label, score in value.items():
        if not _is_number(score):
            raise DataError(f'"{key}" of an answer: {label!r} has no finite number')


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _shown(value: object) -> str:
    return repr(value)[:80]


_READERS: Final[Mapping[str, Callable[[str, object], None]]] = {
    "label": _optional_text,
    "scores": _scores,
    "score_kind": _score_kind,
    "raw": _optional_text,
    "tokens_in": _count,
    "tokens_out": _count,
    "seconds": _seconds,
    "truncated": _count,
}
