"""Rulebooks with students of their own, also where a student's weights are not here."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

import pldgov.students.model_files
from pldgov.workspace import Workspace

REWORDED = "If a stranger spent the money, the label is fraud."
BUDGET = {"template": "plain.j2", "user_template": "user.j2", "budget_tokens": 40}
TABLE = """
[tool.pldgov.students.other]
kind = "replay"
path = "recordings/*.jsonl"
student = { kind = "fake", model = "tiny", snapshot = "2026-11" }
abstain_below = 0.1

[tool.pldgov.students.third]
kind = "replay"
path = "recordings/*.jsonl"
student = { kind = "fake", model = "tiny", snapshot = "2026-11" }
"""


@pytest.fixture
def three(governance_repo, monkeypatch):
    """Three rulebooks (desk, pay, zoo), of which `pay` has the student `other`."""
    monkeypatch.delenv("PLDGOV_STUDENT", raising=False)
    repo = governance_repo()
    for name in ("pay", "zoo"):
        more = repo.another(name)
        more.write_examples()
        more.write_rulebook()
        more.record()
    choose(repo, pay="other")
    repo.commit("Three")
    return repo


def choose(repo, text=TABLE, **student_of):
    """Write the settings anew, with the students of single rulebooks."""
    settings = (
        (repo.root / "pyproject.toml").read_text("utf-8").partition("\n[tool.pldgov.student_of")[0]
    )
    rows = "".join(f'"{name}" = "{student}"\n' for name, student in student_of.items())
    repo.write("pyproject.toml", f"{settings}\n[tool.pldgov.student_of]\n{rows}{text}")


def students(result):
    """Return each rulebook's student in a gate's JSON, in the order of the report."""
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rulebooks"]
    return {row["rulebook"]: row["student"]["name"] for row in rows}


class TestWhoAnswers:
    def test_flag_variable_table_default(self, three, pldgov, monkeypatch):
        """Each goes before what follows it, for every rulebook of the run."""
        gate = ("gate", "--format", "json")
        every = ("desk", "pay", "zoo")
        own = {"desk": "recorded", "pay": "other", "zoo": "recorded"}
        assert students(pldgov(*gate, cwd=three.root)) == own
        monkeypatch.setenv("PLDGOV_STUDENT", "third")
        assert students(pldgov(*gate, cwd=three.root)) == dict.fromkeys(every, "third")
        flagged = pldgov(*gate, "--student", "recorded", cwd=three.root)
        assert students(flagged) == dict.fromkeys(every, "recorded")

    def test_reports_stay_in_the_order_of_the_rulebooks(self, three, pldgov):
        """Grouping by student is about loading, not about reading."""
        result = pldgov("gate", "--format", "json", cwd=three.root)
        assert list(students(result)) == ["desk", "pay", "zoo"]

    def test_a_path_names_one_of_two_rulebooks_of_the_same_name(self, three, pldgov):
        """The folder from the root is as good as its name."""
        choose(three, **{"rulebooks/zoo": "third"})
        found = students(pldgov("gate", "--format", "json", cwd=three.root))
        assert found == {"desk": "recorded", "pay": "recorded", "zoo": "third"}

    @pytest.mark.parametrize(
        "verb",
        [
            ("eval", "pay", "--format", "json"),
            ("diff", "HEAD", "pay", "--format", "json"),
        ],
    )
    def test_other_verbs_ask_the_same(self, three, pldgov, verb):
        """One place decides, whatever is wanted of the student."""
        three.another("pay").write_rulebook(rule=REWORDED)
        three.another("pay").record()
        result = pldgov(*verb, cwd=three.root)
        assert result.exit_code == 0, result.output
        assert _names(json.loads(result.stdout)) == {"other"}

    def test_a_diff_of_several_rulebooks_asks_each_its_own(self, three, pldgov):
        """All in one report, in order."""
        for name in ("desk", "pay", "zoo"):
            three.another(name).write_rulebook(rule=REWORDED)
            three.another(name).record()
        rows = json.loads(pldgov("diff", "--format", "json", cwd=three.root).stdout)["rulebooks"]
        found = [(row["name"], row["gate"]["student"]["name"]) for row in rows]
        assert found == [("desk", "recorded"), ("pay", "other"), ("zoo", "recorded")]

    def test_a_comment_on_several_rulebooks_asks_each_its_own(self, three, pldgov):
        """The verdicts of one comment are of several students."""
        three.branch("edit")
        for name in ("desk", "pay"):
            three.another(name).write_rulebook(rule=REWORDED)
            three.another(name).record()
        three.commit("Reword")
        result = pldgov("comment", "--dry-run", cwd=three.root)
        assert result.exit_code == 0, result.output
        assert result.stdout.index("student recorded (") < result.stdout.index("student other (")

    def test_blessing_and_locking_all_write_each_its_own(self, three, pldgov):
        """Evidence and lock of each rulebook are of its student, and hold afterwards."""
        assert pldgov("bless", "--reason", "first", cwd=three.root).exit_code == 0
        for name, student in (("desk", "recorded"), ("pay", "other")):
            folder = three.root / "rulebooks" / name
            assert (folder / "evidence" / f"{student}.json").is_file()
            locked = json.loads((folder / "students.lock.json").read_text("utf-8"))["students"]
            assert list(locked) == [student]
        assert pldgov("lock", "--check", cwd=three.root).exit_code == 0
        assert pldgov("gate", cwd=three.root).exit_code == 0

    def test_every_lock_is_looked_at_before_anybody_is_asked(self, three, pldgov):
        """The second student's lock stops the run, and the first has not been measured."""
        assert pldgov("lock", cwd=three.root).exit_code == 0
        text = (three.root / "pyproject.toml").read_text("utf-8")
        three.write("pyproject.toml", text.replace("abstain_below = 0.1", "abstain_below = 0.2"))
        result = pldgov("bless", "--reason", "again", cwd=three.root)
        assert result.exit_code == 2
        assert "rulebooks/pay/students.lock.json: student 'other' is not the one" in result.stderr
        assert result.stdout == ""
        assert not (three.root / "rulebooks/desk/evidence/recorded.json").exists()

    def test_one_report_of_one_rulebook(self, three, pldgov, tmp_path):
        """The page is about the rulebook's own student."""
        assert pldgov("report", "pay", "-o", tmp_path / "page", cwd=three.root).exit_code == 0
        assert "student other" in (tmp_path / "page/index.html").read_text("utf-8")

    def test_doctor_names_whose_student_each_is(self, three, pldgov):
        """The default first, then those of single rulebooks."""
        lines = pldgov("doctor", cwd=three.root).stdout.splitlines()
        found = [line.split(":")[0] for line in lines if " student " in line]
        assert found == ["ok      student recorded", "ok      student other (pay)"]


