"""What recorded replies say about single examples: the teacher's reasoning, as it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pldgov.distill.answers import TeacherAnswer, one_line, read_answer
from pldgov.dossier import TeacherWord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pldgov.distill.model import TeacherReply


class _Said(TeacherAnswer):
    example: str
    reasoning: str
    condition: str = ""
    instruction: str = ""
    label: str = ""


class _Answer(TeacherAnswer):
    answers: list[_Said]


def words_about(replies: Iterable[TeacherReply]) -> dict[str, tuple[TeacherWord, ...]]:
    """Return the teacher's words by example id, in the order of the replies.

    Replies of another kind (synthesized rules, operations) and malformed ones say nothing about
    examples and are passed over; a second answer about an example stands after the first.
    """
    found: dict[str, dict[TeacherWord, None]] = {}
    for reply in replies:
        answer = read_answer(_Answer, reply.content)
        for said in () if isinstance(answer, tuple) else answer.answers:
            word = TeacherWord(
                example_id=said.example,
                label=said.label,
                reasoning=one_line(said.reasoning),
                condition=one_line(said.condition),
                instruction=one_line(said.instruction),
                model=reply.model,
                date=reply.date,
                request=reply.request,
            )
            found.setdefault(said.example, {})[word] = None
    return {id_: tuple(words) for id_, words in found.items()}
