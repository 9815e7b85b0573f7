"""Whatever stands in a file, reading it returns a document and says what is wrong."""

from __future__ import annotations

from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pldgov.dataset import Example
from pldgov.rulebook.checks import check_rulebook
from pldgov.rulebook.document import Document, parse_document
from pldgov.rulebook.yaml_nodes import Fault, PureComposer, compose

VALID = Path(__file__).with_name("valid.yaml").read_text("utf-8")
LINES = VALID.splitlines(keepends=True)
EXAMPLES = tuple(Example(i, {"text": f"text {i}"}, "cards", line=1) for i in ("452415e071", "x"))
CHARACTERS = st.sampled_from(list("\t:-[]{}#&*!|>'\"%@`,?~\\ \n\r0a\x00\x85\ufeff\u2028é💥"))
QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def sound(document: Document) -> None:
    """Assert what holds of every document."""
    lines = document.lines
    last = lines.position(len(document.text))[0]
    assert all(1 <= problem.line <= last and problem.column >= 1 for problem in document.problems)
    assert all(problem.message for problem in document.problems)
    if document.rulebook is None:
        assert document.problems
    else:
        assert len(document.rule_rows) == len(document.rulebook.rules)
        found = check_rulebook(document, splits={"train": EXAMPLES, "gate": EXAMPLES}, templates=())
        assert all(problem.line >= 1 and problem.column >= 1 for problem in found)


def read(text: str) -> Document:
    document = parse_document(text.encode("utf-8", "surrogatepass"), path="rb.yaml")
    sound(document)
    return document


def test_every_line_deleted_doubled_or_moved():
    """Deleting, doubling, indenting or outdenting any line gives a document."""
    for index, line in enumerate(LINES):
        for new in ("", line * 2, "  " + line, "\t" + line, line.lstrip(), line[2:]):
            read("".join([*LINES[:index], new, *LINES[index + 1 :]]))


def test_every_value_replaced():
    """Any value replaced by one of another type gives a document with a place to look at."""
    for index, line in enumerate(LINES):
        key, colon, _ = line.partition(":")
        for value in (
            "",
            " ~",
            " [a, {b: c}]",
            " {a: [b]}",
            " 5",
            " '",
            " *x",
            " &x y",
            " - a",
            " |",
        ):
            read("".join([*LINES[:index], f"{key}{colon}{value}\n", *LINES[index + 1 :]]))


@QUIET
@given(at=st.integers(0, len(VALID)), cut=st.integers(0, 40), new=st.text(CHARACTERS, max_size=6))
def test_characters_replaced(at, cut, new):
    """Replacing any stretch of characters gives a document."""
    read(VALID[:at] + new + VALID[at + cut :])


@QUIET
@given(at=st.integers(0, len(VALID)), new=st.binary(max_size=8))
def test_bytes_inserted(at, new):
    """Inserting any bytes gives a document."""
    data = VALID.encode()
    sound(parse_document(data[:at] + new + data[at:], path="rb.yaml"))


@QUIET
@given(
    first=st.integers(0, len(LINES)), second=st.integers(0, len(LINES)), length=st.integers(1, 9)
)
def test_blocks_moved(first, second, length):
    """Moving any block of lines elsewhere gives a document."""
    block, rest = LINES[first : first + length], LINES[:first] + LINES[first + length :]
    read("".join(rest[:second] + block + rest[second:]))


def shape(node):
    if isinstance(node, yaml.ScalarNode):
        return node.tag, node.value, node.start_mark.index
    if isinstance(node, yaml.MappingNode):
        return [(shape(key), shape(value)) for key, value in node.value]
    return [shape(item) for item in node.value]


def test_the_pure_composer_reads_the_same():
    """Without libyaml the nodes have the same tags, values and positions."""
    assert shape(compose(VALID)) == shape(compose(VALID, composer=PureComposer))


def test_the_pure_composer_refuses_the_same():
    """Without libyaml a broken text gives a fault of the same code, or is read all the same."""
    for text in (
        "a: b\n\tc: d\n",
        "a: 'x\n",
        "a: [1,\n",
        "a: b: c\n",
        "a: @x\n",
        "a: *x\n",
        "a: b\n---\nc: d\n",
    ):
        fast, pure = compose(text), compose(text, composer=PureComposer)
        assert isinstance(fast, Fault)
        assert isinstance(pure, Fault)
        assert fast.code == pure.code
