"""`pldgov quickstart`: the whole main job with the embedded student."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from pldgov.errors import DataError
from pldgov.workflows.demonstration import EDITS, Edit, apply_edit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def transcript(tmp_path_factory):
    """What the quickstart prints, from an empty folder."""
    pytest.importorskip("torch", reason="the embedded student needs pldgov[transformers]")
    run = subprocess.run(
        [sys.executable, "-m", "pldgov", "quickstart"],
        cwd=tmp_path_factory.mktemp("anywhere"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr
    return run.stdout


def test_the_gate_stops_the_harmful_edit_and_passes_the_harmless_one(transcript):
    """REGRESSED with flipped examples, then PASS without a student call."""
    harmful, harmless = transcript.split("\n7. ")
    assert "REGRESSED  desk-routing" in harmful
    assert re.search(r"flipped examples: \d+ broken", harmful)
    assert "PASS  desk-routing" in harmless
    assert "student calls: 0" in harmless


def test_the_rules_are_distilled_in_front_of_the_reader(transcript):
    """From none to those that stand in this repository, and each says what it rests on."""
    assert "desk-routing, run desk-cued, student smollm2" in transcript
    assert "| Card use, delivery and refusal at tills: A card, chip, PIN" in transcript
    assert "|     rests on w-001, w-031" in transcript


def test_the_rulebook_beats_zero_shot_by_a_fifth(transcript):
    """The example shows an effect: macro-F1 on the gate split, with and without the rulebook."""
    figures = {
        name: float(value)
        for name, value in re.findall(r"^(rulebook|zero-shot) +(0\.\d+) ", transcript, re.MULTILINE)
    }
    assert figures["rulebook"] > 1.2 * figures["zero-shot"]


def test_it_shows_the_prompt_and_explains_each_step(transcript):
    """A reader sees what is deployed and what every step is for."""
    assert all(f"\n{number}. " in transcript for number in range(1, 8))
    assert "| Answer with one label only: card, loan, transfer, login, savings." in transcript


def test_an_edit_whose_place_is_gone_is_an_error(tmp_path):
    """The demonstration never edits the wrong place."""
    (tmp_path / "f").write_text("a a")
    edit = Edit("b", "s", "e", (("f", "a", "b"),), 0, "c")
    with pytest.raises(DataError, match="2 times, not once"):
        apply_edit(tmp_path, edit)
    assert len(EDITS) == 2
