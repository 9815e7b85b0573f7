"""promptfoo itself validates the configuration and shows what a model would get."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml

from pldgov.errors import DataError, TemplateError, UsageError
from pldgov.exports.promptfoo import render_promptfoo
from pldgov.exports.user_template import Field
from pldgov.questions import Turn


@pytest.fixture
def promptfoo(node_tool, tmp_path):
    """Run a command of promptfoo in a folder of its own, without network or telemetry."""
    entry = node_tool("promptfoo") / "dist/src/entrypoint.js"
    if not entry.exists():
        entry = node_tool("promptfoo") / "dist/src/main.js"
    quiet = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1"}
    quiet |= {
        "PROMPTFOO_CONFIG_DIR": str(tmp_path / "home"),
        "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
    }

    def run(*arguments):
        return subprocess.run(
            ["node", str(entry), *arguments],
            cwd=tmp_path,
            env=os.environ | quiet,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def evaluate(promptfoo, text, tmp_path):
    (tmp_path / "promptfooconfig.yaml").write_text(text, encoding="utf-8", newline="\n")
    done = promptfoo("eval", "--no-cache", "--no-write", "--no-table", "-o", "out.json")
    output = tmp_path / "out.json"
    assert output.exists(), done.stdout + done.stderr
    return json.loads(output.read_text("utf-8"))["results"]["results"]


@pytest.mark.slow
def test_the_model_gets_what_was_reviewed(promptfoo, export, asked, expected, tmp_path):
    """The echo provider answers with the prompt: every message is there, sign by sign."""
    odd = ["file:///etc/passwd", "{{ title }}", "{% raw %}", "package:x:y", "ends with\n", "[1, 2]"]
    cases = [asked("g-0"), *(asked(f"g-{n}", text=one) for n, one in enumerate(odd, start=1))]
    made = export(asked=cases, model=None)
    results = evaluate(promptfoo, render_promptfoo(made), tmp_path)
    assert len(results) == len(cases)
    for one in results:
        example = next(c.example for c in cases if c.id == one["testCase"]["description"])
        shown = json.loads(one["response"]["output"])
        assert shown == expected(made, dict(example.inputs))
        assert one["testCase"]["metadata"]["example"] == example.id


@pytest.mark.slow
def test_the_configuration_is_valid(promptfoo, export, asked, tmp_path):
    """Promptfoo's own validation accepts it, with a real provider and its response format."""
    text = render_promptfoo(export(asked=[asked()], base_url="http://127.0.0.1:1/v1"))
    (tmp_path / "promptfooconfig.yaml").write_text(text, encoding="utf-8")
    done = promptfoo("validate", "config", "-c", "promptfooconfig.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Configuration is valid" in done.stdout + done.stderr


@pytest.mark.slow
def test_answers_are_compared_with_labels(promptfoo, export, asked, tmp_path):
    """A JSON answer and a plain one pass where they name the label, and fail where they do not."""
    said = ['{"label": "no"}', "no", '{"label": "yes"}']
    script = (
        "module.exports = class { id() { return 'fixed'; } "
        "async callApi(prompt, context) { return { output: context.vars.input.text }; } };"
    )
    (tmp_path / "fixed.js").write_text(script)
    made = export(asked=[asked(f"g-{n}", text=one) for n, one in enumerate(said)])
    config = yaml.safe_load(render_promptfoo(made))
    config["providers"] = ["file://fixed.js"]
    results = evaluate(promptfoo, yaml.safe_dump(config), tmp_path)
    passed = {one["testCase"]["description"]: one["success"] for one in results}
    assert passed == {"g-0": True, "g-1": True, "g-2": False}


def test_labels_model_and_digest_are_in_the_configuration(export, asked):
    """The provider is asked for labels only, and the digest says what this is."""
    made = export(asked=[asked("g-1", "it's: {odd}"), asked("g-2", "12")], base_url="http://x/v1")
    config = yaml.safe_load(render_promptfoo(made))
    (provider,) = config["providers"]
    assert provider["id"] == "openai:chat:tiny:1b"
    assert provider["config"]["response_format"] == made.response_format
    assert provider["config"]["temperature"] == 0
    assert provider["config"]["apiBaseUrl"] == "http://x/v1"
    assert config["tags"]["pldgov.prompt_sha256"] == made.prompt.digest
    assert [one["assert"][0]["value"] for one in config["tests"]] == ["it's: {odd}", "12"]


def test_without_a_model_echo_answers_and_the_file_says_so(export, asked):
    """The configuration runs as it is, and nobody takes its figures for a model's."""
    text = render_promptfoo(export(asked=[asked()], model=None))
    assert yaml.safe_load(text)["providers"] == ["echo"]
    assert "# No model was named: the echo provider" in text


def test_tests_need_labelled_examples(export):
    """Without examples there is nothing to test."""
    with pytest.raises(UsageError, match="--split or --data"):
        render_promptfoo(export())


def test_what_promptfoo_would_replace_is_refused(export, asked):
    """The environment in an example, and an address as a label."""
    with pytest.raises(DataError, match='example "g-1" holds'):
        render_promptfoo(export(asked=[asked(text="my {{ env.HOME }}")]))
    with pytest.raises(TemplateError, match="would load it"):
        render_promptfoo(export(asked=[asked(label="file://x")]))
    with pytest.raises(TemplateError, match="user.j2"):
        render_promptfoo(export(asked=[asked()], template="user.j2 does more"))


def test_fields_of_any_name(export, asked):
    """Names that are no variables are looked up in the object."""
    made = export(
        fields=("my-field",),
        template=(Field("my-field"),),
        turns=[Turn("a", "yes")],
        asked=[asked()],
    )
    raw = yaml.safe_load(render_promptfoo(made))["prompts"][0]["raw"]
    assert json.loads(raw)[-1]["content"] == '{{ input["my-field"] }}'
