"""`pldgov diff` in real repositories: which sides are read, what is told, how it ends."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml

REWORDED = "If somebody else spent or took the money, the label is fraud."


def rules_of(repo):
    return yaml.safe_load(repo.rulebook.read_text("utf-8"))["rules"]


@pytest.fixture
def told(pldgov):
    """Run `pldgov diff --format json` and return the value, which must be of the one schema."""

    def run(*arguments, cwd, code=0):
        result = pldgov("diff", *arguments, "--format", "json", cwd=cwd)
        assert result.exit_code == code, result.output
        value = json.loads(result.stdout)
        assert value["schema"] == "pldgov.diff/v1"
        return value

    return run


# -- what is compared ---------------------------------------------------------------------------


def test_the_default_is_the_working_tree_against_where_the_branch_started(edited, told):
    """What is not committed yet counts on the side of head."""
    repo = edited()
    value = told(cwd=repo.root)
    assert value["base"].startswith("main@")
    assert value["head"] == "working tree"
    (book,) = value["rulebooks"]
    assert (book["state"], book["effect"], book["reaches_student"]) == ("changed", "altered", True)
    assert [(c["kind"], c["name"]) for c in book["changes"]] == [("reworded", "r-01")]


@pytest.mark.parametrize("spec", ["main..edit", "main...edit", "main..", "edit^!", "edit~1..edit"])
def test_ranges_are_read_as_git_reads_them(edited, told, spec):
    """Both sides come from git objects; what stands in the working tree is not looked at."""
    repo = edited()
    repo.write(repo.path, "not a rulebook at all: [")
    value = told(spec, cwd=repo.root)
    assert [c["kind"] for c in value["rulebooks"][0]["changes"]] == ["reworded"]
    assert repo.git("status", "--porcelain") == f"M {repo.path}"


def test_three_dots_leave_out_what_the_other_branch_did(edited, told):
    """BASE...HEAD starts where both parted; BASE..HEAD compares the tips."""
    repo = edited()
    repo.git("switch", "--quiet", "main")
    repo.write_rulebook(title="Changed on main")
    repo.commit("On main")
    kinds = {
        spec: {c["kind"] for c in told(spec, cwd=repo.root)["rulebooks"][0]["changes"]}
        for spec in ("main...edit", "main..edit")
    }
    assert kinds == {"main...edit": {"reworded"}, "main..edit": {"reworded", "retitled"}}


def test_a_root_commit_adds_everything(governance_repo, told):
    """There is nothing before it."""
    value = told("main^!", cwd=governance_repo().root)
    assert value["base"] == "nothing (root commit)"
    assert [book["state"] for book in value["rulebooks"]] == ["added"]


def test_a_merge_commit_is_compared_with_its_first_parent(edited, told):
    """And it is said so."""
    repo = edited()
    repo.git("switch", "--quiet", "main")
    repo.write("README.md", "Something else.\n")
    repo.commit("On main")
    repo.git("merge", "--quiet", "--no-ff", "-m", "Merge", "edit")
    value = told("HEAD^!", cwd=repo.root)
    assert [c["kind"] for c in value["rulebooks"][0]["changes"]] == ["reworded"]
    assert "first parent" in value["notes"][0]


def test_an_octopus_merge_is_compared_with_its_first_parent(governance_repo, told):
    """However many parents there are."""
    repo = governance_repo()
    for name, title in (("one", "One"), ("two", None)):
        repo.git("switch", "--quiet", "-c", name, "main")
        if title:
            repo.write_rulebook(title=title)
        else:
            repo.write("NOTES.md", "Notes.\n")
        repo.commit(name)
    repo.git("switch", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "-m", "Octopus", "one", "two")
    value = told("HEAD^!", cwd=repo.root)
    assert [c["kind"] for c in value["rulebooks"][0]["changes"]] == ["retitled"]


def test_a_criss_cross_history_has_the_newest_common_ancestor_as_base(
    governance_repo, told, pldgov
):
    """Two commits are common ancestors then; the same one is taken each time, and it is told."""
    repo = governance_repo()
    repo.branch("side")
    repo.write("SIDE.md", "Side.\n")
    side = repo.commit("On the side")
    repo.git("switch", "--quiet", "main")
    repo.write_rulebook(title="Another title")
    main = repo.commit("On main")
    repo.git("merge", "--quiet", "--no-ff", "-m", "Criss", side)
    repo.git("switch", "--quiet", "side")
    repo.git("merge", "--quiet", "--no-ff", "-m", "Cross", main)
    repo.write_rulebook(title="Another title", rule=REWORDED)
    repo.record()
    repo.commit("Reword")
    assert len(repo.git("merge-base", "--all", "main", "side").split()) == 2
    value = told(cwd=repo.root)
    newest = max((side, main), key=lambda one: (repo.git("log", "-1", "--format=%ct", one), one))
    assert value["base"] == f"main@{newest[:9]}"
    assert value["notes"] == [
        f"2 common ancestors (criss-cross merges): main@{newest[:9]} is the newest"
    ]
    assert "reworded" in [c["kind"] for c in value["rulebooks"][0]["changes"]]
    gate = pldgov("gate", "--format", "json", cwd=repo.root)
    assert json.loads(gate.stdout)["rulebooks"][0]["base"] == value["base"]


def test_a_submodule_is_no_part_of_the_comparison(governance_repo, told, pldgov):
    """Its rulebooks are compared in its own repository, from its own history."""
    inner, outer = governance_repo(folder="inner"), governance_repo(folder="outer")
    outer.branch("edit")
    add = ("submodule", "add", "-q", str(inner.root), "rulebooks/sub")
    outer.git("-c", "protocol.file.allow=always", *add)
    outer.write_rulebook(rule=REWORDED)
    outer.record()
    outer.commit("Add a submodule and reword")
    value = told("main..edit", cwd=outer.root)
    assert [(one["name"], one["state"]) for one in value["rulebooks"]] == [("desk", "changed")]
    result = pldgov("comment", "--dry-run", "--base", "main", cwd=outer.root)
    assert result.exit_code == 0, result.output
    assert "### PASS: desk" in result.stdout


def test_rulebooks_are_chosen_by_name_folder_or_file(edited, told):
    """On either side; without a name all are compared."""
    repo = edited()
    other = repo.another("second")
    other.write_examples()
    other.write_rulebook()
    repo.commit("A second one")
    every = told("main", cwd=repo.root)
    assert [book["name"] for book in every["rulebooks"]] == ["desk", "second"]
    for name in ("second", "rulebooks/second", "rulebooks/second/rulebook.yaml"):
        (book,) = told("main", name, cwd=repo.root)["rulebooks"]
        assert (book["name"], book["state"]) == ("second", "added")
    (book,) = told("desk", cwd=repo.root)["rulebooks"]
    assert book["name"] == "desk"


def test_a_deleted_rulebook_is_told_and_can_be_named(governance_repo, told):
    """It stands on one side only."""
    repo = governance_repo()
    repo.branch("edit")
    repo.git("rm", "-r", "--quiet", "rulebooks")
    repo.commit("Delete")
    (book,) = told("main", "desk", cwd=repo.root)["rulebooks"]
    assert (book["state"], book["head_path"]) == ("deleted", None)
    assert book["reaches_student"]


@pytest.mark.parametrize("name", ["desk", "counter"])
def test_a_renamed_folder_is_the_same_rulebook(governance_repo, told, name):
    """By its name, or by its rules where the name changed with the folder."""
    repo = governance_repo()
    repo.branch("edit")
    repo.git("mv", "rulebooks/desk", "rulebooks/counter")
    text = (repo.root / "rulebooks/counter/rulebook.yaml").read_text("utf-8")
    repo.write("rulebooks/counter/rulebook.yaml", text.replace("name: desk\n", f"name: {name}\n"))
    repo.commit("Move")
    (book,) = told("main..", cwd=repo.root)["rulebooks"]
    assert (book["state"], book["effect"]) == ("changed", "unchanged")
    assert book["base_path"] == "rulebooks/desk/rulebook.yaml"
    assert book["head_path"] == "rulebooks/counter/rulebook.yaml"
    assert {c["kind"] for c in book["changes"]} == {"renamed"}
    assert book["gate"]["verdict"]["outcome"] == "PASS"


def test_a_governance_folder_below_the_top_of_the_repository(governance_repo, told):
    """Paths count from the folder that holds the settings."""
    repo = governance_repo()
    repo.git("switch", "--quiet", "-c", "moved")
    (repo.root / "policies").mkdir()
    for name in ("rulebooks", "templates", "pyproject.toml"):
        repo.git("mv", name, f"policies/{name}")
    repo.commit("Move")
    path = repo.root / "policies/rulebooks/desk/rulebook.yaml"
    path.write_text(path.read_text("utf-8").replace("A desk of two", "A desk"), "utf-8")
    (book,) = told("HEAD", cwd=repo.root / "policies")["rulebooks"]
    assert [c["kind"] for c in book["changes"]] == ["retitled"]


# -- what is told -------------------------------------------------------------------------------


def test_flips_come_with_their_texts_and_the_rules_they_concern(edited, told):
    """Without asking anybody: both sides' answers stand in committed evidence."""
    repo = edited()
    (book,) = told("main..edit", cwd=repo.root)["rulebooks"]
    assert book["gate"]["verdict"]["outcome"] == "REGRESSED"
    assert book["gate"]["asked"] == 0
    assert book["gate"]["verdict"]["macro_f1"]["interval"]["high"] < 0
    assert len(book["flips"]) == 12
    flip = book["flips"][0]
    assert (flip["kind"], flip["gold"], flip["before"], flip["after"]) == (
        "broken", "fraud", "fraud", "other",
    )  # fmt: skip
    assert flip["text"]
    assert [one["rule"] for one in flip["concerns"]] == ["r-01"]


