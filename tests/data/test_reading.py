"""Reading examples: what is accepted, and what each mistake is told."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pldgov.data import rows
from pldgov.data.parsing import parse_examples
from pldgov.data.reading import read_source, require_examples
from pldgov.dataset import Example
from pldgov.errors import DataError, StorageError, UsageError


def parse(data, path="train.jsonl", inputs=("text",)):
    return parse_examples(
        data.encode() if isinstance(data, str) else data, path=path, inputs=inputs
    )


def places(problems):
    return [(one.line, one.column, one.code) for one in problems]


def line(**fields):
    return json.dumps({"id": "a", "text": "hello", "label": "x", **fields})


MISTAKES = [
    '{"id": "b", "text": "hello", "label": }',
    '["c"]',
    '{"id": "d", "text": null, "label": "x"}',
    '{"id": "e", "text": 12, "label": "x"}',
    '{"id": "f", "text": "  ", "label": ""}',
    '{"id": "g", "text": NaN, "label": "x"}',
    '{"id": "a", "text": "again", "label": "x"}',
    '{"id": "h", "text": "t", "label": "x", "label": "y"}',
    '{"id": "i", "txt": "t", "label": ["x"]}',
    '{"id": "j", "text": "\\ud83d", "label": "x"}',
]


class TestJsonLines:
    """JSON Lines, the default."""

    def test_an_example_holds_every_field(self):
        """Inputs, label and group are taken; the rest is metadata; the line is kept."""
        text = '\n{"id":"a","text":"Hi","label":"x","group":"g","why":["b",1],"clauses":null}\n'
        (example,), problems = parse(text)
        assert problems == ()
        assert example == Example("a", {"text": "Hi"}, "x", "g")
        assert example.metadata == {"why": ["b", 1], "clauses": None}
        assert example.line == 2

    def test_a_byte_order_mark_carriage_returns_and_blank_lines_do_no_harm(self):
        """Files made on Windows read as others do, with the same line numbers."""
        data = b"\xef\xbb\xbf" + f"{line()}\r\n\r\n  \r\n{line(id='b')}\r\n".encode()
        examples, problems = parse(data)
        assert problems == ()
        assert [(one.id, one.line) for one in examples] == [("a", 1), ("b", 4)]

    def test_a_line_separator_inside_a_text_does_not_end_the_line(self):
        """Only a line feed ends a line: U+2028 may stand unescaped in JSON."""
        (example,), problems = parse('{"id":"a","text":"one\u2028two\x85","label":"x"}')
        assert problems == ()
        assert example.inputs["text"] == "one\u2028two\x85"

    def test_numbers_and_truth_values_become_ids_labels_and_groups_as_written(self):
        """7 is "7", 1.50 stays "1.50" and true is "true"."""
        examples, problems = parse(
            '{"id": 7, "text": "t", "label": 1.50, "group": 3}\n'
            '{"id": 8, "text": "t", "label": true, "group": ""}'
        )
        assert problems == ()
        assert [(one.id, one.label, one.group) for one in examples] == [
            ("7", "1.50", "3"),
            ("8", "true", None),
        ]

    def test_several_inputs_keep_the_order_of_the_task(self):
        """The fields stand in the order that the task names, not in the file's."""
        (example,), _ = parse(
            '{"id":"a","sentence":"s","context":"c","label":"x"}', inputs=("context", "sentence")
        )
        assert list(example.inputs.items()) == [("context", "c"), ("sentence", "s")]

    def test_every_problem_of_a_file_is_reported_and_the_sound_rows_are_returned(self):
        """One run shows all mistakes, each with its line and column."""
        examples, problems = parse("\n".join([line(), *MISTAKES]))
        assert [one.id for one in examples] == ["a", "h"]
        assert places(problems) == [
            (2, 39, "data-json"),
            (3, 1, "data-not-object"),
            (4, 21, "data-null"),
            (5, 21, "data-not-text"),
            (6, 21, "data-empty-field"),
            (6, 36, "data-empty-field"),
            (7, 21, "data-nan"),
            (8, 1, "data-duplicate-id"),
            (9, 49, "data-duplicate-key"),
            (10, 1, "data-missing-field"),
            (10, 34, "data-not-text"),
            (11, 21, "data-surrogate"),
        ]
        told = {one.code: str(one) for one in problems}
        assert 'train.jsonl:8:1: the id "a" stands on line 1 already' in told["data-duplicate-id"]
        assert '(did you mean "txt"?)' in told["data-missing-field"]
        assert "holds \\ud83d, half of a character" in told["data-surrogate"]

    def test_a_field_that_no_row_has_is_reported_once(self):
        """A wrongly named input is one mistake, not one for each of a thousand rows."""
        examples, problems = parse("\n".join(line(id=f"a{n}") for n in range(9)), inputs=("txt",))
        assert examples == ()
        assert places(problems) == [(1, 1, "data-missing-field")]
        assert str(problems[0]) == (
            'train.jsonl:1:1: no row has the field "txt" (did you mean "text"?)'
            " [data-missing-field]"
        )

    def test_the_label_cannot_be_an_input(self):
        """A task that shows the label to the student is refused."""
        examples, problems = parse(line(), inputs=("text", "label"))
        assert examples == ()
        assert [one.code for one in problems] == ["data-reserved-field"]

    @pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf"])
    def test_an_empty_file_is_a_problem(self, data):
        """No examples is never silently fine."""
        examples, problems = parse(data)
        assert examples == ()
        assert places(problems) == [(1, 1, "data-empty")]

    def test_a_line_that_is_not_utf8_is_named_with_its_column(self):
        """Other lines of the file are still read; the column counts characters."""
        bad = '{"id":"é","text":"caf'.encode() + b'\xe9","label":"x"}'
        examples, problems = parse(line().encode() + b"\n" + bad + b"\n" + line(id="c").encode())
        assert [one.id for one in examples] == ["a", "c"]
        assert places(problems) == [(2, 22, "data-not-utf8")]
        assert "byte 0xe9 is not UTF-8 (save the file as UTF-8)" in str(problems[0])

    def test_utf16_is_named_as_such(self):
        """The usual export of a spreadsheet gets one message, not one a line."""
        _, problems = parse(line().encode("utf-16"))
        assert [str(one) for one in problems] == [
            "train.jsonl:1:1: the file is UTF-16 (save it as UTF-8) [data-not-utf8]"
        ]

    def test_a_json_document_is_told_apart(self):
        """A pretty-printed document gets the advice to put one object on a line."""
        _, problems = parse("[\n" + line() + "\n]")
        assert problems[0].hint == "a .jsonl file holds one whole object on each line"

    @pytest.mark.parametrize("value", ["[" * 100_000, "1" * 5_000], ids=["deep", "long number"])
    def test_hostile_json_is_a_problem_and_not_a_crash(self, value):
        """Endless nesting and numbers of thousands of digits are reported like any mistake."""
        examples, problems = parse(f'{{"id": "a", "more": {value}\n{line(id="b")}')
        assert [one.id for one in examples] == ["b"]
        assert [one.code for one in problems] == ["data-json"]

    def test_nan_in_metadata_becomes_null(self):
        """Metadata reaches no student, so a NaN there is only made writable."""
        (example,), problems = parse(
            '{"id":"a","text":"t","label":"x","score":NaN,"more":[Infinity,1.5]}'
        )
        assert problems == ()
        assert example.metadata == {"score": None, "more": [None, 1.5]}

    def test_a_text_that_is_the_word_nan_is_a_warning(self):
        """A missing value that another tool wrote as a word is noticed, and kept."""
        (example,), (problem,) = parse(line(text="NaN"))
        assert example.inputs == {"text": "NaN"}
        assert (problem.code, problem.severity) == ("data-nan-text", "warning")

    def test_a_key_repeated_deep_inside_is_found(self):
        """A repeated key of a nested object is named too."""
        _, problems = parse('{"id":"a","text":"t","label":"x","m":{"k":1,"k":2}}')
        assert places(problems) == [(1, 1, "data-duplicate-key")]

    def test_a_file_of_nothing_but_mistakes_is_cut(self):
        """Beyond a thousand, problems are counted and not listed."""
        _, problems = parse("nonsense\n" * (rows.MAX_PROBLEMS + 5))
        assert len(problems) == rows.MAX_PROBLEMS + 1
        assert problems[-1].message == "5 more problems are not listed"


