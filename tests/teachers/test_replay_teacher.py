"""The teacher of recorded replies: it gives what it has, and names what it lacks."""

import pytest

from pldgov.archive import line_of
from pldgov.distill.model import TeacherReply
from pldgov.errors import ProviderError, UsageError


def reply_to(request):
    return TeacherReply(request.digest, "recorded", "m", "batch", "2026-11-24", 10, 2)


def test_replay_gives_recorded_replies_as_they_are(open_one, tmp_path, make_requests):
    """Model, mode and day stay those of the teacher that answered."""
    requests = make_requests(3)
    for name, part in (("a", requests[:1]), ("b", requests[1:])):
        text = "".join(line_of(reply_to(request)) for request in part)
        (tmp_path / f"{name}.jsonl").write_text(text)
    teacher = open_one({"kind": "replay", "path": "*.jsonl"})
    assert list(teacher.answer(requests)) == [reply_to(request) for request in requests]
    assert teacher.price(10, 10) == 0.0
    teacher.close()


def test_replay_names_what_is_not_recorded(open_one, tmp_path, make_requests):
    """Replies that are there come first; then the error names digest and subject."""
    requests = make_requests(4)
    (tmp_path / "a.jsonl").write_text(line_of(reply_to(requests[2])))
    teacher = open_one({"kind": "replay", "path": ["a.jsonl"]})
    replies = teacher.answer(requests)
    assert next(replies).request == requests[2].digest
    with pytest.raises(ProviderError) as caught:
        next(replies)
    for part in ("extract: e-0", "and 2 more", requests[0].digest):
        assert part in str(caught.value)
    teacher.close()


def test_replay_needs_no_setting(open_one, make_requests):
    """Without a path, only the archive beside the rulebook counts: whatever is asked is missing."""
    from pldgov.teachers import BUILT_IN

    with pytest.raises(ProviderError, match="no reply is recorded"):
        list(open_one(BUILT_IN["replay"]).answer(make_requests(1)))


def test_replay_says_which_file_is_not_there(open_one, make_requests):
    """A path that leads to no file is a usage error."""
    with pytest.raises(UsageError, match=r"no file 'gone/\*\.jsonl'"):
        list(open_one({"kind": "replay", "path": "gone/*.jsonl"}).answer(make_requests(1)))
