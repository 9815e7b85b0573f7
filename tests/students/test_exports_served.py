"""What `pldgov render --format openai-*` writes is answered by the real `transformers serve`."""

from __future__ import annotations

import json
import urllib.request

import pytest

pytestmark = pytest.mark.slow


def post(url: str, body: object) -> dict:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=120) as reply:
        return json.load(reply)


def test_an_exported_request_is_answered(transformers_server, repository, tmp_path):
    """Every field of the file is one that the server takes; the answer is text."""
    from click.testing import CliRunner

    from pldgov.cli import cli

    file = tmp_path / "request.json"
    text = "text=My card was swallowed by the machine."
    arguments = ["render", str(repository / "rulebooks/desk-routing"), "-o", str(file)]
    arguments += ["--format", "openai-request", "--input", text]
    done = CliRunner().invoke(cli, [*arguments, "--model", transformers_server.model])
    assert done.exit_code == 0, done.output
    body = json.loads(file.read_text("utf-8"))
    said = post(f"{transformers_server.url}/chat/completions", body | {"max_tokens": 8})
    assert said["choices"][0]["message"]["content"]


def test_an_exported_batch_is_answered_line_by_line(transformers_server, repository, tmp_path):
    """Each line's body goes to its url, and the answers are labels of the task."""
    from click.testing import CliRunner

    from pldgov.cli import cli

    file, data = tmp_path / "batch.jsonl", tmp_path / "data.jsonl"
    rows = (repository / "rulebooks/desk-routing/examples/gate.jsonl").read_text("utf-8")
    data.write_text("\n".join(rows.splitlines()[:2]), "utf-8")
    arguments = ["render", str(repository / "rulebooks/desk-routing"), "-o", str(file)]
    arguments += ["--format", "openai-batch", "--data", str(data)]
    done = CliRunner().invoke(cli, [*arguments, "--model", transformers_server.model])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert len(lines) == 2
    root = transformers_server.url.removesuffix("/v1")
    answers = [
        post(root + line["url"], line["body"] | {"max_tokens": 8})["choices"][0]["message"]
        for line in lines
    ]
    labels = ("card", "loan", "transfer", "login", "savings")
    assert all(one["content"].strip().startswith(labels) for one in answers), answers
