"""The whole run: from examples and a teacher to a rulebook, and back to the same bytes."""

import json
import re
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from pldgov.config import load_config
from pldgov.errors import ProviderError, RulebookError, UnjudgedError, UsageError
from pldgov.results import Answer, DecisionPolicy
from pldgov.workflows.distilling.journey import run_id_of
from pldgov.workflows.distilling.settings import merge_settings
from pldgov.workflows.distilling.writing import require_lint
from pldgov.workflows.linting import lint_revision
from pldgov.workflows.run_folder import RunFolder
from pldgov.workspace import Workspace

CITED = {"origin": "hand-written", "examples": [{"id": "t-00"}]}
OURS = {
    "id": "ours",
    "title": "Ours",
    "status": "active",
    "labels": ["card"],
    "instruction": "When the message mentions plastic, the label is card.",
    "owner": "us@example.org",
    "provenance": CITED,
}


@pytest.fixture
def root(world, tmp_path):
    return world.build(tmp_path / "repo")


@pytest.fixture
def nobody(world):
    """A teacher and a student that fail when they are asked."""

    def refuse(*_):
        raise ProviderError("was asked")

    student = world.ToyStudent()
    student.answer = refuse
    return {
        "teacher": SimpleNamespace(answer=refuse, price=lambda *_: None, close=list),
        "student": student,
    }


def load(root):
    return Workspace(load_config(root, environment={})).load("rulebooks/toy/rulebook.yaml")


def text_of(root):
    return (root / "rulebooks/toy/rulebook.yaml").read_text()


def test_a_run_ends_in_a_sound_rulebook_that_beats_its_rivals(world, root):
    """Failures that synthesis left are resolved; the gate's lines and the rules say so."""
    done = world.distill(root)
    lines = {line.name.split(" (")[0]: line for line in done.summary.gate}
    assert list(lines) == ["majority", "zero-shot", "few-shot", "after synthesis", "final"]
    assert lines["final"].macro_f1 == 1.0 > lines["after synthesis"].macro_f1
    assert lines["after synthesis"].macro_f1 > lines["zero-shot"].macro_f1
    revision = load(root)
    assert not [p for p in lint_revision(revision) if p.severity == "error"]
    assert text_of(root).startswith("# A comment that stays.\n")
    for rule in revision.rulebook.rules:
        assert rule.provenance.origin == "distilled"
        assert rule.provenance.teacher.run_id == done.run_id
        assert rule.created.isoformat() == "2026-01-31"
        assert all(cite.sha256 for cite in rule.provenance.examples)
    outcomes = {one.outcome for one in done.summary.operations}
    assert "accepted" in outcomes


def test_the_same_inputs_give_the_same_bytes_elsewhere(world, tmp_path):
    """Two repositories, two runs: every file beside the rulebooks is equal."""
    roots = [world.build(tmp_path / name) for name in ("one", "two")]
    for root in roots:
        world.distill(root)
    files = [
        {p.relative_to(r).as_posix(): p.read_bytes() for p in (r / "rulebooks").rglob("*.*")}
        for r in roots
    ]
    assert files[0] == files[1]


def test_running_again_asks_nobody_and_changes_nothing(world, root, nobody):
    """A second run is free, and leaves every byte beside the rulebook as it is."""
    world.distill(root)
    before = {path: path.read_bytes() for path in (root / "rulebooks").rglob("*.*")}
    world.distill(root, **nobody)
    assert {path: path.read_bytes() for path in (root / "rulebooks").rglob("*.*")} == before


def test_check_in_a_fresh_clone_needs_neither_teacher_nor_student(world, root, nobody):
    """What is committed is enough to make the rulebook again, with no store and no run folder."""
    world.distill(root)
    shutil.rmtree(root / ".pldgov")
    assert world.distill(root, check=True, **nobody).diff == ""


def test_check_shows_what_differs_and_writes_nothing(world, root, nobody):
    """A distilled rule that was changed without changing its origin is found."""
    world.distill(root)
    file = root / "rulebooks/toy/rulebook.yaml"
    changed = file.read_text().replace("mentions mortgage", "mentions a mortgage")
    file.write_text(changed)
    diff = world.distill(root, check=True, **nobody).diff
    assert "-    instruction: When the message mentions a mortgage" in diff
    added = [line for line in diff.splitlines() if line.startswith("+ ")]
    assert any("message mentions mortgage, the label is loan" in line for line in added)
    assert file.read_text() == changed