class TestCsv:
    """CSV with a header line."""

    def test_quotes_line_feeds_and_commas_are_read(self):
        """A row's line is the one it begins on, however many it spans."""
        text = 'id,text,label,group,note\r\n1,"one,\ntwo ""three""",x,,n\r\n\r\n2,four,y,g,\r\n'
        examples, problems = parse(text, "t.CSV")
        assert problems == ()
        assert [(one.id, one.line, one.label, one.group) for one in examples] == [
            ("1", 2, "x", None),
            ("2", 5, "y", "g"),
        ]
        assert examples[0].inputs["text"] == 'one,\ntwo "three"'
        assert examples[0].metadata == {"note": "n"}

    def test_a_text_longer_than_the_csv_modules_limit_is_read(self):
        """A contract of 200,000 characters fits."""
        (example,), problems = parse(f"id,text,label\n1,{'x' * 200_000},y", "t.csv")
        assert problems == ()
        assert len(example.inputs["text"]) == 200_000

    @pytest.mark.parametrize(
        ("text", "expected", "words"),
        [
            ("id;text;label\n1;a;x", (1, 1, "data-header"), "separated by semicolons"),
            ("id,text,text,label\n1,a,b,x", (1, 1, "data-header"), 'two fields "text"'),
            ("id,,text,label\n1,a,b,x", (1, 1, "data-header"), "a field without a name"),
            ("id,text,label\n1,a,b,x", (2, 1, "data-columns"), "4 fields, the header 3"),
            ('id,text,label\n1,a,x\n2,"b" c,x', (3, 1, "data-csv"), "not valid CSV"),
            ('id,text,label\n1,"a,x', (2, 1, "data-csv"), "unexpected end of data"),
            ("id,text,label\n1,,x", (2, 1, "data-empty-field"), '"text" is empty'),
            ("id,text,label\n1,b,", (2, 1, "data-empty-field"), '"label" is empty'),
            ("id,txt,label\n1,b,x", (2, 1, "data-missing-field"), 'did you mean "txt"?'),
            ("id,text,label\n", (1, 1, "data-empty"), "no examples"),
            ("", (1, 1, "data-empty"), "no examples"),
        ],
    )
    def test_each_mistake_is_told(self, text, expected, words):
        """Every way to get CSV wrong has its own message."""
        _, problems = parse(text, "t.csv")
        assert places(problems) == [expected]
        assert words in str(problems[0])

    def test_a_csv_file_that_is_not_utf8_is_a_problem(self):
        """An export in Windows-1252 is told its line."""
        examples, problems = parse(b"id,text,label\n1,caf\xe9,x\n", "t.csv")
        assert examples == ()
        assert places(problems) == [(2, 6, "data-not-utf8")]


