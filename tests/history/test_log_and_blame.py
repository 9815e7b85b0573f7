"""`pldgov log` and `pldgov blame` in real repositories, with every shape that history can take."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

FIRST = "If somebody else spent the money, the label is fraud."
ENVIRONMENT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def commit(repo, message: str, *, by: str = "Ann", day: str = "2026-03-01", extra=()) -> str:
    """Commit everything in a person's name, at noon of a day (UTC)."""
    when = f"{day}T12:00:00+00:00"
    people = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", by), ("EMAIL", f"{by.lower()}@example.org"), ("DATE", when))
    }
    environment = {**os.environ, **ENVIRONMENT, **people}
    arguments = (["add", "-A"], ["commit", "-q", "--allow-empty", "-m", message, *extra])
    for each in arguments:
        subprocess.run(["git", *each], cwd=repo.root, check=True, env=environment)
    return repo.git("rev-parse", "HEAD")


def reword(repo, rule: str, message: str = "Reword", **how) -> str:
    repo.write_rulebook(rule=rule)
    return commit(repo, message, **how)


def edit(repo, old: str, new: str) -> None:
    text = repo.rulebook.read_text("utf-8")
    assert old in text
    repo.rulebook.write_text(text.replace(old, new), "utf-8", newline="")


@pytest.fixture
def log(pldgov):
    """Return the log of a rulebook (and a rule) as JSON."""

    def read(repo, *arguments):
        result = pldgov("log", *(arguments or ("desk",)), "--format", "json", cwd=repo.root)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return read


@pytest.fixture
def blame(pldgov):
    """Return the blame of the rulebook as JSON."""

    def read(repo, *arguments):
        result = pldgov("blame", "desk", *arguments, "--format", "json", cwd=repo.root)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return read


def told(life) -> list[tuple[str, list[str]]]:
    """Return each commit's subject with the kinds of what it did, newest first."""
    flags = ("created", "deleted", "moved_from", "problem", "cut")
    return [
        (
            event["commit"]["subject"],
            [flag for flag in flags if event[flag]]
            + [f"{one['kind']} {one['name']}" for one in event["changes"]],
        )
        for event in life["events"]
    ]


def test_the_life_of_a_rule(governance_repo, pldgov, log):
    """Wording then and now, authors, approvals, evidence; other rules' changes are left out."""
    repo = governance_repo()
    reword(repo, "A stranger spent it: fraud.", by="Bea", day="2026-03-02")
    edit(repo, "All that is left", "Whatever is left")
    commit(repo, "About the other rule", day="2026-03-03")
    repo.record()
    assert pldgov("bless", "desk", "--reason", "x", "--offline", cwd=repo.root).exit_code == 0
    commit(repo, "Bless", day="2026-03-04")
    pldgov("approve", "desk", "r-01", "--by", "Cy", "--on", "2026-03-05", cwd=repo.root)
    commit(repo, "Approve", day="2026-03-05")
    edit(repo, "A stranger spent it", "Somebody spent it")
    commit(repo, "After the approval", day="2026-03-06")
    life = log(repo, "desk", "r-01")
    assert told(life) == [
        ("After the approval", ["reworded r-01"]),
        ("Approve", ["approval r-01"]),
        ("Bless", []),
        ("Reword", ["reworded r-01"]),
        ("Start", ["created"]),
    ]
    after, approve, bless, first_edit, _ = life["events"]
    assert after["voided"] == ["r-01"]
    assert approve["approvals"][0]["by"] == "Cy"
    assert approve["approvals"][0]["standing"] == "valid"
    assert bless["measured"][0]["macro_f1"] == 1.0
    assert bless["measured"][0]["student"] == "recorded"
    assert first_edit["commit"]["author"] == {"name": "Bea", "address": "bea@example.org"}
    assert first_edit["commit"]["authored"] == "2026-03-02T12:00:00+00:00"
    assert life["first"]["instruction"] == FIRST
    assert life["now"]["instruction"] == "Somebody spent it: fraud."
    assert life["approval"] == "void"
    text = pldgov("log", "desk", "r-01", cwd=repo.root).stdout
    assert "  * reworded: [-A stranger-] {+Somebody+} spent it: fraud." in text
    assert "approved: r-01 by Cy on 2026-03-05, gate PASS" in text
    assert "voids the approval of r-01" in text
    assert "macro-F1 1.000" in text