def test_evidence_of_both_sides_counts_though_the_working_tree_holds_none(edited, told):
    """A range is measured from what its commits hold."""
    repo = edited()
    repo.git("switch", "--quiet", "main")
    repo.git("rm", "-r", "--quiet", "rulebooks/desk/evidence")
    repo.commit("Forget")
    (book,) = told("edit~1..edit", cwd=repo.root)["rulebooks"]
    assert book["gate"]["verdict"]["outcome"] == "REGRESSED"


def test_no_student_is_asked_unless_told_to(edited, told, pldgov):
    """Missing answers are a sentence; with --ask the student gives them."""
    repo = edited(recorded=False)
    repo.record({}, committed=False)
    (book,) = told(cwd=repo.root)["rulebooks"]
    assert book["gate"] is None
    assert "may not be asked (offline)" in book["unmeasured"]
    assert book["effect"] == "altered"
    (book,) = told("--ask", cwd=repo.root)["rulebooks"]
    assert book["gate"]["verdict"]["outcome"] == "PASS"
    assert book["gate"]["asked"] == 40


def test_a_student_that_cannot_be_opened_is_no_reason_to_show_nothing(edited, told, pldgov):
    """Only who names a student, or asks it, gets its error."""
    repo = edited()
    settings = (repo.root / "pyproject.toml").read_text("utf-8")
    repo.write("pyproject.toml", settings.replace('kind = "replay"', 'kind = "nothing"'))
    (book,) = told(cwd=repo.root)["rulebooks"]
    assert "nothing" in book["unmeasured"]
    assert pldgov("diff", "--student", "recorded", cwd=repo.root).exit_code == 2


