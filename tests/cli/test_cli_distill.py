"""`pldgov distill` and `pldgov report distill` at the command line, with a teacher by files."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pldgov.workspace import Workspace

BATCH = '[tool.pldgov.teachers.me]\nkind = "batch"\nmodel = "somebody"\n'


@pytest.fixture(scope="module")
def world():
    path = Path(__file__).resolve().parent.parent / "distilling_world.py"
    spec = importlib.util.spec_from_file_location("distilling_world", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(world, tmp_path, monkeypatch):
    """A repository with a batch teacher, whose student is the toy one."""
    made = world.build(tmp_path / "repo")
    with (made / "pyproject.toml").open("a") as stream:
        stream.write(BATCH)
    monkeypatch.setattr(Workspace, "student", lambda self, name=None: world.ToyStudent())
    return made


@pytest.fixture
def answer(world, root):
    """Answer every request file that has no answers yet; return how many requests there were."""

    def go():
        count = 0
        for path in sorted(root.glob(".pldgov/runs/*/requests-*.jsonl")):
            answers = path.with_name(path.name.replace("requests", "answers"))
            if answers.exists():
                continue
            lines = []
            for line in path.read_text().splitlines():
                row = json.loads(line)
                phase = path.name.split("-")[1]
                request = SimpleNamespace(phase=phase, messages=row["body"]["messages"])
                said = {"custom_id": row["custom_id"], "content": world.say(request)}
                lines.append(json.dumps(said) + "\n")
            answers.write_text("".join(lines))
            count += len(lines)
        return count

    return go


@pytest.fixture
def finished(root, answer, pldgov):
    """The repository after a whole distillation by files."""
    for _ in range(6):
        result = pldgov("distill", "toy", cwd=root)
        assert result.exit_code == 0, result.output
        if "awaited" not in result.stdout:
            return result
        answer()
    raise AssertionError(result.output)


def test_files_go_back_and_forth_until_the_rulebook_is_there(finished, root):
    """Each phase ends with exit code 0 and a line that says what is awaited; then comes the report."""
    text = (root / "rulebooks/toy/rulebook.yaml").read_text()
    assert "origin: distilled" in text
    assert "after synthesis" in finished.stdout
    assert "mode: batch" in text
    assert "written: rulebooks/toy/teacher/extract.jsonl" in finished.stderr


def test_awaited_answers_are_told_in_one_line(root, pldgov):
    """How many, of which phase, and where to put them."""
    result = pldgov("distill", "toy", cwd=root)
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    assert "extract: 60 answers are awaited, in " in line
    assert "answers*.jsonl" in line
    assert "extract: 60 requests, about " in result.stderr


def test_check_makes_the_committed_rulebook_again(finished, root, pldgov):
    """Recorded replies give the rulebook byte for byte; a changed one is shown, with exit code 1."""
    again = pldgov("distill", "toy", "--teacher", "replay", "--check", cwd=root)
    assert (again.exit_code, again.stdout.split(": ")[1]) == (
        0,
        "the run gives this rulebook, byte for byte\n",
    )
    file = root / "rulebooks/toy/rulebook.yaml"
    file.write_text(file.read_text().replace("They agree.", "They differ.", 1))
    other = pldgov("distill", "toy", "--teacher", "replay", "--check", cwd=root)
    assert other.exit_code == 1
    assert "+    rationale: They agree." in other.stdout


def test_check_without_the_replies_is_a_providers_error(finished, root, pldgov):
    """A reply that is not recorded ends with exit code 4, naming what it is about."""
    (root / "rulebooks/toy/teacher/synthesize.jsonl").unlink()
    for path in (root / ".pldgov").rglob("*.jsonl"):
        path.unlink()
    result = pldgov("distill", "toy", "--teacher", "replay", "--check", cwd=root)
    assert result.exit_code == 4
    assert "no reply is recorded to request" in result.stderr


def test_a_dry_run_plans_and_leaves_no_request(root, pldgov):
    """Calls and tokens are told; no request file is written."""
    result = pldgov("distill", "toy", "--examples", 9, "--dry-run", cwd=root)
    assert result.exit_code == 0
    assert "extract: 9 requests, about" in result.stderr
    assert not list(root.glob(".pldgov/runs/*/requests*"))


def test_settings_come_from_flags_then_the_rulebooks_file_then_the_project(root, pldgov):
    """The narrower place wins, and an unknown setting is named with its place."""
    with (root / "pyproject.toml").open("a") as stream:
        stream.write("[tool.pldgov.distill]\nexamples = 30\nexamples_per_request = 3\n")
    plan = ("distill", "toy", "--dry-run")
    assert "extract: 10 requests" in pldgov(*plan, cwd=root).stderr
    beside = root / "rulebooks/toy/distill.yaml"
    beside.write_text("examples: 12\n")
    assert "extract: 4 requests" in pldgov(*plan, cwd=root).stderr
    assert "extract: 2 requests" in pldgov(*plan, "--examples", 6, cwd=root).stderr
    beside.write_text("exampels: 12\n")
    wrong = pldgov(*plan, cwd=root)
    assert wrong.exit_code == 2
    assert "rulebooks/toy/distill.yaml: exampels: unknown option (did you mean" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--teacher", "mee"), "there is no teacher 'mee'"),
        (("--embedder", "tfid"), "there is no embedder 'tfid'"),
        (("--examples", "0"), "examples: input should be greater than or equal to 1"),
        (("--run", "../x"), "must be a name of lower-case letters"),
        (("--teacher", "replay", "--submit"), "has nothing to submit"),
    ],
)  # fmt: skip
def test_bad_usage_is_told(root, pldgov, arguments, said):
    """Unknown names and values that do not fit end with exit code 2 and say what is wrong."""
    result = pldgov("distill", "toy", *arguments, cwd=root)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_report_is_repeated_in_three_forms(finished, root, pldgov):
    """By run, by folder or by rulebook: terminal, Markdown and JSON tell the same figures."""
    run = next((root / ".pldgov/runs").glob("toy-*")).name
    text = pldgov("report", "distill", run, cwd=root)
    assert text.stdout == finished.stdout
    markdown = pldgov("report", "distill", "toy", "--format", "markdown", cwd=root).stdout
    assert "| gate split | macro-F1 | 95 % interval | rules | prompt tokens | latency |" in markdown
    data = json.loads(pldgov("report", "distill", "toy", "--format", "json", cwd=root).stdout)
    assert data["schema"] == "pldgov.distillation/v1"
    assert [line["name"] for line in data["gate"]][-1] == "final"
    assert data["wall_seconds"] is None


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_plots_are_drawn_the_same_each_time(finished, root, pldgov, suffix):
    """Two plots in one file, equal for equal figures."""
    pytest.importorskip("matplotlib")
    for name in ("one", "two"):
        plot = root / f"{name}.{suffix}"
        assert pldgov("report", "distill", "toy", "--plot", plot, cwd=root).exit_code == 0
    assert (root / f"one.{suffix}").read_bytes() == (root / f"two.{suffix}").read_bytes()


def test_a_report_that_is_not_there_is_told(root, pldgov):
    """Neither an unknown run nor a rulebook without distillation gives an empty report."""
    assert "there is no such run" in pldgov("report", "distill", "nope", cwd=root).stderr
    assert "no distillation is recorded" in pldgov("report", "distill", "toy", cwd=root).stderr
    (root / "x.json").write_text('{"schema": "other"}')
    assert (
        "is no report of a distillation" in pldgov("report", "distill", "x.json", cwd=root).stderr
    )


def test_interpretability_is_measured_of_what_was_distilled(finished, root, pldgov):
    """Each rule is left out once, and the draws of the runs that are there are compared."""
    result = pldgov("eval", "toy", "--interpretability", "--format", "json", cwd=root)
    data = json.loads(result.stdout)
    assert data["rules"] == len(data["effect"]["by_rule"]) == 8
    assert data["stability"]["sets"] >= 2
    text = pldgov("eval", "toy", "--interpretability", cwd=root).stdout
    assert text.startswith("interpretability of toy")
    markdown = pldgov("eval", "toy", "--interpretability", "--format", "markdown", cwd=root).stdout
    assert "**Interpretability of toy**" in markdown


def test_the_interpretability_scorecard_is_saved_as_evidence(finished, root, pldgov):
    """It names student and split, and a second measurement gives the same bytes."""
    result = pldgov("eval", "toy", "--interpretability", "--save", cwd=root)
    assert "saved: rulebooks/toy/evidence/toy.interpretability.json" in result.stderr
    saved = root / "rulebooks/toy/evidence/toy.interpretability.json"
    before = saved.read_bytes()
    data = json.loads(before)
    assert data["schema"] == "pldgov.interpretability/v1"
    assert (data["student"]["name"], data["split"], data["rules"]) == ("toy", "validation", 8)
    pldgov("eval", "toy", "--interpretability", "--save", cwd=root)
    assert saved.read_bytes() == before


def test_there_is_nothing_else_that_eval_saves(finished, root, pldgov):
    """The error says what does."""
    result = pldgov("eval", "toy", "--save", cwd=root)
    assert result.exit_code == 2
    assert "--save: is for the interpretability scorecard (add --interpretability" in result.stderr
