"""`pldgov render --format` for other tools, from end to end."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
import yaml

FIELDS = (
    "{% for name, value in inputs.items() %}\n{{ name | capitalize }}: {{ value }}\n{% endfor %}\n"
)
FORMATS = {
    "openai-request": ("--input", "text=Hello"),
    "openai-batch": ("--split", "gate"),
    "ollama": (),
    "prompty": (),
    "dotprompt": (),
    "promptfoo": (),
}


def digest_of(pldgov, root):
    return json.loads(pldgov("render", "desk", "--format", "json", cwd=root).stdout)["sha256"]


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_says_which_prompt_it_is(governance_repo, pldgov, format_):
    """The prompt's digest, or its start where no more fits, stands in the file."""
    root = governance_repo().root
    result = pldgov(
        "render", "desk", "--format", format_, "--model", "m", *FORMATS[format_], cwd=root
    )
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    shown = {"openai-request": 16, "openai-batch": 12}.get(format_, 64)
    assert digest_of(pldgov, root)[:shown] in result.stdout
    assert "desk" in result.stdout


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_commit_gives_the_same_bytes(governance_repo, pldgov, format_):
    """So that --check can hold the committed file to the rulebook."""
    repo = governance_repo()
    path = repo.root / "out"
    arguments = ("render", "desk", "--format", format_, "--model", "m", *FORMATS[format_])
    assert pldgov(*arguments, "-o", path, cwd=repo.root).exit_code == 0
    assert pldgov(*arguments, "-o", path, "--check", cwd=repo.root).exit_code == 0
    again = pldgov(*arguments, cwd=repo.root).stdout
    assert path.read_text("utf-8") == again
    repo.write_rulebook(rule="Another rule.")
    assert pldgov(*arguments, "-o", path, "--check", cwd=repo.root).exit_code == 1


