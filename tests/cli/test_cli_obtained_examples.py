"""Rulebooks whose examples are not committed, at the command line: with them and without."""

from __future__ import annotations

import json
import shutil
from xml.etree import ElementTree as ET

import pytest

PROMPT = {"template": "plain.j2", "user_template": "user.j2"}
SHOWING = {**PROMPT, "template": "showing.j2"}
REWORDED = "If a stranger spent the money, the label is fraud."


@pytest.fixture
def repo(governance_repo, obtained):
    """A repository with one rulebook, whose examples are on disk and not in git."""
    return obtained.obtain(governance_repo())


@pytest.fixture
def bare(repo, obtained):
    """The same without the examples, on a branch: what a fresh clone is."""
    repo.branch("edit")
    obtained.lose(repo)
    return repo


def how_to_get_them(obtained):
    return f"to get them: {obtained.HOW}"


class TestLint:
    def test_absent_examples_are_one_warning(self, bare, pldgov, obtained):
        """Lint names every file that is not here and how to get it, and finds nothing else."""
        result = pldgov("lint", cwd=bare.root)
        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            "rulebooks/desk/rulebook.yaml:12:1: warning: its examples are not committed, and not "
            "here: examples/train.jsonl, examples/validation.jsonl, examples/gate.jsonl; no check "
            f"looked at them (to get them: {obtained.HOW}) [examples-absent]",
            "1 warning in 1 rulebook",
        ]

    def test_strict_lint_counts_the_warning_unless_it_is_ignored(self, bare, pldgov):
        """The check is selected like every other one."""
        assert pldgov("lint", "--strict", cwd=bare.root).exit_code == 1
        ignoring = pldgov("lint", "--strict", "--ignore", "examples-absent", cwd=bare.root)
        assert ignoring.exit_code == 0

    def test_without_obtain_a_missing_file_stays_an_error(self, bare, pldgov, obtained):
        """Only who says how to get examples may lack them."""
        bare.write_rulebook(examples=obtained.SPECS)
        result = pldgov("lint", cwd=bare.root)
        assert result.exit_code == 1
        assert result.stdout.count("[examples-missing]") == 3

    def test_examples_that_are_here_are_checked_as_ever(self, repo, pldgov):
        """A cited example that changed is found by its digest though git does not know it."""
        train = repo.rulebook.parent / "examples" / "train.jsonl"
        train.write_text(train.read_text("utf-8").replace('"text": "', '"text": "Not ', 1), "utf-8")
        result = pldgov("lint", cwd=repo.root)
        assert result.exit_code == 1
        assert "[changed-example]" in result.stdout

    def test_one_absent_split_is_named_alone(self, repo, pldgov, obtained):
        """The other splits are still checked: a foreign label in train is an error."""
        obtained.lose(repo, "gate")
        train = repo.rulebook.parent / "examples" / "train.jsonl"
        train.write_text(train.read_text("utf-8").replace('"other"', '"else"'), "utf-8")
        result = pldgov("lint", cwd=repo.root)
        assert "not here: examples/gate.jsonl; no check" in result.stdout
        assert "[unknown-data-label]" in result.stdout

    def test_examples_stay_inside_the_repository(self, bare, pldgov, obtained):
        """A path that leads out is an error, also where examples may be absent."""
        outside = {**obtained.EXAMPLES, "train": "../../../train.jsonl"}
        bare.write_rulebook(examples=outside)
        result = pldgov("lint", cwd=bare.root)
        assert result.exit_code == 1
        assert "[path-outside]" in result.stdout

    def test_a_folder_in_a_file_s_place_is_an_error(self, bare, pldgov):
        """What is there and cannot be read is not absent."""
        (bare.rulebook.parent / "examples" / "train.jsonl").mkdir(parents=True)
        result = pldgov("lint", cwd=bare.root)
        assert result.exit_code == 1
        assert "train.jsonl is a folder" in result.stdout

    def test_an_empty_obtain_is_refused(self, repo, pldgov, obtained):
        """The key must say something."""
        repo.write_rulebook(examples={**obtained.EXAMPLES, "obtain": ""})
        result = pldgov("lint", cwd=repo.root)
        assert result.exit_code == 1
        assert "obtain" in result.stdout


