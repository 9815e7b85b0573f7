"""Numbered and bulleted rules in Markdown or plain text.

The lists are found by a Markdown parser and copied as they are written, so that the model reads
the same words as before. Lines that hold nothing but a tag (``<rules>``) are left out: they would
hide the lists that they frame.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

from pldgov.importing.labels import label_named, label_of_heading
from pldgov.importing.model import FoundPrompt, FoundRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markdown_it.token import Token

KIND: Final = "markdown"

_TAG_LINE: Final = re.compile(r"^[ \t]*</?[A-Za-z][\w-]*(?:[ \t][^<>\n]*)?>[ \t]*$", re.MULTILINE)
_MARKER: Final = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|$)")
_DESCRIBED: Final = re.compile(
    r"^[*_`\"']*(?P<label>.+?)[*_`\"']*(?:[ \t]*:|[ \t]+[-\u2013\u2014])[*_]*[ \t]+(?P<text>\S.*)$",
    re.DOTALL,
)
_LABELS_LEAD: Final = re.compile(
    r"^[*_#\s]*(?:labels|classes|categories)(?:\b.*:)?[*_\s]*$", re.IGNORECASE
)


@dataclass(frozen=True)
class _Item:
    """One item of a list: its text without marker and indentation, its line from 1."""

    text: str
    line: int
    number: int | None = None


@dataclass(frozen=True)
class _Block:
    """A heading, a paragraph, a list or something else at the top of the document."""

    kind: str
    start: int
    end: int
    text: str = ""
    level: int = 0
    items: tuple[_Item, ...] = field(default=())

    @property
    def first(self) -> int | None:
        """The number of a numbered list's first item."""
        return self.items[0].number if self.items else None

    @property
    def last(self) -> int | None:
        """The number of its last item."""
        return self.items[-1].number if self.items else None


def read_markdown(text: str, *, labels: Sequence[str]) -> FoundPrompt:
    """Return the items of all lists as rules, but for the list that describes the labels.

    ``labels`` are those that are known; without any, a list below "Labels:" names them.
    """
    lines = list(_outdented(_TAG_LINE.sub("", text).split("\n")))
    blocks = _joined(tuple(_blocks(lines)), lines)
    described = _described(blocks, labels)
    known = tuple(labels) or tuple(described)
    title = next((one.text for one in blocks if one.kind == "heading" and one.level == 1), None)
    return FoundPrompt(
        KIND,
        tuple(_rules(blocks, known, described)),
        title=title,
        task=_task(blocks),
        labels=described | _described_below_headings(blocks, known),
    )


