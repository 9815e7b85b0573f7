"""`pldgov explain`: each rule left out once, what that costs, and what it leaves open."""

from __future__ import annotations

import json

import pytest
import yaml

from pldgov.effects_file import parse_effects
from pldgov.errors import DataError


def rules_of(repo):
    return yaml.safe_load(repo.rulebook.read_text("utf-8"))["rules"]


@pytest.fixture
def measured(governance_repo):
    """Without r-01 some fraud examples are answered `other`; without r-02 nothing changes."""

    def make(wrong=4, *, skip=(), committed=True, split="v"):
        repo = governance_repo()
        whole = rules_of(repo)
        for left_out, answers in (
            ("r-01", {f"{split}-{2 * i:02d}": "other" for i in range(wrong)}),
            ("r-02", {}),
        ):
            if left_out not in skip:
                repo.write_rulebook(rules=[r for r in whole if r["id"] != left_out])
                repo.record(answers, committed=committed)
        repo.write_rulebook()
        return repo

    return make


def explained(result):
    return {row["id"]: row for row in json.loads(result.stdout)["rules"]}


def test_a_rule_that_matters_and_one_that_does_not(measured, pldgov):
    """The effect is with minus without, paired; a rule without which nothing changes is inert."""
    repo = measured()
    result = pldgov("explain", "desk", "--format", "json", cwd=repo.root)
    assert result.exit_code == 0, result.output
    rules = explained(result)
    first = rules["r-01"]
    assert first["direction"] == "helps"
    # 5 of fraud, 4 of them lost: F1 of fraud 1/3, of other 10/14
    assert first["macro_f1"]["without"] == pytest.approx((1 / 3 + 10 / 14) / 2)
    assert first["macro_f1"]["with"] == 1.0
    assert first["macro_f1"]["low"] > 0
    assert first["labels"]["fraud"]["effect"] == pytest.approx(2 / 3)
    assert first["flips"][0] == {"id": "v-00", "gold": "fraud", "without": "other", "with": "fraud"}
    assert rules["r-02"]["direction"] == "inert"
    assert rules["r-02"]["macro_f1"]["effect"] == 0
    report = json.loads(result.stdout)
    assert report["coverage"]["inert"] == ["r-02"]
    assert (report["split"], report["n"], report["asked"]) == ("validation", 10, 0)


def test_text_and_markdown_say_the_same(measured, pldgov):
    """Both formats name the effect, the flips and the coverage."""
    repo = measured()
    text = pldgov("explain", "desk", cwd=repo.root).stdout
    assert "r-01   +47.6" in text
    assert "no answer changes without (on validation): r-02" in text
    assert "fixed   v-00  gold fraud: other without, fraud with" in text
    assert "past their review date: not looked for" in text
    markdown = pldgov("explain", "desk", "--format", "markdown", cwd=repo.root).stdout
    assert "| r-01 | +47.6 |" in markdown
    assert "- labels without a rule: none" in markdown


def test_the_budget_stops_and_says_what_was_not_measured(measured, pldgov):
    """A rule whose answers are stored is still measured; the other is named with what it takes."""
    repo = measured(skip=("r-02",))
    result = pldgov("explain", "desk", "--max-calls", 9, cwd=repo.root)
    assert result.exit_code == 4
    assert "NOT MEASURED: 1 rule (r-02): the budget of student calls is spent" in result.stdout
    assert "10 more student calls would do" in result.stdout
    assert "r-01   +47.6" in result.stdout


def test_within_the_budget_the_student_is_asked_and_calls_are_counted(measured, pldgov):
    """Answers that are not recorded beside the rulebook cost calls; the second time none."""
    repo = measured(committed=False)
    first = pldgov("explain", "desk", "--max-calls", 20, "--format", "json", cwd=repo.root)
    assert (first.exit_code, json.loads(first.stdout)["asked"]) == (0, 20)
    again = pldgov("explain", "desk", "--max-calls", 0, "--format", "json", cwd=repo.root)
    assert (again.exit_code, json.loads(again.stdout)["asked"]) == (0, 0)