def test_a_comment_is_no_behavioural_change(governance_repo, pldgov):
    """The prompt's digest is the same, whatever the lines say."""
    repo = governance_repo()
    repo.branch("edit")
    repo.write(repo.path, "# For people.\n" + repo.rulebook.read_text("utf-8"))
    result = pldgov("diff", cwd=repo.root)
    assert "no behavioural change: both sides render the same prompt" in result.stdout
    assert "comments and layout" in result.stdout
    assert pldgov("diff", "--exit-code", cwd=repo.root).exit_code == 0


def test_the_exit_code_says_so_when_asked(edited, pldgov):
    """0 for whoever only looks, 1 with --exit-code where the student may notice."""
    repo = edited()
    assert pldgov("diff", cwd=repo.root).exit_code == 0
    assert pldgov("diff", "--exit-code", cwd=repo.root).exit_code == 1
    assert pldgov("diff", "HEAD", "--exit-code", cwd=repo.root).exit_code == 0


def test_what_differs_between_the_gate_sets_is_no_verdict(edited, told):
    """A removed gate example is told as a change, and as the reason for no comparison."""
    repo = edited()
    path = repo.root / "rulebooks/desk/examples/gate.jsonl"
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[1:]), "utf-8")
    (book,) = told(cwd=repo.root)["rulebooks"]
    assert ("examples-removed", ["g-00"]) in [(c["kind"], c["others"]) for c in book["changes"]]
    assert book["gate"]["verdict"]["outcome"] == "NOT_COMPARABLE"


