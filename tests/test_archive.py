"""The archive of teacher replies: durable, append-only, mended after a kill, small in memory."""

import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from pldgov.archive import JsonLinesArchive, line_of
from pldgov.distill.model import TeacherReply
from pldgov.errors import StorageError
from pldgov.fingerprint import digest_text


def digest(number):
    return digest_text(str(number))


def reply(number, content="said", **changes):
    base = TeacherReply(digest(number), content, "m", "openai", "2026-11-24", 10, 2, 0.5)
    return replace(base, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / "r1" / "replies.jsonl"


def kinds(archive):
    return [finding.kind for finding in archive.findings]


def test_archive_gives_back_what_was_put(path):
    """A reply is found again by digest, at once and after reopening, whatever its text."""
    texts = ["plain", "two\nlines", "\u2028 and \x85", "lone \ud800 surrogate", "", "ü" * 9]
    with JsonLinesArchive(path) as archive:
        for number, text in enumerate(texts):
            archive.put(reply(number, text))
            assert archive.get(digest(number)).content == text
    with JsonLinesArchive(path) as archive:
        assert [archive.get(digest(n)) for n in range(len(texts))] == [
            reply(n, text) for n, text in enumerate(texts)
        ]
        assert archive.get(digest(99)) is None
        assert archive.get("no digest") is None
        assert archive.findings == ()


def test_archive_keeps_the_first_reply(path):
    """A second reply to the same request is not written."""
    archive = JsonLinesArchive(path)
    archive.put(reply(1, "first"), reply(1, "second"))
    archive.put(reply(1, "third"))
    assert archive.get(digest(1)).content == "first"
    archive.close()
    assert path.read_text().count("\n") == 1


def test_archive_tells_what_this_run_spent(path, tmp_path):
    """Only replies of the run's own file count as spent, over all its processes."""
    committed = tmp_path / "committed.jsonl"
    committed.write_text(line_of(reply(7)))
    with JsonLinesArchive(path, recorded=[committed]) as archive:
        archive.put(reply(1))
    with JsonLinesArchive(path, recorded=[committed]) as archive:
        archive.put(reply(2))
        assert (archive.spent.calls, archive.spent.tokens_in, archive.spent.cost) == (2, 20, 1.0)
        assert archive.size == 3


def test_archive_cuts_off_a_torn_line(path):
    """Wherever a kill cut the last line, the replies before it stay, and new ones follow."""
    with JsonLinesArchive(path) as archive:
        archive.put(reply(1), reply(2, "a second one, with ü"))
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first + 1, len(whole)):
        path.write_bytes(whole[:cut])
        with JsonLinesArchive(path) as archive:
            complete = cut == len(whole) - 1  # only the newline is missing
            assert (archive.get(digest(2)) is not None) == complete
            assert kinds(archive) == ([] if complete else ["damaged-line"])
            archive.put(reply(3))
        with JsonLinesArchive(path) as archive:
            assert archive.get(digest(1)).content == "said"
            assert archive.get(digest(3)).content == "said"
            assert archive.findings == ()


def test_archive_leaves_committed_files_alone(path, tmp_path):
    """A torn line in a file that is only read is reported with its place, and not touched."""
    committed = tmp_path / "committed.jsonl"
    text = line_of(reply(1)) + '{"request": "'
    committed.write_text(text)
    with JsonLinesArchive(path, recorded=[committed]) as archive:
        assert archive.get(digest(1)) is not None
        (finding,) = archive.findings
    assert finding.kind == "damaged-line"
    assert finding.about == (f"{committed}:2",)
    assert committed.read_text() == text


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"request": "x"}', "has no content, model, mode, date"),
        (line_of(reply(1, request="short")).strip(), "not a SHA-256"),
        (line_of(reply(1)).replace('"said"', "3").strip(), "content: of the wrong type"),
        (line_of(reply(1)).replace(": 10", ": true").strip(), "tokens_in: of the wrong type"),
    ],
)
def test_archive_reports_lines_that_are_no_reply(path, line, reason):
    """A damaged line in the middle is passed over and told, with the reason."""
    path.parent.mkdir(parents=True)
    path.write_text(f"{line}\n\n{line_of(reply(5))}")
    with JsonLinesArchive(path) as archive:
        assert archive.get(digest(5)) is not None
        assert archive.get(digest(1)) is None
        (finding,) = archive.findings
    assert finding.kind == "damaged-line"
    assert reason in finding.message


def test_archive_merges_files_and_tells_of_conflicts(path, tmp_path):
    """The first recorded reply counts; another content is a conflict, the same one a duplicate."""
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    one.write_text(line_of(reply(1, "a")) + line_of(reply(2, "same")))
    two.write_text(line_of(reply(2, "same")) + line_of(reply(1, "b")) + line_of(reply(3)))
    with JsonLinesArchive(path, recorded=[one, two]) as archive:
        assert archive.get(digest(1)).content == "a"
        assert archive.get(digest(3)) is not None
        assert sorted(kinds(archive)) == ["conflict", "duplicate"]
        (conflict,) = (f for f in archive.findings if f.kind == "conflict")
        assert conflict.about == (digest(1),)


def test_archive_tells_digests_apart_that_begin_alike(path):
    """The index keeps 8 bytes; requests that share them still get their own replies."""
    low, high = "0" * 63 + "1", "0" * 63 + "2"
    with JsonLinesArchive(path) as archive:
        archive.put(reply(0, "one", request=low), reply(0, "two", request=high))
    with JsonLinesArchive(path) as archive:
        assert [archive.get(low).content, archive.get(high).content] == ["one", "two"]
        assert archive.findings == ()


def test_archive_without_a_file_cannot_record(tmp_path):
    """An archive of committed files only says so when a reply is to be recorded."""
    with pytest.raises(StorageError, match="no file"):
        JsonLinesArchive(recorded=[tmp_path / "absent.jsonl"]).put(reply(1))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk to write to")
def test_archive_says_when_the_disk_is_full(tmp_path):
    """A reply that cannot be written is an error that names the file."""
    (tmp_path / "full.jsonl").symlink_to("/dev/full")
    archive = JsonLinesArchive(tmp_path / "other.jsonl")
    archive._path = tmp_path / "full.jsonl"
    with pytest.raises(StorageError, match=r"full\.jsonl.*No space left"):
        archive.put(reply(1))
    archive.close()


def test_archive_keeps_each_reply_of_a_killed_process(path):
    """A process killed right after `put` returned has lost nothing."""
    code = """
import os, sys
from pathlib import Path
from pldgov.archive import JsonLinesArchive
from pldgov.distill.model import TeacherReply
archive = JsonLinesArchive(Path(sys.argv[1]))
for n in range(3):
    archive.put(TeacherReply(f"{n:064x}", "x" * 100_000, "m", "openai", "2026-11-24"))
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode != 0
    with JsonLinesArchive(path) as archive:
        assert archive.size == 3
        assert archive.findings == ()


def test_archive_memory_does_not_grow_with_the_contents(path):
    """Opening 4 MB of replies takes far less memory than the replies, and reads any of them."""
    path.parent.mkdir(parents=True)
    path.write_text("".join(line_of(reply(n, "x" * 2000)) for n in range(2000)))
    tracemalloc.start()
    with JsonLinesArchive(path) as archive:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert archive.get(digest(1999)).content == "x" * 2000
    assert peak < 400_000