def test_a_moved_and_renamed_rulebook(governance_repo, log):
    """Its life goes on under the new path, also where git sees no rename; the old name finds it."""
    repo = governance_repo()
    reword(repo, "Before the move.")
    repo.git("mv", "rulebooks/desk", "rulebooks/counter")
    commit(repo, "Move")
    moved = repo.another("counter")
    edit(moved, "Before the move.", "After the move.")
    commit(moved, "Edit")
    (repo.root / "policies").mkdir()
    text = moved.rulebook.read_text("utf-8")
    repo.git("rm", "-q", "rulebooks/counter/rulebook.yaml")
    heavy = "".join(
        f"# {n} nothing of this was here before, so git sees no rename\n" for n in range(200)
    )
    repo.write("policies/rulebook.yaml", heavy + text)
    commit(repo, "Move and rewrite")
    life = log(repo, "policies/rulebook.yaml")
    assert told(life) == [
        ("Move and rewrite", ["moved_from"]),
        ("Edit", ["reworded r-01"]),
        ("Move", ["moved_from"]),
        ("Reword", ["reworded r-01"]),
        ("Start", ["created"]),
    ]
    assert life["events"][2]["moved_from"] == "rulebooks/desk/rulebook.yaml"
    assert life["events"][2]["path"] == "rulebooks/counter/rulebook.yaml"
    repo.git("reset", "-q", "--hard", "HEAD~1")
    assert [event for event, _ in told(log(repo, "desk"))] == ["Edit", "Move", "Reword", "Start"]


def test_a_deleted_rulebook_and_one_that_came_back(governance_repo, pldgov, log):
    """What is gone can be named; what comes back at the same place is the same rulebook."""
    repo = governance_repo()
    reword(repo, "Before.", day="2026-03-02")
    text = repo.rulebook.read_text("utf-8")
    repo.git("rm", "-q", "-r", "rulebooks/desk")
    commit(repo, "Delete", day="2026-03-03")
    assert told(log(repo)) == [
        ("Delete", ["deleted"]),
        ("Reword", ["reworded r-01"]),
        ("Start", ["created"]),
    ]
    assert log(repo, "desk", "r-01")["now"] is None
    result = pldgov("blame", "desk", cwd=repo.root)
    assert (result.exit_code, "there was no such rulebook at HEAD" in result.stderr) == (3, True)
    repo.write_examples()
    repo.write(repo.path, text)
    commit(repo, "Create again", day="2026-03-04")
    assert [event for event, _ in told(log(repo))] == ["Create again", "Delete", "Reword", "Start"]
    assert told(log(repo))[0] == ("Create again", ["created"])
    result = pldgov("log", "nowhere", cwd=repo.root)
    assert (result.exit_code, "there is no such rulebook" in result.stderr) == (2, True)


def test_a_renamed_rule(governance_repo, log):
    """A new id with the same words, or one that says what it replaces, goes on with a life."""
    repo = governance_repo()
    edit(repo, "id: r-01", "id: r-fraud")
    commit(repo, "Rename")
    edit(repo, "id: r-fraud\n", "id: r-theft\n  related: [{id: r-fraud, type: renamed-from}]\n")
    edit(repo, FIRST, "Taken by somebody, it is fraud.")
    commit(repo, "Rename and reword")
    life = log(repo, "desk", "r-theft")
    assert life["rule_ids"] == ["r-theft", "r-fraud", "r-01"]
    assert life["first"]["id"] == "r-01"
    assert [event for event, _ in told(life)] == ["Rename and reword", "Rename", "Start"]