def test_tokens_and_cost_at_a_volume(edited, pldgov, told):
    """Tokens are told anyway; a year's only at a volume, its cost only with prices."""
    repo = edited()
    settings = (repo.root / "pyproject.toml").read_text("utf-8")
    (book,) = told(cwd=repo.root)["rulebooks"]
    assert book["base"]["tokens"] < book["head"]["tokens"]
    assert book["head"]["yearly_tokens"] is None
    (book,) = told("--volume", 1000, cwd=repo.root)["rulebooks"]
    assert book["head"]["yearly_tokens"] > 1000 * book["head"]["tokens"]
    assert book["head"]["yearly_cost"] is None
    served = (
        '\n[tool.pldgov.students.served]\nkind = "openai"\nmodel = "m"\n'
        'base_url = "http://127.0.0.1:9/v1"\nprice_input = 2.0\nprice_output = 8.0\n'
    )
    repo.write("pyproject.toml", settings + served)
    (book,) = told("--volume", 1000, "--student", "served", cwd=repo.root)["rulebooks"]
    head = book["head"]
    asked, said = head["tokens"] + head["example_tokens"], head["answer_tokens"]
    assert head["yearly_cost"] == pytest.approx(1000 * (2.0 * asked + 8.0 * said) / 1e6)
    result = pldgov("diff", "--volume", 1000, "--student", "served", cwd=repo.root)
    assert "cost at 1,000 examples a year: " in result.stdout


def test_changed_training_examples_may_matter_to_a_calibrated_student(governance_repo, told):
    """They are not in the prompt, and yet not without effect."""
    repo = governance_repo()
    repo.branch("edit")
    path = repo.root / "rulebooks/desk/examples/train.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    repo.write("rulebooks/desk/examples/train.jsonl", "".join(lines[:-1]))
    (book,) = told(cwd=repo.root)["rulebooks"]
    assert [c["kind"] for c in book["changes"]] == ["examples-removed"]
    assert any("calibrated" in note for note in book["notes"])


# -- bad input ----------------------------------------------------------------------------------