class TestWrongSettings:
    @pytest.mark.parametrize("verb", [("gate",), ("eval", "desk"), ("lock",), ("diff", "HEAD")])
    def test_an_unknown_student_is_an_error(self, three, pldgov, verb):
        """Even for another rulebook than the one that is asked about, with a hint."""
        choose(three, pay="othr")
        result = pldgov(*verb, cwd=three.root)
        assert result.exit_code == 2
        assert "[tool.pldgov.student_of]: there is no student 'othr' (did you mean \"other\"?)" in (
            result.stderr
        )

    def test_an_unknown_rulebook_is_an_error(self, three, pldgov):
        """A rulebook that is spelt wrongly would silently get the default student."""
        choose(three, payy="other")
        result = pldgov("gate", cwd=three.root)
        assert result.exit_code == 2
        assert "there is no rulebook 'payy' (did you mean \"pay\"?)" in result.stderr
        choose(three, **{"rulebooks/nowhere": "other"})
        result = pldgov("gate", cwd=three.root)
        assert result.exit_code == 2
        assert "(known are desk, pay, zoo)" in result.stderr

    def test_doctor_says_so(self, three, pldgov):
        """And still looks at the default student."""
        choose(three, payy="other")
        result = pldgov("doctor", cwd=three.root)
        assert result.exit_code == 2
        assert "there is no rulebook 'payy'" in result.stdout
        assert "ok      student recorded" in result.stdout

    def test_what_needs_no_student_is_not_held_up(self, three, pldgov):
        """Lint and render go on."""
        choose(three, payy="othr")
        assert pldgov("lint", cwd=three.root).exit_code == 0
        assert pldgov("render", "pay", cwd=three.root).exit_code == 0

    def test_obtain_is_for_local_models(self, three, pldgov):
        """An option where it means nothing is told as ever."""
        choose(three, f'{TABLE}obtain = "by mail"\n', pay="third")
        result = pldgov("gate", cwd=three.root)
        assert result.exit_code == 2
        assert "[tool.pldgov.students.third]: obtain: unknown option" in result.stderr