def test_check_with_a_changed_example_needs_the_teacher(world, root, nobody):
    """Other inputs are other questions: no recorded reply is taken for them."""
    world.distill(root)
    file = root / "rulebooks/toy/examples/train.jsonl"
    file.write_text(file.read_text().replace("plastic", "plastics"))
    with pytest.raises((ProviderError, RulebookError)):
        world.distill(root, check=True, **nobody)


def test_rules_of_people_stay_and_come_first(world, tmp_path):
    """A hand-written rule keeps its bytes, stands in every candidate, and is not doubled."""
    root = world.build(tmp_path / "repo", rules=[OURS])
    before = text_of(root).split("rules:\n")[1].rstrip()
    done = world.distill(root)
    assert before in text_of(root)
    rules = load(root).rulebook.rules
    assert rules[0].id == "ours"
    assert sum("plastic" in rule.instruction for rule in rules) == 1
    assert all("messages-with-plastic" not in one.rules for one in done.summary.candidates)


def test_an_operation_on_a_rule_of_people_is_a_proposal(world, tmp_path):
    """It is listed for people, and applied to nothing."""
    wrong = {**OURS, "instruction": "When the message mentions weather, the label is card."}
    root = world.build(tmp_path / "repo", rules=[wrong])

    def answer(request):
        if request.phase != "resolve":
            return world.say(request)
        said = json.loads(world.say(request))
        said["operations"][-1]["targets"] = ["ours"]
        return json.dumps(said)

    done = world.distill(root, teacher=world.ToyTeacher(answer=answer))
    proposals = [one for one in done.summary.operations if one.outcome == "proposal"]
    assert [one.targets for one in proposals][:1] == [("ours",)]
    assert "retire ours" in (root / done.folder / "proposals.md").read_text()
    assert load(root).rulebook.rules[0].instruction == wrong["instruction"]


def test_an_edited_rule_survives_the_next_distillation(world, root):
    """A distilled rule that a person edited is a person's: it stays, word for word."""
    world.distill(root)
    revision = load(root)
    chosen = revision.rulebook.rules[-1].id
    text = text_of(root)
    at = text.index(f"- id: {chosen}")
    edited = text[at:].replace("origin: distilled", "origin: edited", 1)
    edited = edited.replace("the label is", "the label always is", 1)
    (root / "rulebooks/toy/rulebook.yaml").write_text(text[:at] + edited)
    world.distill(root)
    rule = next(rule for rule in load(root).rulebook.rules if rule.id == chosen)
    assert rule.provenance.origin == "edited"
    assert "the label always is" in rule.instruction
    assert world.distill(root, check=True).diff == ""


def test_peoples_notes_on_distilled_rules_stay(world, root):
    """Owner, references and comments of a distilled rule outlive its next distillation."""
    world.distill(root)
    text = text_of(root).replace(
        "owner: desk@example.org\n    created",
        "# Ask Ann.\n    owner: ann@example.org\n    created",
        1,
    )
    (root / "rulebooks/toy/rulebook.yaml").write_text(text)
    world.distill(root)
    assert text_of(root) == text


def test_awaited_answers_end_a_run_without_a_rulebook(world, root):
    """A teacher that answers later leaves the rulebook as it is; partial answers are kept."""
    before = text_of(root)
    asked = []

    def half(request):
        asked.append(request.digest)
        return world.say(request) if len(asked) <= 30 else None

    done = world.distill(root, teacher=world.ToyTeacher(answer=half))
    assert done.awaited.phase == "extract"
    assert done.awaited.missing == 30
    assert text_of(root) == before
    answered = set((root / done.folder / "replies.jsonl").read_text().splitlines())
    log = root / "log"
    world.distill(root, log=log)
    new = log.read_text().split()
    assert not {json.loads(line)["request"] for line in answered} & set(new)
    assert load(root).rulebook.rules