def test_a_budget_too_small_for_the_whole_prompt_measures_nothing(governance_repo, pldgov):
    """Without the prompt with all rules there is nothing to subtract from."""
    repo = governance_repo(recorded=False)
    repo.record(committed=False)
    result = pldgov("explain", "desk", "--max-calls", 3, cwd=repo.root)
    assert result.exit_code == 4
    assert "needs 10 student calls, 3 are allowed; nothing was measured" in result.stderr


def test_offline_leaves_open_what_is_not_recorded(measured, pldgov):
    """Skipped is never green: exit code 3, and the rule is named."""
    repo = measured(skip=("r-02",))
    result = pldgov("explain", "desk", "--offline", cwd=repo.root)
    assert result.exit_code == 3
    assert "NOT MEASURED: 1 rule (r-02): their answers are not recorded" in result.stdout


def test_one_rule_alone(measured, pldgov):
    """--rule asks about that rule only, the rest costs nothing and is not missed."""
    repo = measured(skip=("r-02",))
    result = pldgov("explain", "desk", "--rule", "r-01", "--format", "json", cwd=repo.root)
    assert result.exit_code == 0
    assert list(explained(result)) == ["r-01"]


def test_which_rules_flip_an_example(measured, pldgov):
    """Before and after for one example, found in whichever split it stands."""
    repo = measured()
    result = pldgov("explain", "desk", "--example", "v-02", cwd=repo.root)
    assert result.exit_code == 0, result.output
    assert "example v-02 of validation" in result.stdout
    assert "gold fraud; under all rules fraud" in result.stdout
    assert "r-01      other  flips" in result.stdout
    assert "rules whose removal flips it: r-01; student calls: 0" in result.stdout
    markdown = pldgov(
        "explain", "desk", "--example", "v-02", "--format", "markdown", cwd=repo.root
    ).stdout
    assert "| r-01 | other | flips |" in markdown


def test_an_example_that_no_rule_flips(measured, pldgov):
    """None is an answer too."""
    repo = measured()
    result = pldgov("explain", "desk", "--example", "g-01", "--format", "json", cwd=repo.root)
    report = json.loads(result.stdout)
    assert (report["split"], report["flipping"]) == ("gate", [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rule", "r-1"), "there is no rule 'r-1'"),
        (("--example", "v-2"), "there is no example 'v-2'"),
        (("--example", "g-00", "--split", "validation"), "no example 'g-00' in validation"),
        (("--rule", "r-01", "--save"), "--save: is for all rules"),
    ],
)
def test_wrong_uses_are_told(measured, pldgov, arguments, said):
    """Where, what and what to do; exit code 2."""
    result = pldgov("explain", "desk", *arguments, cwd=measured().root)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_rule_that_is_not_active_has_no_effect(measured, pldgov):
    """Asking for it is a mistake worth telling."""
    repo = measured()
    rules = rules_of(repo)
    rules.append({**rules[0], "id": "r-03", "status": "draft"})
    repo.write_rulebook(rules=rules)
    result = pldgov("explain", "desk", "--rule", "r-03", cwd=repo.root)
    assert result.exit_code == 2
    assert "rule 'r-03' is draft, so it reaches no student" in result.stderr


def test_without_a_validation_split_the_gate_must_be_asked_for(measured, pldgov):
    """The default split is never silently the gate's."""
    repo = measured(split="g")
    splits = {"train": "examples/train.jsonl", "gate": "examples/gate.jsonl"}
    repo.write_rulebook(examples=splits)
    refused = pldgov("explain", "desk", cwd=repo.root)
    assert refused.exit_code == 2
    assert "there is no validation split" in refused.stderr
    asked = pldgov("explain", "desk", "--split", "gate", "--format", "json", cwd=repo.root)
    assert (asked.exit_code, json.loads(asked.stdout)["n"]) == (0, 40)


