"""`pldgov render`: stdout is the prompt, the manifest says what it is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pldgov import __version__


def test_stdout_is_the_prompt_and_nothing_else(governance_repo, pldgov):
    """Plain templates print the system text, byte for byte, with one newline at the end."""
    result = pldgov("render", "desk", cwd=governance_repo().root)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.startswith("Name the label.\n")
    assert result.stdout.endswith("2. All that is left has the label other.\n")


@pytest.mark.parametrize("name", ["desk", "rulebooks/desk", "rulebooks/desk/rulebook.yaml"])
def test_a_rulebook_is_named_by_name_folder_or_file(governance_repo, pldgov, name):
    """All three lead to the same prompt."""
    repo = governance_repo()
    assert pldgov("render", name, cwd=repo.root).stdout.startswith("Name the label.")


def test_it_works_from_any_folder_of_the_repository(governance_repo, pldgov):
    """Paths count from where the user stands."""
    repo = governance_repo()
    result = pldgov("render", "rulebook.yaml", cwd=repo.root / "rulebooks/desk")
    assert result.stdout.startswith("Name the label.")


def test_an_unknown_rulebook_is_answered_with_the_nearest(governance_repo, pldgov):
    """Exit code 2 and a guess."""
    result = pldgov("render", "desc", cwd=governance_repo().root)
    assert result.exit_code == 2
    assert 'did you mean "desk"?' in result.stderr


def test_messages_and_json(governance_repo, pldgov):
    """`messages` is what a chat endpoint takes; `json` is all that reaches the student."""
    repo = governance_repo()
    messages = json.loads(pldgov("render", "desk", "--format", "messages", cwd=repo.root).stdout)
    whole = json.loads(pldgov("render", "desk", "--format", "json", cwd=repo.root).stdout)
    assert [message["role"] for message in messages] == ["system"]
    assert whole["system"] == messages[0]["content"]
    assert whole["user_template"] == "{{ text }}\n"
    assert list(whole["labels"]) == ["fraud", "other"]


def test_turns_are_never_lost_in_text(repository, pldgov):
    """A prompt with turns renders as messages by default; as text it is refused."""
    by_default = pldgov("render", "bank-triage", cwd=repository)
    assert json.loads(by_default.stdout)[1]["role"] == "user"
    as_text = pldgov("render", "bank-triage", "--format", "text", cwd=repository)
    assert as_text.exit_code == 2
    assert "turns, which plain text would lose" in as_text.stderr


def test_rules_of_the_user_message_are_never_lost(repository, pldgov):
    """What holds them is written by default; chat messages without them are refused."""
    whole = json.loads(pldgov("render", "desk-routing", cwd=repository).stdout)
    assert "minimum deposit of a savings account: savings." in whole["user_template"]
    messages = pldgov("render", "desk-routing", "--format", "messages", cwd=repository)
    assert messages.exit_code == 2
    assert "9 rules of this prompt stand in the user message" in messages.stderr


def test_check_finds_a_stale_render(governance_repo, pldgov):
    """--check is 0 for the committed bytes, 1 for others, and writes nothing."""
    repo = governance_repo()
    path = repo.root / "prompt.txt"
    assert pldgov("render", "desk", "-o", path, "--check", cwd=repo.root).exit_code == 1
    assert not path.exists()
    pldgov("render", "desk", "-o", path, cwd=repo.root)
    assert pldgov("render", "desk", "-o", path, "--check", cwd=repo.root).exit_code == 0
    repo.write_rulebook(rule="Another rule.")
    before = path.read_bytes()
    stale = pldgov("render", "desk", "-o", path, "--check", cwd=repo.root)
    assert stale.exit_code == 1
    assert "is stale" in stale.stderr
    assert path.read_bytes() == before


def test_check_needs_a_file(governance_repo, pldgov):
    """Without -o there is nothing to check."""
    assert pldgov("render", "desk", "--check", cwd=governance_repo().root).exit_code == 2


def test_at_renders_from_history_without_a_checkout(governance_repo, pldgov):
    """--at gives the old bytes while the working tree keeps the new ones."""
    repo = governance_repo()
    old = pldgov("render", "desk", cwd=repo.root).stdout
    commit = repo.git("rev-parse", "HEAD")
    repo.write_rulebook(rule="A new rule.")
    repo.write("templates/plain.j2", repo.root.joinpath("templates/plain.j2").read_text() + "New\n")
    assert pldgov("render", "desk", "--at", commit, cwd=repo.root).stdout == old
    assert "A new rule." in pldgov("render", "desk", cwd=repo.root).stdout


def test_at_renders_a_rulebook_that_is_gone(governance_repo, pldgov):
    """What was deployed can be rendered after its deletion."""
    repo = governance_repo()
    old = pldgov("render", "desk", cwd=repo.root).stdout
    repo.git("rm", "-rqf", "rulebooks/desk")
    repo.commit("Remove")
    assert pldgov("render", "desk", "--at", "HEAD~1", cwd=repo.root).stdout == old
    gone = pldgov("render", "desk", "--at", "HEAD", cwd=repo.root)
    assert gone.exit_code == 2
    assert "no such rulebook" in gone.stderr


def test_at_an_unknown_revision(governance_repo, pldgov):
    """Exit code 3: history cannot give it."""
    assert pldgov("render", "desk", "--at", "nope", cwd=governance_repo().root).exit_code == 3


def test_the_manifest_says_what_went_in(governance_repo, pldgov):
    """Digests of everything, the commit, and whether the tree was dirty."""
    repo = governance_repo()
    out, manifest = repo.root / "p.txt", repo.root / "m.json"
    pldgov("render", "desk", "-o", out, "--manifest", manifest, cwd=repo.root)
    clean = json.loads(manifest.read_text("utf-8"))
    repo.write_rulebook(rule="Changed.")
    pldgov("render", "desk", "-o", out, "--manifest", manifest, cwd=repo.root)
    dirty = json.loads(manifest.read_text("utf-8"))
    assert clean["pldgov"] == __version__
    assert clean["git"] == {"commit": repo.git("rev-parse", "HEAD"), "dirty": False}
    assert dirty["git"]["dirty"] is True
    assert clean["rules"] == ["r-01", "r-02"]
    assert set(clean["templates"]) == {"plain.j2", "user.j2"}
    assert clean["prompt"]["sha256"] != dirty["prompt"]["sha256"]
    assert clean["rulebook"]["sha256"] != dirty["rulebook"]["sha256"]


def test_the_manifest_carries_the_blessed_calibration(repository, pldgov, tmp_path):
    """Whoever deploys the prompt gets the label prior it was measured with, if one is recorded."""
    evidence = repository / "rulebooks/desk-routing/evidence/smollm2.json"
    if not evidence.exists():
        pytest.skip("desk-routing has no blessed evidence yet")
    manifest = tmp_path / "m.json"
    result = pldgov(
        "render", "desk-routing", "-o", tmp_path / "p.json", "--manifest", manifest, cwd=repository
    )
    assert result.exit_code == 0, result.output
    data = json.loads(manifest.read_text("utf-8"))
    blessed = json.loads(evidence.read_text("utf-8"))
    assert data["prompt"]["sha256"] == blessed["prompt_sha256"]
    assert data["calibration"] == blessed["calibration"]
    assert data["calibration"]["n"] > 50


def test_rendering_loads_nothing_heavy(repository):
    """Deployment needs neither torch nor git nor openai nor sklearn nor numpy."""
    program = (
        "import sys\n"
        "from pldgov.cli import cli\n"
        "try:\n    cli.main(['render', 'bank-triage'])\n"
        "except SystemExit as leaving:\n    assert leaving.code == 0, leaving.code\n"
        "heavy = {'torch', 'transformers', 'openai', 'sklearn', 'git', 'numpy', 'ruamel', 'rich'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=True
    )
    assert run.stderr == "[]\n"


def test_a_template_that_is_not_utf8_is_refused(governance_repo, pldgov):
    """Its bytes are never replaced: render, lint and gate name the file and the line."""
    repo = governance_repo()
    template = repo.root / "templates/plain.j2"
    template.write_bytes(template.read_bytes() + b"\nCaf\xe9\n")
    for verb in ("render", "lint", "gate"):
        result = pldgov(verb, "desk", cwd=repo.root)
        assert result.exit_code == (1 if verb == "lint" else 2), verb
        assert "templates/plain.j2:" in result.output
        assert "byte 0xe9 is not UTF-8" in result.output


def test_damaged_evidence_is_named_not_a_traceback(governance_repo, pldgov):
    """A manifest asks the blessed evidence for its calibration; a broken file is exit code 2."""
    repo = governance_repo()
    repo.write("rulebooks/desk/evidence/recorded.json", '{"schema": ')
    result = pldgov(
        "render", "desk", "-o", "p.txt", "--manifest", repo.root / "m.json", cwd=repo.root
    )
    assert result.exit_code == 2, result.output
    assert "rulebooks/desk/evidence/recorded.json: not an evidence file" in result.stderr