class TestGateWithExamples:
    def test_a_harmful_edit_is_regressed(self, repo, pldgov):
        """The base's prompt comes from git, the examples of both sides from the working tree."""
        repo.branch("edit")
        repo.write_rulebook(rule=REWORDED, examples=_examples(repo))
        repo.record(dict.fromkeys(repo.gate_ids("fraud")[:12], "other"))
        repo.commit("Reword")
        result = pldgov("gate", cwd=repo.root)
        assert result.exit_code == 1
        assert result.stdout.startswith("REGRESSED  desk\n")

    def test_the_base_s_prompt_may_show_examples(self, repo, pldgov, obtained):
        """Exemplars of the base are looked up in the working tree, too."""
        repo.write_rulebook(examples=obtained.EXAMPLES, prompt=SHOWING)
        repo.record()
        repo.commit("Show examples")
        repo.branch("edit")
        repo.write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES, prompt=SHOWING)
        repo.record()
        result = pldgov("gate", "--offline", cwd=repo.root)
        assert result.exit_code == 0, result.output
        assert "all 40 answers are the same" in result.stdout

    def test_a_base_that_had_them_committed_is_read_from_git(self, repo, pldgov):
        """A gate example that changed while it left git is still noticed."""
        gate = repo.rulebook.parent / "examples" / "gate.jsonl"
        gate.write_text(gate.read_text("utf-8").replace('"text": "', '"text": "Not ', 1), "utf-8")
        result = pldgov("gate", "--base", "HEAD~1", cwd=repo.root)
        assert result.exit_code == 3
        assert "gate set: 1 example changed or relabelled (g-00)" in result.stdout

    def test_a_renamed_rulebook_takes_its_examples_along(self, repo, pldgov):
        """The base's examples are looked for beside head's rulebook."""
        repo.branch("edit")
        moved = repo.rulebook.parent.with_name("moved")
        repo.rulebook.parent.rename(moved)
        repo.write("templates/plain.j2", (repo.root / "templates/plain.j2").read_text() + "More.\n")
        result = pldgov("gate", "--offline", cwd=repo.root)
        assert "examples" not in result.stderr, result.output
        assert "answers of student 'recorded' are not recorded" in result.stderr

    def test_a_base_whose_examples_lie_elsewhere_cannot_be_compared(self, repo, pldgov, obtained):
        """Which gate set the base had is not known then, and that is said."""
        repo.branch("edit")
        (repo.rulebook.parent / "examples").rename(repo.rulebook.parent / "data")
        moved = {name: spec.replace("examples/", "data/") for name, spec in obtained.SPECS.items()}
        repo.write_rulebook(examples={**moved, "obtain": obtained.HOW})
        result = pldgov("gate", cwd=repo.root)
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT_COMPARABLE  desk\n  the base does not load: ")
        assert how_to_get_them(obtained) in result.stdout