def test_a_rule_that_is_gone_or_never_was(governance_repo, pldgov, log):
    """A removed rule's life can be read; a misspelt one is answered with the nearest."""
    repo = governance_repo()
    before = repo.rulebook.read_text("utf-8")
    at = before.index("- id: r-02")
    repo.rulebook.write_text(before[:at], "utf-8")
    commit(repo, "Remove")
    life = log(repo, "desk", "r-02")
    assert told(life) == [("Remove", ["removed r-02"]), ("Start", ["created"])]
    assert life["now"] is None
    assert life["last"]["instruction"] == "All that is left has the label other."
    assert (
        "the rule is no longer in the rulebook"
        in pldgov("log", "desk", "r-02", cwd=repo.root).stdout
    )
    result = pldgov("log", "desk", "r-2", cwd=repo.root)
    assert (result.exit_code, 'did you mean "r-02"?' in result.stderr) == (2, True)


def branches(repo, *edits: tuple[str, str]) -> list[str]:
    """Make a branch from here for each edit and return to where it was."""
    names = []
    for number, (old, new) in enumerate(edits):
        repo.branch(f"b{number}")
        edit(repo, old, new)
        commit(repo, f"Branch {number}", by=f"P{number}")
        repo.git("switch", "-q", "main")
        names.append(f"b{number}")
    return names


EDITS = (
    (FIRST, "Spent by a stranger, it is fraud."),
    ("All that is left has", "Everything else has"),
    ("title: A desk of two", "title: A desk"),
)


def test_merges_add_nothing_of_their_own(governance_repo, log, blame):
    """What branches did is told at their commits; an octopus with no change of its own is silent."""
    repo = governance_repo()
    base = repo.rulebook.read_text("utf-8")
    names = branches(repo, *EDITS)
    assert len(names) == 3
    repo.write_rulebook(text=base + "# The end.\n" * 9)
    commit(repo, "Comments on main")
    repo.git("merge", "-q", "--no-ff", "-m", "Octopus", *names)
    assert len(repo.git("rev-list", "--parents", "-1", "HEAD").split()) == 5
    life = log(repo)
    subjects = dict(told(life))
    assert subjects["Branch 0"] == ["reworded r-01"]
    assert subjects["Branch 1"] == ["reworded r-02"]
    assert subjects["Branch 2"] == ["metadata title"]
    assert subjects["Comments on main"] == []
    assert subjects.get("Octopus", []) == []
    rules = {rule["id"]: rule["changed"] for rule in blame(repo)["rules"]}
    assert rules["r-01"]["author"]["name"] == "P0"
    assert rules["r-02"]["author"]["name"] == "P1"


def test_a_merge_that_words_a_rule_anew_is_its_author(governance_repo, log, blame):
    """A conflict that was resolved in other words than either side's is the merge's doing."""
    repo = governance_repo()
    branches(repo, (FIRST, "One wording of fraud."))
    reword(repo, "Another wording: fraud.", "On main")
    subprocess.run(["git", "merge", "-q", "b0"], cwd=repo.root, check=False, capture_output=True)
    repo.write_rulebook(rule="Resolved: fraud.")
    repo.record()
    merge = commit(repo, "Merge", by="Judge")
    events = dict(told(log(repo)))
    assert events["Merge"] == ["reworded r-01"]
    assert blame(repo)["rules"][0]["changed"]["sha"] == merge


def test_a_criss_cross_history(governance_repo, log, blame):
    """Two merges of each other's parents give each commit once, and one author a rule."""
    repo = governance_repo()
    branches(repo, EDITS[0])
    edit(repo, *EDITS[1])
    one = commit(repo, "On main", by="M")
    repo.git("switch", "-q", "b0")
    other = repo.git("rev-parse", "HEAD")
    repo.git("merge", "-q", "--no-ff", "-m", "Cross", one)
    repo.git("switch", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Criss", other)
    repo.git("merge", "-q", "--no-ff", "-m", "Join", "b0")
    subjects = [subject for subject, kinds in told(log(repo)) if kinds]
    assert sorted(subjects) == ["Branch 0", "On main", "Start"]
    changed = {rule["id"]: rule["changed"]["sha"] for rule in blame(repo)["rules"]}
    assert changed == {"r-01": other, "r-02": one}


def test_a_merge_across_a_move(governance_repo, log):
    """A branch edits the file under its old path while main moves it."""
    repo = governance_repo()
    branches(repo, EDITS[0])
    repo.git("mv", "rulebooks/desk", "rulebooks/counter")
    commit(repo, "Move")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "b0")
    events = dict(told(log(repo, "rulebooks/counter")))
    assert events["Branch 0"] == ["reworded r-01"]
    assert events["Move"] == ["moved_from"]
    assert "Merge" not in {subject for subject, kinds in events.items() if kinds}


