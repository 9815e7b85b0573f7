"""`pldgov approve`, what lint makes of approvals, and `pldgov owners`."""

from __future__ import annotations

import json

import pytest
import yaml

BY = ("--by", "Ann <ann@example.org>", "--on", "2026-03-01")


@pytest.fixture
def repo(governance_repo, monkeypatch):
    """Return a repository whose git knows no user but the one that its commits are made by."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    return governance_repo()


def rules_of(repo):
    return {rule["id"]: rule for rule in yaml.safe_load(repo.rulebook.read_bytes())["rules"]}


def policy(repo, text: str) -> None:
    settings = repo.root / "pyproject.toml"
    settings.write_text(f"{settings.read_text('utf-8')}\n{text}\n", "utf-8")


def lint(pldgov, repo, *arguments):
    result = pldgov("lint", "--format", "json", *arguments, cwd=repo.root)
    problems = json.loads(result.stdout)["problems"]
    return [problem["code"] for problem in problems if problem["code"].startswith("approval")]


def test_an_approval_is_added_and_nothing_else_changes(repo, pldgov):
    """Every line stays byte-identical, comments and CRLF included; lint then finds nothing."""
    text = repo.rulebook.read_text("utf-8").replace("rules:\n", "rules:  # all of them\n")
    data = text.replace("\n", "\r\n").encode()
    repo.rulebook.write_bytes(data)
    result = pldgov("approve", "desk", "r-01", *BY, cwd=repo.root)
    assert result.exit_code == 0, result.output
    assert "r-01 approved by Ann <ann@example.org> on 2026-03-01, gate PASS" in result.stderr
    lines = repo.rulebook.read_bytes().splitlines(keepends=True)
    before = data.splitlines(keepends=True)
    added = [line for line in lines if line not in before]
    assert len(lines) == len(before) + 5
    assert [line for line in lines if line in before] == before
    assert all(line.endswith(b"\r\n") for line in added)
    assert rules_of(repo)["r-01"]["review"]["verdict"] == "PASS"
    assert "review" not in rules_of(repo)["r-02"]
    assert lint(pldgov, repo) == []


def test_a_change_of_the_wording_voids_it(repo, pldgov):
    """A reworded rule is no longer approved; approving it again replaces the old approval."""
    pldgov("approve", "desk", "--all", *BY, cwd=repo.root)
    text = repo.rulebook.read_text("utf-8")
    repo.rulebook.write_text(text.replace("somebody else spent", "a stranger spent"), "utf-8")
    assert lint(pldgov, repo) == ["approval-void"]
    result = pldgov("approve", "desk", "--all", "--by", "Bea", "--on", "2026-03-02", cwd=repo.root)
    assert result.exit_code == 0
    assert result.stderr.count(" approved by Bea") == 1
    assert rules_of(repo)["r-01"]["review"]["by"] == "Bea"
    assert rules_of(repo)["r-02"]["review"]["by"] == "Ann <ann@example.org>"
    assert repo.rulebook.read_text("utf-8").count("review:") == 2
    assert lint(pldgov, repo) == []


def test_a_change_for_people_keeps_it(repo, pldgov):
    """An owner or a rationale is nothing that the student reads."""
    pldgov("approve", "desk", "--all", *BY, cwd=repo.root)
    text = repo.rulebook.read_text("utf-8")
    repo.rulebook.write_text(text.replace("title: A desk of two", "title: A desk"), "utf-8")
    assert lint(pldgov, repo) == []


def test_the_verdict_at_that_moment(repo, pldgov):
    """A regression is written into the approval; without answers it is undecided."""
    repo.branch("edit")
    repo.write_rulebook(rule="A changed wording of it.")
    repo.record(dict.fromkeys(repo.gate_ids("fraud"), "other"))
    result = pldgov("approve", "desk", "r-01", *BY, cwd=repo.root)
    assert "warning: the gate says REGRESSED: " in result.stderr
    assert rules_of(repo)["r-01"]["review"]["verdict"] == "REGRESSED"
    repo.write_rulebook(rule="Another wording that nobody asked about.")
    result = pldgov("approve", "desk", "r-01", *BY, cwd=repo.root)
    assert result.exit_code == 0
    assert "warning: the gate has no verdict" in result.stderr
    assert rules_of(repo)["r-01"]["review"]["verdict"] == "undecided"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("r-1", *BY), 'there is no rule "r-1" (did you mean "r-01"?)'),
        ((), "name rules, or give --all"),
        (("r-01", "--all", *BY), "name rules, or give --all"),
        (("r-01", "--by", " "), "--by: is empty"),
        (("r-01", "--by", "Ann", "--on", "1 March"), "--on: '1 March' is no day"),
        (("r-01", "--by", "Ann", "--on", "20260301"), "is no day such as"),
        (("r-01",), "git knows no name to approve in"),
    ],
)
def test_wrong_uses(repo, pldgov, arguments, said):
    """Each wrong use says what to do, exits 2, and writes nothing."""
    before = repo.rulebook.read_bytes()
    result = pldgov("approve", "desk", *arguments, cwd=repo.root)
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    assert repo.rulebook.read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("status: active", "status: draft", 'rule "r-01" is draft'),
        ("- fraud\n", "- fraudd\n", "[unknown-label]"),
        ("      sha256: ", "      # sha256: ", 'may show the example "t-00", whose content'),
        (
            "title: A desk of two\n",
            "<<<<<<< ours\ntitle: A\n=======\ntitle: B\n>>>>>>> theirs\n",
            "[conflict-marker]",
        ),
    ],
    ids=["draft", "lint error", "unpinned", "unfinished merge"],
)
def test_rules_that_cannot_be_approved(repo, pldgov, old, new, said):
    """A draft, a rulebook with errors and loose examples are refused."""
    text = repo.rulebook.read_text("utf-8")
    assert old in text
    repo.rulebook.write_text(text.replace(old, new, 1), "utf-8")
    result = pldgov("approve", "desk", "r-01", *BY, cwd=repo.root)
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_the_approver_is_git_s_user(repo, pldgov):
    """Without --by the name comes from git's settings, or what there is of it."""
    repo.git("config", "user.email", "cy@example.org")
    pldgov("approve", "desk", "r-01", cwd=repo.root)
    assert rules_of(repo)["r-01"]["review"]["by"] == "cy@example.org"
    repo.git("config", "user.name", "Cy")
    pldgov("approve", "desk", "r-01", cwd=repo.root)
    assert rules_of(repo)["r-01"]["review"]["by"] == "Cy <cy@example.org>"


