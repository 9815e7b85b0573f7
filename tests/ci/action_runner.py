"""Runs the steps of a composite action as GitHub's runner does, as far as this action needs it.

Inputs and outputs are substituted in `env` and `if`, scripts run in a real shell with files for
GITHUB_OUTPUT and GITHUB_STEP_SUMMARY, and the log is read for workflow commands. Steps that use
other actions are noted, and have the outputs that a test gives them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import yaml


@dataclass
class Run:
    """What came of a run: the job's status, each step's outputs, and what people see."""

    status: int = 0
    log: str = ""
    summary: str = ""
    ran: list[str] = field(default_factory=list)
    used: dict[str, dict[str, str]] = field(default_factory=dict)
    steps: dict[str, dict[str, str]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def commands(self) -> list[SimpleNamespace]:
        """The workflow commands that the runner would carry out, in order."""
        found, stopped = [], None
        for line in re.split(r"\r\n|\r|\n", self.log):
            text = line.lstrip()
            if stopped is not None:
                stopped = None if text == f"::{stopped}::" else stopped
                continue
            if not text.startswith("::") or "::" not in text[2:]:
                assert "##[" not in text, f"the runner's older form of a command: {text}"
                continue
            command = read_command(text)
            if command.level == "stop-commands":
                stopped = command.message
            found.append(command)
        assert stopped is None, "commands were never switched on again"
        return [one for one in found if one.level != "stop-commands"]

    def told(self, level: str) -> list[str]:
        """Return the messages of one level."""
        return [one.message for one in self.commands if one.level == level]


def read_command(line: str) -> SimpleNamespace:
    """Read a workflow command as GitHub's runner does: level, properties, message."""
    assert line.startswith("::")
    end = line.index("::", 2)
    level, _, rest = line[2:end].partition(" ")
    properties = {}
    for part in rest.strip().split(","):
        name, equals, value = part.partition("=")
        if equals:
            properties[name.strip()] = _unescape(value, ("%0D", "%0A", "%3A", "%2C", "%25"))
    message = _unescape(line[end + 2 :], ("%0D", "%0A", "%25"))
    return SimpleNamespace(level=level, properties=properties, message=message)


def _unescape(text: str, codes: tuple[str, ...]) -> str:
    for code in codes:  # %25 comes last, as in the runner
        text = text.replace(code, bytes.fromhex(code[1:]).decode())
    return text


@dataclass
class Action:
    """The action in ``folder``, run on the repository in ``workspace``."""

    folder: Path
    workspace: Path
    temp: Path
    environment: dict[str, str] = field(default_factory=dict)
    others: dict[str, dict[str, str]] = field(default_factory=dict)
    """Outputs of the steps that use other actions, by step id."""
    given: dict[str, str] = field(default_factory=dict)
    """Inputs that every run is given unless it says otherwise."""

    def run(self, **inputs: str) -> Run:
        """Run all steps; an input's name has _ where the action has -."""
        action = yaml.safe_load((self.folder / "action.yml").read_text("utf-8"))
        known = action["inputs"]
        given = self.given | {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() <= known.keys()
        values = {name: str(one.get("default", "")) for name, one in known.items()} | given
        run = Run()
        for number, step in enumerate(action["runs"]["steps"]):
            self._step(step, number, values, run)
        for name, one in action["outputs"].items():
            run.outputs[name] = self._fill(one["value"], values, run)
        return run

    def _step(self, step: dict, number: int, inputs: dict[str, str], run: Run) -> None:
        if not self._applies(str(step.get("if", "success()")), inputs, run):
            return
        name = step.get("id") or step.get("name", f"step {number}")
        run.ran.append(name)
        if "uses" in step:
            given = {key: self._fill(str(v), inputs, run) for key, v in step["with"].items()}
            run.used[step["uses"].partition("@")[0]] = given
            run.steps[name] = self.others.get(name, {})
            return
        files = {key: self.temp / f"{key}-{number}" for key in ("output", "summary")}
        for file in files.values():
            file.write_text("")
        env = {key: self._fill(str(value), inputs, run) for key, value in step["env"].items()}
        folder = self._fill(step.get("working-directory", "."), inputs, run)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.workspace / folder,
            env={
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(self.temp),
                "LANG": "C.UTF-8",
                "GITHUB_ACTION_PATH": str(self.folder),
                "GITHUB_OUTPUT": str(files["output"]),
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
                "RUNNER_TEMP": str(self.temp),
                **self.environment,
                **env,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        run.log += done.stdout.decode("utf-8", "replace")
        run.summary += files["summary"].read_text("utf-8")
        run.steps[name] = read_outputs(files["output"].read_text("utf-8"))
        run.status = run.status or done.returncode

    def _applies(self, condition: str, inputs: dict[str, str], run: Run) -> bool:
        text = condition.removeprefix("${{").removesuffix("}}").strip()
        if not re.search(r"(success|failure|cancelled|always)\(\)", text):
            text = f"success() && {text}"
        text = re.sub(
            r"(inputs|steps)\.[\w.-]+", lambda m: repr(self._value(m[0], inputs, run)), text
        )
        text = text.replace("&&", " and ").replace("!cancelled()", "True")
        return bool(eval(text, {"success": lambda: run.status == 0}))

    def _fill(self, text: str, inputs: dict[str, str], run: Run) -> str:
        return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda m: self._value(m[1], inputs, run), text)

    def _value(self, name: str, inputs: dict[str, str], run: Run) -> str:
        kind, _, rest = name.partition(".")
        if kind == "inputs":
            filled = inputs[rest]
            return self._fill(filled, inputs, run) if "${{" in filled else filled
        if kind == "steps":
            step, _, output = rest.partition(".outputs.")
            return run.steps.get(step, {}).get(output, "")
        return self.environment.get(f"_{name}", "")  # github.token and the like


def read_outputs(text: str) -> dict[str, str]:
    """Read a GITHUB_OUTPUT file as the runner does."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, end = line.split("<<", 1)
            value = []
            for row in lines:
                if row == end:
                    break
                value.append(row)
            else:
                raise AssertionError(f"{name} has no end")
            found[name] = "\n".join(value)
        elif equals >= 0:
            found[line[:equals]] = line[equals + 1 :]
        else:
            assert not line, f"the runner refuses this line: {line}"
    return found