@pytest.fixture
def absent(governance_repo, elsewhere, monkeypatch):
    """A branch of a repository whose rulebook `second` has a student that is not here."""

    def make(*, locked=False, **options):
        repo = governance_repo()
        second = elsewhere.settle(repo, **options)
        if locked:
            elsewhere.lock(second)
            elsewhere.record(second)
            repo.commit("Lock")
        repo.branch("edit")
        return second

    monkeypatch.setattr(pldgov.students.model_files, "_hub_commit", _no_hub)
    return make


def _no_hub(*_, **__):
    raise AssertionError("the hub was asked")


class TestGateWithoutTheStudent:
    def test_its_rulebook_is_not_measured_and_the_others_are_judged(
        self, absent, pldgov, elsewhere
    ):
        """Exit code 3, the reason and how to get it; the other one's regression is exit code 1."""
        second = absent()
        second.write_rulebook(rule=REWORDED)
        result = pldgov("gate", cwd=second.root)
        assert result.exit_code == 3
        assert "PASS  desk\n" in result.stdout
        assert f"NOT_MEASURED  second\n  {elsewhere.WHY}\n" in result.stdout
        assert "student  big (transformers, models/big-1b5, absent)" in result.stdout
        desk = second.another("desk")
        desk.write_rulebook(rule="Whatever happens, the label is other.")
        desk.record(dict.fromkeys(desk.gate_ids("fraud")[:12], "other"))
        result = pldgov("gate", cwd=second.root)
        assert result.exit_code == 1
        assert "REGRESSED  desk\n" in result.stdout
        assert "NOT_MEASURED  second\n" in result.stdout

    @pytest.mark.parametrize("locked", [False, True])
    def test_an_unchanged_prompt_passes(self, absent, pldgov, locked):
        """No answer is needed, so no student: with and without a lock."""
        second = absent(locked=locked)
        (second.root / "rulebooks/second/evidence/big.answers.jsonl").unlink(missing_ok=True)
        text = second.rulebook.read_text("utf-8")
        second.write(second.path, f"# A comment.\n{text}".replace("A desk of two", "A desk"))
        result = pldgov("gate", "second", cwd=second.root)
        assert result.exit_code == 0, result.output
        assert "the prompt is unchanged" in result.stdout

    def test_an_unchanged_prompt_passes_that_only_the_student_can_count(
        self, absent, pldgov, elsewhere
    ):
        """Within a tight budget the prompt is the base's if it is before it is trimmed."""
        second = absent()
        second.write_rulebook(prompt=BUDGET)
        second.git("switch", "--quiet", "main")
        second.commit("A budget")
        second.git("switch", "--quiet", "edit")
        second.git("merge", "--quiet", "main")
        second.write_rulebook(prompt=BUDGET, title="Another title")
        result = pldgov("gate", "second", cwd=second.root)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("PASS  second\n  the prompt is unchanged")
        assert f"note: not measured: {elsewhere.WHY}" in result.stdout
        for changed in ({"prompt": {**BUDGET, "budget_tokens": 41}}, {"rule": REWORDED}):
            second.write_rulebook(**{"prompt": BUDGET, **changed})
            result = pldgov("gate", "second", cwd=second.root)
            assert result.exit_code == 3
            assert result.stdout.startswith("NOT_MEASURED  second\n")

    def test_recorded_answers_are_judged_without_it(self, absent, pldgov, elsewhere):
        """The lock says whose they are, so a regression is found on a machine without weights."""
        second = absent(locked=True)
        second.write_rulebook(rule=REWORDED)
        elsewhere.record(second, dict.fromkeys(second.gate_ids("fraud")[:12], "other"))
        result = pldgov("gate", "second", cwd=second.root)
        assert result.exit_code == 1, result.output
        assert result.stdout.startswith("REGRESSED  second\n")
        assert "student  big (transformers, big-1b5, sha256:1b5)" in result.stdout
        for verb in (("eval", "second"), ("approve", "second", "--all", "--by", "A B")):
            assert pldgov(*verb, cwd=second.root).exit_code == 0

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ('model = "models/other"', "model: big-1b5 -> models/other"),
            ('model = "models/big-1b5"\ndtype = "bfloat16"', "decoding.dtype: float32 -> bfloat16"),
        ],
    )
    def test_settings_are_still_held_against_the_lock(self, absent, pldgov, changed, said):
        """What can be told without weights is: another model is no absent one."""
        second = absent(locked=True)
        text = (second.root / "pyproject.toml").read_text("utf-8")
        second.write("pyproject.toml", text.replace('model = "models/big-1b5"', changed))
        result = pldgov("gate", cwd=second.root)
        assert result.exit_code == 2
        assert f"student 'big' is not the one that is locked: {said}" in result.stderr

    @pytest.mark.parametrize("model", ["./models/big", "models/big.gguf", "/no/where/big"])
    def test_a_missing_model_is_told_also_where_nothing_says_how_to_get_it(
        self, absent, pldgov, model
    ):
        """A typo in the settings has no verdict either, and stops no other rulebook."""
        second = absent(obtain=None, model=model)
        second.write_rulebook(rule=REWORDED)
        result = pldgov("gate", "--format", "json", cwd=second.root)
        assert result.exit_code == 3
        desk, own = json.loads(result.stdout)["rulebooks"]
        assert desk["verdict"]["outcome"] == "PASS"
        assert own["verdict"]["outcome"] == "NOT_MEASURED"
        assert own["verdict"]["reason"] == (
            f"student 'big' is not available: {model}: no such folder or file "
            "(see the option model of [tool.pldgov.students.big])"
        )
        assert own["absent_by_design"] is False

    def test_a_hub_that_cannot_be_reached_is_as_good_as_absent(self, absent, pldgov, monkeypatch):
        """Without `obtain` the hub is asked, once; its refusal is the reason."""
        asked = []

        def offline(*_, **__):
            asked.append(1)
            raise ConnectionError("no route to host")

        second = absent(obtain=None)
        second.write_rulebook(rule=REWORDED)
        monkeypatch.undo()
        hub = pytest.importorskip("huggingface_hub")
        monkeypatch.setattr(hub.HfApi, "model_info", offline)
        result = pldgov("gate", "second", cwd=second.root)
        assert result.exit_code == 3
        assert "NOT_MEASURED  second\n  student 'big' is not available: " in result.stdout
        assert "nor to be had from the hub (no route to host)" in result.stdout
        assert len(asked) == 1

    def test_evidence_as_the_base_and_no_history(self, absent, pldgov, elsewhere):
        """Whose evidence it is cannot be told without lock; with it, answers are what is missing."""
        second = absent(locked=True)
        blessed = pldgov("bless", "second", "--reason", "x", cwd=second.root)
        assert blessed.exit_code == 0, blessed.output
        base = ("gate", "second", "--base", "rulebooks/second/evidence/big.json")
        assert pldgov(*base, cwd=second.root).exit_code == 0
        second.write_rulebook(rule=REWORDED)
        assert pldgov(*base, cwd=second.root).stdout.startswith("NOT_MEASURED  second\n")
        (second.root / "rulebooks/second/students.lock.json").unlink()
        assert pldgov(*base, cwd=second.root).stdout.startswith("NOT_MEASURED  second\n")

    def test_a_misspelt_base_is_told_all_the_same(self, absent, pldgov):
        """Absence hides no wrong use."""
        second = absent()
        second.write_rulebook(rule=REWORDED)
        result = pldgov("gate", "second", "--base", "mian", cwd=second.root)
        assert "git knows no revision 'mian'" in result.stderr

    def test_what_is_not_comparable_is_not_merely_absent(self, absent, pldgov):
        """Relabelled gate examples are named, whoever could have answered."""
        second = absent()
        second.write_rulebook(rule=REWORDED)
        path = second.root / "rulebooks/second/examples/gate.jsonl"
        path.write_text(path.read_text("utf-8").replace("fraud", "other", 1), "utf-8")
        result = pldgov("gate", "second", cwd=second.root)
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT_COMPARABLE  second\n")

    def test_without_examples_and_student(self, absent, pldgov, obtained):
        """The examples are what is said; an unchanged rulebook passes."""
        second = absent()
        second.git("switch", "--quiet", "main")
        obtained.obtain(second)
        second.git("branch", "--force", "edit")  # git deletes what main ignores
        second.git("switch", "--quiet", "edit")
        obtained.lose(second)
        assert pldgov("gate", "second", cwd=second.root).exit_code == 0
        second.write_rulebook(rule=REWORDED, examples=obtained.EXAMPLES)
        result = pldgov("gate", "second", cwd=second.root)
        assert result.exit_code == 3
        assert result.stdout.startswith("NOT_MEASURED  second\n  its examples are not committed")

    def test_every_format_says_so(self, absent, pldgov, elsewhere):
        """JSON, JUnit (skipped), annotations (a warning) and Markdown; nothing in it acts."""
        second = absent(obtain="\\u001b[2J<img src=x> @all")
        second.write_rulebook(rule=REWORDED)

        def say(name):
            result = pldgov("gate", "second", "--format", name, cwd=second.root)
            assert result.exit_code == 3
            assert "\x1b" not in result.stdout
            return result.stdout

        row = json.loads(say("json"))["rulebooks"][0]
        assert row["absent_by_design"] is True
        assert "<U+001B>[2J" in row["verdict"]["reason"]
        suite = ET.fromstring(say("junit")).find("testsuite")
        assert (suite.get("skipped"), suite.get("failures")) == ("1", "0")
        assert say("github").startswith("::warning file=rulebooks/second/rulebook.yaml")
        assert "<img" not in say("markdown")
        assert say("text").startswith("NOT_MEASURED  second\n")