def test_nothing_is_left_to_approve(repo, pldgov):
    """--all leaves approvals that hold alone."""
    pldgov("approve", "desk", "--all", *BY, cwd=repo.root)
    before = repo.rulebook.read_bytes()
    result = pldgov("approve", "desk", "--all", "--by", "Bea", cwd=repo.root)
    assert (result.exit_code, "every active rule is approved" in result.stderr) == (0, True)
    assert repo.rulebook.read_bytes() == before


def test_the_policy_requires_approvals(repo, pldgov):
    """Lint fails for active rules of the label until they are approved; a gate does not."""
    policy(repo, '[tool.pldgov.approval]\nlabels = ["fraud"]')
    assert lint(pldgov, repo) == ["approval-missing"]
    assert pldgov("lint", cwd=repo.root).exit_code == 1
    assert pldgov("gate", "--offline", cwd=repo.root).exit_code == 0
    pldgov("approve", "desk", "r-01", *BY, cwd=repo.root)
    assert lint(pldgov, repo) == []
    assert pldgov("lint", cwd=repo.root).exit_code == 0


def test_the_author_may_not_approve(repo, pldgov):
    """Where the policy says so, the author of the wording is looked up in history."""
    policy(repo, "[tool.pldgov.approval]\ndifferent_approver = true")
    author = ("--by", "TESTER <tester@example.org>", "--on", "2026-03-01")
    pldgov("approve", "desk", "--all", *author, cwd=repo.root)
    repo.commit("Approve my own rules")
    result = pldgov("lint", cwd=repo.root)
    start = repo.git("rev-list", "--max-parents=0", "HEAD")[:9]
    assert result.exit_code == 1
    assert (
        'rule "r-01" was approved by TESTER <tester@example.org>, who wrote it '
        f"(commit {start})" in result.stdout
    )
    assert lint(pldgov, repo, "--ignore", "approval-by-author") == []
    pldgov("approve", "desk", "r-01", "r-02", *BY, cwd=repo.root)
    assert lint(pldgov, repo) == []


def test_the_author_of_what_is_not_committed(repo, pldgov):
    """Words in the working tree are those of git's user."""
    policy(repo, "[tool.pldgov.approval]\ndifferent_approver = true")
    repo.git("config", "user.name", "Dee")
    text = repo.rulebook.read_text("utf-8")
    repo.rulebook.write_text(text.replace("somebody else spent", "a stranger spent"), "utf-8")
    pldgov("approve", "desk", "r-01", "--by", "dee", cwd=repo.root)
    result = pldgov("lint", cwd=repo.root)
    assert "approved by dee, who wrote it (not committed yet)" in result.stdout
    repo.git("config", "--unset", "user.name")
    result = pldgov("lint", cwd=repo.root)
    assert "cannot tell who wrote the approved rule: it is not committed" in result.stdout


