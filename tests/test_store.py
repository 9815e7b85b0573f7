"""The answer store: kept by key, shared by processes, clear when it cannot be used."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from filelock import FileLock

import pldgov.store as store_module
from pldgov.answer_lines import AnswerKey, read_lines
from pldgov.errors import DataError, StorageError
from pldgov.results import Answer
from pldgov.store import Store

SCORED = Answer("fraud", {"fraud": -0.1, "card": -2.5}, "log-likelihood", None, 12, 3, 0.25, 1)
SPOKEN = Answer(None, raw='no "label"\n here: zażółć 🙂', tokens_out=9)


@pytest.fixture
def store(tmp_path):
    """Open a new, empty store."""
    with Store(tmp_path / "deep" / "store.sqlite") as opened:
        yield opened


def test_an_answer_comes_back_as_it_was(store):
    """Every field of a scored and of an invalid answer survives, to the last bit."""
    store.put("p", "s", {"a": SCORED, "b": SPOKEN})
    assert store.get("p", "s", ["a", "b", "c"]) == {"a": SCORED, "b": SPOKEN}


@pytest.mark.parametrize(
    ("prompt", "student", "repeat"), [("q", "s", 0), ("p", "t", 0), ("p", "s", 1)]
)
def test_every_part_of_the_key_counts(store, prompt, student, repeat):
    """Another prompt, student or repeat is another answer: repeats never collapse."""
    store.put("p", "s", {"a": SCORED})
    assert store.get(prompt, student, ["a"], repeat=repeat) == {}
    store.put(prompt, student, {"a": SPOKEN}, repeat=repeat)
    assert store.get("p", "s", ["a"]) == {"a": SCORED}


def test_a_later_answer_replaces_the_earlier_one(store):
    """Putting under the same key keeps the newest answer."""
    store.put("p", "s", {"a": SCORED})
    store.put("p", "s", {"a": SPOKEN})
    assert store.get("p", "s", ["a"]) == {"a": SPOKEN}


def test_ten_thousand_inputs_are_found_in_chunks(store):
    """More inputs than one query may name are all found, and repeated ones are no trouble."""
    answers = {f"{index:064x}": SCORED for index in range(10_000)}
    store.put("p", "s", answers)
    assert store.get("p", "s", [*answers, *list(answers)[:5], "missing"]) == answers


def test_answers_outlive_the_store_object(tmp_path):
    """A second store on the same path finds what the first has put."""
    path = tmp_path / "store.sqlite"
    with Store(path) as first:
        first.put("p", "s", {"a": SCORED})
        with Store(path) as second:
            assert second.get("p", "s", ["a"]) == {"a": SCORED}
    with Store(path) as third:
        assert third.get("p", "s", ["a"]) == {"a": SCORED}


def test_a_text_that_utf8_cannot_hold_is_kept(store):
    """A lone surrogate in a student's text neither fails nor is lost."""
    odd = Answer(None, raw="half \ud83d")
    store.put("p", "s", {"a": odd})
    assert store.get("p", "s", ["a"]) == {"a": odd}


WRITER = """
import sys
from pathlib import Path
from pldgov.results import Answer
from pldgov.store import Store
with Store(Path(sys.argv[1])) as store:
    for index in range(40):
        store.put("p", sys.argv[2], {f"{index}": Answer("x", tokens_in=index)})
        store.put("p", "shared", {f"{index}": Answer("x")})
"""


def test_processes_write_to_one_new_store_at_once(tmp_path):
    """Four processes create and fill the same file together; no answer is lost."""
    path = tmp_path / "new" / "store.sqlite"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), f"s{number}"])
        for number in range(4)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0, 0]
    with Store(path) as store:
        assert store.info().answers == 5 * 40
        assert store.get("p", "s3", ["39"]) == {"39": Answer("x", tokens_in=39)}


def test_a_new_store_is_prepared_by_one_process_at_a_time(tmp_path, monkeypatch):
    """Setting up waits for the lock beside the file; an existing store is opened without it."""
    monkeypatch.setattr(store_module, "BUSY_SECONDS", 0.1)
    path = tmp_path / "store.sqlite"
    with FileLock(f"{path}.lock"), pytest.raises(StorageError, match="preparing the store"):
        Store(path)
    Store(path).close()
    with FileLock(f"{path}.lock"), Store(path) as store:
        assert store.info().answers == 0


def test_threads_share_one_store(store):
    """Threads may put and get through one object."""

    def work(number):
        store.put("p", "s", {f"{number}": SCORED})
        return store.get("p", "s", [f"{number}"])

    with ThreadPoolExecutor(8) as pool:
        assert all(list(pool.map(work, range(100))))
    assert store.info().answers == 100