def test_a_dry_run_asks_nobody(world, root, nobody):
    """The plan is told, for the teacher and for the student, and nothing is asked or written."""
    nobody["teacher"].answer = None
    done = world.distill(root, dry_run=True, **nobody)
    assert done.awaited.plan.requests == 60
    assert not (root / done.folder / "replies.jsonl").exists()
    world.distill(root)
    (root / "rulebooks/toy/evidence/distill.jsonl").unlink()
    (root / done.folder / "recording.jsonl").unlink()
    assert world.distill(root, dry_run=True, **nobody).awaited.student


def test_replies_of_another_run_on_the_rulebook_are_not_paid_for_again(world, root):
    """Other settings make another run, which reads what the first one got."""
    first = world.distill(root, rounds=1)
    for path in (root / "rulebooks/toy").glob("teacher/*"):
        path.unlink()
    second = world.distill(root, rounds=2, log=root / "log")
    assert second.run_id != first.run_id
    assert not (root / "log").exists()


def test_validation_is_cut_from_train_and_said_so(world, tmp_path):
    """Without a validation split some training examples are set apart, and no rule cites them."""
    root = world.build(tmp_path / "repo", validation=False)
    done = world.distill(root)
    assert done.summary.examples["train"] + done.summary.examples["validation"] == 60
    assert any("has no validation split" in note for note in done.summary.notes)
    outcome = done.outcome.judge
    held = {example.id for example in outcome.validation}
    cited = {c.id for rule in load(root).rulebook.rules for c in rule.provenance.examples}
    assert held
    assert not held & cited


def test_student_calls_are_capped_and_the_best_so_far_is_written(world, root):
    """Candidates beyond the cap are refused, and the run ends with what it has."""
    student = world.ToyStudent()
    done = world.distill(root, student=student, max_student_calls=36 * 5, rounds=0)
    assert done.summary.student_calls <= 36 * 5
    assert load(root).rulebook.rules
    assert world.distill(root, check=True).diff == ""


def test_a_set_grown_from_nothing_starts_where_the_prompt_without_rules_stands(world, root):
    """Every rule is tried on top of those that helped, and the result still beats its rivals."""
    done = world.distill(root, grow=True, rounds=0)
    steps = [one.step for one in done.outcome.judge.archive]
    assert any(step.startswith("grow: with ") for step in steps)
    assert done.outcome.best.beats(done.outcome.first) or done.outcome.best == done.outcome.first


def test_candidates_over_the_token_budget_are_refused(world, tmp_path):
    """A prompt that could not be deployed is not a candidate, and the archive says why."""
    root = world.build(tmp_path / "repo", budget_tokens=115)
    done = world.distill(root, templates=["plain.j2"], exemplars=[[1, 0]], rounds=0, examples=20)
    refused = [one for one in done.summary.candidates if one.refused]
    assert all("over the budget of 115" in one.refused for one in refused)
    assert done.summary.chosen.size <= 115


