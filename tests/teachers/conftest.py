"""Requests to ask teachers, and teachers on the scripted endpoint or in a run's folder."""

from __future__ import annotations

import pytest

from pldgov.distill.model import TeacherRequest
from pldgov.teachers import open_teacher

SCHEMA = {
    "type": "object",
    "properties": {"x": {"type": "string"}},
    "required": ["x"],
    "additionalProperties": False,
}


@pytest.fixture
def make_requests():
    """Make that many requests, ``ask 0`` first."""

    def make(count, *, start=0, phase="extract"):
        return [
            TeacherRequest(
                phase,
                ({"role": "system", "content": "s"}, {"role": "user", "content": f"ask {n}"}),
                SCHEMA,
                about=(f"e-{n}",),
            )
            for n in range(start, start + count)
        ]

    return make


@pytest.fixture
def folder(tmp_path):
    """Return a run's folder."""
    return tmp_path / ".pldgov" / "runs" / "r1"


@pytest.fixture
def open_one(tmp_path, folder):
    """Open the teacher ``t`` with options."""

    def go(options, **more):
        return open_teacher("t", options, root=tmp_path, folder=folder, **more)

    return go