def test_info_counts_and_dates(store):
    """Info tells answers, prompts, students, bytes and age."""
    assert store.info().answers == 0
    assert store.info().oldest is None
    store.put("p", "s", {"a": SCORED, "b": SPOKEN})
    store.put("q", "s", {"a": SCORED})
    info = store.info()
    assert (info.answers, info.prompts, info.students) == (3, 2, 1)
    assert info.size > 0
    assert info.oldest <= info.newest


def test_clear_removes_what_fits_every_filter(store):
    """Filters take digests or their beginnings, and are combined."""
    store.put("p1", "s", {"a": SCORED, "b": SCORED})
    store.put("p2", "t", {"a": SCORED})
    assert store.clear(prompt="p1", student="t") == 0
    assert store.clear(prompt="p1") == 2
    assert store.clear(older_than=timedelta(hours=1)) == 0
    assert store.clear(older_than=timedelta(seconds=-1)) == 1
    assert store.info().answers == 0


def test_clear_without_a_filter_empties_the_store(store):
    """All answers go when no filter is given, and the store still works."""
    store.put("p", "s", {"a": SCORED})
    assert store.clear() == 1
    store.put("p", "s", {"a": SPOKEN})
    assert store.info().answers == 1


def exported(store, **filters):
    stream = io.StringIO()
    store.export(stream, **filters)
    return stream.getvalue()


def test_export_is_sorted_and_the_same_whatever_the_order_of_writing(tmp_path):
    """Two stores with the same answers export the same bytes, sorted by key."""
    texts = []
    for number, keys in enumerate((["b", "a"], ["a", "b"])):
        with Store(tmp_path / f"{number}.sqlite") as store:
            for key in keys:
                store.put("p", "s", {key: SCORED})
                store.put("o", "s", {key: SPOKEN}, repeat=1)
            texts.append(exported(store))
    assert texts[0] == texts[1]
    keys = [(v["prompt"], v["input"], v["repeat"]) for v in map(json.loads, texts[0].splitlines())]
    assert keys == [("o", "a", 1), ("o", "b", 1), ("p", "a", 0), ("p", "b", 0)]


def test_a_line_of_the_export_has_the_documented_form(store):
    """A line holds prompt, student, input, repeat and the answer, and nothing else."""
    store.put("p", "s", {"a": SPOKEN})
    line = json.loads(exported(store))
    assert list(line) == ["prompt", "student", "input", "repeat", "answer"]
    assert line["answer"]["raw"] == SPOKEN.raw
    assert "zażółć" in exported(store)


def test_export_filters_by_the_beginning_of_digests(store):
    """Only the prompt and student asked for are exported."""
    store.put("p1", "s1", {"a": SCORED})
    store.put("p2", "s2", {"a": SCORED})
    assert '"p2"' not in exported(store, prompt="p1")
    assert '"p1"' not in exported(store, student="s2")
    assert exported(store, prompt="p1", student="s2") == ""


def test_import_gives_back_what_export_wrote(store, tmp_path):
    """A round trip through the file loses nothing, and a second import adds nothing."""
    store.put("p", "s", {"a": SCORED, "b": SPOKEN}, repeat=2)
    text = exported(store)
    with Store(tmp_path / "other.sqlite") as other:
        assert other.import_(io.StringIO(text)).added == 2
        again = other.import_(io.StringIO(text))
        assert (again.added, again.unchanged, again.conflicts) == (0, 2, ())
        assert exported(other) == text


@pytest.mark.parametrize(("replace", "kept"), [(False, SCORED), (True, SPOKEN)])
def test_a_conflict_is_reported_and_the_older_answer_stays_unless_told(store, replace, kept):
    """Another answer under the same key is named; --replace decides which stays."""
    store.put("p", "s", {"a": SPOKEN})
    text = exported(store)
    store.put("p", "s", {"a": SCORED})
    counts = store.import_(io.StringIO(text), replace=replace)
    assert counts.conflicts == (AnswerKey("p", "s", "a", 0),)
    assert store.get("p", "s", ["a"]) == {"a": kept}