def test_every_candidate_is_archived_with_its_rules_and_score(world, root):
    """The run's folder holds each measured candidate: rules with wording, prompt, tokens, score."""
    done = world.distill(root)
    lines = (root / done.folder / "candidates.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == len(done.summary.candidates)
    assert len({row["prompt"] for row in rows}) == len(rows)
    best = max(rows, key=lambda row: (row["macro_f1"], -row["size"]))
    assert best["number"] == done.summary.chosen.number
    assert set(best["texts"]) == set(best["rules"])


def test_a_refused_step_leaves_the_rules_as_they_were(world, root):
    """Operations that do not help on validation are rolled back."""

    def answer(request):
        if request.phase != "resolve":
            return world.say(request)
        said = json.loads(world.say(request))
        said["operations"] = [said["operations"][-1]]
        said["operations"][0]["kind"] = "modify"
        said["operations"][0]["targets"] = ["messages-with-mortgage"]
        said["operations"][0]["rules"] = [world.rule("nothing", "loan", ["t-01"])]
        return json.dumps(said)

    done = world.distill(
        root,
        teacher=world.ToyTeacher(answer=answer),
        prune=False,
        clusters="per-label",
        templates=["turns.j2"],
    )
    (one,) = done.summary.rounds
    assert one.before == one.after
    assert {each.outcome for each in one.operations} == {"refused"}


def test_split_rules_name_their_source_which_is_deprecated(world, root):
    """A split records where its rules come from, and the old id stays taken."""

    def answer(request):
        if request.phase != "resolve":
            return world.say(request)
        said = json.loads(world.say(request))
        adds = [each for each in said["operations"] if each["kind"] == "add"]
        if len(adds) < 2:
            return json.dumps({"operations": []})
        split = {
            **adds[0],
            "kind": "split",
            "targets": ["messages-with-birthdayish"],
            "rules": [adds[0]["rules"][0], adds[1]["rules"][0]],
        }
        return json.dumps({"operations": [split]})

    world.distill(root, teacher=world.ToyTeacher(answer=answer))
    revision = load(root)
    rules = {rule.id: rule for rule in revision.rulebook.rules}
    parts = [r for r in rules.values() if r.related]
    assert {(r.related[0].id, r.related[0].type) for r in parts} == {
        ("messages-with-birthdayish", "split-from")
    }
    assert rules["messages-with-birthdayish"].status == "deprecated"
    assert not [p for p in lint_revision(revision) if p.severity == "error"]
    assert world.distill(root, check=True).diff == ""


def test_label_noise_suspects_are_listed_and_used(world, root):
    """A teacher that argues for another label than the gold one is reported, not dropped."""

    def answer(request):
        text = world.say(request)
        return (
            text.replace("is card", "is loan").replace('"label": "card"', '"label": "loan"')
            if (request.phase == "extract" and request.about == ("t-00",))
            else text
        )

    done = world.distill(root, teacher=world.ToyTeacher(answer=answer))
    assert ("label-suspect", "t-00") in {finding[:2] for finding in done.summary.findings}
    assert done.summary.figures["instructions"] == 60


def test_rules_that_do_no_better_than_none_are_said_to(world, root):
    """Nobody is left to find out alone that distillation brought nothing."""

    def useless(request):
        text = world.say(request)
        return text.replace("mentions", "has") if request.phase == "synthesize" else text

    done = world.distill(root, teacher=world.ToyTeacher(answer=useless), rounds=0)
    assert any("no better than the prompt without them" in note for note in done.summary.notes)


def test_a_second_run_is_told_who_runs(world, root):
    """While one run works on a rulebook another one ends at once, naming run and process."""
    told = []

    def during(request):
        if not told:
            with pytest.raises(UsageError) as error:
                world.distill(root)
            told.append(str(error.value))
        return world.say(request)

    done = world.distill(root, teacher=world.ToyTeacher(answer=during))
    assert done.summary is not None
    assert "another run is at work on this rulebook" in told[0]
    assert done.run_id in told[0]


def test_another_rulebooks_run_is_not_taken_over(root, world):
    """A run id that belongs to another rulebook is refused."""
    other = RunFolder(root, "other", "mine")
    other.mark()
    with pytest.raises(UsageError, match="about another rulebook"):
        world.distill(root, run="mine")


def test_recorded_decisions_of_another_student_are_not_mixed_in(world, root):
    """A check that needs a decision anew refuses a student that is not the recorded one."""
    world.distill(root)
    file = root / "rulebooks/toy/evidence/distill.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[:-3]) + "\n")
    shutil.rmtree(root / ".pldgov")
    student = world.ToyStudent()
    student.card = student.card.__class__("toy", "fake", "toy-2", "2026-12")
    with pytest.raises(UnjudgedError, match="not the one that was recorded"):
        world.distill(root, check=True, student=student)


def test_errors_of_the_result_refuse_the_write(root):
    """A text with lint errors is not let through."""
    revision = load(root)
    text = text_of(root).replace("rules: []", "rules:\n- id: x\n  title: X\n  instruction: Y")
    with pytest.raises(RulebookError, match="provenance"):
        require_lint(text, revision)


def test_the_run_id_follows_from_settings_and_training_examples(world, root, tmp_path):
    """Other settings or examples make another run; a name that was given is taken as it is."""
    revision = load(root)

    def settings(**given):
        return merge_settings(
            [("t", {"student": "toy", **given})],
            known_templates=revision.templates,
            first="plain.j2",
        )

    one = run_id_of(revision, settings())
    assert one == run_id_of(revision, settings())
    assert one != run_id_of(revision, settings(seed=1))
    assert run_id_of(revision, settings(run="mine")) == "mine"
    with pytest.raises(UsageError, match="unknown option"):
        settings(sed=1)
    with pytest.raises(UsageError, match="no template"):
        settings(templates=["none.j2"])
    with pytest.raises(UsageError, match="name their input in cues"):
        settings(cue_kind="deciding")
    with pytest.raises(UsageError, match="name one input"):
        settings(cues="text", scope="text", cue_kind="deciding")
    with pytest.raises(UsageError, match="cue_kind: deciding"):
        settings(cues="text", scope="form")
    assert settings(cue_kind="deciding", cues="text").cue_kind == "deciding"


def test_candidates_are_measured_on_unshown_training_examples_too(world, root):
    """None of those that the prompt shows, and the calls that it takes are counted."""
    done = world.distill(root, rounds=0, prune=False, judge_on_train=True, templates=["turns.j2"])
    lines = (root / "rulebooks/toy/evidence/distill.jsonl").read_text().splitlines()
    decided = [r["value"].split() for r in map(json.loads, lines) if r["kind"] == "decisions"]
    shown = len(done.outcome.best.rule_set.rules)
    assert {len(said) for said in decided} >= {36 + 60, 36 + 60 - shown}
    assert done.summary.student_calls == (36 + 60) * len(done.outcome.judge.archive)
    assert world.distill(root, check=True).diff == ""


def test_a_calibration_that_has_seen_the_gold_labels_cannot_be_judged_on_them(world, root):
    """It would be told the answers first; the error says which setting to leave out."""
    student = world.ToyStudent()
    student.card = replace(student.card, policy=DecisionPolicy(calibration="fitted"))
    with pytest.raises(UsageError, match="gold labels of training examples") as caught:
        world.distill(root, student=student, judge_on_train=True)
    assert caught.value.where == "judge_on_train"


class ReadsItsRule:
    """A student that answers with the label that the rule in its user message begins with."""

    def __init__(self, inner):
        self.card, self.count_tokens, self.close = inner.card, inner.count_tokens, inner.close

    def answer(self, prompt, queries):
        for index, query in enumerate(queries):
            rule = query.text.rpartition("\n")[2]
            yield index, Answer(rule.partition(",")[0] if "," in rule else "card", tokens_in=1)


def test_each_kind_of_input_gets_a_rule_of_its_own(world, tmp_path):
    """By the values of a field: one request and one rule each, shown with its inputs alone."""
    root = world.build(tmp_path / "repo", user_template="user_fields_rules.j2")
    book = root / "rulebooks/toy/rulebook.yaml"
    book.write_text(book.read_text().replace("- text\n", "- text\n  - form\n"))
    for path in book.parent.glob("examples/*.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in rows:
            row["form"] = f"This is a form of {row['label'][::-1]} kind."
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = []

    def say(request):
        if request.phase != "synthesize":
            return world.say(request)
        text = request.messages[1]["content"]
        asked.append(text)
        label, examples = (
            re.search(r"kind: (\w+) 20\.", text)[1],
            re.findall("Example (.+)", text),
        )
        instruction = f"{label}, unless nothing is said: then card."
        told = world.rule("x", label, examples[:2]) | {"instruction": instruction}
        return json.dumps({"rules": [told | {"title": f"Forms of {label}"}]})

    done = world.distill(
        root, teacher=world.ToyTeacher(answer=say), student=ReadsItsRule(world.ToyStudent()),
        scope="form", rounds=0, prune=False, templates=["plain.j2"],
    )  # fmt: skip
    assert len(asked) == 3
    assert all("inputs whose form is\nThis is a form of " in text for text in asked)
    rules = load(root).rulebook.rules
    whens = {rule.labels: rule.when for rule in rules}
    assert whens == {(one,): {"form": (one[::-1],)} for one in ("card", "loan", "other")}
    lines = {line.name.split(" (")[0]: line.macro_f1 for line in done.summary.gate}
    assert lines["final"] == 1.0 > lines["zero-shot"]
    assert world.distill(root, check=True).diff == ""