def test_the_gate_split_becomes_the_tests(governance_repo, pldgov):
    """Promptfoo's tests are the gate's examples, each with its label."""
    repo = governance_repo()
    config = yaml.safe_load(
        pldgov("render", "desk", "--format", "promptfoo", "--model", "m", cwd=repo.root).stdout
    )
    gate = (repo.root / "rulebooks/desk/examples/gate.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in gate]
    assert [one["vars"]["input"]["text"] for one in config["tests"]] == [r["text"] for r in rows]
    assert [one["assert"][0]["value"] for one in config["tests"]] == [r["label"] for r in rows]
    fewer = pldgov("render", "desk", "--format", "promptfoo", "--split", "train", cwd=repo.root)
    assert len(yaml.safe_load(fewer.stdout)["tests"]) == 10


def test_a_data_file_needs_no_labels_for_a_batch(governance_repo, pldgov):
    """What is asked in production has none; promptfoo, which compares, says that it needs them."""
    repo = governance_repo()
    data = repo.write("new.jsonl", '{"id": "a", "text": "One"}\n{"id": "b", "text": "Two"}\n')
    arguments = ("render", "desk", "--model", "m", "--data", data, "--format")
    batch = pldgov(*arguments, "openai-batch", cwd=repo.root)
    assert batch.exit_code == 0, batch.output
    lines = [json.loads(line) for line in batch.stdout.splitlines()]
    assert [line["custom_id"].split(":")[-1] for line in lines] == ["a", "b"]
    assert [line["body"]["messages"][-1]["content"] for line in lines] == ["One", "Two"]
    refused = pldgov(*arguments, "promptfoo", cwd=repo.root)
    assert refused.exit_code == 2
    assert 'no row has the field "label"' in refused.stderr


def test_a_data_file_with_problems_is_refused_with_their_places(governance_repo, pldgov):
    """Each with its line; nothing is written."""
    repo = governance_repo()
    data = repo.write("new.jsonl", '{"id": "a", "text": ""}\n{"id": "a", "text": 3}\n')
    result = pldgov(
        "render", "desk", "--format", "openai-batch", "--model", "m", "--data", data, cwd=repo.root
    )
    assert result.exit_code == 2
    assert f"{data}:1:" in result.stderr
    assert f"{data}:2:" in result.stderr


def test_several_fields_survive_in_every_format(governance_repo, pldgov):
    """A template of several fields is told in each format's own language, or rendered."""
    repo = governance_repo()
    rows = [
        {"id": f"{name}-{n}", "title": f"T{n}", "text": f"{name} {n}", "label": label}
        for name in ("x",)
        for n, label in enumerate(("fraud", "other") * 2)
    ]
    repo.write_examples(
        **{
            split: [{**r, "id": f"{split}{r['id']}"} for r in rows]
            for split in ("train", "validation", "gate")
        }
    )
    repo.write("templates/user_fields.j2", FIELDS)
    task = {
        "instruction": "Name the label.",
        "inputs": ["title", "text"],
        "labels": {"fraud": "x", "other": "y"},
    }
    prompt = {"template": "plain.j2", "user_template": "user_fields.j2"}
    repo.write_rulebook(task=task, prompt=prompt, rules=[rule("Say it.")])
    run = lambda *more: pldgov("render", "desk", "--model", "m", *more, cwd=repo.root)  # noqa: E731
    request = run("--format", "openai-request", "--input", "title=A=B", "--input", "text=C")
    assert json.loads(request.stdout)["messages"][-1]["content"] == "Title: A=B\nText: C"
    assert "Title: {{ title }}\nText: {{ text }}" in run("--format", "prompty").stdout
    assert "Title: {{title}}\nText: {{text}}" in run("--format", "dotprompt").stdout
    config = yaml.safe_load(run("--format", "promptfoo").stdout)
    last = json.loads(config["prompts"][0]["raw"])[-1]["content"]
    assert last == "Title: {{ input.title }}\nText: {{ input.text }}"
    assert config["tests"][0]["vars"]["input"] == {"title": "T0", "text": "x 0"}
    assert "# Write each input as this template" in run("--format", "ollama").stdout


def rule(instruction):
    return {
        "id": "r-01",
        "title": "T",
        "status": "active",
        "labels": ["fraud"],
        "instruction": instruction,
        "provenance": {"origin": "imported"},
    }


def test_turns_survive_in_every_format(repository, pldgov):
    """bank-triage shows its exemplars as turns; each format has them all."""
    whole = json.loads(pldgov("render", "bank-triage", "--format", "json", cwd=repository).stdout)
    assert len(whole["turns"]) > 5
    for format_, more in FORMATS.items():
        arguments = ("render", "bank-triage", "--format", format_, "--model", "m", *more)
        result = pldgov(*arguments, cwd=repository)
        assert result.exit_code == 0, (format_, result.output)
        for turn in whole["turns"]:
            assert turn["user"] in result.stdout.replace('\\"', '"'), format_


def test_rules_of_the_user_message_survive_or_the_format_is_refused(repository, pldgov):
    """A request has those that hold for its input; an engine that cannot choose them is refused."""
    run = lambda *more: pldgov("render", "desk-routing", "--model", "m", *more, cwd=repository)  # noqa: E731
    asked = json.loads(run("--format", "openai-request", "--input", "text=My PIN, please").stdout)
    rule = "A card, chip, PIN, contactless, or payment refused in a shop: card."
    assert asked["messages"][-1]["content"] == f"My PIN, please\n{rule}"
    for format_ in ("dotprompt", "promptfoo", "prompty"):
        result = run("--format", format_)
        assert result.exit_code == 2, (format_, result.output)
        assert "it shows rules by what the input says" in result.stderr


def test_a_student_behind_an_endpoint_lends_its_settings(governance_repo, pldgov):
    """Model, limits and the answer's form are those that the student was measured with."""
    repo = governance_repo()
    settings = (repo.root / "pyproject.toml").read_text("utf-8")
    table = (
        '\n[tool.pldgov.students.ours]\nkind = "openai"\nmodel = "qwen"\nseed = 3\nmax_tokens = 9\n'
        'base_url = "http://127.0.0.1:9/v1"\nstructured = "none"\n'
    )
    repo.write("pyproject.toml", settings + table)
    run = lambda *more: pldgov("render", "desk", "--student", "ours", *more, cwd=repo.root)  # noqa: E731
    body = json.loads(run("--format", "openai-request", "--input", "text=a").stdout)
    assert (body["model"], body["seed"], body["max_tokens"]) == ("qwen", 3, 9)
    assert "response_format" not in body
    provider = yaml.safe_load(run("--format", "promptfoo").stdout)["providers"][0]
    assert provider["config"]["apiBaseUrl"] == "http://127.0.0.1:9/v1"
    other = json.loads(
        run("--format", "openai-request", "--input", "text=a", "--model", "other").stdout
    )
    assert other["model"] == "other"


def test_history_renders_into_every_format(governance_repo, pldgov):
    """--at takes prompt and tests from the commit."""
    repo = governance_repo()
    old = pldgov("render", "desk", "--format", "promptfoo", cwd=repo.root).stdout
    commit = repo.git("rev-parse", "HEAD")
    repo.write_rulebook(rule="A new rule.")
    repo.write("rulebooks/desk/examples/gate.jsonl", '{"id": "g", "text": "t", "label": "fraud"}\n')
    then = pldgov("render", "desk", "--format", "promptfoo", "--at", commit, cwd=repo.root)
    assert then.stdout == old


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--format", "text", "--model", "m"), "--model: --format text does not use it"),
        (("--model", "m"), "--format the default does not use it"),
        (("--format", "ollama", "--model", "m", "--split", "gate"), "--split: --format ollama"),
        (("--format", "openai-batch", "--input", "text=a"), "--input: --format openai-batch"),
        (("--format", "openai-request", "--model", "m"), "--input FIELD=TEXT"),
        (("--format", "openai-request", "--input", "text=a"), "name it with --model"),
        (("--format", "openai-request", "--model", "m", "--input", "txt=a"), 'did you mean "text"?'),
        (("--format", "openai-request", "--model", "m", "--input", "text"), "is not FIELD=TEXT"),
        (("--format", "openai-request", "--model", "m", "--input", "text="), "has no text"),
        (("--format", "openai-batch", "--model", "m"), "--data FILE or --split"),
        (("--format", "ollama"), "--model llama3.2:3b"),
        (("--format", "modelfile"), "is not one of"),
        (("--format", "openai-batch", "--data", "nothing.jsonl"), "does not exist"),
    ],
)  # fmt: skip
def test_wrong_use_is_answered_with_what_to_do(governance_repo, pldgov, arguments, says):
    """Exit code 2 and a sentence."""
    result = pldgov("render", "desk", *arguments, cwd=governance_repo().root)
    assert result.exit_code == 2
    assert says in result.stderr


