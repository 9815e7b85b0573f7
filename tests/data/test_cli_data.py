"""``pldgov data``: what a user sees and gets, with the exit codes."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pldgov.cli import cli

ROWS = [
    {"id": f"e{n}", "text": f"message number {n} w{n}", "label": "ab"[n % 2], "group": f"g{n // 2}"}
    for n in range(40)
]
SPOON = {
    "documents": [
        {
            "id": 1,
            "text": "Return the spoon.",
            "spans": [[0, 17]],
            "annotation_sets": [{"annotations": {"h1": {"choice": "Entailment", "spans": [0]}}}],
        }
    ],
    "labels": {"h1": {"hypothesis": "The spoon is returned."}},
}


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in a folder with a file of examples and an official file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "all.jsonl").write_text(lines(ROWS))
    (tmp_path / "dev.json").write_text(json.dumps(SPOON))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli, ["data", *arguments])


def test_import_writes_a_file_and_says_what_it_holds(here):
    """The examples, the task's inputs, the source and the licence are told."""
    result = run("import", "--format", "contract-nli", "dev.json", "--out", "nli")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "wrote 1 example in nli/dev.jsonl (1 group, the largest of 1)\n"
        "  Entailment        1  100.0%\n"
        "inputs: premise, hypothesis\n"
        "source: ContractNLI, https://stanfordnlp.github.io/contract-nli/\n"
        "licence: CC BY 4.0\n"
    )
    assert json.loads((here / "nli/dev.jsonl").read_text()) == {
        "id": "1-h1",
        "premise": "Return the spoon.",
        "hypothesis": "The spoon is returned.",
        "label": "Entailment",
        "group": "1",
        "hypothesis_key": "h1",
        "premise_origin": "evidence",
    }


def test_import_passes_the_premise_on_and_can_report_json(here):
    """--premise document is what the examples say, --report json what a script reads."""
    result = run(
        *("import", "--format", "contract-nli", "dev.json", "--out", "."),
        *("--premise", "document", "--report", "json"),
    )
    assert json.loads(result.stdout)["files"][0]["labels"] == {"Entailment": 1}
    assert json.loads((here / "dev.jsonl").read_text())["premise_origin"] == "document"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "stereoset"), "error: dev.json: data: Field required"),
        (("--format", "logiqa", "--premise", "spans"), "logiqa has no premise to choose"),
        (("--format", "nli"), "Invalid value for '--format'"),
    ],
)
def test_import_of_what_does_not_fit_writes_nothing(here, arguments, words):
    """A wrong format is exit code 2 and one message."""
    result = run("import", *arguments, "dev.json", "--out", "nli")
    assert result.exit_code == 2
    assert words in result.stderr
    assert not (here / "nli").exists()


def test_split_writes_three_files_that_check_finds_sound(here):
    """Every example lands in one of train, validation and gate, at the shares asked for."""
    result = run("split", "all.jsonl", "--out", "examples", "--gate", "0.3")
    assert result.exit_code == 0, result.stderr
    sizes = {}
    for name in ("train", "validation", "gate"):
        text = (here / "examples" / f"{name}.jsonl").read_text()
        sizes[name] = text.count("\n")
        assert run("check", f"examples/{name}.jsonl").exit_code == 0
    assert sizes == {"train": 20, "validation": 8, "gate": 12}
    assert "wrote 20 examples in examples/train.jsonl (10 groups, the largest of 2)" in (
        result.stdout
    )


def test_the_validation_split_can_be_left_out(here):
    """--validation 0 makes two files."""
    assert run("split", "all.jsonl", "--out", "o", "--validation", "0").exit_code == 0
    assert sorted(path.name for path in (here / "o").iterdir()) == ["gate.jsonl", "train.jsonl"]