def test_two_roots(governance_repo, log):
    """A history that was joined from two roots ends at both."""
    repo = governance_repo()
    repo.git("checkout", "-q", "--orphan", "other")
    repo.write("elsewhere/rulebooks/x/rulebook.yaml", "schema: none\n")
    repo.git("rm", "-q", "-r", "--cached", ".")
    repo.git("add", "elsewhere")
    repo.git("commit", "-q", "-m", "Another root")
    repo.git("clean", "-fdq")
    repo.git("switch", "-q", "main")
    repo.git("merge", "-q", "--allow-unrelated-histories", "-m", "Join", "other")
    reword(repo, "After the join.")
    assert told(log(repo)) == [("Reword", ["reworded r-01"]), ("Start", ["created"])]


def test_versions_that_cannot_be_read(governance_repo, log, blame):
    """A version with conflict markers is named, and the repair is told against the one before."""
    repo = governance_repo()
    good = repo.rulebook.read_text("utf-8")
    markers = "<<<<<<< ours\ntitle: A\n=======\ntitle: B\n>>>>>>> theirs\n"
    repo.write_rulebook(text=good.replace("title: A desk of two\n", markers))
    commit(repo, "Forget to resolve")
    broken = blame(repo)
    assert broken["prompt_sha256"] is None
    assert "cannot be read there (line" in broken["problem"]
    repo.write_rulebook(text=good)
    commit(repo, "Resolve")
    repo.rulebook.write_bytes(b"\xff\xfe")
    commit(repo, "Break the encoding")
    events = told(log(repo))
    assert events[0] == ("Break the encoding", ["problem"])
    assert events[1] == ("Resolve", [])
    assert events[2] == ("Forget to resolve", ["problem"])
    start = repo.git("rev-list", "--max-parents=0", "HEAD")
    assert {rule["changed"]["sha"] for rule in broken["rules"]} == {start}


def test_line_ends_change_no_rule(governance_repo, log, blame):
    """A file that went from LF to CRLF says what it said."""
    repo = governance_repo()
    start = repo.git("rev-parse", "HEAD")
    data = repo.rulebook.read_bytes()
    repo.rulebook.write_bytes(data.replace(b"\n", b"\r\n"))
    commit(repo, "Line ends")
    assert told(log(repo)) == [("Line ends", []), ("Start", ["created"])]
    assert {rule["changed"]["sha"] for rule in blame(repo)["rules"]} == {start}


def test_a_submodule_has_a_history_of_its_own(governance_repo, pldgov, tmp_path):
    """A rulebook in a submodule is read there, and the error says so; inside, all works."""
    inner = governance_repo(folder="inner")
    outer = governance_repo(folder="outer")
    add = (
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        str(inner.root),
        "rulebooks/sub",
    )
    outer.git(*add)
    commit(outer, "Add a submodule")
    nested = "rulebooks/sub/rulebooks/desk/rulebook.yaml"
    (outer.root / "rulebooks/sub/pyproject.toml").unlink()
    result = pldgov("log", nested, cwd=outer.root)
    assert result.exit_code == 2
    assert "lies in the submodule rulebooks/sub, which has a history of its own" in result.stderr
    outer.git("-C", "rulebooks/sub", "checkout", "-q", "--", ".")
    assert "begins: " in pldgov("log", "desk", cwd=outer.root / "rulebooks/sub").stdout


