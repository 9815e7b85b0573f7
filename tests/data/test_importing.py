"""Official files of public data sets: small invented ones in the official formats, and real ones."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from pldgov.data.importing import DATA_SETS, import_examples
from pldgov.data.importing.bm25 import Ranking
from pldgov.data.parsing import parse_examples
from pldgov.data.writing import format_examples
from pldgov.errors import DataError, UsageError

CONTRACT = (
    "1. The guest may copy the recipe.\n"
    "2. The guest must return the spoon to the host.\n"
    "3. This agreement lasts one year.\n"
    "4. The spoon is made of wood."
)
SPANS = [[0, 33], [34, 81], [82, 115], [116, 145]]


def contract_nli(**changes):
    document = {
        "id": 7,
        "file_name": "recipe.pdf",
        "text": CONTRACT,
        "spans": SPANS,
        "annotation_sets": [
            {
                "annotations": {
                    "nda-1": {"choice": "Entailment", "spans": [1, 0]},
                    "nda-2": {"choice": "Contradiction", "spans": [2]},
                    "nda-3": {"choice": "NotMentioned", "spans": []},
                }
            }
        ],
        "document_type": "search-pdf",
        "url": "https://example.org/recipe.pdf",
        **changes,
    }
    labels = {
        "nda-1": {"short_description": "Spoon", "hypothesis": "The guest returns the spoon."},
        "nda-2": {"short_description": "Term", "hypothesis": "The agreement never ends."},
        "nda-3": {"short_description": "Wood", "hypothesis": "The spoon is made of silver."},
    }
    return {"documents": [document], "labels": labels}


def read(name, content, path="dev.json", **options):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return import_examples(data, name=name, path=path, **options)


class TestContractNli:
    """ContractNLI's documents and annotation sets."""

    def test_evidence_is_the_premise_in_the_order_of_the_document(self):
        """Each hypothesis becomes an example; evidence spans are joined, one a line."""
        first, second, _ = read("contract-nli", contract_nli())
        assert first.id == "7-nda-1"
        assert first.group == "7"
        assert first.label == "Entailment"
        assert first.inputs == {
            "premise": (
                "1. The guest may copy the recipe.\n2. The guest must return the spoon to the host."
            ),
            "hypothesis": "The guest returns the spoon.",
        }
        assert first.metadata == {"hypothesis_key": "nda-1", "premise_origin": "evidence"}
        assert second.inputs["premise"] == "3. This agreement lasts one year."

    def test_without_evidence_the_most_similar_spans_stand_in(self):
        """A hypothesis that is not mentioned gets the spans that sound most like it."""
        third = read("contract-nli", contract_nli())[2]
        assert third.label == "NotMentioned"
        assert third.metadata["premise_origin"] == "bm25"
        lines = third.inputs["premise"].split("\n")
        assert "4. The spoon is made of wood." in lines
        assert len(lines) in (1, 2)  # as many as an annotated hypothesis has

    def test_the_whole_document_can_be_the_premise(self):
        """With premise=document every hypothesis reads the whole text."""
        examples = read("contract-nli", contract_nli(), premise="document")
        assert {one.inputs["premise"] for one in examples} == {CONTRACT}

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"spans": [[0, 9_999]]}, "document 7: span 0 lies outside the text"),
            ({"spans": SPANS[:2]}, "document 7: nda-2 cites a span that does not exist"),
            ({"text": 3}, "documents.0.text: Input should be a valid string"),
            ({"annotation_sets": []}, "documents.0.annotation_sets: Tuple should have at least 1"),
            (
                {"annotation_sets": [{"annotations": {"nda-9": {"choice": "Yes", "spans": []}}}]},
                "documents.0.annotation_sets.0.annotations.nda-9.choice",
            ),
            (
                {
                    "annotation_sets": [
                        {"annotations": {"nda-9": {"choice": "Entailment", "spans": [0]}}}
                    ]
                },
                'document 7: there is no hypothesis "nda-9"',
            ),
        ],
    )
    def test_a_malformed_document_is_told_with_its_place(self, changes, words):
        """What does not fit the official format is refused, with the place inside the file."""
        with pytest.raises(DataError) as caught:
            read("contract-nli", contract_nli(**changes))
        assert f"dev.json: {words}" in str(caught.value)

    def test_a_document_without_any_text_to_show_is_refused(self):
        """No spans at all cannot stand for a premise."""
        nothing = {"annotations": {"nda-3": {"choice": "NotMentioned", "spans": []}}}
        with pytest.raises(DataError, match="there is no text to stand for nda-3"):
            read("contract-nli", contract_nli(spans=[], annotation_sets=[nothing]))

    def test_the_official_dev_file_gives_the_derived_data_sets_evidence(self, shared_data):
        """On real data, labels, hypotheses and evidence agree with an independent derivation."""
        data = (shared_data / "contract_nli_official_dev.json").read_bytes()
        examples = read("contract-nli", data)
        derived = {
            f"{row['group']}-{row['hypothesis_id']}": row
            for row in map(
                json.loads, (shared_data / "contract_nli_spans/dev.jsonl").read_text().splitlines()
            )
        }
        assert {one.id for one in examples} == set(derived)
        for one in examples:
            row = derived[one.id]
            assert (one.label, one.inputs["hypothesis"]) == (row["label"], row["hypothesis"])
            if one.label != "NotMentioned":
                assert one.inputs["premise"].split() == row["premise"].split()
        assert Counter(one.label for one in examples) == {
            "Entailment": 519,
            "NotMentioned": 423,
            "Contradiction": 95,
        }

    def test_the_length_of_a_premise_does_not_give_the_label_away(self, shared_data):
        """On real data, premises without evidence have about as many spans as those with it."""
        data = (shared_data / "contract_nli_official_dev.json").read_bytes()
        lengths = {"bm25": [], "evidence": []}
        for one in read("contract-nli", data):
            lengths[one.metadata["premise_origin"]].append(one.inputs["premise"].count("\n") + 1)
        means = {origin: sum(counts) / len(counts) for origin, counts in lengths.items()}
        assert means["bm25"] == pytest.approx(means["evidence"], rel=0.2)


