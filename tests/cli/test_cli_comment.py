"""`pldgov comment` in real repositories, against a fake of GitHub on loopback."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys

import pytest
import yaml

from pldgov.dataset import Example
from pldgov.results import StudentCard

REWORDED = "If somebody else spent or took the money, the label is fraud."


@pytest.fixture(autouse=True)
def no_actions(monkeypatch):
    """What a CI that runs these tests sets must not leak into them."""
    for name in os.environ:
        if name.startswith("GITHUB_"):
            monkeypatch.delenv(name)


@pytest.fixture
def comment(pldgov, github, fake_github_module, monkeypatch):
    """Run `pldgov comment` as a step of Actions would; ``token=None`` for a run without one."""
    monkeypatch.setenv("GITHUB_API_URL", github.url)
    monkeypatch.setenv("GITHUB_REPOSITORY", "octo/rules")

    def run(repo, *arguments, token=fake_github_module.TOKEN, pr=5, code=0):
        if token is None:
            monkeypatch.delenv("GITHUB_TOKEN", raising=False)
        else:
            monkeypatch.setenv("GITHUB_TOKEN", token)
        number = () if pr is None else ("--pr", pr)
        result = pldgov("comment", *number, *arguments, cwd=repo.root)
        assert result.exit_code == code, result.output
        assert fake_github_module.TOKEN not in result.output
        return result

    return run


def body_of(github):
    (one,) = github.comments
    return one["body"]


def event(repo, monkeypatch, value):
    """Write the file of an event, as Actions does."""
    file = repo.root.parent / "event.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(file))


# -- posting ------------------------------------------------------------------------------------


def test_it_posts_then_edits_then_leaves_alone(edited, comment, github):
    """One comment through the life of a pull request."""
    repo = edited()
    first = comment(repo)
    assert first.stdout == f"comment created: {github.comments[0]['html_url']}\n"
    body = body_of(github)
    assert body.startswith("<!-- pldgov-comment: . -->\n\n## Rules check: not passed\n")
    assert "### REGRESSED: desk" in body
    assert "spent <ins>or took</ins> the money" in body
    assert "12 / 0" in body
    head = repo.git("rev-parse", "--short=9", "HEAD")
    assert f"after: commit {head}." in body
    assert comment(repo).stdout.startswith("comment unchanged: ")
    repo.record()
    repo.commit("Better answers")
    assert comment(repo).stdout.startswith("comment updated: ")
    assert "## Rules check: passed" in body_of(github)
    assert github.methods().count("POST") == github.methods().count("PATCH") == 1


@pytest.mark.parametrize("wrong", [0, 3, 12])
@pytest.mark.parametrize("policy", [{}, {"on_inconclusive": "fail"}, {"on_inconclusive": "pass"}])
def test_it_says_what_the_gate_says(edited, comment, github, pldgov, wrong, policy):
    """Verdict, reason and whether it may be merged come from the same judgement."""
    repo = edited(wrong, gate=policy)
    gate = pldgov("gate", "--format", "json", cwd=repo.root)
    (judged,) = json.loads(gate.stdout)["rulebooks"]
    comment(repo)
    body = body_of(github)
    assert f"### {judged['verdict']['outcome']}: desk" in body
    title = {0: "passed", 1: "not passed", 3: "no verdict"}[gate.exit_code]
    assert f"## Rules check: {title}\n" in body
    assert f"{judged['verdict']['macro_f1']['head']:.3f}" in body


def test_a_dry_run_sends_nothing(edited, comment, github, pldgov, monkeypatch):
    """It needs no token, no repository and no number."""
    repo = edited()
    monkeypatch.delenv("GITHUB_REPOSITORY")
    result = comment(repo, "--dry-run", token=None, pr=None)
    assert result.stdout.startswith("<!-- pldgov-comment: . -->\n")
    assert github.asked == []


def test_uncommitted_work_is_no_commit(edited, comment):
    """What was judged is named, and nothing else."""
    repo = edited()
    repo.write_rulebook(rule=REWORDED, title="Another")
    assert "after: working tree." in comment(repo, "--dry-run").stdout


def test_volume_students_and_names(edited, comment):
    """Options mean what they mean elsewhere."""
    repo = edited()
    other = repo.another("second")
    other.write_examples()
    other.write_rulebook()
    other.record()
    repo.commit("A second one")
    assert "at 5,000 examples a year" in comment(repo, "desk", "--dry-run", "--volume", 5000).stdout
    named = comment(repo, "rulebooks/second", "--dry-run").stdout
    assert "second" in named
    assert "REGRESSED: desk" not in named
    both = comment(repo, "--dry-run").stdout
    assert re.findall(r"^\| (desk|second) \|", both, re.MULTILINE) == ["desk", "second"]
    assert (
        "there is no student 'nobody'" in comment(repo, "--dry-run", "--student", "nobody").stdout
    )
    error = comment(repo, "nothing", "--dry-run", code=2).stderr
    assert "nothing" in error


def test_keys_tell_comments_apart(edited, comment, github):
    """A folder's own place does by default; a key does for several of one folder."""
    repo = edited()
    comment(repo, "--key", "one")
    comment(repo, "--key", "two")
    comment(repo, "--key", "one")
    assert len(github.comments) == 2
    assert comment(repo, "--key", " ", code=2).stderr.startswith("error: --key")