class TestParquet:
    """Parquet, where pyarrow is installed."""

    @pytest.fixture
    def pa(self):
        return pytest.importorskip("pyarrow")

    def parquet(self, pa, columns):
        from pyarrow import parquet

        sink = pa.BufferOutputStream()
        parquet.write_table(pa.table(columns), sink)
        return sink.getvalue().to_pybytes()

    def test_rows_are_numbered_and_typed_values_become_text_or_metadata(self, pa):
        """Numbers in id and label are text; dates in metadata are ISO text."""
        import datetime as dt

        columns = {
            "id": [1, 2],
            "text": ["a", "b"],
            "label": [True, False],
            "day": [dt.date(2026, 1, 2), None],
            "score": [float("nan"), 1.0],
        }
        examples, problems = parse(self.parquet(pa, columns), "t.parquet")
        assert problems == ()
        assert [(one.id, one.label, one.line) for one in examples] == [
            ("1", "true", 1),
            ("2", "false", 2),
        ]
        assert [one.metadata for one in examples] == [
            {"day": "2026-01-02", "score": None},
            {"day": None, "score": 1.0},
        ]

    def test_null_nan_and_numbers_in_a_text_field_are_problems(self, pa):
        """Each row of a bad column is named."""
        nulls = {"id": ["a", "b"], "text": ["t", None], "label": ["x", "y"]}
        _, problems = parse(self.parquet(pa, nulls), "t.parquet")
        assert places(problems) == [(2, 1, "data-null")]
        numbers = {"id": ["a", "b"], "text": [1.0, float("nan")], "label": ["x", "y"]}
        _, problems = parse(self.parquet(pa, numbers), "t.parquet")
        assert places(problems) == [(1, 1, "data-not-text"), (2, 1, "data-nan")]

    @pytest.mark.parametrize("data", [b"", b"PAR1 nonsense PAR1", b"id,text,label"])
    def test_what_is_no_parquet_file_is_a_problem(self, pa, data):
        """A broken file is named, whatever it holds."""
        examples, problems = parse(data, "t.parquet")
        assert examples == ()
        assert places(problems) == [(1, 1, "data-parquet")]