def test_only_new_findings_of_lint_are_told(governance_repo, told, pldgov):
    """A label that loses its only rule, an approval that is void; not what was so before."""
    repo = governance_repo()
    content = yaml.safe_load(repo.rulebook.read_text("utf-8"))
    content["rules"][1]["provenance"]["examples"][0].pop("sha256", None)
    repo.write(repo.path, yaml.safe_dump(content, sort_keys=False))
    done = pldgov("approve", "desk", "r-01", "--by", "Ann", cwd=repo.root)
    assert done.exit_code == 0, done.output
    repo.commit("Unpin and approve")
    repo.branch("edit")
    content = yaml.safe_load(repo.rulebook.read_text("utf-8"))
    content["rules"][0]["instruction"] = REWORDED
    content["rules"][1]["labels"] = ["fraud"]
    repo.write(repo.path, f"# One line further down.\n{yaml.safe_dump(content, sort_keys=False)}")
    (book,) = told(cwd=repo.root)["rulebooks"]
    codes = {problem["code"] for problem in book["problems"]}
    assert {"unargued-label", "approval-void"} <= codes
    assert "unpinned-example" not in codes
    assert "unpinned-example" in pldgov("lint", cwd=repo.root).output
    text = pldgov("diff", cwd=repo.root).output
    assert 'warning: no active rule argues for the label "other" (rulebook.yaml, line ' in text


def test_the_policy_on_approvals_counts_among_new_findings(governance_repo, told):
    """A rule that needs an approval and lost none is no news; an added one is."""
    repo = governance_repo()
    settings = repo.root / "pyproject.toml"
    settings.write_text(
        settings.read_text("utf-8") + "\n[tool.pldgov.approval]\nrequired = true\n", "utf-8"
    )
    repo.commit("Require approval")
    repo.branch("edit")
    content = yaml.safe_load(repo.rulebook.read_text("utf-8"))
    content["rules"].append({**content["rules"][0], "id": "r-09", "instruction": "A ninth case."})
    repo.write(repo.path, yaml.safe_dump(content, sort_keys=False))
    (book,) = told(cwd=repo.root)["rulebooks"]
    missing = [one for one in book["problems"] if one["code"] == "approval-missing"]
    assert [(one["rule_id"], one["severity"]) for one in missing] == [("r-09", "error")]


def test_a_side_with_problems_of_reading_has_no_findings_besides(edited, told, pldgov):
    """What is missing there would be blamed on the change."""
    repo = edited()
    repo.write("rulebooks/desk/examples/train.jsonl", "{no json\n")
    result = pldgov("diff", "--format", "json", cwd=repo.root)
    (book,) = json.loads(result.stdout)["rulebooks"]
    assert book["troubles"]
    assert book["problems"] == []


def test_conflict_markers_get_a_sentence_of_their_own(edited, pldgov):
    """A merge that stopped half way is told as that, with the line and what to do."""
    repo = edited()
    repo.git("switch", "--quiet", "main")
    repo.write_rulebook(rule="Another wording altogether.")
    repo.commit("On main")
    with pytest.raises(subprocess.CalledProcessError):
        repo.git("merge", "edit")
    result = pldgov("diff", "HEAD", cwd=repo.root)
    assert result.exit_code == 2
    assert "not compared" in result.stdout
    assert "a merge conflict is not resolved" in result.stdout
    assert f"{repo.path}:" in result.stdout


