"""The audit pack: complete, checkable, the same every time, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import zipfile

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pldgov.cli import cli
from pldgov.report.audit.tables import cell, table


@pytest.fixture
def pack(taught, report, tmp_path):
    """Write the pack and return its folder."""
    folder = tmp_path / "pack"
    result = report(taught, "desk", "--audit", "-o", folder)
    assert result.exit_code == 0, result.output
    assert "pack.zip: 2 rules, 60 examples, macro-F1 0.975 (recorded)" in result.output
    return folder


def rows(folder, name):
    """Return a table's rows as mappings."""
    return list(csv.DictReader(io.StringIO((folder / name).read_text())))


def test_it_holds_every_part(pack):
    """Rulebook, prompt, manifest, templates, tables, page and index are there, and no more."""
    found = {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()}
    assert found == {
        "README.md", "SHA256SUMS", "approvals.csv", "baselines.csv", "files.csv", "manifest.json",
        "prompt.json", "prompt.txt", "provenance.csv", "report.html", "rulebook.yaml", "rules.csv",
        "templates/plain.j2", "templates/user.j2", "verdicts.csv",
    }  # fmt: skip
    for name in found - {"README.md", "SHA256SUMS"}:
        assert f"| `{name}` |" in (pack / "README.md").read_text(), name


def test_the_index_tells_what_changed_and_its_notes_apart(edited, report, tmp_path):
    """The verdict since the base, where one was named; a note is a quotation by itself."""
    result = report(edited, "desk", "--audit", "--base", "main", "-o", tmp_path / "since")
    assert result.exit_code == 0, result.output
    index = (tmp_path / "since" / "README.md").read_text()
    assert "- Since main@" in index
    assert ": REGRESSED, macro-F1 fell by" in index
    assert "> The figures are of another prompt" in index
    assert ">\n" not in index
    assert report(edited, "desk", "--audit", "-o", tmp_path / "alone").exit_code == 0
    assert "Since" not in (tmp_path / "alone" / "README.md").read_text()


def test_its_sums_are_right_and_the_zip_is_the_folder(pack):
    """Each file has the digest that is written down, in the folder and in the zip."""
    sums = dict(
        reversed(line.split("  ")) for line in (pack / "SHA256SUMS").read_text().splitlines()
    )
    with zipfile.ZipFile(pack.with_name("pack.zip")) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert set(names) == {*sums, "SHA256SUMS"}
        for name, digest in sums.items():
            data = (pack / name).read_bytes()
            assert hashlib.sha256(data).hexdigest() == digest
            assert archive.read(name) == data


def test_it_is_the_same_in_another_place_at_another_time(taught, report, tmp_path):
    """Two clones of one commit give the same zip, byte for byte, under any folder's name."""
    zips = []
    for number, name in enumerate(("here", "elsewhere")):
        clone = tmp_path / f"clone-{number}"
        taught.git("clone", "--quiet", str(taught.root), str(clone))
        shutil.copytree(taught.root / "recordings", clone / "recordings")
        there = type(taught)(clone)
        assert report(there, "desk", "--audit", "-o", tmp_path / name).exit_code == 0
        zips.append((tmp_path / f"{name}.zip").read_bytes())
    assert zips[0] == zips[1]


def test_prompt_and_manifest_are_those_of_render(pack, taught, tmp_path, monkeypatch):
    """The pack and `pldgov render` say the same, to the byte."""
    monkeypatch.chdir(taught.root)
    for name, more in (("prompt.txt", ()), ("prompt.json", ("--format", "json"))):
        arguments = ["render", "desk", "-o", str(tmp_path / name), *more]
        manifest = tmp_path / f"{name}.manifest"
        assert CliRunner().invoke(cli, [*arguments, "--manifest", str(manifest)]).exit_code == 0
        assert (pack / name).read_bytes() == (tmp_path / name).read_bytes()
        assert (pack / "manifest.json").read_bytes() == manifest.read_bytes()
    assert (pack / "rulebook.yaml").read_bytes() == taught.rulebook.read_bytes()


def test_provenance_names_each_citation(pack, taught):
    """A row has the rule, the example, the digest that is pinned, and whether it is there."""
    book = yaml.safe_load(taught.rulebook.read_text())
    cited = book["rules"][0]["provenance"]["examples"][0]
    assert rows(pack, "provenance.csv")[0] == {
        "rule": "r-01",
        "origin": "hand-written",
        "example": cited["id"],
        "role": "support",
        "sha256": cited["sha256"],
        "label": "fraud",
        "in split": "yes",
        "state": "as cited",
        "teacher": "",
        "date": "",
        "run": "",
    }


def test_provenance_tells_what_is_wrong_with_citations(taught, report, tmp_path):
    """An example that is not there, is not pinned or was changed is told, with the teacher."""
    book = yaml.safe_load(taught.rulebook.read_text())
    book["rules"][0]["provenance"] = {
        "origin": "distilled",
        "teacher": {"model": "teacher-1", "mode": "openai", "date": "2026-11-20", "run_id": "r1"},
        "examples": [
            {"id": "t-99"},
            {"id": "t-00"},
            {"id": "t-02", "sha256": "0" * 64, "role": "counter"},
        ],
    }
    book["rules"][1]["provenance"] = {"origin": "imported"}
    taught.rulebook.write_text(yaml.safe_dump(book, sort_keys=False))
    assert report(taught, "desk", "--audit", "-o", tmp_path / "pack").exit_code == 0
    told = rows(tmp_path / "pack", "provenance.csv")
    assert [(row["state"], row["in split"]) for row in told] == [
        ("not found", "no"),
        ("not pinned", "yes"),
        ("changed since", "yes"),
        ("cites no example", ""),
    ]
    assert [row["teacher"] for row in told] == ["teacher-1"] * 3 + [""]
    assert (told[0]["date"], told[0]["run"]) == ("2026-11-20", "r1")


