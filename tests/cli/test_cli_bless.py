"""`pldgov bless`: evidence is written, or refused for a reason."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def bless(pldgov):
    return lambda repo, *more: pldgov("bless", "--reason", "because", *more, cwd=repo.root)


def test_evidence_holds_key_figures_answers_and_a_ledger_line(governance_repo, bless):
    """All that a later gate needs is committed beside the rulebook."""
    repo = governance_repo()
    assert bless(repo).exit_code == 0
    folder = repo.root / "rulebooks/desk/evidence"
    evidence = json.loads((folder / "recorded.json").read_text("utf-8"))
    (ledger,) = (folder / "ledger.jsonl").read_text("utf-8").splitlines()
    entry = json.loads(ledger)
    assert evidence["scorecard"]["macro_f1"] == 1.0
    assert len(evidence["decisions"]) == 40
    assert evidence["key"]["labels"] == ["fraud", "other"]
    assert entry["reason"] == "because"
    assert entry["commit"] == repo.git("rev-parse", "HEAD")
    assert entry["prompt_sha256"] == evidence["prompt_sha256"]
    assert (folder / "recorded.answers.jsonl").read_text("utf-8").count("\n") == 40


def test_one_decision_a_line_so_that_a_diff_shows_the_flips(governance_repo, bless):
    """A reviewer sees in the diff of the evidence which examples flipped."""
    repo = governance_repo()
    bless(repo)
    text = (repo.root / "rulebooks/desk/evidence/recorded.json").read_text("utf-8")
    assert '\n    {"id": "g-00", "gold": "fraud", "label": "fraud", "group": null},\n' in text


def test_blessing_twice_appends_to_the_ledger(governance_repo, bless):
    """The ledger is history: nothing in it is rewritten, and evidence files are no dirt."""
    repo = governance_repo()
    bless(repo)
    first = (repo.root / "rulebooks/desk/evidence/ledger.jsonl").read_text("utf-8")
    assert bless(repo).exit_code == 0
    both = (repo.root / "rulebooks/desk/evidence/ledger.jsonl").read_text("utf-8")
    assert both.startswith(first)
    assert both.count("\n") == 2


def test_a_dirty_tree_is_refused(governance_repo, bless):
    """Evidence must cite a commit that holds what was measured."""
    repo = governance_repo()
    repo.write_rulebook(rule="Not committed.")
    repo.record()
    result = bless(repo)
    assert result.exit_code == 2
    assert "not committed" in result.stderr
    assert not (repo.root / "rulebooks/desk/evidence/recorded.json").exists()


def test_many_invalid_answers_are_refused(governance_repo, bless):
    """A student that names no label has not been measured; nothing is written."""
    repo = governance_repo()
    repo.record(dict.fromkeys(repo.gate_ids("fraud")[:5]))
    repo.commit("Invalid")
    result = bless(repo)
    assert result.exit_code == 3
    assert "5 of 40 answers name no label" in result.stderr
    assert not (repo.root / "rulebooks/desk/evidence/recorded.json").exists()


def test_a_reason_is_required(governance_repo, pldgov):
    """Nobody blesses without saying why."""
    result = pldgov("bless", cwd=governance_repo().root)
    assert result.exit_code == 2
    assert "--reason" in result.stderr


def test_outside_git_nothing_is_blessed(governance_repo, bless):
    """Without history evidence could cite no commit."""
    import shutil

    repo = governance_repo()
    shutil.rmtree(repo.root / ".git")
    assert bless(repo).exit_code == 3
