"""Repositories to report on, and a real browser to look at the pages with."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml
from click.testing import CliRunner

from pldgov.cli import cli

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture
def report(monkeypatch):
    """Run `pldgov report ...` in a repository and return click's result."""

    def run(repo, *arguments: object):
        monkeypatch.chdir(repo.root)
        return CliRunner().invoke(cli, ["report", *map(str, arguments)])

    return run


@pytest.fixture
def page_of(report, tmp_path):
    """Write the page of a repository's rulebook and return its path."""

    def write(repo, *arguments: object):
        result = report(repo, repo.name, "-o", tmp_path / "page", *arguments)
        assert result.exit_code == 0, result.output
        return tmp_path / "page" / "index.html"

    return write


@pytest.fixture
def blessed(governance_repo, monkeypatch):
    """Make a repository with two committed measurements on main, the second one better."""
    repo = governance_repo()

    def bless(wrong: dict[str, str], reason: str) -> None:
        repo.record(wrong)
        repo.commit(f"Record: {reason}")
        monkeypatch.chdir(repo.root)
        result = CliRunner().invoke(cli, ["bless", "desk", "--reason", reason])
        assert result.exit_code == 0, result.output
        repo.commit(f"Bless: {reason}")

    bless({"g-01": "fraud", "g-03": "fraud", "g-05": "fraud"}, "first")
    repo.write_rulebook(rule="If somebody took the money, the label is fraud.")
    bless({"g-01": "fraud"}, "second")
    return repo


@pytest.fixture
def taught(blessed):
    """Add a recorded teacher reply about two training examples."""
    answers = [
        {
            "example": id_,
            "reasoning": f"Reasoning about {id_}.",
            "condition": f"Condition of {id_}.",
            "instruction": f"Instruction from {id_}.",
            "label": label,
        }
        for id_, label in (("t-00", "fraud"), ("t-01", "other"))
    ]
    blessed.write("rulebooks/desk/teacher/extract.jsonl", reply(answers))
    blessed.commit("Record the teacher")
    return blessed


def reply(answers) -> str:
    """Return the line that records a teacher's reply."""
    row = {
        "request": "0" * 64,
        "content": json.dumps({"answers": answers}),
        "model": "teacher-1",
        "mode": "openai",
        "date": "2026-11-20",
    }
    return json.dumps(row) + "\n"


@pytest.fixture
def edited(taught):
    """Reword one rule, add one, and record answers that the edit breaks, on a branch."""
    taught.branch("edit")
    book = yaml.safe_load(taught.rulebook.read_text())
    book["rules"][0]["instruction"] = "If anybody took the money, the label is fraud."
    added = {**book["rules"][1], "id": "r-03", "title": "Lost cards", "owner": "cards@example.org"}
    book["rules"].append({**added, "status": "draft", "instruction": "A lost card is other."})
    taught.rulebook.write_text(yaml.safe_dump(book, sort_keys=False))
    taught.record({f"g-{i:02d}": "fraud" for i in range(1, 30, 2)})
    taught.commit("Reword and add")
    return taught


@pytest.fixture
def browser(tmp_path):
    """Open a headless Chromium of its own; skip, saying so, where none is installed."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no Chromium here: apt-get install chromium chromium-driver")
    selenium = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()