def test_a_shallow_clone_says_what_to_set(governance_repo, pldgov, tmp_path):
    """What is there is told; where it ends, one sentence says how to get the rest."""
    repo = governance_repo()
    reword(repo, "One.", day="2026-03-02")
    reword(repo, "Two.", day="2026-03-03")
    clone = tmp_path / "clone"
    repo.git("clone", "-q", "--depth=2", f"file://{repo.root}", str(clone))
    life = json.loads(pldgov("log", "desk", "--format", "json", cwd=clone).stdout)
    assert told(life) == [("Reword", ["reworded r-01"]), ("Reword", ["cut"])]
    assert "fetch-depth: 0" in life["notes"][0]
    found = json.loads(pldgov("blame", "desk", "--format", "json", cwd=clone).stdout)
    assert [rule["changed_earlier"] for rule in found["rules"]] == [False, True]
    assert "or earlier" in pldgov("blame", "desk", cwd=clone).stdout
    result = pldgov("blame", "desk", "--at", "2026-03-01", cwd=clone)
    assert result.exit_code == 3
    assert result.stderr.count("fetch-depth: 0") == 1


def test_which_prompt_was_live_on_a_day(governance_repo, blame, pldgov):
    """The branch's own line counts: a commit that was merged later was not live before."""
    repo = governance_repo()
    pldgov("approve", "desk", "--all", "--by", "Ann", "--on", "2026-03-01", cwd=repo.root)
    commit(repo, "Approve", day="2026-03-01")
    expected = json.loads(pldgov("render", "desk", "--format", "json", cwd=repo.root).stdout)
    repo.branch("edit")
    repo.write_rulebook(rule="From the branch.")
    commit(repo, "On a branch", by="Bea", day="2026-03-03")
    repo.git("switch", "-q", "main")
    repo.write("notes.txt", "x")
    commit(repo, "Something else", day="2026-03-02")
    merge = ("merge", "-q", "--no-ff", "-m", "Merge", "edit")
    environment = {**os.environ, "GIT_COMMITTER_DATE": "2026-03-05T12:00:00Z"}
    identity = ("-c", "user.name=M", "-c", "user.email=m@example.org")
    subprocess.run(["git", *identity, *merge], cwd=repo.root, check=True, env=environment)
    then = blame(repo, "--at", "2026-03-04")
    assert then["subject"] == "Something else"
    assert then["prompt_sha256"] == expected["sha256"]
    assert [rule["review"]["by"] for rule in then["rules"]] == ["Ann", "Ann"]
    assert [rule["approval"] for rule in then["rules"]] == ["valid", "valid"]
    now = blame(repo, "--at", "2026-03-05")
    assert now["subject"] == "Merge"
    assert now["rules"][0]["instruction"] == "From the branch."
    assert now["rules"][0]["changed"]["author"]["name"] == "Bea"
    assert now["rules"][0]["approval"] == "none"
    assert blame(repo, "--at", "edit")["rules"] == now["rules"]


def test_the_path_of_that_day(governance_repo, blame, pldgov):
    """A rulebook that was moved later is found where it stood."""
    repo = governance_repo()
    commit(repo, "Then", day="2026-03-01")
    repo.git("mv", "rulebooks/desk", "rulebooks/counter")
    commit(repo, "Move", day="2026-03-02")
    result = pldgov("blame", "counter", "--at", "2026-03-01", "--format", "json", cwd=repo.root)
    found = json.loads(result.stdout)
    assert found["path"] == "rulebooks/desk/rulebook.yaml"
    assert len(found["rules"]) == 2
    assert blame(repo)["path"] == "rulebooks/counter/rulebook.yaml"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--at", "2020-01-01"), 3, "HEAD has no commit before the end of 2020-01-01"),
        (("--at", "2026-02-30"), 2, "there is no day 2026-02-30"),
        (("--at", "nowhere"), 3, "git knows no revision 'nowhere'"),
        (("--branch", "nowhere"), 3, "git knows no revision 'nowhere'"),
        (("--at=--all",), 3, "git knows no revision '--all'"),
    ],
)
def test_moments_that_never_were(governance_repo, pldgov, arguments, code, said):
    """Each wrong moment is answered with what is wrong."""
    result = pldgov("blame", "desk", *arguments, cwd=governance_repo().root)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr


def test_a_rulebook_that_no_commit_holds(governance_repo, pldgov):
    """What was never committed has no life yet; nor has what lies outside git."""
    repo = governance_repo()
    other = repo.another("new")
    other.write_rulebook()
    result = pldgov("log", "new", cwd=repo.root)
    assert (
        result.exit_code,
        "no commit holds this rulebook (commit it first)" in result.stderr,
    ) == (2, True)
    (repo.root / ".git").rename(repo.root / "no-git")
    result = pldgov("log", "desk", cwd=repo.root)
    assert (result.exit_code, "not a git repository" in result.stderr) == (3, True)


