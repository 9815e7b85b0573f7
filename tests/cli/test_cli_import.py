"""`pldgov import` from end to end: the file, what is left to do, and the way back."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from pldgov.rulebook.document import parse_document

LEFT_TO_PEOPLE = {"examples-missing", "no-active-rule"}
PROMPT = "Decide what it is.\n\n1. A stolen card is fraud.\n2. All that is left.\n"


@pytest.fixture
def repo(governance_repo):
    """Make a repository with templates and one prompt, prompts/old.md."""
    made = governance_repo()
    made.write("prompts/old.md", PROMPT)
    return made


def book(repo, name="old"):
    data = (repo.root / f"rulebooks/{name}/rulebook.yaml").read_bytes()
    return parse_document(data, path="r.yaml").rulebook


def lint_codes(pldgov, root, name):
    said = pldgov("lint", name, "--format", "json", cwd=root).stdout
    return {one["code"] for one in json.loads(said)["problems"]}


def test_a_prompt_becomes_a_rulebook_of_drafts(repo, pldgov):
    """The file, a summary, and what is left to do; lint agrees with it."""
    result = pldgov("import", "prompts/old.md", "--labels", "fraud,other", cwd=repo.root)
    assert result.exit_code == 0, result.output
    assert "rulebooks/old/rulebook.yaml: 2 rules as drafts, 1 with a label" in result.stdout
    for needed in ("examples:", "status:", "named in r-02", "describe fraud, other", "owner:"):
        assert needed in result.stdout
    assert "templates:" not in result.stdout
    assert "pldgov lint rulebooks/old tells what is left." in result.stdout
    rules = book(repo).rules
    assert [rule.instruction for rule in rules] == ["A stolen card is fraud.", "All that is left."]
    assert [rule.references for rule in rules] == [("prompts/old.md:3",), ("prompts/old.md:4",)]
    assert lint_codes(pldgov, repo.root, "old") == LEFT_TO_PEOPLE


def test_what_is_left_is_all_that_is_left(repo, pldgov):
    """With examples and active rules the rulebook lints clean and renders."""
    pldgov("import", "prompts/old.md", "--labels", "fraud,other", "--owner", "me", cwd=repo.root)
    shutil.copytree(repo.root / "rulebooks/desk/examples", repo.root / "rulebooks/old/examples")
    path = repo.root / "rulebooks/old/rulebook.yaml"
    text = path.read_text("utf-8").replace("status: draft", "status: active")
    path.write_text(text.replace("title: All", "labels: [other]\n    title: All"), "utf-8")
    assert lint_codes(pldgov, repo.root, "old") <= {"unknown-data-label"}
    assert "1. A stolen card is fraud." in pldgov("render", "old", cwd=repo.root).stdout
    assert pldgov("fmt", "--check", "old", cwd=repo.root).exit_code == 0


@pytest.mark.parametrize("template", ["plain.j2", "by_label.j2"])
@pytest.mark.parametrize("name", ["bank-triage", "desk-routing"])
def test_what_render_writes_is_imported_again(repository, tmp_path, pldgov, template, name):
    """The instructions come back word for word, in the order in which the prompt has them."""
    for folder in ("rulebooks", "templates"):
        shutil.copytree(repository / folder, tmp_path / folder)
    (tmp_path / "pyproject.toml").write_text("[tool.pldgov]\n", "utf-8")
    path = tmp_path / f"rulebooks/{name}/rulebook.yaml"
    text = path.read_text("utf-8")
    rulebook = parse_document(text.encode(), path="r").rulebook
    text = text.replace(f"template: {rulebook.prompt.template}", f"template: {template}")
    text = re.sub(r"    when:\n      text: >-\n(?:        .*\n)+", "", text)  # into the system text
    path.write_text(text, "utf-8")
    assert pldgov("render", name, "-o", "prompt.md", cwd=tmp_path).exit_code == 0
    labels = ",".join(rulebook.labels)
    result = pldgov("import", "prompt.md", "--name", "again", "--labels", labels, cwd=tmp_path)
    assert result.exit_code == 0, result.output
    again = parse_document(
        (tmp_path / "rulebooks/again/rulebook.yaml").read_bytes(), path="r"
    ).rulebook
    before = [rule.instruction.strip() for rule in rulebook.active_rules]
    after = [rule.instruction for rule in again.rules]
    assert sorted(after) == sorted(before)
    if template == "plain.j2":
        assert after == before
    else:
        main = {rule.instruction.strip(): rule.labels[:1] for rule in rulebook.active_rules}
        assert {rule.instruction: rule.labels for rule in again.rules} == main
    flat = {label: " ".join(text.split()) for label, text in rulebook.task.labels.items()}
    assert again.task.labels == flat
    assert again.task.instruction == rulebook.task.instruction.strip()


@pytest.mark.parametrize(
    "instruction",
    [
        "Two lines,\nthe second one.",
        "With **bold**, `code`, <b>tags</b>, & and 100 % of [links](x) \\* and \\{{ }}.",
        "A list inside:\n  - one\n  - two",
        "Ends with a colon:",
        "It costs 5. Or 10) perhaps; see section 2.",
        "# no heading, | no | table |",
        "Ünïcode, 東京, émoji \U0001f600.",
    ],
)
def test_odd_instructions_come_back_too(repo, pldgov, instruction):
    """Markdown in a rule is its text on the way out and on the way in."""
    template = (
        "{{ task.instruction }}\n\n"
        "{% for label in labels %}\n- {{ label.name }}: {{ label.description }}\n{% endfor %}\n\n"
        "{% for rule in rules %}\n{{ loop.index }}. {{ rule.instruction }}\n{% endfor %}\n\n"
        "Answer with one label.\n"
    )
    repo.write("templates/plain.j2", template)
    repo.write_rulebook(rule=instruction)
    assert pldgov("render", "desk", "-o", "p.md", cwd=repo.root).exit_code == 0
    arguments = ("import", "p.md", "--name", "again", "--labels", "fraud,other")
    assert pldgov(*arguments, cwd=repo.root).exit_code == 0
    before = [rule.instruction for rule in book(repo, "desk").active_rules]
    assert [rule.instruction for rule in book(repo, "again").rules] == before


def test_a_playbook_is_imported(repo, pldgov):
    """Its ids, counters and sections, and a word on what did more harm than good."""
    repo.write(
        "playbook.txt",
        "## STRATEGIES & INSIGHTS\n[shr-00001] helpful=3 harmful=0 :: Stolen is fraud.\n"
        "[shr-00002] helpful=0 harmful=4 :: Guess.\n",
    )
    result = pldgov(
        "import",
        "playbook.txt",
        "--name",
        "ace",
        "--labels",
        "fraud=Stolen.",
        "--labels",
        "other=Rest.",
        cwd=repo.root,
    )
    assert result.exit_code == 0, result.output
    assert "more harm than help for shr-00002" in result.stdout
    assert "describe" not in result.stdout
    rulebook = book(repo, "ace")
    assert rulebook.task.labels == {"fraud": "Stolen.", "other": "Rest."}
    assert rulebook.metadata["imported"]["format"] == "ace"
    assert rulebook.rules[0].metadata["imported"]["helpful"] == 3
    assert lint_codes(pldgov, repo.root, "ace") == LEFT_TO_PEOPLE


def test_a_file_that_exists_is_kept_without_force(repo, pldgov):
    """Exit code 2, nothing written; --force replaces it."""
    arguments = ("import", "prompts/old.md", "--labels", "fraud,other")
    path = repo.root / "rulebooks/desk/rulebook.yaml"
    before = path.read_bytes()
    refused = pldgov(*arguments, "-o", path, cwd=repo.root)
    assert refused.exit_code == 2
    assert "there is a file already (--force replaces it, or use -o)" in refused.stderr
    assert path.read_bytes() == before
    assert pldgov(*arguments, "-o", path, "--force", cwd=repo.root).exit_code == 0
    assert book(repo, "desk").name == "desk"


def test_the_same_file_gives_the_same_bytes(repo, pldgov):
    """No clock and no machine stands in it; CRLF and a byte order mark make no difference."""
    arguments = ("import", "prompts/old.md", "--labels", "fraud,other")
    pldgov(*arguments, cwd=repo.root)
    first = (repo.root / "rulebooks/old/rulebook.yaml").read_bytes()
    windows = "\ufeff" + PROMPT.replace("\n", "\r\n")
    (repo.root / "prompts/old.md").write_bytes(windows.encode())
    pldgov(*arguments, "--force", cwd=repo.root)
    assert (repo.root / "rulebooks/old/rulebook.yaml").read_bytes() == first


@pytest.mark.parametrize(
    ("content", "arguments", "says"),
    [
        (b"- Caf\xe9", ("--labels", "a,b"), "p.md:1: byte 0xE9 is not UTF-8"),
        (b"Words.", ("--labels", "a,b"), "p.md: no numbered or bulleted rule was found"),
        (b"- Rule", (), "--labels: a task has two labels or more, not 0"),
        (b"- Rule", ("--labels", "a,,b"), "a label has no name"),
        (b"- Rule", ("--labels", "a,b", "--name", "My Book"), "--name: 'My Book' is no name"),
    ],
)
def test_wrong_use_is_answered_with_what_to_do(repo, pldgov, content, arguments, says):
    """Exit code 2, a sentence, and nothing written."""
    (repo.root / "p.md").write_bytes(content)
    result = pldgov("import", "p.md", *arguments, cwd=repo.root)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert not (repo.root / "rulebooks/p").exists()


def test_missing_templates_are_told(tmp_path, pldgov):
    """In a folder without any, the summary says so; a file outside is named by its name only."""
    (tmp_path / "old.md").write_text(PROMPT, "utf-8")
    (tmp_path / "here").mkdir()
    (tmp_path / "here/pyproject.toml").write_text("[tool.pldgov]\n", "utf-8")
    result = pldgov("import", "../old.md", "--labels", "fraud,other", cwd=tmp_path / "here")
    assert result.exit_code == 0, result.output
    assert "templates: there is no plain.j2" in result.stdout
    text = (tmp_path / "here/rulebooks/old/rulebook.yaml").read_text("utf-8")
    assert "old.md:3" in text
    assert str(tmp_path) not in text


def test_importing_loads_nothing_heavy(repo):
    """A Markdown parser is all that it takes."""
    program = (
        "import sys\n"
        "from pldgov.cli import cli\n"
        "try:\n    cli.main(['import', 'prompts/old.md', '--labels', 'fraud,other'])\n"
        "except SystemExit as leaving:\n    assert leaving.code == 0, leaving.code\n"
        "heavy = {'torch', 'transformers', 'openai', 'sklearn', 'git', 'numpy', 'ruamel'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=repo.root, capture_output=True, text=True, check=True
    )
    assert run.stderr == "[]\n"