def test_split_warns_of_a_label_that_a_split_lacks(here):
    """A label of one group cannot be gated, and the user is told."""
    rare = {"id": "r", "text": "rare thing", "label": "rare"}
    (here / "all.jsonl").write_text(lines([*ROWS, rare]))
    result = run("split", "all.jsonl", "--out", "o")
    assert result.exit_code == 0
    assert 'warning: the label "rare" does not stand in the gate split\n' in result.stdout


@pytest.mark.parametrize("verb", ["split", "import"])
def test_files_are_not_replaced_unasked(here, verb):
    """An existing file is exit code 2 and stays; --force replaces it."""
    target = here / ("gate.jsonl" if verb == "split" else "dev.jsonl")
    target.write_text("mine")
    source = ("all.jsonl",) if verb == "split" else ("dev.json", "--format", "contract-nli")
    refused = run(verb, *source, "--out", ".")
    assert refused.exit_code == 2
    assert f"error: {target.name}: the file exists already (--force replaces it)" in refused.stderr
    assert target.read_text() == "mine"
    assert not (here / "train.jsonl").exists()
    assert run(verb, *source, "--out", ".", "--force").exit_code == 0
    assert target.read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--gate", "1.5"), "the fraction of train is -0.7, not between 0 and 1"),
        (("--train", "0.5"), "the fractions add up to 0.9, not to 1"),
        (("--inputs", "txt"), 'no row has the field "txt" (did you mean "text"?)'),
    ],
)
def test_a_split_that_cannot_be_made_writes_nothing(here, arguments, words):
    """Wrong fractions and wrong fields are exit code 2 and one message."""
    result = run("split", "all.jsonl", "--out", "o", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not (here / "o").exists()


def test_check_prints_every_problem_and_the_counts(here):
    """Errors are exit code 1; the sound examples are counted all the same."""
    (here / "bad.jsonl").write_text("oops\n" + lines([*ROWS[:3], ROWS[0]]))
    result = run("check", "bad.jsonl")
    assert result.exit_code == 1
    assert result.stdout == (
        "bad.jsonl:1:1: not valid JSON: Expecting value [data-json]\n"
        'bad.jsonl:5:1: the id "e0" stands on line 2 already (give every example its own)'
        " [data-duplicate-id]\n"
        "found 3 examples in bad.jsonl (2 groups, the largest of 2)\n"
        "  a        2   66.7%\n"
        "  b        1   33.3%\n"
        'warning: the label "b" has a single example\n'
    )


def test_check_tells_warnings_from_errors(here):
    """A warning is marked as one and is exit code 0; examples without a group are counted."""
    (here / "nan.csv").write_text("id,text,label\n1,NaN,x\n2,b,x\n3,c,y\n4,d,y\n")
    result = run("check", "nan.csv")
    assert result.exit_code == 0
    assert result.stdout.startswith('warning: nan.csv:2:1: "text" is the word "NaN"')
    assert "found 4 examples in nan.csv (4 examples without a group)\n" in result.stdout


def test_check_reports_json(here):
    """A script gets problems and counts as JSON, in a file if it likes."""
    (here / "one.csv").write_text("id,context,sentence,label\n1,c,s,x\n2,,s,x\n")
    arguments = ("--inputs", "context, sentence", "--format", "json", "-o", "report.json")
    result = run("check", "one.csv", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    report = json.loads((here / "report.json").read_text())
    assert [(one["code"], one["line"]) for one in report["problems"]] == [("data-empty-field", 3)]
    assert report["files"][0]["labels"] == {"x": 1}
    assert report["files"][0]["ungrouped"] == 1
    assert "all examples have the same label" in report["warnings"]


def test_check_of_an_empty_or_missing_file_fails(here):
    """No examples is exit code 1, no file exit code 2."""
    (here / "empty.jsonl").touch()
    empty = run("check", "empty.jsonl")
    assert empty.exit_code == 1
    assert empty.stdout.splitlines()[0].endswith("[data-empty]")
    missing = run("check", "none.jsonl")
    assert missing.exit_code == 2
    assert "none.jsonl: cannot be read: No such file" in missing.stderr