def _outdented(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines, a list that stands indented moved to the margin with all that follows it.

    Prompts indent whole lists, which to Markdown would be code or one long paragraph.
    """
    shift, in_list = 0, False
    for line in lines:
        indent = len(line) - len(line.lstrip(" \t"))
        marked = _MARKER.match(line) is not None
        if (line.strip() and indent < shift) or not in_list:
            shift = 0
        if line.strip() and not in_list and marked:
            shift = indent
        if line.strip():
            in_list = marked or (in_list and (indent > shift or shift > 0))
        yield line[min(shift, indent) :]


def _blocks(lines: Sequence[str]) -> Iterator[_Block]:
    # Indented text is a list or a paragraph in a prompt, not code; tags are text.
    parser = MarkdownIt("commonmark").disable(["code", "html_block", "lheading", "reference"])
    tokens = parser.parse("\n".join(lines))
    for index, token in enumerate(tokens):
        if token.level != 0 or token.nesting < 0 or token.map is None:
            continue
        start, end = token.map
        kind = token.type.removesuffix("_open")
        if kind == "heading":
            yield _Block(kind, start, end, tokens[index + 1].content, int(token.tag[1:]))
        elif kind == "paragraph":
            yield _Block(kind, start, end, "\n".join(lines[start:end]).strip())
        elif kind in {"ordered_list", "bullet_list"}:
            yield _Block(kind, start, end, items=tuple(_items(token, tokens[index + 1 :], lines)))
        else:
            yield _Block(kind, start, end)


def _items(opening: Token, following: Sequence[Token], lines: Sequence[str]) -> Iterator[_Item]:
    number = None
    if opening.type == "ordered_list_open":
        number = int(opening.attrs.get("start", 1))
    for token in following:
        if token.level == 0:
            return
        if token.type == "list_item_open" and token.level == 1 and token.map is not None:
            start, end = token.map
            yield _Item(_item_text(lines[start:end]), start + 1, number)
            number = None if number is None else number + 1


def _item_text(lines: Sequence[str]) -> str:
    marker = _MARKER.match(lines[0])
    width = marker.end() if marker else 0
    rest = [line[min(width, len(line) - len(line.lstrip(" \t"))) :] for line in lines[1:]]
    return "\n".join(line.rstrip() for line in (lines[0][width:], *rest)).strip("\n")


def _joined(blocks: Sequence[_Block], lines: Sequence[str]) -> tuple[_Block, ...]:
    """Put what stands between two parts of one numbered list into the item before it.

    Text that goes on unindented, as rendered rules do, ends a list for Markdown.
    """
    done: list[_Block] = []
    at = 0
    while at < len(blocks):
        block = blocks[at]
        while (part := _continuation(blocks, at, block, lines)) is not None:
            block = _with_part(block, blocks[part], lines)
            at = part
        done.append(block)
        at += 1
    return tuple(done)


def _with_part(block: _Block, part: _Block, lines: Sequence[str]) -> _Block:
    """Return a numbered list with what stands up to its next part, and that part."""
    goes_on = part.first is not None
    said = lines[block.end : part.start if goes_on else part.end]
    apart = "\n" if lines[block.end - 1].strip() and said and said[0].strip() else "\n\n"
    more = "\n".join(line.rstrip() for line in said).strip("\n")
    last = block.items[-1]
    if more:
        last = replace(last, text=f"{last.text}{apart}{more}")
    items = (*block.items[:-1], last, *(part.items if goes_on else ()))
    return replace(block, end=part.end, items=items)


def _continuation(
    blocks: Sequence[_Block], at: int, block: _Block, lines: Sequence[str]
) -> int | None:
    """Return the index of the block that goes on with a numbered list, if one does.

    That is a bulleted list directly below the last item, or the list that goes on numbering
    after nothing but paragraphs and code.
    """
    if block.last is None:
        return None
    for index in range(at + 1, len(blocks)):
        later = blocks[index]
        if later.first is not None:
            return index if later.first == block.last + 1 else None
        if index == at + 1 and later.items and lines[later.start - 1].strip():
            return index
        if later.kind not in {"paragraph", "fence"}:
            return None
    return None


def _described(blocks: Sequence[_Block], labels: Sequence[str]) -> dict[str, str]:
    """Return the descriptions in the first list whose every item is "label: description"."""
    for lead, block in zip((None, *blocks), blocks, strict=False):
        found = _descriptions(block, labels)
        led = lead is not None and _LABELS_LEAD.match(lead.text)
        if len(found) > 1 and len(found) == len(block.items) and (labels or led):
            return found
    return {}


def _descriptions(block: _Block, labels: Sequence[str]) -> dict[str, str]:
    """Return label and description of each item that has them; of any label if none is known."""
    found = {}
    for item in block.items:
        match = _DESCRIBED.match(item.text)
        label = match["label"].strip() if match else None
        if match and label is not None and labels:
            label = label_of_heading(label, labels)
        if match and label is not None:
            found[label] = " ".join(match["text"].split())
    return found


def _described_below_headings(blocks: Sequence[_Block], labels: Sequence[str]) -> dict[str, str]:
    """Return the paragraph below each heading that is a label."""
    found = {}
    for heading, below in itertools.pairwise(blocks):
        label = label_of_heading(heading.text, labels) if heading.kind == "heading" else None
        if label is not None and below.kind == "paragraph":
            found[label] = " ".join(below.text.split())
    return found


def _rules(
    blocks: Sequence[_Block], labels: Sequence[str], described: Mapping[str, str]
) -> Iterator[FoundRule]:
    section = ""
    for block in blocks:
        if block.kind == "heading":
            section = block.text
        found = _descriptions(block, labels)
        if described and found == described and len(found) == len(block.items):
            continue  # the labels, not rules about them
        of_section = label_of_heading(section, labels)
        for item in block.items:
            if item.text.strip():
                facts = {"section": section, "number": item.number}
                yield FoundRule(
                    item.text,
                    item.line,
                    labels=(of_section,) if of_section else label_named(item.text, labels),
                    facts={key: value for key, value in facts.items() if value not in ("", None)},
                )


def _task(blocks: Sequence[_Block]) -> str | None:
    """Return the paragraphs before the first list or section, without a list's own lead."""
    said: list[str] = []
    for block in blocks:
        if block.items:
            if said and said[-1].rstrip("*_ ").endswith(":"):
                said.pop()
            break
        if block.kind == "heading" and (block.level > 1 or said):
            break
        if block.kind == "paragraph":
            said.append("\n".join(line.strip() for line in block.text.split("\n")))
    return "\n\n".join(said) or None