def test_a_governance_folder_below_the_top_has_its_own_marker(edited, pldgov, tmp_path):
    """Several in one repository do not overwrite each other."""
    repo = edited()
    (repo.root / "policies").mkdir()
    for name in ("pyproject.toml", "templates", "rulebooks"):
        repo.git("mv", name, f"policies/{name}")
    repo.commit("Move")
    result = pldgov(
        "comment", "--dry-run", "--offline", "--base", "HEAD", cwd=repo.root / "policies"
    )
    assert result.stdout.startswith("<!-- pldgov-comment: policies -->\n")


# -- what cannot be judged ----------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["--offline", "--no-ask"])
def test_without_answers_it_says_so(edited, comment, github, flag):
    """Skipped is never green; the changes are told all the same."""
    repo = edited(recorded=False)
    comment(repo, flag)
    body = body_of(github)
    assert "## Rules check: no verdict" in body
    assert "This is not a pass." in body
    assert "### NOT_MEASURED: desk" in body.replace("&#95;", "_")
    assert "spent <ins>or took</ins> the money" in body


def test_a_rulebook_that_is_broken_in_head(edited, comment, github, pldgov):
    """Told with its place, beside the others."""
    repo = edited()
    other = repo.another("second")
    other.write_rulebook(text="schema: pldgov.rulebook/v1\nname: [\n")
    repo.commit("Break")
    assert pldgov("gate", cwd=repo.root).exit_code == 2
    comment(repo)
    body = body_of(github)
    assert "## Rules check: could not run" in body
    assert "### ERROR: second" in body
    assert "rulebooks/second/rulebook.yaml:" in body
    assert "### REGRESSED: desk" in body


def test_a_rulebook_that_was_broken_in_base(governance_repo, comment, github):
    """It cannot be compared, which is no pass."""
    repo = governance_repo()
    repo.write_rulebook(text="name: [\n")
    repo.commit("Break")
    repo.branch("edit")
    repo.write_rulebook()
    repo.commit("Mend")
    comment(repo)
    body = body_of(github)
    assert "NOT_COMPARABLE: desk" in body
    assert "before the change: " in body


def test_new_warnings_both_intervals_and_the_artefact_are_told(edited, comment, github):
    """What the change leaves open, the base's own interval, and where the page is."""
    repo = edited()
    content = yaml.safe_load(repo.rulebook.read_text("utf-8"))
    content["rules"][1]["labels"] = ["fraud"]
    repo.write(repo.path, yaml.safe_dump(content, sort_keys=False))
    repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"))
    repo.commit("Leave a label without a rule")
    url = "https://github.example/octo/rules/actions/runs/7/artifacts/8"
    comment(repo, "--artifact-url", url)
    body = body_of(github)
    assert 'no active rule argues for the label "other"' in body
    assert re.search(r"\| 1\.000 \(1\.000 to 1\.000\) \| 0\.\d{3} \(0\.\d{3} to", body)
    assert f"[The full report]({url})" in body


def test_lint_errors_are_told(edited, comment, github):
    """A rule that cites a test example, for instance."""
    repo = edited()
    content = yaml.safe_load(repo.rulebook.read_text("utf-8"))
    row = json.loads(
        (repo.root / "rulebooks/desk/examples/gate.jsonl").read_text("utf-8").split("\n")[0]
    )
    example = Example(row["id"], {"text": row["text"]}, row["label"])
    content["rules"][0]["provenance"]["examples"] = [{"id": row["id"], "sha256": example.sha256}]
    repo.write(repo.path, yaml.safe_dump(content, sort_keys=False))
    repo.commit("Cite the gate")
    comment(repo)
    assert "### ERROR: desk" in body_of(github)
    assert "Not measured: " in body_of(github)