def test_data_and_split_exclude_each_other(governance_repo, pldgov):
    """Two places for examples are one too many."""
    repo = governance_repo()
    data = repo.write("d.jsonl", '{"id": "a", "text": "b"}\n')
    arguments = ("--format", "openai-batch", "--data", data, "--split", "gate")
    result = pldgov("render", "desk", *arguments, cwd=repo.root)
    assert result.exit_code == 2
    assert "two places" in result.stderr


def test_a_template_that_looks_at_values_is_refused_where_it_cannot_run(governance_repo, pldgov):
    """Handlebars cannot run Jinja; a batch, which pldgov renders, holds it."""
    repo = governance_repo()
    repo.write("templates/user.j2", "{% if text %}{{ text | upper }}{% endif %}\n")
    for format_ in ("prompty", "dotprompt", "promptfoo"):
        result = pldgov("render", "desk", "--format", format_, cwd=repo.root)
        assert result.exit_code == 2, format_
        assert "user.j2 does more than print fields (line 1: If)" in result.stderr
    batch = ("--format", "openai-batch", "--split", "gate", "--model", "m")
    assert pldgov("render", "desk", *batch, cwd=repo.root).exit_code == 0


def test_five_megabytes_of_rule_are_rendered_in_seconds(governance_repo, pldgov):
    """In every format, and nothing of it is lost."""
    repo = governance_repo()
    text = "Lorem ipsum {{ dolor }} sit amet, <b>consectetur</b>. " * 95_000
    repo.write_rulebook(rule=f"{text}The end.")
    started = time.perf_counter()
    for format_ in ("text", "prompty", "dotprompt", "ollama"):
        more = () if format_ == "text" else ("--model", "m")
        result = pldgov("render", "desk", "--format", format_, *more, cwd=repo.root)
        assert result.exit_code == 0, result.output
        assert len(result.stdout) > 5_000_000
        assert "The end." in result.stdout
    assert time.perf_counter() - started < 60


def test_every_format_is_offered_written_and_documented(repository):
    """The option, the table of writers, these tests and the page name the same formats."""
    from pldgov.cli.render import TOOL_FORMATS
    from pldgov.workflows.exporting import FORMATS as WRITERS

    assert set(TOOL_FORMATS) == set(WRITERS) == set(FORMATS)
    page = (repository / "docs/export.md").read_text("utf-8")
    assert all(f"| `{name}` |" in page for name in TOOL_FORMATS)


def test_exports_load_nothing_heavy(repository):
    """Neither torch nor the openai package is needed to write a file for them."""
    program = (
        "import sys\n"
        "from pldgov.cli import cli\n"
        "try:\n    cli.main(['render', 'bank-triage', '--format', 'ollama', '--model', 'm'])\n"
        "except SystemExit as leaving:\n    assert leaving.code == 0, leaving.code\n"
        "heavy = {'torch', 'transformers', 'openai', 'sklearn', 'git', 'ruamel', 'rich'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=True
    )
    assert run.stderr == "[]\n"