class TestGateWithoutExamples:
    @pytest.mark.parametrize("prompt", [PROMPT, SHOWING], ids=["plain", "showing"])
    def test_a_rulebook_that_is_the_base_s_passes(self, governance_repo, pldgov, obtained, prompt):
        """Nothing changed, so no answer can have: PASS, with a note that nothing was measured."""
        repo = obtained.obtain(governance_repo(), prompt=prompt, gate={"min": 0.5})
        repo.branch("edit")
        obtained.lose(repo)
        repo.rulebook.write_text(f"# A comment.\n{repo.rulebook.read_text('utf-8')}", "utf-8")
        result = pldgov("gate", cwd=repo.root)
        assert result.exit_code == 0
        assert result.stdout.startswith("PASS  desk\n  the prompt is unchanged")
        assert "note: not measured: its examples are not committed, and not here" in result.stdout
        assert how_to_get_them(obtained) in result.stdout
        assert "floors were not checked" in result.stdout

    def test_a_change_of_the_prompt_has_no_verdict(self, bare, pldgov, obtained):
        """Exit code 3, the word first, then what is not here and how to get it."""
        bare.write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES)
        result = pldgov("gate", cwd=bare.root)
        assert result.exit_code == 3
        word, reason = result.stdout.splitlines()[:2]
        assert word == "NOT_MEASURED  desk"
        assert reason == (
            "  its examples are not committed, and not here: examples/train.jsonl, "
            f"examples/validation.jsonl, examples/gate.jsonl ({how_to_get_them(obtained)})"
        )

    def test_a_change_of_a_template_that_shows_examples_has_no_verdict(
        self, governance_repo, pldgov, obtained
    ):
        """The prompt does not even render, which is no error of the rulebook."""
        repo = obtained.obtain(governance_repo(), prompt=SHOWING)
        repo.branch("edit")
        obtained.lose(repo)
        repo.write("templates/showing.j2", f"{obtained.SHOWING}Answer at once.\n")
        result = pldgov("gate", cwd=repo.root)
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT_MEASURED  desk\n")
        assert "head     working tree, prompt -" in result.stdout

    def test_a_template_that_is_not_used_does_not_matter(self, bare, pldgov):
        """Only what the prompt is made with counts."""
        bare.write("templates/another.j2", "{{ task.instruction }}")
        assert pldgov("gate", cwd=bare.root).exit_code == 0

    def test_words_that_the_student_does_not_see_pass(self, bare, pldgov):
        """Where the prompt renders without examples, its digest is compared as ever."""
        text = bare.rulebook.read_text("utf-8")
        bare.rulebook.write_text(text.replace("title: About fraud", "title: On fraud"), "utf-8")
        assert pldgov("gate", cwd=bare.root).stdout.startswith("PASS  desk\n")

    def test_a_new_citation_has_no_verdict_though_the_prompt_is_the_same(self, bare, pldgov):
        """A rule may now cite a gate example: only lint with the examples could tell."""
        text = bare.rulebook.read_text("utf-8")
        assert "id: t-00" in text
        bare.rulebook.write_text(text.replace("id: t-00", "id: g-00"), "utf-8")
        result = pldgov("gate", cwd=bare.root)
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT_MEASURED  desk\n")

    def test_one_absent_split_is_enough(self, repo, pldgov, obtained):
        """Without validation nobody knows whether the gate's examples stand there, too."""
        repo.branch("edit")
        obtained.lose(repo, "validation")
        repo.write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES)
        result = pldgov("gate", cwd=repo.root)
        assert result.exit_code == 3
        assert "not here: examples/validation.jsonl (" in result.stdout

    def test_no_policy_waves_it_through(self, bare, pldgov, obtained):
        """on_inconclusive and on_no_baseline are about measurements."""
        policy = {"on_inconclusive": "pass", "on_no_baseline": "pass"}
        bare.write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES, gate=policy)
        assert pldgov("gate", cwd=bare.root).exit_code == 3

    def test_other_rulebooks_are_judged_all_the_same(self, bare, pldgov, obtained):
        """One rulebook without its examples stops no other."""
        bare.write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES)
        other = bare.another("second")
        other.write_examples()
        other.write_rulebook(gate={"on_no_baseline": "pass"})
        other.record()
        result = pldgov("gate", cwd=bare.root)
        assert result.exit_code == 3
        assert "NOT_MEASURED  desk\n" in result.stdout
        assert "NO_BASELINE  second\n" in result.stdout

    def test_every_format_says_so(self, bare, pldgov, obtained):
        """JSON, JUnit (skipped, no failure), annotations (warning) and Markdown agree."""
        bare.write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES)

        def say(name):
            result = pldgov("gate", "--format", name, cwd=bare.root)
            assert result.exit_code == 3
            return result.stdout

        said = json.loads(say("json"))["rulebooks"][0]
        assert said["verdict"]["outcome"] == "NOT_MEASURED"
        assert obtained.HOW in said["verdict"]["reason"]
        suite = ET.fromstring(say("junit")).find("testsuite")
        assert (suite.get("skipped"), suite.get("failures")) == ("1", "0")
        assert obtained.HOW in suite.find("testcase/skipped").get("message")
        assert say("github").startswith("::warning file=rulebooks/desk/rulebook.yaml")
        assert say("markdown").startswith("### NOT_MEASURED: desk\n")

    def test_a_new_rulebook_has_no_verdict(self, bare, pldgov, obtained):
        """There is no base, and no measurement either."""
        bare.another("new").write_rulebook(examples=obtained.EXAMPLES)
        result = pldgov("gate", "new", cwd=bare.root)
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT_MEASURED  new\n")

    def test_evidence_as_the_base_gives_no_verdict(self, repo, pldgov, obtained):
        """Whose gate set the evidence is about cannot be told; with examples it passes."""
        assert pldgov("bless", "desk", "--reason", "first", cwd=repo.root).exit_code == 0
        base = ("--base", "rulebooks/desk/evidence/recorded.json")
        assert pldgov("gate", *base, cwd=repo.root).exit_code == 0
        obtained.lose(repo)
        result = pldgov("gate", *base, cwd=repo.root)
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT_MEASURED  desk\n")

    def test_another_student_than_the_blessed_one_is_not_comparable(self, repo, pldgov, obtained):
        """An unchanged prompt passes only for the student that the base was blessed with."""
        assert pldgov("bless", "desk", "--reason", "first", cwd=repo.root).exit_code == 0
        repo.commit("Bless")
        repo.branch("edit")
        obtained.lose(repo)
        assert pldgov("gate", cwd=repo.root).exit_code == 0
        with (repo.root / "pyproject.toml").open("a") as settings:
            settings.write("abstain_below = 0.4\n")
        assert pldgov("lock", cwd=repo.root).exit_code == 0  # which needs no example
        result = pldgov("gate", cwd=repo.root)
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT_COMPARABLE  desk\n  student: ")

    def test_without_history_it_has_no_verdict(self, bare, pldgov):
        """A tarball of the repository is no crash."""
        shutil.rmtree(bare.root / ".git")
        result = pldgov("gate", cwd=bare.root)
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT_MEASURED  desk\n")

    def test_a_base_that_was_asked_for_must_exist(self, bare, pldgov):
        """A misspelt base is told as such, not hidden behind the absent examples."""
        result = pldgov("gate", "--base", "mian", cwd=bare.root)
        assert result.exit_code == 3
        assert "git knows no revision 'mian'" in result.stderr

    def test_taking_examples_out_of_git_is_not_comparable(self, bare, pldgov, obtained):
        """Who sets obtain and deletes the files does not get around the gate."""
        result = pldgov("gate", "--base", "HEAD~1", cwd=bare.root)
        assert result.exit_code == 3
        assert result.stdout.startswith(
            "NOT_COMPARABLE  desk\n  the base has its examples committed; its examples are not"
        )
        assert how_to_get_them(obtained) in result.stdout

    def test_other_labels_are_not_comparable(self, bare, pldgov, obtained):
        """What no example is needed for is still said."""
        task = {
            "instruction": "Name the label.",
            "inputs": ["text"],
            "labels": {"fraud": "taken money", "other": "all else", "third": "more"},
        }
        bare.write_rulebook(examples=obtained.EXAMPLES, task=task)
        result = pldgov("gate", cwd=bare.root)
        assert result.exit_code == 3
        assert "labels: fraud, other, third here, fraud, other there" in result.stdout

    def test_a_broken_base_is_not_comparable(self, bare, pldgov, obtained):
        """The reason is the base's own."""
        bare.git("switch", "--quiet", "main")
        bare.write_rulebook(text="schema: [\n")
        bare.commit("Break it")
        bare.branch("mend")
        bare.write_rulebook(examples=obtained.EXAMPLES)
        result = pldgov("gate", cwd=bare.root)
        assert result.exit_code == 3
        assert "the base does not load: " in result.stdout

    def test_errors_that_need_no_example_are_errors(self, bare, pldgov, obtained):
        """A broken rulebook is no undecided one."""
        bare.write_rulebook(examples=obtained.EXAMPLES, prompt={**PROMPT, "template": "no.j2"})
        result = pldgov("gate", cwd=bare.root)
        assert result.exit_code == 2
        assert "[unknown-template]" in result.stderr

    def test_the_hint_cannot_act_on_its_reader(self, governance_repo, pldgov, obtained):
        """Control characters, line ends and markup in `obtain` are shown, not obeyed."""
        how = "\x1b[2Jrun\n<img src=x>\u202e @all"
        repo = obtained.obtain(governance_repo(), how=how)
        repo.branch("edit")
        obtained.lose(repo)
        repo.write_rulebook(rule=REWORDED, examples={**obtained.SPECS, "obtain": how})
        for arguments in (("lint",), ("gate",), ("eval", "desk")):
            shown = pldgov(*arguments, cwd=repo.root).output
            assert "to get them: U+001B[2Jrun <img src=x>U+202E @all" in shown
            assert "\x1b" not in shown
        markdown = pldgov("gate", "--format", "markdown", cwd=repo.root).stdout
        assert "<img" not in markdown