def test_a_repository_without_a_commit(governance_repo, pldgov):
    """Before the first commit there is no history."""
    repo = governance_repo()
    repo.git("update-ref", "-d", "HEAD")
    result = pldgov("log", "desk", cwd=repo.root)
    assert (result.exit_code, "the repository has no commit yet" in result.stderr) == (3, True)


def test_untrusted_text_reaches_no_terminal_or_page(governance_repo, pldgov):
    """Control and bidirectional characters are spelt out, Markdown and HTML are escaped."""
    repo = governance_repo()
    hostile = "\\e[31mRed \\u202e <script>x</script> | [a](b) @all"
    edit(repo, f"instruction: {FIRST}", f'instruction: "{hostile}"')
    commit(repo, "Sub\x1b[2Jject <b>", by="Eve")
    for verb in ("log", "blame"):
        text = pldgov(verb, "desk", cwd=repo.root).stdout
        assert not {"\x1b", "\u202e"} & set(text)
        assert "<U+001B>" in text
    page = pldgov("blame", "desk", "--format", "markdown", cwd=repo.root).stdout
    assert "<script" not in page
    assert "<b>" not in page
    assert "@all" not in page
    assert page.count("\n| ") == 3


def test_evidence_over_commits(governance_repo, pldgov, log, tmp_path):
    """Each committed measurement is a point of the plot; without one there is nothing to plot."""
    repo = governance_repo()
    result = pldgov("log", "desk", "--plot", tmp_path / "x.svg", cwd=repo.root)
    assert (result.exit_code, "no commit holds evidence to plot" in result.stderr) == (2, True)
    pldgov("bless", "desk", "--reason", "x", "--offline", cwd=repo.root)
    commit(repo, "Bless")
    repo.write_rulebook(rule="Worse.")
    repo.record(dict.fromkeys(repo.gate_ids("fraud")[:10], "other"))
    commit(repo, "Worse")
    assert pldgov("bless", "desk", "--reason", "x", "--offline", cwd=repo.root).exit_code == 0
    repo.write("rulebooks/desk/evidence/other.json", "[]")
    commit(repo, "Bless again")
    points = [one for event in log(repo)["events"] for one in event["measured"]]
    assert [round(one["macro_f1"], 2) for one in points] == [0.73, 1.0]
    assert points[0]["low"] < points[0]["macro_f1"] < points[0]["high"]
    for suffix, start in ((".svg", b"<?xml"), (".png", b"\x89PNG")):
        file = tmp_path / f"plot{suffix}"
        pldgov("log", "desk", "r-01", "--plot", file, cwd=repo.root)
        assert file.read_bytes().startswith(start)
    first = (tmp_path / "plot.svg").read_bytes()
    pldgov("log", "desk", "r-01", "--plot", tmp_path / "plot.svg", cwd=repo.root)
    assert (tmp_path / "plot.svg").read_bytes() == first
    result = pldgov("log", "desk", "--plot", tmp_path / "x.pdf", cwd=repo.root)
    assert (result.exit_code, "written as .svg or .png" in result.stderr) == (2, True)


def test_a_governance_folder_below_the_top(governance_repo, pldgov):
    """Paths count from the governance folder, and its own moves are followed."""
    repo = governance_repo(folder="outer/inner")
    outer = repo.root.parent
    (repo.root / ".git").rename(outer / ".git")
    commit(repo, "Inwards")
    subprocess.run(["git", "add", "-A"], cwd=outer, check=True)
    commit(repo, "Move all")
    result = pldgov("log", "desk", "--format", "json", cwd=repo.root)
    life = json.loads(result.stdout)
    assert life["path"] == "rulebooks/desk/rulebook.yaml"
    assert [subject for subject, _ in told(life)][-1] == "Start"
    result = pldgov("blame", "desk", "--format", "json", cwd=repo.root)
    assert json.loads(result.stdout)["prompt_sha256"]