class TestDataSets:
    """Data sets through the datasets package, from a local folder."""

    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        datasets = pytest.importorskip("datasets")
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
        (tmp_path / "data").mkdir()
        return tmp_path / "data"

    def test_the_only_split_is_read_and_rows_without_id_get_one(self, folder):
        """A data set of one split needs no #split; its rows are numbered."""
        (folder / "train.csv").write_text("text,label\none,x\ntwo,y\n")
        examples, problems = read_source(f"hf:{folder}", ["text"])
        assert problems == ()
        assert [(one.id, one.line, one.label) for one in examples] == [
            ("train-1", 1, "x"),
            ("train-2", 2, "y"),
        ]

    def test_the_split_is_chosen_after_a_hash(self, folder):
        """With several splits the spec must name one; the error says which there are."""
        (folder / "train.jsonl").write_text(line())
        (folder / "test.jsonl").write_text(line(id="t"))
        assert [one.id for one in read_source(f"hf:{folder}#test", ["text"])[0]] == ["t"]
        with pytest.raises(DataError, match=r"the splits train, test; which one\?.*#train"):
            read_source(f"hf:{folder}", ["text"])
        with pytest.raises(DataError, match="cannot be loaded: Unknown split"):
            read_source(f"hf:{folder}#gate", ["text"])

    def test_class_numbers_become_class_names(self, folder):
        """A label stored as the number of a class is read as the class's name; -1 is none."""
        import datasets

        from pldgov.data.formats.hub import read_dataset

        features = datasets.Features(
            {"id": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])}
        )
        table = datasets.Dataset.from_dict({"id": ["a", "b"], "label": [1, -1]}, features=features)
        table.to_parquet(folder / "train.parquet")
        found = read_dataset(str(folder), rows.Findings("hf:x"))
        assert [one.values["label"] for one in found] == ["yes", None]

    def test_what_cannot_be_loaded_is_a_data_error(self, folder):
        """A folder without data, a configuration that is not there: told in one line."""
        with pytest.raises(DataError, match="cannot be loaded"):
            read_source(f"hf:{folder}", ["text"])
        (folder / "train.jsonl").write_text(line())
        with pytest.raises(DataError, match="'nope' not found"):
            read_source(f"hf:{folder}:nope", ["text"])

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("ag_news", ("ag_news", None, None, None)),
            ("org/name@v1:de#test", ("org/name", "v1", "de", "test")),
            ("org/name:de", ("org/name", None, "de", None)),
            ("name#train[:10%]", ("name", None, None, "train[:10%]")),
        ],
    )
    def test_a_spec_is_taken_apart(self, text, parts):
        """Revision, configuration and split are each optional."""
        hub = pytest.importorskip("pldgov.data.formats.hub")
        name = hub.parse_name(text)
        assert (name.dataset, name.revision, name.config, name.split) == parts

    @pytest.mark.parametrize("text", ["", "#train", "name#", "name@", "name:", ":de"])
    def test_an_empty_part_is_a_usage_error(self, text):
        """A mark with nothing after it is a slip, not a default."""
        hub = pytest.importorskip("pldgov.data.formats.hub")
        with pytest.raises(UsageError, match=r"hf:<dataset>\[@revision\]"):
            hub.parse_name(text)


