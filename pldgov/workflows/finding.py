"""Rulebooks by what people call them: a file, a folder or a name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pldgov.errors import UsageError
from pldgov.rulebook.loading import FILE_NAME, find_rulebooks
from pldgov.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pldgov.ports import Source


@dataclass(frozen=True)
class Finder:
    """Finds rulebooks in ``tree``, the working tree at ``root``; by name below ``rulebooks``."""

    tree: Source
    root: Path
    rulebooks: str

    def find(self, names: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the rulebooks' paths relative to the root, in order and without repeats.

        A name is a rulebook.yaml, a folder that holds some, or a rulebook's name; no names mean
        all of them. Raises ``UsageError`` for a name that leads to none.
        """
        if not names:
            found = find_rulebooks(self.tree, under=self.rulebooks)
            if not found:
                raise UsageError(
                    f"there is no rulebook below {self.rulebooks}/",
                    where=str(self.root),
                    hint="pldgov init makes a first one",
                )
            return found
        return tuple(dict.fromkeys(path for name in names for path in self._find(name)))

    def by_name(self) -> dict[str, str]:
        """Return the path of each rulebook by its folder's name."""
        every = find_rulebooks(self.tree, under=self.rulebooks)
        return {rulebook.split("/")[-2]: rulebook for rulebook in every if "/" in rulebook}

    def _find(self, name: str) -> tuple[str, ...]:
        path = Path(name)
        if path.is_file():
            return (self._relative(path),)
        if path.is_dir():
            found = find_rulebooks(self.tree, under=self._relative(path))
            if found:
                return found
            raise UsageError(f"there is no {FILE_NAME} in this folder", where=name)
        by_name = self.by_name()
        if name in by_name:
            return (by_name[name],)
        raise UsageError(
            "there is no such rulebook, file or folder",
            where=name,
            hint=did_you_mean(name, by_name)
            or (f"known are {', '.join(sorted(by_name))}" if by_name else "pldgov init"),
        )

    def _relative(self, path: Path) -> str:
        root = os.path.realpath(self.root)
        relative = os.path.relpath(os.path.realpath(path), root).replace(os.sep, "/")
        if relative.startswith(".."):
            raise UsageError(f"lies outside {self.root}", where=str(path))
        return "" if relative == "." else relative