def test_effects_are_saved_and_read_back(measured, pldgov):
    """The file holds every figure, names its prompt, and is the same every time."""
    repo = measured()
    assert pldgov("explain", "desk", "--save", cwd=repo.root).exit_code == 0
    file = repo.root / "rulebooks/desk/evidence/recorded.explain.json"
    text = file.read_text("utf-8")
    saved = parse_effects(text, path="f")
    assert [effect.rule for effect in saved.effects] == ["r-01", "r-02"]
    assert saved.effects[0].direction == "helps"
    assert saved.effects[0].flips[0].kind == "fixed"
    shown = json.loads(pldgov("explain", "desk", "--format", "json", cwd=repo.root).stdout)
    assert saved.prompt == shown["prompt_sha256"]
    assert saved.effects[0].macro_f1.interval.low == shown["rules"][0]["macro_f1"]["low"]
    pldgov("explain", "desk", "--save", cwd=repo.root)
    assert file.read_text("utf-8") == text
    assert pldgov("gate", "--offline", cwd=repo.root).exit_code == 0  # no evidence of the gate's


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "pldgov.effects/v9"}'])
def test_a_file_that_holds_no_effects_is_refused(text):
    """Named with what writes one."""
    with pytest.raises(DataError, match="file of rule effects|unknown schema"):
        parse_effects(text, path="evidence/x.explain.json")


def test_coverage_names_labels_evidence_and_reviews(measured, pldgov):
    """Everything that the rules leave open, each under its own heading."""
    repo = measured()
    settings = (repo.root / "pyproject.toml").read_text("utf-8")
    repo.write(
        "pyproject.toml",
        settings.replace('"recorded"\n', '"recorded"\nreview_after_days = 30\n', 1),
    )
    first, second = rules_of(repo)
    one = [
        first["provenance"]["examples"][0],
        {**second["provenance"]["examples"][0], "role": "counter"},
    ]
    first |= {"provenance": {**first["provenance"], "examples": one}, "modified": "2020-01-31"}
    second |= {"labels": ["fraud"], "provenance": {"origin": "hand-written"}}
    repo.write_rulebook(rules=[first, second])
    result = pldgov("explain", "desk", cwd=repo.root)
    assert result.exit_code == 0, result.output
    assert "labels without a rule: other\n" in result.stdout
    assert "rules resting on one example: r-01\n" in result.stdout
    assert "rules resting on no example: r-02\n" in result.stdout
    late = "r-01 (due 2020-03-01, last looked at 2020-01-31), r-02 (has no date)"
    assert f"past their review date: {late}\n" in result.stdout


@pytest.mark.parametrize("value", ["0", "-1", "true", '"30"'])
def test_review_after_days_must_be_a_number_of_days(measured, pldgov, value):
    """A setting that means nothing is refused, not ignored."""
    repo = measured()
    settings = (repo.root / "pyproject.toml").read_text("utf-8")
    repo.write(
        "pyproject.toml",
        settings.replace('"recorded"\n', f'"recorded"\nreview_after_days = {value}\n', 1),
    )
    result = pldgov("explain", "desk", cwd=repo.root)
    assert result.exit_code == 2
    assert "review_after_days must be a number of days" in result.stderr


def test_untrusted_text_is_escaped(measured, pldgov):
    """A label with control characters or markup reaches neither terminal nor page as such."""
    repo = measured()
    rows = [
        {"id": f"v-{i:02d}", "text": f"\x1b[2J<script>{i}", "label": ("fraud", "other")[i % 2]}
        for i in range(10)
    ]
    repo.write_examples(validation=rows)
    whole = rules_of(repo)
    repo.record()
    for left_out, answers in (("r-01", {"v-00": "other"}), ("r-02", {})):
        repo.write_rulebook(rules=[r for r in whole if r["id"] != left_out])
        repo.record(answers)
    repo.write_rulebook()
    text = pldgov("explain", "desk", cwd=repo.root).stdout
    assert "\x1b" not in text
    assert "<U+001B>[2J" in text
    example = pldgov("explain", "desk", "--example", "v-00", "--format", "markdown", cwd=repo.root)
    assert "<script>" not in example.stdout
