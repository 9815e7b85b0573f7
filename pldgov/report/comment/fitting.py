"""Cutting a text to a size at places where a reader does not mind: whole parts, never sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_GLUE: Final = "\n\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text and its shorter versions, the longest first; the last may be blank."""

    name: str
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The text, and whether anything was left out."""

    text: str
    is_cut: bool


def utf16_units(text: str) -> int:
    """Return the length as browsers and databases of 16-bit characters count it.

    It is never below the number of characters, and three times it never below that of bytes in
    UTF-8, so that a limit in it holds in all three.
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_bytes(text: str) -> int:
    """Return the number of bytes in UTF-8."""
    return len(text.encode("utf-8", "replace"))


def fit(
    chapters: Sequence[Sequence[Part]],
    *,
    steps: Sequence[tuple[str, int]],
    room: int,
    size: Callable[[str], int] = utf16_units,
) -> Fitted:
    """Return the chapters as one text of at most ``room``.

    The ``steps`` name a part and the version that takes its place; each is taken in the last
    chapter first and in the others before the next step. Then whole chapters are left out, the
    last ones first, but never the first chapter: it may be too large for the room alone.
    """
    draft = [_Chapter(parts, size) for parts in chapters]
    total = sum(chapter.size for chapter in draft)
    is_cut = False
    for name, version in steps:
        for chapter in reversed(draft):
            if total <= room:
                break
            saved = chapter.shorten(name, version)
            total -= saved
            is_cut = is_cut or saved > 0
    while total > room and len(draft) > 1:
        total -= draft.pop().size
        is_cut = True
    texts = [text for chapter in draft for text in chapter.texts if text]
    return Fitted(_GLUE.join(texts) + "\n", is_cut)


class _Chapter:
    """One chapter with the version of each part that stands now; sizes are taken once."""

    def __init__(self, parts: Sequence[Part], size: Callable[[str], int]) -> None:
        self._parts = parts
        self._sizes = [
            [size(text) + len(_GLUE) if text else 0 for text in part.versions] for part in parts
        ]
        self._now = [0] * len(parts)

    @property
    def size(self) -> int:
        return sum(sizes[now] for sizes, now in zip(self._sizes, self._now, strict=True))

    @property
    def texts(self) -> list[str]:
        return [part.versions[now] for part, now in zip(self._parts, self._now, strict=True)]

    def shorten(self, name: str, version: int) -> int:
        """Put a version of the parts of a name in place if it is shorter; return what it saves."""
        before = self.size
        for index, part in enumerate(self._parts):
            sizes, now = self._sizes[index], self._now[index]
            if part.name == name and version < len(sizes) and sizes[version] < sizes[now]:
                self._now[index] = version
        return before - self.size