def test_deleted_and_new_rulebooks(governance_repo, comment, github):
    """One that is gone is named; a new one has no base."""
    repo = governance_repo()
    repo.branch("edit")
    repo.git("rm", "-r", "--quiet", "rulebooks/desk")
    repo.commit("Delete")
    comment(repo)
    assert "### DELETED: desk" in body_of(github)
    assert "No check guards them any more" in body_of(github)
    new = repo.another("fresh")
    new.write_examples()
    new.write_rulebook()
    new.write(new.path, new.rulebook.read_text("utf-8").replace("id: r-", "id: other-"))
    new.record()
    repo.commit("Begin anew")
    comment(repo)
    body = body_of(github).replace("&#95;", "_")
    assert "### NO_BASELINE: fresh" in body
    assert "### DELETED: desk" in body


def test_nothing_changed(governance_repo, comment, github):
    """A line."""
    repo = governance_repo()
    repo.branch("edit")
    repo.write("NOTES.md", "Notes.\n")
    repo.commit("Notes")
    comment(repo)
    assert "**No rulebook changed.**" in body_of(github)
    assert "1 rulebook unchanged, passed." in body_of(github)


def test_no_repository_and_no_base(governance_repo, comment, tmp_path):
    """There is nothing to compare; a shallow clone is told what to set."""
    repo = governance_repo()
    result = comment(repo, "--base", "nowhere", code=3)
    assert "git knows no revision 'nowhere'" in result.stderr
    repo.branch("edit")
    repo.commit("One")
    source = f"file://{repo.root}"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", "--branch=edit", source, tmp_path / "shallow"], check=True
    )  # fmt: skip
    shallow = type(repo)(tmp_path / "shallow")
    assert "fetch-depth: 0" in comment(shallow, "--base", "main", code=3).stderr


def test_a_base_that_is_head_itself_is_refused(governance_repo, comment, github):
    """In a checkout without the target branch a commit is compared with itself, and all is well."""
    repo = governance_repo()
    result = comment(repo, code=3)
    assert "is the commit that is checked out: there is nothing to compare" in result.stderr
    assert github.asked == []
    assert "No rulebook changed" in comment(repo, "--dry-run").stdout


def test_an_evidence_file_as_base(edited, comment, pldgov):
    """The gate compares with it; what changed is told since the branch began."""
    repo = edited(0)
    assert pldgov("bless", "--reason", "first", cwd=repo.root).exit_code == 0
    repo.commit("Bless")
    text = comment(repo, "--dry-run", "--base", "rulebooks/desk/evidence/recorded.json").stdout
    assert "### PASS: desk" in text
    assert "spent <ins>or took</ins> the money" in text


# -- another student ----------------------------------------------------------------------------


@pytest.fixture
def upgraded(governance_repo, pldgov):
    """A branch on which another snapshot answers under the same name, wrong for some of fraud."""

    def make(wrong=12):
        repo = governance_repo()
        assert pldgov("bless", "--reason", "first", cwd=repo.root).exit_code == 0
        repo.commit("Bless")
        repo.branch("upgrade")
        settings = (repo.root / "pyproject.toml").read_text("utf-8")
        repo.write("pyproject.toml", settings.replace("2026-11", "2027-01"))
        lines = []
        missed = repo.gate_ids("fraud")[:wrong]
        rows = map(
            json.loads,
            (repo.root / "rulebooks/desk/examples/gate.jsonl").read_text("utf-8").splitlines(),
        )
        inputs = {
            Example(r["id"], {"text": r["text"]}, r["label"]).input_sha256
            for r in rows
            if r["id"] in missed
        }
        fingerprint = StudentCard("recorded", "fake", "tiny", "2027-01").fingerprint
        for line in (repo.root / "recordings/desk.jsonl").read_text("utf-8").splitlines():
            said = json.loads(line)
            said["student"] = fingerprint
            if said["input"] in inputs:
                said["answer"]["label"] = "other"
            lines.append(json.dumps(said) + "\n")
        repo.write("recordings/desk.jsonl", "".join(lines))
        (repo.root / "rulebooks/desk/students.lock.json").unlink()
        assert pldgov("lock", "desk", cwd=repo.root).exit_code == 0
        repo.commit("Another student")
        return repo

    return make


@pytest.mark.parametrize(("wrong", "outcome"), [(12, "REGRESSED"), (0, "PASS")])
def test_another_student_is_judged_like_another_rule(upgraded, comment, github, wrong, outcome):
    """The lock's change is shown, with a verdict against the base's evidence."""
    comment(upgraded(wrong))
    body = body_of(github).replace("&#95;", "_")
    assert "#### Another student answers" in body
    assert "| snapshot | 2026-11 | 2027-01 |" in body
    assert f"#### {outcome}: desk" in body
    assert "### NOT_COMPARABLE: desk" in body
    assert "## Rules check: no verdict" in body