@pytest.mark.parametrize("path", ["templates/plain.j2", "rulebooks/desk/examples/gate.jsonl"])
def test_conflict_markers_in_other_files_are_one_problem(edited, told, path):
    """A template with markers would reach the student as it stands; examples do not parse."""
    repo = edited()
    text = (repo.root / path).read_text("utf-8")
    repo.write(path, f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> edit\n")
    (book,) = told(cwd=repo.root)["rulebooks"]
    sentences = [one["message"] for one in book["troubles"]]
    assert sum("a merge conflict is not resolved" in one for one in sentences) == 1
    assert sentences[0].startswith(f"{path}:1: ")
    assert book["gate"] is None


def test_a_side_that_does_not_parse_has_its_problems_told(governance_repo, pldgov):
    """With their places, and the other rulebooks are compared all the same."""
    repo = governance_repo()
    other = repo.another("second")
    other.write_examples()
    other.write_rulebook()
    repo.commit("Second")
    repo.branch("edit")
    repo.write(repo.path, repo.rulebook.read_text("utf-8").replace("title:", "titel:", 1))
    other.write_rulebook(title="Another title")
    result = pldgov("diff", cwd=repo.root)
    assert result.exit_code == 2
    assert f"problem in head: {repo.path}:" in result.stdout
    assert "titel" in result.stdout
    assert "title: A desk of two -> Another title" in result.stdout


def test_a_template_that_does_not_render_leaves_the_rest_told(edited, told):
    """The effect is then unknown, which --exit-code takes for a change."""
    repo = edited()
    repo.write("templates/plain.j2", "{{ task.instruction }} {{ rules | nosuch }}")
    (book,) = told("--exit-code", cwd=repo.root, code=1)["rulebooks"]
    assert book["effect"] == "unknown"
    assert "does not render" in book["troubles"][0]["message"]
    assert ("reworded", "r-01") in [(c["kind"], c["name"]) for c in book["changes"]]


def test_line_ends_alone_are_layout(governance_repo, told):
    """CRLF says the same in YAML, in templates and in examples."""
    repo = governance_repo()
    repo.branch("edit")
    for path in (repo.path, "templates/plain.j2", "rulebooks/desk/examples/gate.jsonl"):
        file = repo.root / path
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    (book,) = told(cwd=repo.root)["rulebooks"]
    assert [(c["kind"], c["field"], c["reaches"]) for c in book["changes"]] == [
        ("layout", "line endings", False),
        ("template", None, False),
    ]
    assert book["effect"] == "unchanged"


def test_a_rule_of_five_megabytes(governance_repo, pldgov):
    """Its changed word is found, and no report repeats all of it."""
    repo = governance_repo()
    words = " ".join(f"word{number}." for number in range(450_000))
    repo.write_rulebook(rule=f"First {words} last.")
    repo.commit("Long")
    repo.branch("edit")
    repo.write_rulebook(rule=f"First of all {words} last of all.")
    for format_, form in (
        ("text", "{+ of all+}"), ("markdown", "<ins> of all</ins>"), ("html", "<ins> of all</ins>"),
    ):  # fmt: skip
        result = pldgov("diff", "--format", format_, cwd=repo.root)
        assert result.exit_code == 0, result.output
        assert len(result.stdout) < 20_000
        assert form.replace(" ", "") in result.stdout.replace(" ", "")


HOSTILE = (
    "<script>alert(1)</script> </details> | [x](javascript:alert(1)) @all `x` ``` **b** "
    "<img src=x onerror=alert(1)> {{ 7*7 }} \u202eright to left\u200b"
)


def test_hostile_text_stays_text_in_every_format(governance_repo, pldgov):
    """Rules, titles, labels of examples and flipped texts are other people's words."""
    repo = governance_repo()
    repo.write("rulebooks/desk/examples/gate.jsonl", "".join(
        json.dumps({"id": f"g-{n:02}", "text": f"{HOSTILE} \x1b[31m{n}", "label": label}) + "\n"
        for n, label in enumerate(["fraud", "other"] * 20)
    ))  # fmt: skip
    repo.record()
    repo.commit("Hostile examples")
    repo.git("branch", "-f", "start")
    repo.branch("edit")
    visible = HOSTILE.replace("\u202e", "").replace("\u200b", "")
    rules = rules_of(repo)
    rules[0] |= {"instruction": visible, "title": visible, "rationale": visible}
    repo.write_rulebook(rules=rules)
    repo.record({"g-00": "other"})
    repo.commit("Hostile rule")
    shown = {
        format_: pldgov("diff", "start", "--format", format_, cwd=repo.root).stdout
        for format_ in ("text", "markdown", "html", "json")
    }
    assert "g-00" in shown["text"]
    for format_ in ("text", "markdown", "html"):
        assert "\x1b" not in shown[format_]
        assert "\u202e" not in shown[format_]
    for format_ in ("markdown", "html"):
        assert "<script>" not in shown[format_]
        assert "<img" not in shown[format_]
    assert shown["markdown"].count("</details>") == 1
    assert "](" not in shown["markdown"]
    assert "@all" not in shown["markdown"]
    rows = [line for line in shown["markdown"].splitlines() if line.startswith("| broken")]
    assert rows
    assert all(line.count("|") == 8 for line in rows)
    assert "default-src" in shown["html"]
    assert json.loads(shown["json"])["rulebooks"][0]["flips"][0]["text"].startswith("<script>")


def test_a_shallow_clone_says_what_to_set(edited, pldgov, tmp_path):
    """One sentence, with the setting of CI and the command."""
    repo = edited()
    repo.git("switch", "--quiet", "edit")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{repo.root}", str(clone)],
        check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )  # fmt: skip
    for arguments in (("HEAD^!",), ("HEAD~1",), ("main..HEAD",)):
        result = pldgov("diff", *arguments, cwd=clone)
        assert result.exit_code == 3, arguments
        assert "fetch-depth: 0" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("dsek",), 2, 'did you mean "desk"?'),
        (("main", "nosuch"), 2, "is neither a revision nor a rulebook"),
        (("main~7",), 3, "git knows no revision 'main~7'"),
        (("main..nosuch",), 3, "git knows no revision 'nosuch'"),
        (("a..b..c",), 2, "is no range of revisions"),
        (("--volume", "0"), 2, "0 is not in the range"),
        (("--student", "nosuch"), 2, "there is no student 'nosuch'"),
    ],
)
def test_wrong_use_says_what_to_do(governance_repo, pldgov, arguments, code, said):
    """One message, one exit code, no traceback."""
    result = pldgov("diff", *arguments, cwd=governance_repo().root)
    assert result.exit_code == code
    assert said in result.stderr


