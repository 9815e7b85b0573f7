"""One comment on a pull request, found again by its marker and edited in place."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from pldgov.errors import ProviderError
from pldgov.github.api import RefusedError, UncertainError

if TYPE_CHECKING:
    from pldgov.github.api import GitHubApi

_FORBIDDEN, _MISSING = 403, 404
_TRIES: Final = 4
_PAUSE: Final = 3.0
"""Seconds after a request of unknown outcome, doubled each time: lists lag behind what is made."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of the comment, where it is, and how many duplicates were retired."""

    action: Literal["created", "updated", "unchanged"]
    url: str
    retired: int = 0


@dataclass(frozen=True)
class StickyComment:
    """The comment of ``pull`` that begins with ``marker``.

    Ours is a comment that begins with the marker and was written by the token's own account. A
    token of Actions or of an app may not ask who it is; then the author must be a bot, which no
    person who pastes the marker is. Of several (two runs at once) the oldest is kept, on which
    all runs agree, and the others are reduced to a line that points to it.
    """

    api: GitHubApi
    repository: str
    pull: int
    marker: str

    def put(self, body: str) -> Posted:
        """Make the comment say ``body``, which begins with the marker.

        Raises ``RefusedError`` where the token may not, or there is no such pull request, and
        ``ProviderError`` where GitHub cannot be brought to it.
        """
        user = self._user()
        for attempt in range(_TRIES):
            ours = self._ours(user)
            try:
                posted = self._update(ours, body) if ours else self._create(body)
            except UncertainError:
                # It may have been made after all: look again before making another.
                if attempt == _TRIES - 1:
                    raise
                self.api.patience.wait(_PAUSE * 2**attempt, why="GitHub does not answer")
                continue
            if posted is not None:
                return posted
        raise ProviderError("the comment is deleted as often as it is found", where=self._comments)

    def _user(self) -> int | None:
        """Return the id of the token's account, None where the token may not ask."""
        try:
            answer = self.api.get("/user")
        except RefusedError as error:
            if error.status in (_FORBIDDEN, _MISSING):
                return None
            raise
        return answer.get("id") if isinstance(answer, dict) else None

    def _ours(self, user: int | None) -> list[dict[str, Any]]:
        """Return our comments, the oldest first."""
        found = [
            comment
            for comment in self.api.pages(f"{self._comments}?per_page=100")
            if str(comment.get("body") or "").lstrip().startswith(self.marker)
            and _is_by(comment.get("user") or {}, user)
        ]
        return sorted(found, key=lambda comment: int(comment["id"]))

    def _create(self, body: str) -> Posted:
        made = self.api.post(self._comments, {"body": body})
        return Posted("created", _url(made))

    def _update(self, ours: list[dict[str, Any]], body: str) -> Posted | None:
        """Edit the oldest; None where it was deleted meanwhile."""
        first, *others = ours
        url = _url(first)
        if _same(str(first["body"]), body):
            return Posted("unchanged", url, self._retire(others, url))
        try:
            self.api.patch(self._comment(first), {"body": body})
        except RefusedError as error:
            if error.status == _MISSING:
                return None
            raise
        return Posted("updated", url, self._retire(others, url))

    def _retire(self, others: list[dict[str, Any]], url: str) -> int:
        """Let no second comment stand that tells an old verdict; how many were retired."""
        retired = 0
        for comment in others:
            with contextlib.suppress(ProviderError):
                self.api.patch(self._comment(comment), {"body": f"Replaced by {url}"})
                retired += 1
        return retired

    def _comment(self, comment: dict[str, Any]) -> str:
        return f"/repos/{self.repository}/issues/comments/{int(comment['id'])}"

    @property
    def _comments(self) -> str:
        return f"/repos/{self.repository}/issues/{self.pull}/comments"


def _is_by(author: dict[str, Any], user: int | None) -> bool:
    return author.get("type") == "Bot" if user is None else author.get("id") == user


def _same(posted: str, body: str) -> bool:
    """Compare what GitHub gives back, which may have other line ends, with what we would post."""
    return posted.replace("\r\n", "\n").strip() == body.strip()


def _url(comment: Any) -> str:
    return str(comment.get("html_url") or "") if isinstance(comment, dict) else ""
