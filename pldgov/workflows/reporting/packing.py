"""Writing the page and the audit pack: the same bytes for the same commit."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

from pldgov.errors import UsageError
from pldgov.files import write_atomically
from pldgov.fingerprint import digest_bytes
from pldgov.report.audit.index import SUMS, render_index
from pldgov.report.audit.tables import TABLES
from pldgov.report.page.rendering import render_page
from pldgov.workflows.rendering import format_prompt, manifest, student_facts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pldgov.dossier import Dossier
    from pldgov.ports import Source, Student
    from pldgov.rulebook.loading import Revision

README = "README.md"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name: the pack has no time of its own."""


def write_page(path: Path, dossier: Dossier) -> Path:
    """Write the page and return its path; raises ``StorageError``."""
    write_atomically(path, render_page(dossier).encode())
    return path


def pack_files(
    dossier: Dossier, revision: Revision, *, student: Student, tree: Source
) -> dict[str, bytes]:
    """Return the audit pack's files by name, sorted, the index and the sums included."""
    files = {
        "report.html": render_page(dossier).encode(),
        "rulebook.yaml": tree.read(revision.path),
        **{name: write(dossier).encode() for name, write in TABLES.items()},
        **_prompt_files(dossier, revision, student=student, tree=tree),
    }
    files[README] = render_index(dossier, files).encode()
    sums = "".join(f"{digest_bytes(files[name])}  {name}\n" for name in sorted(files))
    files[SUMS] = sums.encode()
    return dict(sorted(files.items()))


def _prompt_files(
    dossier: Dossier, revision: Revision, *, student: Student, tree: Source
) -> dict[str, bytes]:
    rendered = dossier.rendered
    if rendered is None:
        return {}
    facts = student_facts(revision, rendered, student=student, tree=tree)
    said = manifest(revision, rendered, commit=dossier.commit, dirty=dossier.dirty, **facts)
    plain = "messages.json" if rendered.prompt.turns else "prompt.txt"
    whole = not rendered.prompt.scoped_rules  # else the plain form would lack rules
    prompt = {
        **({plain: format_prompt(rendered.prompt)} if whole else {}),
        "prompt.json": format_prompt(rendered.prompt, format="json"),
    }
    texts = {
        "manifest.json": said,
        **({} if dossier.prompt_withheld else prompt),
        **{f"templates/{name}": revision.templates[name] for name in rendered.templates},
    }
    return {name: text.encode() for name, text in texts.items()}


def write_pack(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files into ``folder`` and beside it as a zip, whose path is returned.

    Raises ``UsageError`` where the folder holds anything else: a file left over from another
    pack would pass for evidence. Raises ``StorageError``.
    """
    target = folder.resolve().with_name(f"{folder.resolve().name}.zip")
    _refuse_strangers(folder, files)
    for name, data in files.items():
        write_atomically(folder / name, data)
    write_atomically(target, zip_of(files))
    return folder.with_name(target.name) if folder.name else target


def _refuse_strangers(folder: Path, files: Mapping[str, bytes]) -> None:
    found = (path for path in folder.rglob("*") if not path.is_dir())
    strange = sorted(
        name for path in found if (name := path.relative_to(folder).as_posix()) not in files
    )
    if strange:
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        raise UsageError(
            f"holds {strange[0]}{more}, no part of this pack",
            where=str(folder),
            hint="name a folder that is empty or not there",
        )


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of the files, sorted, without times.

    Nothing is compressed: what a compressor makes of a file differs between its versions.
    """
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # the same on every system
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return stream.getvalue()