def test_a_co_author_is_an_author(repo, pldgov):
    """Co-authored-by in the message of the commit counts."""
    policy(repo, "[tool.pldgov.approval]\ndifferent_approver = true")
    repo.write_rulebook(rule="Two people worded this.")
    repo.commit("Reword\n\nCo-authored-by: Ann <ann@example.org>")
    pldgov("approve", "desk", "r-01", *BY, cwd=repo.root)
    assert lint(pldgov, repo) == ["approval-by-author"]


def test_a_shallow_clone_cannot_tell_the_author(repo, pldgov, tmp_path):
    """One sentence says what to set; nothing is let through."""
    policy(repo, "[tool.pldgov.approval]\ndifferent_approver = true")
    repo.commit("Ask for another approver")
    pldgov("approve", "desk", "--all", *BY, cwd=repo.root)
    repo.commit("Approve")
    repo.git("clone", "-q", "--depth=1", f"file://{repo.root}", str(tmp_path / "clone"))
    result = pldgov("lint", cwd=tmp_path / "clone")
    assert result.exit_code == 1
    assert result.stdout.count("cannot tell who wrote 2 approved rules: the clone is shallow") == 1
    assert "fetch-depth: 0" in result.stdout


def test_lint_reads_no_history_without_that_policy(repo, pldgov, monkeypatch):
    """The look into git costs nothing where nobody asked for it."""
    pldgov("approve", "desk", "--all", *BY, cwd=repo.root)
    policy(repo, "[tool.pldgov.approval]\nrequired = true")
    monkeypatch.setenv("GIT_PYTHON_GIT_EXECUTABLE", "/nowhere/git")
    monkeypatch.setenv("PATH", "/nowhere")
    assert pldgov("lint", cwd=repo.root).exit_code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("approval = true", "approval must be a table"),
        ("[tool.pldgov.approval]\nrequred = true", 'approval.requred (did you mean "required"?)'),
        ('[tool.pldgov.approval]\nrequired = "yes"', "approval.required must be true or false"),
        ('[tool.pldgov.approval]\nlabels = "fraud"', "approval.labels must be a list of texts"),
        ('[tool.pldgov.owners]\nops = "team"', "owners.'ops' must be an account such as"),
        ("[tool.pldgov.owners]\nops = []", "owners.'ops' must be an account such as"),
        ('owners = "x"', "owners must be a table"),
    ],
)
def test_wrong_settings(repo, pldgov, text, said):
    """Each wrong setting is named, with exit code 2."""
    settings = repo.root / "pyproject.toml"
    settings.write_text(f"[tool.pldgov]\n{text}\n", "utf-8")
    result = pldgov("lint", cwd=repo.root)
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_owners(repo, pldgov, tmp_path):
    """Folders from the repository's top, accounts from the settings, addresses as they are."""
    other = repo.another("loans")
    other.write_rulebook(owner="Lending office")
    other.write_examples()
    result = pldgov("owners", cwd=repo.root)
    assert result.exit_code == 2
    assert '1 rulebook:\n  rulebooks/loans/rulebook.yaml: owner "Lending office"' in result.stderr
    assert result.stdout == ""
    policy(repo, '[tool.pldgov.owners]\n"Lending office" = ["@bank/lending", "@bank/legal"]')
    result = pldgov("owners", cwd=repo.root)
    fragment = "/rulebooks/desk/   ops@example.org\n/rulebooks/loans/  @bank/lending @bank/legal\n"
    assert (result.exit_code, result.stdout) == (0, fragment)
    file = repo.write("CODEOWNERS", f"# who\n{fragment.splitlines()[0]}\n")
    result = pldgov("owners", "--check", file, cwd=repo.root)
    assert result.exit_code == 1
    assert "lacks the line: /rulebooks/loans/  @bank/lending @bank/legal" in result.stderr
    file.write_text(fragment.replace("  ", " "), "utf-8")
    assert pldgov("owners", "--check", file, cwd=repo.root).exit_code == 0


def test_owners_in_a_folder_of_a_larger_repository(governance_repo, pldgov):
    """Patterns count from the repository's top, and are escaped."""
    repo = governance_repo(folder="outer/inner [1]")
    outer = repo.root.parent
    (repo.root / ".git").rename(outer / ".git")
    result = pldgov("owners", cwd=repo.root)
    assert result.stdout == "/inner\\ \\[1\\]/rulebooks/desk/  ops@example.org\n"
