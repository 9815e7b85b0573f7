"""The working tree as a source of files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NEVER_READ = frozenset({".git", ".venv", ".pldgov", "node_modules", "__pycache__"})


class WorkTree:
    """The files below ``root`` as they stand on disk now."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def name(self) -> str:
        """What messages call it."""
        return "working tree"

    def read(self, path: str) -> bytes:
        """Return a file's bytes; raises ``FileNotFoundError``."""
        return (self.root / path).read_bytes()

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        return (self.root / path).is_file()

    def files(self, under: str) -> tuple[str, ...]:
        """Return the paths of all files below ``under``, sorted; caches and .git left out."""
        found = []
        for folder, folders, names in os.walk(self.root / under):
            folders[:] = [name for name in folders if name not in _NEVER_READ]
            prefix = os.path.relpath(folder, self.root).replace(os.sep, "/")
            found += [name if prefix == "." else f"{prefix}/{name}" for name in names]
        return tuple(sorted(found))
