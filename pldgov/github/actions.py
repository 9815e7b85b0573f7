"""What GitHub Actions tells a step through its environment: repository, pull request, files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pldgov.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

API: Final = "https://api.github.com"
SUMMARY_BYTES: Final = 1_000_000
"""A step's summary may have 1 MiB; a larger one is not shown at all."""
_PULL_REF = re.compile(r"refs/pull/(\d+)/")


@dataclass(frozen=True, slots=True)
class ActionsRun:
    """One run; what its environment does not tell is None.

    ``is_event`` says that an event started it, so that no number means: no pull request.
    ``commit`` is the head of the pull request, not the merge that Actions checks out.
    """

    repository: str | None = None
    pull: int | None = None
    is_event: bool = False
    commit: str | None = None
    api: str = API
    summary: Path | None = None
    url: str | None = None


def actions_run(environment: Mapping[str, str]) -> ActionsRun:
    """Return what is known of the run; an event file that cannot be read tells nothing."""
    event = _event(environment.get("GITHUB_EVENT_PATH"))
    pull = event.get("pull_request")
    pull = pull if isinstance(pull, dict) else {}
    head = pull.get("head")
    commit = head.get("sha") if isinstance(head, dict) else None
    summary = environment.get("GITHUB_STEP_SUMMARY")
    return ActionsRun(
        repository=environment.get("GITHUB_REPOSITORY") or None,
        pull=_pull(event, environment.get("GITHUB_REF", "")),
        is_event=bool(environment.get("GITHUB_EVENT_PATH")),
        commit=commit if isinstance(commit, str) else None,
        api=environment.get("GITHUB_API_URL") or API,
        summary=Path(summary) if summary else None,
        url=_run_url(environment),
    )


def append_summary(path: Path, text: str) -> None:
    """Add Markdown to a step's summary; raises ``StorageError`` where it cannot be written."""
    try:
        with path.open("ab") as stream:
            stream.write(text.encode("utf-8", "replace"))
    except OSError as error:
        raise StorageError(
            f"the job summary cannot be written: {error.strerror}", where=str(path)
        ) from error


def summary_room(path: Path) -> int:
    """Return how many bytes a step's summary can still take."""
    try:
        return SUMMARY_BYTES - path.stat().st_size
    except OSError:
        return SUMMARY_BYTES


def _event(path: str | None) -> dict[str, Any]:
    try:
        value = json.loads(Path(path).read_bytes()) if path else {}
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _pull(event: Mapping[str, Any], ref: str) -> int | None:
    """Return the pull request's number: of its own event, of a comment on it, or of the ref."""
    pull, issue = event.get("pull_request"), event.get("issue")
    if isinstance(issue, dict) and not issue.get("pull_request"):
        issue = None  # an issue is no pull request
    for one in (pull, issue):
        number = one.get("number") if isinstance(one, dict) else None
        if isinstance(number, int) and number > 0:
            return number
    found = _PULL_REF.match(ref)
    return int(found[1]) if found else None


def _run_url(environment: Mapping[str, str]) -> str | None:
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environment.get(name) for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None
