"""The template that shows the turns of one label side by side."""

import json
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_turns_stand_in_the_order_of_the_labels(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from pldgov.cli import cli

    runner = CliRunner()
    monkeypatch.chdir(tmp_path)
    assert runner.invoke(cli, ["init", "."]).exit_code == 0
    path = tmp_path / "rulebooks" / "desk-routing" / "rulebook.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "template: turns.j2", "template: turns_by_label.j2"
    )
    head, _, rules = text.partition("\nrules:\n")
    first, *others = rules.split("\n  - id: ")
    path.write_text(
        f"{head}\nrules:\n  - id: "
        + "\n  - id: ".join([*reversed(others), first.removeprefix("  - id: ")]),
        encoding="utf-8",
    )
    shown = runner.invoke(cli, ["render", "desk-routing", "--format", "json"])
    assert shown.exit_code == 0, shown.output
    said = [turn["assistant"] for turn in json.loads(shown.stdout)["turns"]]
    rules = {"card": 1, "loan": 2, "transfer": 2, "login": 2, "savings": 2}
    assert said == [label for label, count in rules.items() for _ in range(2 * count)]