def test_approvals_say_what_they_are_worth(taught, report, tmp_path, monkeypatch):
    """Approved, voided by a later change, and never approved are told apart."""
    monkeypatch.chdir(taught.root)
    done = CliRunner().invoke(
        cli, ["approve", "desk", "r-01", "r-02", "--by", "Ann <ann@example.org>"]
    )
    assert done.exit_code == 0, done.output
    book = yaml.safe_load(taught.rulebook.read_text())
    book["rules"][0]["instruction"] = "Another wording."
    book["rules"].append({**book["rules"][1], "id": "r-03", "review": None})
    del book["rules"][2]["review"]
    taught.rulebook.write_text(yaml.safe_dump(book, sort_keys=False))
    assert report(taught, "desk", "--audit", "-o", tmp_path / "pack").exit_code == 0
    told = rows(tmp_path / "pack", "approvals.csv")
    assert [row["approval"] for row in told] == ["void", "valid", "none"]
    assert [row["by"] for row in told] == ["Ann <ann@example.org>"] * 2 + [""]


def test_measurements_are_told_over_time(pack):
    """Verdicts follow the commits, baselines the ledger, files their digests."""
    first, second = rows(pack, "verdicts.csv")
    assert (first["verdict"], second["verdict"]) == ("", "PASS")
    assert float(first["macro-F1"]) < float(second["macro-F1"])
    assert [row["reason"] for row in rows(pack, "baselines.csv")] == ["first", "second"]
    files = {row["file"] for row in rows(pack, "files.csv")}
    assert "rulebooks/desk/evidence/ledger.jsonl" in files
    assert "rulebooks/desk/teacher/extract.jsonl" in files


def test_a_pack_is_not_mixed_with_other_files(taught, report, tmp_path):
    """A folder that holds anything else is refused; the same pack can be written again."""
    folder = tmp_path / "pack"
    assert report(taught, "desk", "--audit", "-o", folder).exit_code == 0
    assert report(taught, "desk", "--audit", "-o", folder).exit_code == 0
    (folder / "old.csv").write_text("left over")
    result = report(taught, "desk", "--audit", "-o", folder)
    assert result.exit_code == 2
    assert "holds old.csv, no part of this pack" in result.output


def test_without_the_examples_that_the_prompt_shows_there_is_no_prompt(
    taught, obtained, report, tmp_path
):
    """The pack then says so instead of holding another prompt."""
    obtained.obtain(taught, prompt={"template": "showing.j2", "user_template": "user.j2"})
    obtained.lose(taught)
    result = report(taught, "desk", "--audit", "-o", tmp_path / "pack")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "pack/prompt.json").exists()
    assert "The prompt cannot be rendered here" in (tmp_path / "pack/README.md").read_text()


def test_a_prompt_that_shows_withheld_examples_is_withheld(taught, obtained, report, tmp_path):
    """No file of the pack holds a text that is kept out of git; the manifest still pins it."""
    obtained.obtain(taught, prompt={"template": "showing.j2", "user_template": "user.j2"})
    texts = [
        json.loads(line)["text"].encode()
        for file in sorted((taught.root / "rulebooks/desk/examples").iterdir())
        for line in file.read_text().splitlines()
    ]
    assert report(taught, "desk", "--audit", "-o", tmp_path / "pack").exit_code == 0
    data = (tmp_path / "pack.zip").read_bytes()
    assert not [text for text in texts if text in data]
    assert b"Its text is left out: it shows 2 examples." in data
    digest = json.loads((tmp_path / "pack/manifest.json").read_text())["prompt"]["sha256"]
    assert digest in (tmp_path / "pack/report.html").read_text()
    assert report(taught, "desk", "--audit", "--texts", "-o", tmp_path / "full").exit_code == 0
    assert texts[0] in (tmp_path / "full/report.html").read_bytes()
    assert (tmp_path / "full/prompt.json").exists()


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", " =1", "\u00a0=1", "\uff1d1"]
)
def test_a_cell_is_never_a_formula(text):
    """What a spreadsheet would compute gets an apostrophe before it."""
    assert cell(text).startswith("'")


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2)))
def test_tables_come_back_as_they_were_written(content):
    """Quotes, commas and line ends do not break a row; cells are those that were given."""
    written = table(("a", "b"), content)
    assert list(csv.reader(io.StringIO(written, newline="")))[1:] == [
        [cell(one) for one in row] for row in content
    ]


def test_numbers_stay_numbers():
    """A figure keeps every digit, and a negative one is no formula."""
    assert (cell(-0.1), cell(3), cell(None), json.loads(cell(0.1 + 0.2))) == (
        "-0.1",
        "3",
        "",
        0.1 + 0.2,
    )


def test_the_index_is_plain_whatever_the_rulebook_is_called(taught, report, tmp_path):
    """No title or owner becomes markup, a link or an image where the index is rendered."""
    from markdown_it import MarkdownIt

    evil = (
        "# A <script>x</script> ![i](https://example.org/x.png) `b` | **c** [d](https://e.org)\n- f"
    )
    taught.write_rulebook(title=evil, owner=f"{evil}\u202e")
    taught.write("templates/a | `b`.j2", "x")
    assert report(taught, "desk", "--audit", "-o", tmp_path / "pack").exit_code == 0
    text = (tmp_path / "pack/README.md").read_text()
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert not {"<script", "<img", "<a ", "<strong"} & {
        page[i : i + n] for n in (3, 4, 7, 8) for i in range(len(page))
    }
    assert "\u202e" not in text
    assert page.count("<h1>") == 1
    assert page.count("<li>") == text.count("\n- ")
