"""A governance repository with a second rulebook, whose own student's weights are not here."""

from __future__ import annotations

from dataclasses import replace

from pldgov.config import load_config
from pldgov.evidence import answers_text
from pldgov.results import Answer
from pldgov.student_lock import LockedStudent, StudentLock, lock_path, lock_text
from pldgov.workflows.sides import builder_of
from pldgov.workspace import Workspace

HOW = "make models"
MODEL = "models/big-1b5"
WHY = f"student 'big' is not available: {MODEL}: is not on this machine (to get it: {HOW})"


def settle(repo, *, obtain=HOW, model=MODEL, name="second"):
    """Add the rulebook ``second`` with the student ``big``, as a commit on main; return its view."""
    how = f'obtain = "{obtain}"\n' if obtain else ""
    text = (repo.root / "pyproject.toml").read_text("utf-8")
    tables = (
        f'\n[tool.pldgov.student_of]\n{name} = "big"\n\n[tool.pldgov.students.big]\n'
        f'kind = "transformers"\nmodel = "{model}"\n{how}'
    )
    repo.write("pyproject.toml", text + tables)
    second = repo.another(name)
    second.write_examples()
    second.write_rulebook()
    repo.commit("Add a rulebook with a student of its own")
    return second


def card_of(repo):
    """Return the card that the student has where its weights are."""
    student = _workspace(repo).student("big")
    return replace(
        student.presumed_card(None), model=MODEL.rpartition("/")[2], snapshot="sha256:1b5"
    )


def lock(repo):
    """Lock the student as it was on the machine that has it."""
    path = lock_path(f"rulebooks/{repo.name}")
    repo.write(path, lock_text(StudentLock(path, {"big": LockedStudent(card_of(repo))})))


def record(repo, answers=None):
    """Commit the student's answers to the present prompt beside the rulebook; see ``record``."""
    revision = _workspace(repo).load(repo.path)
    prompt = builder_of(revision).build().prompt.digest
    said = {
        example.input_sha256: Answer((answers or {}).get(example.id, example.label))
        for examples in revision.splits.values()
        for example in examples
    }
    file = f"rulebooks/{repo.name}/evidence/big.answers.jsonl"
    before = (repo.root / file).read_text("utf-8") if (repo.root / file).exists() else ""
    repo.write(file, before + answers_text(prompt, card_of(repo).fingerprint, said))


def _workspace(repo):
    return Workspace(load_config(repo.root, environment={}))