def test_another_student_without_evidence_is_not_judged(upgraded, comment):
    """And it is said how that is done."""
    repo = upgraded()
    repo.git("switch", "--quiet", "main")
    repo.git("rm", "--quiet", "rulebooks/desk/evidence/recorded.json")
    repo.commit("No evidence")
    repo.git("switch", "--quiet", "upgrade")
    text = comment(repo, "--dry-run", "--base", "main").stdout
    assert "**Not judged.**" in text


def test_a_broken_lock_is_told(upgraded, comment):
    """It is an error of the gate as well."""
    repo = upgraded()
    repo.write("rulebooks/desk/students.lock.json", "{")
    repo.commit("Break the lock")
    text = comment(repo, "--dry-run").stdout
    assert "whether another student answers is not known" in text
    assert "## Rules check: could not run" in text


# -- the job summary and falling back -----------------------------------------------------------


def test_the_summary_has_the_same_text(edited, comment, github, monkeypatch, tmp_path):
    """After what stands in it already."""
    summary = tmp_path / "summary.md"
    summary.write_text("Earlier.\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    comment(edited())
    assert summary.read_text("utf-8") == f"Earlier.\n{body_of(github)}"


@pytest.mark.parametrize(("status", "message"), [
    (403, "Resource not accessible by integration"), (404, "Not Found"), (410, "Gone"),
])  # fmt: skip
def test_a_fork_gets_the_summary_alone(edited, comment, github, tmp_path, status, message):
    """One sentence, and exit code 0."""
    github.script.append(github.refuses(status, message, on="POST"))
    result = comment(edited(), "--summary", tmp_path / "summary.md")
    assert result.stderr == (
        f"not posted: the token may not write on octo/rules#5 (status {status}: {message}); "
        "the same text stands in the job summary\n"
    )
    assert result.stdout == ""
    assert "### REGRESSED: desk" in (tmp_path / "summary.md").read_text("utf-8")
    assert github.comments == []


def test_no_token(edited, comment, github, tmp_path):
    """The same, without a request."""
    result = comment(edited(), "--summary", tmp_path / "summary.md", token=None)
    assert result.stderr == (
        "not posted: GITHUB_TOKEN is not set; the same text stands in the job summary\n"
    )
    assert "### REGRESSED: desk" in (tmp_path / "summary.md").read_text("utf-8")
    assert github.asked == []


def test_without_a_summary_the_text_is_printed(edited, comment):
    """It is lost nowhere."""
    result = comment(edited(), token=None)
    assert "there is no job summary" in result.stderr
    assert "### REGRESSED: desk" in result.stdout


def test_a_full_summary_is_left_alone(edited, comment, github, tmp_path):
    """GitHub shows none that is larger than 1 MiB."""
    summary = tmp_path / "summary.md"
    summary.write_bytes(b"x" * 999_000)
    result = comment(edited(), "--summary", summary)
    assert "is full; nothing was added" in result.stderr
    assert summary.stat().st_size == 999_000
    assert len(github.comments) == 1


def test_a_summary_that_cannot_be_written_stops_nothing(edited, comment, github, tmp_path):
    """The comment is the point."""
    result = comment(edited(), "--summary", tmp_path / "missing" / "summary.md")
    assert "warning: " in result.stderr
    assert len(github.comments) == 1


def test_a_long_comment_is_cut_and_the_file_is_whole(
    edited, comment, github, tmp_path, monkeypatch
):
    """The link leads to the run; the summary and the file hold more."""
    repo = edited(20, rule=REWORDED)
    content = yaml.safe_load(repo.rulebook.read_text("utf-8"))
    words = " ".join(f"word{i}" for i in range(300))
    content["rules"] += [
        {**content["rules"][1], "id": f"r-{i:03d}", "title": f"Rule {i}", "instruction": f"{i}: {words}"}
        for i in range(3, 90)
    ]  # fmt: skip
    repo.write(repo.path, yaml.safe_dump(content, sort_keys=False))
    repo.record(dict.fromkeys(repo.gate_ids("fraud"), "other"))
    repo.commit("Many rules")
    for name, value in {"SERVER_URL": "https://github.example", "RUN_ID": "77"}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    summary, whole = tmp_path / "summary.md", tmp_path / "whole.md"
    comment(repo, "--summary", summary, "-o", whole)
    body = body_of(github)
    assert len(body) <= 65_000
    assert "[the full report](https://github.example/octo/rules/actions/runs/77)" in body
    assert "Shortened" not in summary.read_text("utf-8")
    assert "word150" in whole.read_text("utf-8")
    comment(repo, "--artifact-url", "https://x.example/a.zip")
    assert "[the full report](https://x.example/a.zip)" in body_of(github)


# -- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message"), [(401, "Bad credentials"), (422, "Validation Failed")]
)
def test_github_that_refuses_for_good(edited, comment, github, tmp_path, status, message):
    """Exit code 4; the summary stands all the same."""
    github.script.append(github.refuses(status, message, on="POST"))
    result = comment(edited(), "--summary", tmp_path / "summary.md", code=4)
    assert f"status {status}: {message}" in result.stderr
    assert "REGRESSED" in (tmp_path / "summary.md").read_text("utf-8")


