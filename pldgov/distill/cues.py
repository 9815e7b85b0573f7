"""The words by which a teacher says for which inputs a rule is, held against the examples.

A teacher knows more words than the examples hold, which is what it is asked for; but a word that
stands in training examples of other labels, more often than in those of the rule's, is a wrong one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pldgov.distill.answers import printable
from pldgov.distill.model import Finding
from pldgov.words import spaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pldgov.dataset import Example

MOST_CUES = 200
MOST_WORDS = 6
"""A longer phrase is a quotation, not a cue."""
LEAST_SEEN = 3
"""In fewer training examples the labels of a topic's word say nothing about it."""
LEAST_RIGHT = 0.5
"""The share of those examples that must have a label of the rule."""
LEAST_DECIDED = 0.75
"""The same for a phrase that is said to decide: one example against it is enough to doubt it."""


@dataclass(frozen=True, slots=True)
class ReadCues:
    """What cues came to: a rule's ``when``, hashable, or what is wrong with them."""

    when: tuple[tuple[str, tuple[str, ...]], ...] = ()
    problems: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


NO_CUES = ReadCues()


@dataclass(frozen=True)
class CueCheck:
    """Reads cues for one input field; ``train`` are the examples that they are held against.

    ``deciding`` cues are to settle the label by themselves, others only to tell a topic. Those of
    fewer than ``least_words`` words are left out: a longer one says more of the label.
    """

    field: str
    train: tuple[Example, ...]
    deciding: bool = False
    least_words: int = 1

    def read(self, said: Sequence[str], *, labels: Sequence[str], title: str) -> ReadCues:
        """Return the cues, each once and as words; none make a rule for every input.

        A cue is dropped and reported that stands in at least ``LEAST_SEEN`` training examples,
        less than half of them with a label of the rule; where cues are to decide, in any, less
        than ``LEAST_DECIDED`` of them.
        """
        cues = tuple(dict.fromkeys(spaced(cue).strip() for cue in said))
        problems = tuple(self._problems(cues))
        if problems:
            return ReadCues(problems=problems)
        least_seen, least_right = (1, LEAST_DECIDED) if self.deciding else (LEAST_SEEN, LEAST_RIGHT)
        findings: list[Finding] = []
        kept: list[str] = []
        long = [cue for cue in cues if len(cue.split()) >= self.least_words]
        if len(long) < len(cues):
            message = f"{len(cues) - len(long)} cues have fewer than {self.least_words} words"
            findings.append(Finding("short-cues", (title,), message))
        for cue in long:
            right, seen = self._counts(cue, labels)
            if seen >= least_seen and right < least_right * seen:
                message = f"stands with the rule's labels in {right} of {seen} training examples"
                findings.append(Finding("weak-cue", (title, printable(cue)), message))
            else:
                kept.append(cue)
        if cues and not kept:
            return ReadCues(problems=(self._all_weak(),))
        return ReadCues(((self.field, tuple(kept)),) if kept else (), findings=tuple(findings))

    def _all_weak(self) -> str:
        short = f", or has fewer than {self.least_words} words" if self.least_words > 1 else ""
        return f"every one stands with other labels more often than with the rule's{short}"

    def _problems(self, cues: Sequence[str]) -> Iterator[str]:
        if len(cues) > MOST_CUES:
            yield f"{len(cues)} are more than {MOST_CUES}"
        for cue in cues:
            if not any(letter.isalnum() for letter in cue) or printable(cue) != cue:
                yield f'"{printable(cue)}" is no word'
            elif len(cue.split()) > MOST_WORDS:
                yield f'"{cue}" has more than {MOST_WORDS} words'

    def _counts(self, cue: str, labels: Sequence[str]) -> tuple[int, int]:
        """Return in how many training examples a cue stands with one of the labels, and at all."""
        found = Counter(label for text, label in self._texts if f" {cue} " in text)
        return sum(found[label] for label in labels), found.total()

    @cached_property
    def _texts(self) -> list[tuple[str, str]]:
        return [(spaced(one.inputs[self.field]), one.label) for one in self.train]