def test_another_duration_is_no_conflict(store):
    """The seconds an answer took do not make it another answer."""
    store.put("p", "s", {"a": Answer("x", seconds=1.0)})
    text = exported(store)
    store.put("p", "s", {"a": Answer("x", seconds=2.0)})
    assert store.import_(io.StringIO(text)).unchanged == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("<<<<<<< HEAD", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"prompt": "p", "student": "s", "answer": {"label": null}}', "has the keys"),
        ('{"prompt": "p", "student": "s", "input": "a", "answer": {"label": 1}}', "label"),
        ('{"prompt": "p", "student": 7, "input": "a", "answer": {"label": null}}', "must be text"),
        (
            '{"prompt": "p", "student": "s", "input": "a", "repeat": -1, "answer": {"label": null}}',
            "must be a count",
        ),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_imported(store, line, message):
    """An import that fails at line 3 leaves the store as it was and says where."""
    good = '{"prompt": "p", "student": "s", "input": "a", "answer": {"label": "x"}}'
    with pytest.raises(DataError, match=message) as caught:
        store.import_(io.StringIO(f"{good}\n\n{line}\n"))
    assert caught.value.where.endswith(":3")
    assert store.info().answers == 0


def test_lines_without_repeat_count_as_the_first_asking():
    """``repeat`` may be left out of a hand-written line."""
    line = '{"prompt": "p", "student": "s", "input": "a", "answer": {"label": "x"}}'
    assert read_lines([line], name="f") == ((AnswerKey("p", "s", "a", 0), Answer("x")),)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    """A corrupt file is named with advice, and is not overwritten."""
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"this is not SQLite at all" * 100)
    with pytest.raises(StorageError, match=r"store\.sqlite.*move it away"):
        Store(path)
    assert path.read_bytes().startswith(b"this is not")


def test_a_damaged_page_is_reported(tmp_path):
    """Damage inside a store is an error with advice, not a wrong answer."""
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.put("p", "s", {f"{index:064x}": SCORED for index in range(2000)})
    data = bytearray(path.read_bytes())
    data[4096:-1] = b"\xff" * (len(data) - 4097)
    path.write_bytes(data)
    with Store(path) as store, pytest.raises(StorageError, match="malformed"):
        store.get("p", "s", [f"{index:064x}" for index in range(2000)])


def test_a_database_of_something_else_is_left_alone(tmp_path):
    """Another program's SQLite file gets no table of ours."""
    path = tmp_path / "store.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StorageError, match="not one of pldgov"):
        Store(path)


def test_a_store_of_a_newer_pldgov_is_refused(tmp_path):
    """A newer schema is said with both versions, and nothing is changed."""
    path = tmp_path / "store.sqlite"
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match=r"schema 99.*upgrade pldgov"):
        Store(path)


def test_an_answer_that_cannot_be_read_is_named(tmp_path):
    """A stored text that is no answer is an error that names the input."""
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.put("p", "s", {"abc": SCORED})
        connection = sqlite3.connect(path)
        connection.execute("UPDATE answers SET answer = '{'")
        connection.commit()
        connection.close()
        with pytest.raises(StorageError, match="input abc"):
            store.get("p", "s", ["abc"])


def test_a_store_held_too_long_says_so(tmp_path, monkeypatch):
    """A writer that never lets go ends in an error that says another process holds the store."""
    monkeypatch.setattr(store_module, "BUSY_SECONDS", 0.1)
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="another process holds it"):
            store.put("p", "s", {"a": SCORED})
        other.execute("ROLLBACK")
        other.close()
        store.put("p", "s", {"a": SCORED})
        assert store.info().answers == 1


def test_a_full_disk_keeps_what_was_stored(store):
    """When there is no room the error says so, all of that put is undone, and the rest stays."""
    store.put("p", "s", {"a": SCORED})
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StorageError, match="make room"):
        store.put("p", "s", {f"{index:064x}": SPOKEN for index in range(1000)})
    assert store.info().answers == 1
    assert store.get("p", "s", ["a"]) == {"a": SCORED}


def test_a_place_that_cannot_be_written_says_how_to_choose_another(tmp_path):
    """A path below a file is an error that names --store and PLDGOV_STORE."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match=r"--store, PLDGOV_STORE"):
        Store(tmp_path / "file" / "store.sqlite")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_folder_says_how_to_choose_another(tmp_path):
    """A folder without write permission is an error that names --store and PLDGOV_STORE."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match=r"--store, PLDGOV_STORE"):
            Store(tmp_path / "store.sqlite")
    finally:
        tmp_path.chmod(0o700)


def test_a_read_only_database_says_how_to_choose_another(store):
    """A write that SQLite refuses as read-only is an error that names the setting."""
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StorageError, match=r"readonly.*PLDGOV_STORE"):
        store.put("p", "s", {"a": SCORED})


def test_closing_twice_is_fine(tmp_path):
    """``close`` may be called again."""
    store = Store(tmp_path / "store.sqlite")
    store.close()
    store.close()