def item(**changes):
    return {
        "id": "i1",
        "target": "Baker",
        "bias_type": "profession",
        "context": "The baker is BLANK.",
        "sentences": [
            {
                "id": "s1",
                "sentence": "The baker is quick.",
                "labels": [],
                "gold_label": "unrelated",
            },
            {
                "id": "s2",
                "sentence": "The baker is early.",
                "labels": [],
                "gold_label": "stereotype",
            },
            {
                "id": "s3",
                "sentence": "The baker is late.",
                "labels": [{"label": "anti-stereotype", "human_id": "h"}],
                "gold_label": "anti-stereotype",
            },
        ],
        **changes,
    }


def stereoset(*intra, inter=()):
    return {"version": "1.1", "data": {"intrasentence": list(intra), "intersentence": list(inter)}}


class TestStereoSet:
    """StereoSet's intrasentence and intersentence items."""

    def test_the_stereotypical_sentence_and_its_context_are_the_inputs(self):
        """The label is the bias type, the group the target term, whatever its case."""
        follow = item(
            id="i2",
            target="baker",
            context="I met a baker.",
            sentences=[{"sentence": "He got up at three.", "gold_label": "stereotype"}],
        )
        first, second = read("stereoset", stereoset(item(), inter=[follow]))
        assert first.id == "i1"
        assert first.label == "profession"
        assert first.inputs == {"context": "The baker is BLANK.", "sentence": "The baker is early."}
        assert first.metadata == {"subset": "intrasentence"}
        assert first.group == second.group == "baker"
        assert second.inputs["sentence"] == "He got up at three."
        assert second.metadata == {"subset": "intersentence"}

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (
                stereoset(item(sentences=[])),
                "data.intrasentence: item i1: the item has 0 stereotypical sentences, not one",
            ),
            (stereoset(item(bias_type="age")), "data.intrasentence.0.bias_type: Input should be"),
            ({"data": {"intrasentence": []}}, "data.intersentence: Field required"),
            (stereoset(), "the file has no items"),
            ([], "the document: Input should be"),
        ],
    )
    def test_a_malformed_file_is_told_with_its_place(self, content, words):
        """What does not fit the official format is refused, with the place inside the file."""
        with pytest.raises(DataError) as caught:
            read("stereoset", content)
        assert f"dev.json: {words}" in str(caught.value)

    def test_the_fields_are_those_of_the_derived_data_set(self, shared_data):
        """An imported file has the fields, labels and subsets of the data set measured on."""
        lines = (shared_data / "stereoset_bias_type/dev.jsonl").read_text().splitlines()
        rows = [json.loads(line) for line in lines]
        made = json.loads(format_examples(read("stereoset", stereoset(item()))))
        assert set(made) == set(rows[0])
        assert made["label"] in {row["label"] for row in rows}
        assert made["subset"] in {row["subset"] for row in rows}
        intra = [row for row in rows if row["subset"] == "intrasentence"]
        assert all("BLANK" in row["context"] for row in intra)


LOGIQA = (
    "\n"
    "c\n"
    "All spoons in this kitchen are wooden.\n"
    "Which of these follows?\n"
    "A.No spoon is made of silver\n"
    "B.Some forks are wooden.\n"
    "C. This spoon is wooden.\n"
    "The kitchen burns.\n"
    "\n"
    "A\n"
    "All  spoons in this kitchen are wooden.\n"
    "Which weakens it?\n"
    "A.One is made of tin.\n"
    "B.b\n"
    "C.c\n"
    "D.d\n"
)