def test_github_that_fails_for_good(edited, comment, github):
    """Exit code 4 within the patience that was asked for."""
    github.script.extend([github.fails(503)] * 9)
    result = comment(edited(), "--max-wait", 0, code=4)
    assert "GitHub does not answer" in result.stderr


def test_a_wrong_token_is_not_shown(edited, comment, github):
    """Exit code 4, or 2 for what can be no token."""
    repo = edited()
    secret = "ghp_" + "secret" * 6
    result = comment(repo, token=secret, code=4)
    assert "Bad credentials" in result.stderr
    assert secret not in result.output
    result = comment(repo, token=f"{secret}\nx", code=2)
    assert "secret" not in result.output.replace("characters that no token has", "")


def test_the_token_is_in_no_log(edited, github, fake_github_module):
    """Nor in any with all messages on."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "PLDGOV_"))},
        "GITHUB_TOKEN": fake_github_module.TOKEN,
        "GITHUB_API_URL": github.url,
    }
    run = subprocess.run(
        [sys.executable, "-m", "pldgov", "-vv", "comment", "--repo", "octo/rules", "--pr", "5"],
        check=False, cwd=edited().root, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "urllib3" in run.stderr
    assert fake_github_module.TOKEN not in run.stdout + run.stderr


# -- wrong use ----------------------------------------------------------------------------------


def test_plain_http_to_another_machine_is_refused(edited, comment):
    """Before anything is asked."""
    result = comment(edited(), "--host", "http://ghe.example/api/v3", code=2)
    assert "not sent over plain http" in result.stderr


def test_what_is_missing_is_told(edited, comment, monkeypatch):
    """With the way to say it."""
    repo = edited()
    assert "--pr: is not given" in comment(repo, pr=None, code=2).stderr
    monkeypatch.delenv("GITHUB_REPOSITORY")
    assert "--repo: is not given" in comment(repo, code=2).stderr
    assert "OWNER/NAME" in comment(repo, "--repo", "octo", code=2).stderr
    assert comment(repo, "--artifact-url", "javascript:x", "--repo", "a/b", code=2).exit_code == 2


@pytest.mark.parametrize("value", [
    {"pull_request": {"number": 5, "head": {"sha": "0123456789abcdef0123456789abcdef01234567"}}},
    {"issue": {"number": 5, "pull_request": {"url": "x"}}},
])  # fmt: skip
def test_the_number_comes_from_the_event(edited, comment, github, monkeypatch, value):
    """Of a pull request, or of a comment on one; the commit is the one that people know."""
    repo = edited()
    event(repo, monkeypatch, value)
    comment(repo, pr=None)
    assert ("after: commit 012345678." in body_of(github)) is ("pull_request" in value)


def test_the_number_comes_from_the_ref(edited, comment, github, monkeypatch):
    """Where the event tells none."""
    monkeypatch.setenv("GITHUB_REF", "refs/pull/5/merge")
    comment(edited(), pr=None)
    assert len(github.comments) == 1


@pytest.mark.parametrize(
    "value", [{"ref": "refs/heads/main"}, {"issue": {"number": 5}}, "not JSON", "[]"]
)
def test_a_run_about_no_pull_request_has_the_summary(edited, comment, github, monkeypatch, value):
    """A push, for instance: the same workflow may serve both."""
    repo = edited()
    event(repo, monkeypatch, value)
    result = comment(repo, pr=None)
    assert "not posted: this run is about no pull request" in result.stderr
    assert github.asked == []


def test_nothing_heavy_and_no_socket_is_loaded_for_help():
    """As for every verb."""
    program = (
        "import sys\nfrom pldgov.cli import cli\n"
        "try:\n    cli.main(['comment', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'urllib3', 'git', 'numpy', 'sklearn', 'torch', 'openai', 'ruamel.yaml'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stderr == "[]\n"
    assert logging.getLogger("urllib3").level == logging.NOTSET