class TestOtherVerbs:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("eval", "desk"),
            ("eval", "desk", "--split", "gate"),
            ("eval", "desk", "--interpretability"),
            ("bless", "desk", "--reason", "new"),
            ("fmt", "--pin", "desk"),
            ("distill", "desk", "--teacher", "replay"),
            ("distill", "desk", "--teacher", "replay", "--check"),
            ("distill", "desk", "--teacher", "replay", "--dry-run"),
        ],
        ids=" ".join,
    )
    def test_what_needs_examples_says_how_to_get_them(self, bare, pldgov, obtained, arguments):
        """Exit code 2, one line, nothing written."""
        result = pldgov(*arguments, cwd=bare.root)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert line.startswith(
            "error: rulebooks/desk/rulebook.yaml: its examples are not committed"
        )
        assert line.endswith(f"({how_to_get_them(obtained)})")
        assert bare.git("status", "--porcelain") == ""

    def test_eval_needs_the_split_that_it_measures_and_train(self, repo, pldgov, obtained):
        """An absent gate split does not stop who measures validation."""
        obtained.lose(repo, "gate")
        assert pldgov("eval", "desk", "--offline", cwd=repo.root).exit_code == 0
        result = pldgov("eval", "desk", "--split", "gate", cwd=repo.root)
        assert result.exit_code == 2
        assert "not here: examples/gate.jsonl" in result.stderr

    def test_render_needs_examples_only_where_the_template_shows_them(self, bare, pldgov, obtained):
        """A prompt of rules alone is deployed from a clone without data."""
        result = pldgov("render", "desk", cwd=bare.root)
        assert result.exit_code == 0
        assert "somebody else spent the money" in result.stdout
        bare.write_rulebook(examples=obtained.EXAMPLES, prompt=SHOWING)
        result = pldgov("render", "desk", cwd=bare.root)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "not here: examples/train.jsonl" in result.stderr
        assert how_to_get_them(obtained) in result.stderr

    def test_render_at_a_revision_shows_the_examples_of_the_working_tree(
        self, governance_repo, pldgov, obtained
    ):
        """Git cannot hold them, so an old prompt is rendered with what is here."""
        repo = obtained.obtain(governance_repo(), prompt=SHOWING)
        now = pldgov("render", "desk", cwd=repo.root).stdout
        assert now.count(" -> fraud") == 1
        repo.write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES, prompt=SHOWING)
        then = pldgov("render", "desk", "--at", "main", cwd=repo.root)
        assert then.stdout == now


def _examples(repo):
    """Return the examples key as the rulebook has it."""
    import yaml

    return yaml.safe_load(repo.rulebook.read_text("utf-8"))["examples"]