def test_a_name_that_is_a_branch_and_a_rulebook_is_refused(governance_repo, pldgov):
    """Guessing would compare something that nobody asked for."""
    repo = governance_repo()
    repo.git("branch", "desk")
    result = pldgov("diff", "desk", cwd=repo.root)
    assert result.exit_code == 2
    assert "refs/heads/desk" in result.stderr
    assert pldgov("diff", "refs/heads/desk", cwd=repo.root).exit_code == 0
    assert pldgov("diff", "rulebooks/desk", cwd=repo.root).exit_code == 0


def test_outside_a_repository_there_is_nothing_to_compare(governance_repo, pldgov, tmp_path):
    """No history, no base."""
    (tmp_path / "rulebooks").mkdir()
    result = pldgov("diff", cwd=tmp_path)
    assert result.exit_code == 3
    assert "not a git repository" in result.stderr


def test_an_unborn_branch_has_no_base(governance_repo, pldgov):
    """Before the first commit there is nothing to compare with."""
    repo = governance_repo()
    repo.git("switch", "--quiet", "--orphan", "empty")
    repo.git("branch", "-D", "main")
    result = pldgov("diff", cwd=repo.root)
    assert result.exit_code == 3
    assert "no commit yet" in result.stderr


def test_damaged_evidence_is_told_and_nothing_is_measured(edited, told):
    """The changes are shown all the same."""
    repo = edited()
    repo.write("rulebooks/desk/evidence/recorded.answers.jsonl", "{not json\n")
    (book,) = told(cwd=repo.root)["rulebooks"]
    assert "not a recorded answer" in book["unmeasured"]
    assert [c["kind"] for c in book["changes"]] == ["reworded"]


def test_the_verb_starts_without_anything_heavy():
    """`pldgov diff --help` imports neither numpy nor git nor a model's library."""
    code = (
        "import sys; from pldgov.cli import cli\n"
        "try: cli(['diff', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'git', 'sklearn', 'torch', 'transformers', 'ruamel'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([os.sys.executable, "-c", code], check=True, capture_output=True)
