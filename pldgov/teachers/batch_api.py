"""A live batch API: files up, a look now and then, answers down.

What was submitted stands in ``batches.json`` in the run's folder. A batch carries the digest of
its file as metadata, so that one which was created, but not noted before the process died, is
found again and not paid for twice.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pldgov.backends import missing_package
from pldgov.endpoint.options import NO_KEY, read_key
from pldgov.errors import ProviderError, StorageError
from pldgov.files import write_atomically
from pldgov.fingerprint import digest_file
from pldgov.teachers.batch_files import URL, lines_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from pathlib import Path

    from openai import OpenAI
    from openai.types import Batch

    from pldgov.teachers.batch import BatchOptions

STATE: Final = "batches.json"
METADATA_KEY: Final = "pldgov"
ENDED: Final = ("completed", "failed", "expired", "cancelled")
MOST_LISTED: Final = 1_000
"""How many of the account's latest batches are looked at for one that was not noted."""


class BatchApi:
    """The batches of one run, by the file that each was made from."""

    def __init__(self, options: BatchOptions, *, place: str, folder: Path) -> None:
        self._options = options
        self._place = place
        self._folder = folder
        self._state = self._load()

    def has_ended(self, requests: Path) -> bool:
        """Tell whether the batch of a file of requests has ended, and its answers are here."""
        return self._state.get(requests.name, {}).get("status") in ENDED

    def answers_ended(self, answers: Path) -> bool:
        """Tell whether a file of answers is that of a batch which has ended."""
        return any(answers == self._answers(name) for name in self._state)

    def submit(self, files: Sequence[Path], wanted: Container[str]) -> None:
        """Submit what is ``wanted`` of each file, and wait up to ``max_wait`` for the answers.

        A file is submitted once. Raises ``ProviderError`` when the endpoint cannot be reached,
        or refuses a file.
        """
        until = time.monotonic() + self._options.max_wait
        with self._client() as client:
            for path in files:
                data = b"" if path.name in self._state else lines_of(path, wanted)
                if data:
                    self._note(path, self._find(client, path) or self._create(client, path, data))
            while waiting := [path for path in files if self._is_under_way(path)]:
                for path in waiting:
                    self._look(client, path)
                left = until - time.monotonic()
                if left <= 0:
                    return
                if any(map(self._is_under_way, waiting)):
                    time.sleep(min(self._options.poll_seconds, left))

    def _is_under_way(self, requests: Path) -> bool:
        return requests.name in self._state and not self.has_ended(requests)

    def _create(self, client: OpenAI, path: Path, data: bytes) -> Batch:
        uploaded = client.files.create(file=(path.name, data), purpose="batch")
        # Not tried again: a request that got through, and whose reply did not, would be paid twice.
        return client.with_options(max_retries=0).batches.create(
            input_file_id=uploaded.id,
            endpoint=URL,
            completion_window="24h",
            metadata={METADATA_KEY: digest_file(path)},
        )

    def _find(self, client: OpenAI, path: Path) -> Batch | None:
        """Return the batch that was made from this file already, None if there is none."""
        wanted = digest_file(path)
        for batch in islice(client.batches.list(limit=100), MOST_LISTED):
            if (batch.metadata or {}).get(METADATA_KEY) == wanted and batch.status != "failed":
                return batch
        return None

    def _look(self, client: OpenAI, path: Path) -> None:
        """Ask how a batch does; when it has ended, fetch its answers and then note it."""
        batch = client.batches.retrieve(self._state[path.name]["id"])
        if batch.status in ENDED:
            parts = [
                client.files.content(file_id).read()
                for file_id in (batch.output_file_id, batch.error_file_id)
                if file_id
            ]
            if parts:
                data = b"".join(part.rstrip(b"\n") + b"\n" for part in parts if part.strip())
                write_atomically(self._answers(path.name), data)
            self._note(path, batch)
        if batch.status == "failed":
            errors = (batch.errors.data or []) if batch.errors else []
            said = "; ".join(error.message or error.code or "" for error in errors)
            raise ProviderError(
                f"the batch of {path.name} failed: {said or 'no reason is given'}",
                where=self._options.base_url,
                hint="put the settings right and run again: its requests are then written anew",
            )

    def _answers(self, requests: str) -> Path:
        return self._folder / requests.replace("requests-", "answers-", 1)

    def _note(self, path: Path, batch: Batch) -> None:
        self._state[path.name] = {"id": batch.id, "status": batch.status}
        text = json.dumps(self._state, indent=2, sort_keys=True) + "\n"
        write_atomically(self._folder / STATE, text.encode())

    def _load(self) -> dict[str, dict[str, str]]:
        path = self._folder / STATE
        try:
            state: Any = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise StorageError(f"cannot be read: {error}", where=str(path)) from error
        return {str(name): dict(each) for name, each in state.items()}

    @contextmanager
    def _client(self) -> Iterator[OpenAI]:
        try:
            import openai  # noqa: PLC0415  (takes 0.7 s)
        except ModuleNotFoundError as error:
            raise missing_package(error, extra="openai", where=self._place) from error
        options, key = self._options, read_key(self._options, where=self._place)
        client = openai.OpenAI(
            base_url=options.base_url,
            api_key=key,
            timeout=options.timeout,
            max_retries=options.max_retries,
            # A proxy for the outside world is no way to a server on this machine.
            http_client=openai.DefaultHttpxClient(trust_env=not options.is_loopback),
        )
        try:
            with client:
                yield client
        except openai.APIError as error:
            said = str(error).replace(key, "[key]") if key != NO_KEY else str(error)
            raise ProviderError(
                f"the batch API failed: {said[:500]}",
                where=options.base_url,
                hint="what was submitted is noted; the next run goes on from there",
            ) from None