def test_a_file_is_read_from_its_path(tmp_path):
    """A spec without hf: is a path."""
    path = tmp_path / "train.jsonl"
    path.write_text(line())
    assert [one.id for one in require_examples(str(path), ["text"])] == ["a"]


def test_require_raises_all_errors_at_once(tmp_path):
    """Who cannot go on with problems gets them in one error."""
    path = tmp_path / "train.jsonl"
    path.write_text("x\ny\n" + line(text="nan"))
    with pytest.raises(DataError) as caught:
        require_examples(str(path), ["text"])
    assert [text.rsplit(" ", 1)[1] for text in str(caught.value).splitlines()] == [
        "[data-json]",
        "[data-json]",
    ]


def test_a_missing_file_and_a_folder_are_storage_errors(tmp_path):
    """What cannot be opened is said with the system's reason."""
    with pytest.raises(StorageError, match="No such file"):
        read_source(str(tmp_path / "none.jsonl"), ["text"])
    with pytest.raises(StorageError, match="Is a directory"):
        read_source(str(tmp_path), ["text"])


def test_an_unknown_suffix_is_a_problem():
    """The formats that can be read are named."""
    _, (problem,) = parse("", "train.jsnl")
    assert problem.code == "data-format"
    assert problem.hint == 'did you mean ".jsonl"?'
    _, (problem,) = parse("", "train.xlsx")
    assert problem.hint == "one of .jsonl, .ndjson, .csv, .parquet"


@pytest.mark.parametrize("path", ["t.jsonl", "t.csv"])
def test_too_many_rows_or_bytes_are_refused(path, monkeypatch):
    """A huge file is refused before it fills the memory."""
    monkeypatch.setattr(rows, "MAX_ROWS", 3)
    with pytest.raises(DataError, match="there are 4 rows; at most 3"):
        parse("x\n" * 4, path)
    monkeypatch.setattr(rows, "MAX_BYTES", 3)
    with pytest.raises(DataError, match="the file has 8 bytes; at most 3"):
        parse("x\n" * 4, path)


def test_a_huge_file_is_refused_unread(tmp_path):
    """A sparse file of 3 GiB is refused by its size alone."""
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as stream:
        stream.truncate(3 * 1024**3)
    with pytest.raises(DataError, match="3,221,225,472 bytes"):
        read_source(str(path), ["text"])


@pytest.mark.parametrize(
    ("module", "spec", "extra"),
    [("pyarrow", "t.parquet", "parquet"), ("datasets", "hf:name", "datasets")],
)
def test_a_missing_package_names_the_extra(module, spec, extra, tmp_path):
    """Without the package, the error says what to install."""
    (tmp_path / "t.parquet").write_bytes(b"")
    code = (
        f"import sys; sys.modules['{module}'] = None\n"
        "from pldgov.data.reading import read_source\n"
        "from pldgov.errors import DataError\n"
        f"try: read_source('{spec}', ['text'])\n"
        "except DataError as error: print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert f"needs the package '{module}'" in ran.stdout
    assert f"(pip install 'pldgov[{extra}]')" in ran.stdout


def test_nothing_heavy_is_imported_by_the_default_formats():
    """JSON Lines and CSV are read without pyarrow, datasets, numpy or scikit-learn."""
    code = (
        "import sys\n"
        "from pldgov.data.parsing import parse_examples\n"
        "import pldgov.data.similarity, pldgov.data.writing\n"
        "parse_examples(b'{}', path='a.jsonl', inputs=['text'])\n"
        "parse_examples(b'id', path='a.csv', inputs=['text'])\n"
        "heavy = {'pyarrow', 'datasets', 'numpy', 'sklearn', 'pydantic', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("path", "inputs"),
    [
        ("bank_triage/train.jsonl", ["text"]),
        ("stereoset_bias_type/dev.jsonl", ["context", "sentence"]),
        ("contract_nli_spans/dev.jsonl", ["premise", "hypothesis"]),
    ],
)
def test_the_real_data_sets_are_read_without_a_problem(shared_data, path, inputs):
    """The data sets that the project measures on load whole."""
    data = (shared_data / path).read_bytes()
    examples, problems = parse_examples(data, path=path, inputs=inputs)
    assert problems == ()
    assert len(examples) == data.count(b"\n")
