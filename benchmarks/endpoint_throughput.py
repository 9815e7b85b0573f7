"""Time the chat student against a mock server that takes 20 ms over every answer.

    python benchmarks/endpoint_throughput.py [--requests 2000] [--concurrency 64]

The server is a process of its own. Prints requests per second and the client's processor seconds
per 1,000 requests, best of three, for the student and for ``chat.completions.create`` of the
openai package under the same concurrency; over both transports where aiohttp is installed, with
a prompt without turns and with one that shows forty messages.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pldgov.questions import Prompt, Query, Turn
from pldgov.students.openai_chat import OpenAIStudent

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection as Pipe

DELAY = 0.02
BODY = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "alpha"},
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
    }
).encode()
REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            await asyncio.sleep(DELAY)
            writer.write(REPLY)
    writer.close()


async def _listen(pipe: Pipe) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def serve(pipe: Pipe) -> None:
    """Run the mock server, and tell its port."""
    asyncio.run(_listen(pipe))


def prompt_with(turns: int) -> Prompt:
    """Return a prompt of 4,000 characters and that many exemplars."""
    shown = tuple(Turn("A message that was labelled.", "alpha") for _ in range(turns))
    return Prompt("s" * 4000, {"alpha": "One.", "beta": "Two."}, "{{ text }}", shown)


def ask_student(url: str, turns: int, requests: int, concurrency: int) -> None:
    """Ask through the student."""
    options = {
        "kind": "openai",
        "model": "m",
        "base_url": url,
        "structured": "none",
        "concurrency": concurrency,
    }
    student = OpenAIStudent.from_options("mock", options, root=Path())
    queries = [Query(str(number), str(number), f"q{number}") for number in range(requests)]
    answers = dict(student.answer(prompt_with(turns), queries))
    assert len(answers) == requests
    assert all(answer.label == "alpha" for answer in answers.values())


def ask_package(url: str, turns: int, requests: int, concurrency: int) -> None:
    """Ask through ``chat.completions.create``."""
    asyncio.run(_ask_package(url, turns, requests, concurrency))


async def _ask_package(url: str, turns: int, requests: int, concurrency: int) -> None:
    import openai

    try:
        transport: Any = openai.DefaultAioHttpClient()
    except RuntimeError:
        transport = openai.DefaultAsyncHttpxClient()
    shown: list[Any] = list(prompt_with(turns).messages)
    numbers = iter(range(requests))

    async def work(client: openai.AsyncOpenAI) -> None:
        for number in numbers:
            messages = [*shown, {"role": "user", "content": f"q{number}"}]
            reply = await client.chat.completions.create(
                model="m", messages=messages, temperature=0, max_tokens=64
            )
            assert reply.choices[0].message.content == "alpha"

    async with openai.AsyncOpenAI(base_url=url, api_key="none", http_client=transport) as client:
        await asyncio.gather(*(work(client) for _ in range(concurrency)))


def measure(ask: Callable[[], None]) -> tuple[float, float]:
    """Return the best of three: seconds on the wall, and processor seconds of that run."""
    runs = []
    for _ in range(3):
        wall, processor = time.perf_counter(), time.process_time()
        ask()
        runs.append((time.perf_counter() - wall, time.process_time() - processor))
    return min(runs)


def run(arguments: argparse.Namespace) -> None:
    """Measure over the transport that this process can import."""
    import_module("openai")  # its 0.7 s are not the requests'
    transport = "httpx2" if sys.modules.get("aiohttp", True) is None else "aiohttp"
    pipe, end = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(end,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{pipe.recv()}/v1"
    for turns in (0, 20):
        for ask in (ask_student, ask_package):
            wall, processor = measure(
                lambda ask=ask, turns=turns: ask(
                    url, turns, arguments.requests, arguments.concurrency
                )
            )
            rate = arguments.requests / wall
            cost = 1000 * processor / arguments.requests
            name = f"{ask.__name__}, {transport}, {2 * turns} messages shown"
            print(f"{name:45} {rate:7.0f} requests/s  {cost:6.2f} CPU s per 1,000")
    server.kill()
    server.join()


def main() -> None:
    """Run once for each transport, each in its own process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--transport", choices=("aiohttp", "httpx2"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.transport == "httpx2":
        sys.modules["aiohttp"] = None  # type: ignore[assignment]  # as if it were not installed
    if arguments.transport:
        run(arguments)
        return
    print(f"{dt.datetime.now(dt.UTC):%Y-%m-%d} Python {platform.python_version()},", end=" ")
    print(f"{os.cpu_count()} processors, {platform.machine()}", flush=True)
    for transport in ("aiohttp", "httpx2"):
        subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--transport", transport], check=True
        )


if __name__ == "__main__":
    main()
