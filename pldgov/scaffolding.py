"""Where the files of a new governance repository come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pldgov.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = Path(__file__).resolve().parent
_RENAMED = {
    # A file of this name would act on pldgov's own repository, or be left out of the wheel.
    "gitignore": ".gitignore",
    "pre-commit-config.yaml": ".pre-commit-config.yaml",
    "CODEOWNERS": ".github/CODEOWNERS",
}
EXAMPLE = "desk-routing"
ACTION = ".github/actions/pldgov"
_ITS_OWN = (f"rulebooks/{EXAMPLE}/evidence/ledger.jsonl", "templates/tasks/")
"""What stays here: who blessed what is no history of another repository, and the templates of one
task fit no other."""


def scaffold_files() -> Iterator[tuple[str, bytes]]:
    """Yield (path in the new repository, content) of every file, in a fixed order.

    Templates, the example rulebook and the GitHub action are the very files of pldgov's own
    repository; the wheel carries them, a source checkout has them beside the package.
    """
    scaffold = _PACKAGE / "scaffold"
    for path in _files(scaffold):
        name = path.relative_to(scaffold).as_posix()
        if not name.endswith(".py"):
            yield _RENAMED.get(name, name), path.read_bytes()
    schema = _PACKAGE / "rulebook" / "rulebook.schema.json"  # editors complete from it
    yield schema.name, schema.read_bytes()
    for folder in (ACTION, "templates", f"rulebooks/{EXAMPLE}"):
        origin = _origin(folder)
        for path in _files(origin):
            name = f"{folder}/{path.relative_to(origin).as_posix()}"
            if not name.startswith(_ITS_OWN):
                yield name, path.read_bytes()


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def _origin(folder: str) -> Path:
    for candidate in (_PACKAGE / "scaffold_shared" / folder, _PACKAGE.parent / folder):
        if candidate.is_dir():
            return candidate
    raise StorageError(
        f"this installation lacks {folder}", where=str(_PACKAGE), hint="install pldgov again"
    )
