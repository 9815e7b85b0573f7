"""``pldgov lint``, ``fmt`` and ``schema`` from end to end in a small repository."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pldgov.cli import cli

HERE = Path(__file__).parent
EXAMPLES = {
    "train": [("452415e071", "Somebody stole my card at the station.", "cards"), ("e-2", "Your card offers are too many, stop mailing me.", "no")],
    "validation": [("v-1", "The machine swallowed my plastic.", "cards"), ("v-2", "What time do you open?", "no")],
    "gate": [("g-1", "I lost my wallet with everything.", "cards"), ("g-2", "Please send me a calendar.", "no")],
}  # fmt: skip


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """Enter a repository with one rulebook that has a single warning (an unpinned example)."""
    folder = tmp_path / "rulebooks" / "desk"
    (folder / "examples").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    for name in ("plain.j2", "user.j2"):
        (tmp_path / "templates" / name).write_text("x", "utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.pldgov]\n", "utf-8")
    (folder / "rulebook.yaml").write_bytes((HERE / "valid.yaml").read_bytes())
    for name, rows in EXAMPLES.items():
        lines = [json.dumps({"id": i, "text": text, "label": label}) for i, text, label in rows]
        (folder / "examples" / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str):
    return CliRunner().invoke(cli, args)


def edit(repo, old: str, new: str) -> None:
    path = repo / "rulebooks" / "desk" / "rulebook.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_warnings_alone_pass(repo):
    """A warning is printed and exits 0; with --strict it is an error and exits 1."""
    result = run("lint")
    assert result.exit_code == 0, result.output
    assert "rulebooks/desk/rulebook.yaml:36:15: warning: " in result.output
    assert result.output.endswith("1 warning in 1 rulebook\n")
    assert run("lint", "--strict").exit_code == 1
    assert run("lint", "--strict", "--ignore", "unpinned-example").exit_code == 0


def test_errors_fail_and_are_all_there(repo):
    """Problems of file, structure, examples and meaning come in one report, exit code 1."""
    edit(repo, "title: Desk routing", "titel: Desk routing")
    edit(repo, "plain.j2", "plan.j2")
    (repo / "rulebooks/desk/examples/gate.jsonl").write_text(
        '{"id": "g-1", "text": "a"}\n', "utf-8"
    )
    result = run("lint", "rulebooks/desk")
    assert result.exit_code == 1
    for part in ("[unknown-key]", "[missing-key]", "gate.jsonl:1:1"):
        assert part in result.output


def test_a_broken_file_fails_with_its_line(repo):
    """A rulebook that is no YAML is an error with its place, not a traceback."""
    edit(repo, "rules:\n", "rules: [\n")
    result = run("lint")
    assert result.exit_code == 1
    assert "error: " in result.output


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "path",
    ["rulebooks/desk/rulebook.yaml", "templates/plain.j2", "rulebooks/desk/examples/gate.jsonl"],
)
def test_a_merge_that_was_not_finished_is_told_as_that(repo, path, line_end):
    """In a rulebook, a template (where it would reach the student) and in examples."""
    file = repo / path
    text = file.read_text("utf-8").rstrip("\n") + "\n"
    merged = f"{text}<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> topic\n"
    file.write_bytes(merged.replace("\n", line_end).encode())
    result = run("lint")
    assert result.exit_code == 1
    line = text.count("\n") + 1
    assert f"{path}:{line}:1: error: a merge conflict is not resolved" in result.output
    assert "keep one side" in result.output


def test_a_file_with_crlf_lints_like_one_with_lf(repo):
    """Line ends of Windows change neither problems nor their places, nor the prompt."""
    before, prompt = run("lint").output, run("render", "desk").output
    for path in [*repo.rglob("*.yaml"), *repo.rglob("*.jsonl"), *repo.rglob("*.j2")]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert run("lint").output == before
    assert run("render", "desk").output == prompt


def test_folders_that_differ_only_in_case_clash(repo):
    """Such a checkout loses a rulebook on Windows and macOS; the later one is an error."""
    shutil.copytree(repo / "rulebooks/desk", repo / "rulebooks/Desk")
    result = run("lint", "--select", "name-clash")
    assert result.exit_code == 1
    clash = 'the folders "rulebooks/Desk" and "rulebooks/desk" differ only in case'
    assert f"rulebooks/desk/rulebook.yaml:1:1: error: {clash}" in result.output
    assert run("lint", "rulebooks/desk", "--select", "name-clash").exit_code == 1
    assert run("lint", "--ignore", "name-clash,folder-name").exit_code == 0


def test_two_rulebooks_of_one_name_clash(repo):
    """By name only one of them is ever found."""
    shutil.copytree(repo / "rulebooks/desk", repo / "rulebooks/old/desk")
    result = run("lint", "--select", "name-clash")
    assert result.exit_code == 1
    assert '"rulebooks/desk" and "rulebooks/old/desk" are both called "desk"' in result.output


def test_rule_ids_have_one_spelling(repo):
    """Ids that differ only in case cannot be: capitals are refused, with the place."""
    edit(repo, "id: r-02", "id: R-01")
    result = run("lint")
    assert result.exit_code == 1
    assert "rulebooks/desk/rulebook.yaml:39:9: error: " in result.output
    assert 'not "R-01" [bad-value]' in result.output


def test_leakage_is_found_end_to_end(repo):
    """A citation of a gate example, read from the real files, is an error."""
    edit(repo, "id: e-2", "id: g-1")
    result = run("lint", "--select", "leakage", "--format", "json")
    assert result.exit_code == 1
    assert [problem["code"] for problem in json.loads(result.output)["problems"]] == ["leakage"]


@pytest.mark.parametrize("format_", ["text", "json", "github", "sarif", "junit"])
def test_reports_go_to_a_file(repo, format_):
    """With -o the report is in the file, and stdout stays empty."""
    result = run("lint", "--format", format_, "-o", "out/report")
    assert (result.exit_code, result.output) == (0, "")
    assert "unpinned-example" in (repo / "out" / "report").read_text("utf-8")


@pytest.mark.parametrize("args", [["--select", "nope"], ["nowhere"], ["--format", "xml"]])
def test_wrong_usage_exits_2(repo, args):
    """An unknown check, path or format is a usage error."""
    assert run("lint", *args).exit_code == 2


def test_list_names_every_check(repo):
    """--list shows checks with their severity."""
    result = run("lint", "--list")
    assert result.exit_code == 0
    assert "leakage                 error    a rule that cites" in result.output


def test_pin_makes_lint_clean(repo):
    """Fmt --pin writes the digests of cited examples, after which nothing is left to say."""
    assert run("fmt", "--pin", "--check").exit_code == 1
    before = (repo / "rulebooks/desk/rulebook.yaml").read_text("utf-8").splitlines()
    assert run("fmt", "--pin").exit_code == 0
    after = (repo / "rulebooks/desk/rulebook.yaml").read_text("utf-8").splitlines()
    assert [line for line in after if line not in before] == [after[36]]
    assert run("lint").output == "no problem in 1 rulebook\n"
    assert run("fmt", "--pin", "--check").exit_code == 0


def test_fmt_formats_checks_and_shows(repo):
    """--check and --diff write nothing; fmt writes, and then --check is content."""
    edit(repo, "priority: 10", "priority:    10")
    path = repo / "rulebooks/desk/rulebook.yaml"
    ugly = path.read_bytes()
    assert run("fmt", "--check").exit_code == 1
    shown = run("fmt", "--diff")
    assert (shown.exit_code, "+    priority: 10\n" in shown.output) == (0, True)
    assert path.read_bytes() == ugly
    assert run("fmt").exit_code == 0
    assert path.read_bytes() == (HERE / "valid.yaml").read_bytes()
    assert run("fmt", "--check").exit_code == 0


def test_fmt_leaves_a_broken_file_alone(repo):
    """A file that cannot be formatted stays as it is, exit code 2, and the next is still done."""
    other = repo / "rulebooks" / "other"
    other.mkdir()
    (other / "rulebook.yaml").write_text("a:   1\n", "utf-8")
    edit(repo, "rules:\n", "rules: [\n")
    path = repo / "rulebooks/desk/rulebook.yaml"
    broken = path.read_bytes()
    result = run("fmt")
    assert result.exit_code == 2
    assert "rulebooks/desk/rulebook.yaml:" in result.output
    assert path.read_bytes() == broken
    assert (other / "rulebook.yaml").read_text("utf-8") == "a: 1\n"


def test_schema_prints_and_is_named_by_fmt(repo):
    """The printed schema is JSON; once it stands at the root, fmt names it in new rulebooks."""
    assert json.loads(run("schema").output)["$id"] == "urn:pldgov.rulebook:v1"
    assert run("schema", "-o", "rulebook.schema.json").exit_code == 0
    edit(repo, "# yaml-language-server: $schema=x\n", "")
    assert run("fmt").exit_code == 0
    first = (repo / "rulebooks/desk/rulebook.yaml").read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../rulebook.schema.json"


def test_reading_a_rulebook_imports_little():
    """The reading path needs yaml and pydantic, and none of the heavy packages."""
    code = (
        "import sys, pldgov.rulebook.document\n"
        "heavy = {'ruamel', 'numpy', 'sklearn', 'git', 'torch', 'transformers', 'click', 'jinja2', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