class TestLogiQA:
    """LogiQA's blocks of eight lines."""

    def test_a_block_is_an_example(self):
        """Letter, context, question and four options; one context, one group."""
        first, second = read("logiqa", LOGIQA.encode(), path="data/Eval.txt")
        assert (first.id, first.label, first.line) == ("eval-0001", "c", 2)
        assert (second.id, second.label) == ("eval-0002", "a")
        assert first.inputs == {
            "context": "All spoons in this kitchen are wooden.",
            "question": "Which of these follows?",
            "options": (
                "A. No spoon is made of silver\n"
                "B. Some forks are wooden.\n"
                "C. This spoon is wooden.\n"
                "D. The kitchen burns."
            ),
        }
        assert first.group == second.group

    def test_windows_line_ends_and_a_missing_last_line_feed_do_no_harm(self):
        """The same examples come out of a file that went through Windows."""
        data = b"\xef\xbb\xbf" + LOGIQA.strip().replace("\n", "\r\n").encode()
        assert read("logiqa", data, path="e.txt") == read("logiqa", LOGIQA.encode(), path="e.txt")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (LOGIQA.replace("B.b\n", ""), "e.txt:10: the problem has 6 lines, not 7"),
            (LOGIQA.replace("\nc\n", "\ne\n", 1), 'e.txt:2: the answer is "e"'),
            ("\n\n", "e.txt: the file has no problems"),
        ],
    )
    def test_a_malformed_block_is_told_with_its_line(self, text, words):
        """What does not fit the official format is refused with the line."""
        with pytest.raises(DataError) as caught:
            read("logiqa", text.encode(), path="e.txt")
        assert words in str(caught.value)

    def test_a_file_that_is_not_utf8_is_refused(self):
        """The Chinese edition in another encoding is told its line."""
        with pytest.raises(DataError, match=r"e\.txt:3: byte 0xff is not UTF-8"):
            read("logiqa", b"\na\n\xff\n", path="e.txt")


@pytest.mark.parametrize("name", ["contract-nli", "stereoset"])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"documents":\n [', "f.json:2:3: not valid JSON"),
        (b"", "f.json:1:1: not valid JSON"),
        (b'{"a":\n"\xff"}', "f.json:2: byte 0xff is not UTF-8"),
        (b"[" * 100_000, "f.json: not readable as JSON"),
    ],
)
def test_what_is_no_json_is_told_with_line_and_column(name, data, words):
    """A download that broke off, an empty file, bytes that are no text."""
    with pytest.raises(DataError) as caught:
        read(name, data, path="f.json")
    assert words in str(caught.value)


def test_a_wrong_format_asks_whether_it_is_the_right_file():
    """Reading one data set as another lists a few mistakes, not thousands, and asks."""
    many = {"data": {"intrasentence": [{}] * 100, "intersentence": []}}
    with pytest.raises(DataError) as caught:
        read("stereoset", many)
    lines = str(caught.value).splitlines()
    assert len(lines) == 7
    assert lines[-1].endswith("in the format that was asked for?")


def test_only_contract_nli_has_a_premise_to_choose():
    """An option that would do nothing is refused."""
    with pytest.raises(UsageError, match="stereoset has no premise"):
        read("stereoset", stereoset(item()), premise="document")


def test_an_unknown_data_set_is_answered_with_the_nearest():
    """A misspelt name gets a suggestion."""
    with pytest.raises(UsageError, match='did you mean "logiqa"'):
        read("logicqa", b"")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("contract-nli", contract_nli()),
        ("stereoset", stereoset(item())),
        ("logiqa", LOGIQA.encode()),
    ],
)
def test_what_is_imported_is_read_back_as_examples(name, content):
    """Every importer makes a file that the reader takes without a problem."""
    examples = read(name, content)
    inputs = DATA_SETS[name].inputs
    again, problems = parse_examples(format_examples(examples), path="x.jsonl", inputs=inputs)
    assert problems == ()
    assert again == examples


class TestBm25:
    """Ranking passages for a query."""

    def test_rare_shared_words_count_more_than_common_ones(self):
        """The passage with the query's rare word wins over those with its common ones."""
        passages = ["the cat and the dog", "the the the", "a zebra", "the cat"]
        assert Ranking(passages).best("the zebra", most=1) == (2,)

    def test_ties_go_to_the_earlier_passage_and_the_order_is_the_documents(self):
        """Equal passages are taken from the front, and given in the order they stand."""
        assert Ranking(["x", "y", "y", "y q"]).best("y q", most=3) == (1, 2, 3)
        assert Ranking(["x", "y", "y"]).best("y", most=1) == (1,)

    def test_nothing_to_rank_is_nothing(self):
        """No passages, or no known word, is no error."""
        assert Ranking([]).best("y", most=2) == ()
        assert Ranking(["", "b"]).best("zzz", most=1) == (0,)