class TestOtherVerbsWithoutTheStudent:
    @pytest.mark.parametrize(
        "verb", [("eval", "second"), ("explain", "second"), ("bless", "second", "--reason", "x")]
    )
    def test_who_needs_it_fails_with_4(self, absent, pldgov, elsewhere, verb):
        """One line that says how to get it; nothing is written."""
        second = absent()
        result = pldgov(*verb, cwd=second.root)
        assert result.exit_code == 4
        assert result.stderr == (
            f"error: {elsewhere.MODEL}: is not on this machine (to get it: {elsewhere.HOW})\n"
        )
        assert second.git("status", "--porcelain") == ""

    def test_lock_goes_on_with_the_others(self, absent, pldgov, elsewhere):
        """What is not here is neither locked nor checked, which the exit code tells."""
        second = absent()
        result = pldgov("lock", cwd=second.root)
        assert result.exit_code == 4
        assert "rulebooks/desk/students.lock.json: recorded (new)" in result.stdout
        assert "not looked at: rulebooks/second/rulebook.yaml: " in result.stderr
        assert not (second.root / "rulebooks/second/students.lock.json").exists()
        elsewhere.lock(second)
        result = pldgov("lock", "second", "--check", cwd=second.root)
        assert result.exit_code == 4
        assert "as it is locked" not in result.stdout

    def test_diff_tells_it_in_the_place_of_the_verdict(self, absent, pldgov, elsewhere):
        """Both with and without --ask; the other rulebook is compared as ever."""
        second = absent()
        for name in ("desk", "second"):
            second.another(name).write_rulebook(rule=REWORDED)
        second.another("desk").record()
        for ask in ((), ("--ask",)):
            result = pldgov("diff", *ask, "--format", "json", cwd=second.root)
            assert result.exit_code == 0, result.output
            desk, own = json.loads(result.stdout)["rulebooks"]
            assert desk["gate"]["verdict"]["outcome"] == "PASS"
            assert own["gate"] is None
            assert own["unmeasured"].startswith(f"{elsewhere.MODEL}: is not on this machine")

    def test_a_comment_tells_it_with_the_other_verdicts(self, absent, pldgov, elsewhere):
        """One rulebook without its student keeps no other from the comment."""
        second = absent()
        for name in ("desk", "second"):
            second.another(name).write_rulebook(rule=REWORDED)
        second.another("desk").record()
        second.commit("Reword")
        result = pldgov("comment", "--dry-run", cwd=second.root)
        assert result.exit_code == 0, result.output
        assert "NOT_MEASURED" in result.stdout
        assert "is not on this machine" in result.stdout
        assert "PASS" in result.stdout

    def test_doctor_says_how_to_get_it(self, absent, pldgov, elsewhere):
        """Missing by design is nothing wrong; a typo in the settings is."""
        second = absent()
        result = pldgov("doctor", cwd=second.root)
        assert result.exit_code == 0, result.output
        assert (
            f"missing student big (second): {elsewhere.MODEL}: is not on this machine  "
            f"(to get it: {elsewhere.HOW})" in result.stdout
        )
        text = (second.root / "pyproject.toml").read_text("utf-8")
        text = text.replace(f'obtain = "{elsewhere.HOW}"', "").replace('"models/', '"./models/')
        second.write("pyproject.toml", text)
        result = pldgov("doctor", cwd=second.root)
        assert result.exit_code == 2
        assert "wrong   ./models/big-1b5: no such folder or file" in result.stdout

    def test_page_and_pack_are_written_from_what_is_committed(self, absent, pldgov, tmp_path):
        """Evidence stays readable; without any the page says so."""
        second = absent()
        page = ("report", "second", "-o")
        assert pldgov(*page, tmp_path / "a", cwd=second.root).exit_code == 0
        done = pldgov(*page, tmp_path / "b", "--audit", "--base", "main", cwd=second.root)
        assert done.exit_code == 0, done.output
        assert "No evidence of the student big" in (tmp_path / "a/index.html").read_text("utf-8")

    def test_an_approval_without_a_verdict_is_undecided(self, absent, pldgov):
        """The word that a rulebook may hold, and a warning with the gate's own."""
        second = absent()
        second.write_rulebook(rule=REWORDED)
        result = pldgov("approve", "second", "r-01", "--by", "A B", cwd=second.root)
        assert result.exit_code == 0, result.output
        assert "warning: the gate has no verdict: " in result.stderr
        assert "verdict: undecided" in second.rulebook.read_text("utf-8")
        assert pldgov("lint", "second", cwd=second.root).exit_code == 0

    def test_a_new_student_is_judged_against_evidence_of_one_that_is_not_here(
        self, absent, pldgov, elsewhere
    ):
        """The old student is known by lock and evidence; it need not be asked."""
        second = absent(locked=True)
        second.record()
        against = ("gate", "second", "--student", "recorded", "--against", "big")
        result = pldgov(*against, cwd=second.root)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("PASS  second\n")


def _names(value):
    """Return the names of all students in a JSON value."""
    if isinstance(value, list):
        return set().union(*map(_names, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    student = value.get("student")
    own = {student["name"]} if isinstance(student, dict) and "name" in student else set()
    return own.union(*map(_names, value.values()))


def test_workspaces_give_the_default_where_no_rulebook_is_named(three):
    """Without a rulebook there is only the default."""
    workspace = Workspace.around((str(three.rulebook),))
    assert workspace.choosing.name() == "recorded"
    assert workspace.student(path="rulebooks/pay/rulebook.yaml").card.name == "other"
    with pytest.raises(Exception, match="several students: recorded, other"):
        workspace.answering(workspace.find()).__enter__()
